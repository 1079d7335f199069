--- Makes ITS_LIVE granules of a glacier whose velocities are known: season, trend, noise, gaps, outliers, two versions, two projections.
---
--- Each granule is the NetCDF file of an image pair, as the archive has them: version 2, and every third of version 1, which names and
--- writes some things otherwise and has pixels twice as large; every fifth in UTM, its vectors turned. Beside them lie granules.csv (what each is)
--- and truth.tif (speed, seasonal amplitude, trend and direction of the flow).
---
---     perilune run make_itslive_granules --out granules --count 60

local itslive = require "itslive"

local p = params {
  out = { "granules", type = "path", help = "Folder to write into." },
  count = { 24, min = 1, help = "Granules." },
  start = { "2015-01-01", type = "date", help = "First day." },
  interval = { 16, min = 1, unit = "days", help = "From one granule to the next." },
  separations = { { 16, 32, 48 }, type = "list", of = "integer", unit = "days", help = "Between the images of a pair, in turn." },
  size = { 96, min = 8, unit = "px", help = "Rows and columns." },
  spacing = { 120, min = 1, unit = "m", help = "From pixel to pixel; of version 1 twice as many." },
  version = { "both", choices = { "1", "2", "both" }, help = "Layout." },
  other_projection = { 5, min = 0, help = "Every so manieth is in UTM; 0 for none." },
  speed = { 6000, min = 100, unit = "m/yr", help = "At the front." },
  amplitude = { 0.15, min = 0, max = 1, help = "Of the seasons at the front, as a part of the speed." },
  phase = { 200, min = 0, max = 366, unit = "d", help = "Day of the year of the highest speed." },
  trend = { 0.02, min = -1, max = 1, help = "Part of the speed that is added a year." },
  noise = { 2, min = 0, unit = "m", help = "Standard deviation of displacements." },
  gaps = { 0.15, min = 0, max = 0.9, help = "Part of the pixels without a velocity." },
  outliers = { 0.01, min = 0, max = 0.5, help = "Part that is wrong." },
  seed = { 1, min = 0, help = "Another seed, other noise." },
}

local options = {}
for _, name in ipairs {
  "count", "start", "interval", "separations", "size", "spacing", "version", "other_projection", "speed", "amplitude", "phase", "trend", "noise",
  "gaps", "outliers", "seed",
} do options[name] = p[name] end
local made = itslive.make_granules(p.out, options)

local counts = {}
for i = 1, #made do
  local key = ("version %d, %s"):format(made[i].version, made[i].crs)
  counts[key] = (counts[key] or 0) + 1
end
local keys = {}
for key in pairs(counts) do keys[#keys + 1] = key end
table.sort(keys)
for _, key in ipairs(keys) do print(("%d granules of %s"):format(counts[key], key)) end
print(p.out .. "/truth.tif")
