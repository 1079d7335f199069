--- Glacier velocities of ITS_LIVE for a place: search, counts by year, filter, download, parameters kept beside the data.
---
--- Asks ITS_LIVE for the granules (image pairs) over an area, says how many each year has, keeps some months or at most so many a
--- year, and brings them into a project folder. Beside them lie `search.json` (what was asked and the whole answer), `granules.csv`
--- (what was chosen) and `parameters.json`. A run that was stopped goes on where it was, with the same answer.
---
---     perilune run itslive_download --polygon=-101.1555,-74.7387,-99.1172,-75.0879,-99.8797,-75.46,-102.425,-74.925 \
---       --start 1984-01-01 --end 2020-01-01 --most-per-year 10 --months November,December,January --folder pine_island

local catalog, fs, json, geometry = require "catalog", require "fs", require "json", require "geometry"
local tables = require "tables"

local p = params {
  -- Where and when
  polygon = { type = "list", of = "number", unit = "deg", help = "Corners as lon,lat,lon,lat,…" },
  bbox = { type = "list", of = "number", unit = "deg", help = "West, south, east, north; west > east lies over the dateline." },
  area = { type = "path", help = "Vector file with the area." },
  start = { type = "date", help = "First date." },
  ["end"] = { type = "date", help = "Last date." },

  -- Which pairs
  min_separation = { 6, min = 0, unit = "days", help = "Shortest time between the two images." },
  max_separation = { 120, min = 0, unit = "days", help = "Longest time." },
  percent_valid_pixels = { 30, min = 0, max = 100, unit = "%", help = "Least share of the ice with a velocity." },
  platform = { type = "list", of = "string", help = "Satellites or missions, such as S2B,Landsat 8; all where left out." },
  version = { type = "string", help = "Version of the archive, such as 2; all where left out." },

  -- How many of them
  months = { type = "list", of = "string", help = "Months of the date halfway between the images, such as November,12,1." },
  years = { type = "list", of = "integer", help = "Years of that date." },
  most_per_year = { type = "integer", min = 1, help = "At most so many of each year." },
  choose = {
    "valid", choices = { "valid", "first", "spread" },
    help = "Which of a year's: those with the most valid pixels, the first listed, or those spread over the year.",
  },

  -- To where and from whom
  folder = { "itslive", type = "path", help = "Project folder." },
  parallel = { 8, min = 1, max = 64, help = "Files fetched at once." },
  dry_run = { false, help = "Search, count and add up the bytes; fetch nothing." },
  service = { "stac", choices = { "stac", "urls" }, help = "The STAC service, or the older service of addresses." },
  url = { type = "string", help = "Another server with that service." },
  partial = { false, help = "Go on with fewer granules than the service counts." },
}

--%% What is asked

local given = {}
for _, name in ipairs { "polygon", "bbox", "area" } do
  if p[name] then given[#given + 1] = "--" .. name end
end
if #given ~= 1 then
  error(("give one of --polygon, --bbox and --area, got %s"):format(#given == 0 and "none" or table.concat(given, " and ")), 0)
end
if p.bbox and #p.bbox ~= 4 then
  error(("--bbox must be west,south,east,north, got %d numbers"):format(#p.bbox), 0)
end
local search = catalog.itslive {
  polygon = p.polygon, bbox = p.bbox, intersects = p.area and geometry.read(p.area) or nil,
  start = p.start, ["end"] = p["end"], min_separation = p.min_separation, max_separation = p.max_separation,
  percent_valid_pixels = p.percent_valid_pixels, platform = p.platform, version = p.version,
  service = p.service, url = p.url, partial = p.partial,
}

local filter = { months = p.months, years = p.years, most_per_year = p.most_per_year, choose = p.choose }
catalog.itslive_filter({}, filter) -- what is wrong with it is said before a server is asked

--%% Search, or take the answer that is there

fs.mkdir(p.folder)
local answer = fs.join(p.folder, "search.json")
local known = fs.exists(answer)
local found = catalog.snapshot(answer, search)
print(("%d granules found%s"):format(#found, known and (" (answer of %s, in %s; remove the file to ask again)"):format(
  fs.modified(answer):sub(1, 10), answer) or ""))
for _, note in ipairs(found.notes) do print("note: " .. note) end
if #found == 0 then return end

--%% Counts by year, and the filter

local kept = catalog.itslive_filter(found, filter)
local all, chosen = catalog.itslive_by_year(found), catalog.itslive_by_year(kept)
local counts = all:rename("count", "found"):join(chosen:rename("count", "kept"), "year", { kind = "left" })
  :with_column("kept", function(row) return row.kept or 0 end)
print(counts:render { rows = 100 })
print(("%d of %d granules kept"):format(#kept, #found))
if #kept == 0 then
  error("no granule is left; choose other --months or --years", 0)
end

--%% Keep the parameters beside the data

local parameters = { workflow = "itslive_download", request = search:request(), filter = filter, found = #found, kept = #kept }
fs.write(fs.join(p.folder, "parameters.json"), json.encode(parameters, { pretty = true }))

local function name_of(item)
  return (item:asset("data").href:gsub("[?#].*$", ""):match "[^/]*$")
end
local rows, names = {}, {}
for i, item in ipairs(kept) do
  local has = item.properties
  names[name_of(item)] = true
  rows[i] = {
    file = name_of(item), mid_date = has.mid_datetime or has.datetime, start = has.start_datetime, ["end"] = has.end_datetime,
    date_dt = has.date_dt, platform = has.platform, percent_valid_pixels = has.percent_valid_pixels,
    crs = has["proj:code"], version = has.version, url = item:asset("data").href,
  }
end
tables.new(rows, { columns = {
  "file", "mid_date", "start", "end", "date_dt", "platform", "percent_valid_pixels", "crs", "version", "url",
} }):write_csv(fs.join(p.folder, "granules.csv"))

--%% Download

local function megabytes(bytes) return ("%.1f MB"):format(bytes / 1e6) end
local report, totals = catalog.download(kept, {
  dir = p.folder, assets = "data", parallel = p.parallel, dry_run = p.dry_run,
})
if p.dry_run then
  print(("%d files would be fetched, %s%s; %d are there already"):format(
    totals.files - totals.present, megabytes(totals.bytes),
    totals.unknown > 0 and (" and %d of unknown size"):format(totals.unknown) or "", totals.present))
else
  print(("%d files in %s, %s: %d fetched (%s), %d there already"):format(
    #report, p.folder, megabytes(totals.bytes), totals.fetched, megabytes(totals.received), totals.present))
end

local others = 0
for _, path in ipairs(fs.glob(fs.join(p.folder, "*.nc"))) do
  if not names[fs.basename(path)] then others = others + 1 end
end
if others > 0 then
  print(("%d other granules lie in %s, of earlier runs; granules.csv lists those of this one"):format(others, p.folder))
end
