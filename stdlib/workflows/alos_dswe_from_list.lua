--- Scenes of ALOS PALSAR with their Landsat surface water (DSWE) tiles, downloaded from a list of pairs.
---
--- The list is a CSV with the columns `ALOS_scene` and `DSWE_tiles` (file names separated by blanks), as `alos_dswe_pairs` writes
--- it. Scenes are found at ASF by their granules, tiles at USGS by their ids; a scene or tile that an archive does not have is named. A
--- run that was stopped goes on where it was.
---
--- ASF needs an Earthdata login, USGS an ERS login: `perilune login urs.earthdata.nasa.gov`, `perilune login ers.cr.usgs.gov`.
---
---     perilune run alos_dswe_from_list --list alos_dswe_database.csv

local catalog, dswe, fs, palsar, tables = require "catalog", require "dswe", require "fs", require "palsar", require "tables"

local p = params {
  list = { type = "path", required = true, help = "CSV with the columns ALOS_scene and DSWE_tiles." },
  out = { "data", type = "path", help = "Folder of the scenes and the searches." },
  processing_level = { "RTC_HI_RES", help = "Processing level of the scenes." },
  parallel = { 4, min = 1, help = "Downloads at a time from one server." },
  dry_run = { false, help = "Search only; say how much there would be to download." },
  asf_url = { type = "string", help = "Another CMR than NASA's." },
  stac_url = { type = "string", help = "Another STAC service than USGS's." },
}

--%% Read the list

local list = tables.read_csv(p.list, { types = { ALOS_scene = "string", DSWE_tiles = "string" } })
local has = {}
for _, name in ipairs(list.names) do has[name] = true end
if not (has.ALOS_scene and has.DSWE_tiles) then
  error(("%s needs the columns ALOS_scene and DSWE_tiles; it has: %s"):format(p.list, table.concat(list.names, ", ")), 0)
end
local granules, ids, seen = {}, {}, {}
local wanted = {}
for i = 1, #list do
  local scene, tiles = list[i].ALOS_scene, {}
  if not scene then error(("%s: line %d has no scene"):format(p.list, i + 1), 0) end
  granules[#granules + 1] = palsar.granule(scene)
  for tile in (list[i].DSWE_tiles or ""):gmatch "%S+" do
    local id = dswe.item_id(tile)
    tiles[#tiles + 1] = id
    if not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  wanted[i] = { scene = scene, tiles = tiles }
end
print(("%s: %d scenes, %d tiles"):format(p.list, #wanted, #ids))
local searches = fs.join(p.out, "searches")
fs.mkdir(searches)

--%% Find the scenes

local scenes = catalog.snapshot(fs.join(searches, "list_alos.json"), catalog.asf {
  granule_list = granules, processingLevel = p.processing_level, platform = "ALOS", url = p.asf_url,
})
local scene_of = {}
for _, item in ipairs(scenes) do scene_of[dswe.scene_name(item)] = item end

--%% Find the tiles

local stac = catalog.stac(p.stac_url or dswe.STAC)
local tile_of, GROUP = {}, 100
for first = 1, #ids, GROUP do
  local search = stac:search {
    collections = { dswe.COLLECTION }, ids = { table.unpack(ids, first, math.min(first + GROUP - 1, #ids)) },
  }
  local found = catalog.snapshot(("%s/list_dswe_%05d.json"):format(searches, first), search)
  for _, item in ipairs(found) do tile_of[item.id] = item end
end

--%% Put them together

local pairs_found, missing = {}, {}
for _, entry in ipairs(wanted) do
  local tiles, complete = {}, scene_of[entry.scene] ~= nil
  if not complete then missing[#missing + 1] = entry.scene .. " (ASF)" end
  for i, id in ipairs(entry.tiles) do
    tiles[i] = tile_of[id]
    if not tiles[i] then
      missing[#missing + 1] = id .. " (USGS)"
      complete = false
    end
  end
  if complete then pairs_found[#pairs_found + 1] = { item = scene_of[entry.scene], matches = catalog.items(tiles) } end
end
for _, name in ipairs(missing) do print("the archive does not have " .. name) end

if p.dry_run then
  local zips = {}
  for i, pair in ipairs(pairs_found) do zips[i] = pair.item end
  print(("to download: %d scenes, %.1f GB, and their tiles"):format(#zips, catalog.items(zips):bytes() / 1e9))
  return
end

--%% Download

local folder = fs.join(p.out, "scenes")
fs.mkdir(folder)
local done = dswe.download_pairs(pairs_found, { folder = folder, parallel = p.parallel, report = print })
local failed = #missing
for i = 1, #done do
  if done[i].status == "failed" then failed = failed + 1 end
end
print(("%s: %d of %d scenes are complete"):format(folder, #dswe.write_database(folder, fs.join(p.out, "alos_dswe_database.csv")), #wanted))
if failed > 0 then error(("%d scenes or tiles are missing, as said above; run the same again to go on"):format(failed), 0) end
