-- Yearly means of a folder of granules in a polygon, as scripts/bench_peers/itslive_years.py makes them.
local itslive, fs = require "itslive", require "fs"
local p = params { granules = "real", polygon = "pine.geojson", out = { "years", type = "path" } }
fs.mkdir(p.out)
local stack = itslive.open_granules(p.granules, { polygon = p.polygon })
for image in itslive.yearly(stack, { weight = "none", time = "mid_date" }):each() do
  image:write(fs.join(p.out, ("%d.tif"):format(image.year)))
end
