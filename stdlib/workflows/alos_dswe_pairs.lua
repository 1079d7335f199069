--- Pairs of ALOS PALSAR scenes and Landsat surface water (DSWE) seen within a day: found, screened, downloaded.
---
--- Searches ASF for dual-polarised fine beam scenes, radiometrically terrain corrected, over an area; searches USGS for DSWE tiles of the
--- same days; joins the two here; screens each scene by how much of it the tiles see and how much of that is water; downloads the scenes
--- that are kept, unpacks them, puts their tiles into `<scene>/usgs_dswe`, and writes the list of all as CSV. Searches are kept as
--- files; a run that was stopped at any point goes on there.
---
--- ASF needs an Earthdata login, USGS an ERS login: `perilune login urs.earthdata.nasa.gov`, `perilune login ers.cr.usgs.gov`.
---
---     perilune run alos_dswe_pairs --bounds -92,29,-89,31 --start 2008-01-01 --stop 2008-12-31 --dry_run

local catalog, dswe, fs, geometry = require "catalog", require "dswe", require "fs", require "geometry"
local tables = require "tables"

local p = params {
  out = { "data", type = "path", help = "Folder of everything: searches, scenes, the list of pairs." },

  -- Which scenes
  bounds = { { -125, 24.5, -66.5, 49.5 }, type = "list", of = "number", unit = "deg", help = "West, south, east, north of the area; the default is the conterminous USA." },
  area = { type = "path", help = "Vector file with the area, in place of bounds." },
  start = { "2006-01-01", type = "date", help = "First day." },
  stop = { "2011-12-31", type = "date", help = "Last day." },
  beam_mode = { "FBD", help = "Beam mode of PALSAR." },
  polarization = { "HH+HV", help = "Polarisation, as ASF writes it." },
  processing_level = { "RTC_HI_RES", help = "Processing level." },

  -- Which tiles
  within = { 1, min = 0, help = "Most days between scene and tiles." },
  cloud_cover = { 30, min = 0, max = 100, unit = "%", help = "Tiles with less cloud than this." },

  -- Which pairs are kept
  valid = { 0.5, min = 0, max = 1, help = "Least share of a scene that its tiles see: no fill, no cloud, shadow or snow." },
  water = { 0.05, min = 0, max = 1, help = "Least share of a scene that is water (classes 1 and 2)." },
  most = { type = "integer", min = 1, help = "Stop after this many pairs." },

  -- How
  parallel = { 4, min = 1, help = "Downloads at a time from one server." },
  dry_run = { false, help = "Search and join only; say how much there would be to download." },
  asf_url = { type = "string", help = "Another CMR than NASA's." },
  stac_url = { type = "string", help = "Another STAC service than USGS's." },
}

--%% Check what is asked

if not p.area and (#p.bounds ~= 4 or p.bounds[2] >= p.bounds[4]) then
  error(("--bounds must be west,south,east,north in degrees, got %s"):format(table.concat(p.bounds, ",")), 0)
end
local area
if p.area then
  area = geometry.read(p.area):to_crs(4326):union()
else
  local w, s, e, n = table.unpack(p.bounds)
  area = geometry.bbox(w, s, e, n)
end
local searches = fs.join(p.out, "searches")
fs.mkdir(searches)

--%% Search the scenes

local scenes = catalog.snapshot(fs.join(searches, "alos.json"), catalog.asf {
  platform = "ALOS", instrument = "PALSAR", processingLevel = p.processing_level,
  polarization = p.polarization, beamMode = p.beam_mode,
  intersectsWith = area, start = p.start, ["end"] = p.stop, url = p.asf_url,
})
print(("ASF: %s"):format(scenes))
if #scenes == 0 then error("no scene: widen the area or the time", 0) end

--%% Search the tiles of their days

local tiles = dswe.search(scenes, {
  within = p.within, cloud_cover = p.cloud_cover, url = p.stac_url, folder = searches,
  report = function(month, found) print(("USGS, %s: %s"):format(month, found)) end,
})

--%% Join

local pairs_found = catalog.join(scenes, tiles, { within = ("%dd"):format(p.within), by_day = true, nearest = true })
print(("%d of %d scenes have tiles within %d days"):format(#pairs_found, #scenes, p.within))
if p.most then
  for i = #pairs_found, p.most + 1, -1 do pairs_found[i] = nil end
end

local rows = {}
for i, pair in ipairs(pairs_found) do
  rows[i] = {
    scene = dswe.scene_name(pair.item), granule = pair.item.id, time = pair.item.datetime, days = pair.seconds / 86400,
    coverage = pair.coverage, tiles = #pair.matches, tile_ids = table.concat(pair.matches:ids(), " "),
  }
end
if #rows > 0 then
  tables.new(rows, { columns = { "scene", "granule", "time", "days", "coverage", "tiles", "tile_ids" } }):write_csv(fs.join(p.out, "pairs.csv"))
end

--%% How much that is

if p.dry_run then
  local wanted, zips = catalog.items {}, {}
  for i, pair in ipairs(pairs_found) do
    wanted = wanted:append(pair.matches)
    zips[i] = pair.item
  end
  print(("to screen: %d tiles; to download if all are kept: %d scenes, %.1f GB"):format(
    #wanted, #zips, catalog.items(zips):bytes() / 1e9))
  return
end

--%% Download, screen, unpack

local folder = fs.join(p.out, "scenes")
fs.mkdir(folder)
local done = dswe.download_pairs(pairs_found, {
  folder = folder, valid_share = p.valid, water_share = p.water, screening = fs.join(p.out, "screening.csv"),
  parallel = p.parallel, report = print,
})

--%% The list of all pairs

local database = dswe.write_database(folder, fs.join(p.out, "alos_dswe_database.csv"))
local failed = 0
for i = 1, #done do
  if done[i].status == "failed" then failed = failed + 1 end
end
print(("%s: %d scenes with their tiles"):format(fs.join(p.out, "alos_dswe_database.csv"), #database))
if failed > 0 then
  error(("%d of %d scenes failed, as said above; run the same again to go on"):format(failed, #done), 0)
end
