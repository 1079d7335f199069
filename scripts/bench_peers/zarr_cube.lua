--- A series at a point and yearly means of a Zarr cube, in the words of zarr_cube.py, which makes it: sums and counts of both are the same.
local raster = require "raster"
local p = params { cube = "cube.zarr", what = "series", out = "yearly.zarr" }

if p.what == "series" then
  local stack = raster.stack(p.cube, { variables = { "v", "vx", "vy", "v_error" } })
  local rows = stack:sample { { -140000 + 85 * 120, -2300000 - 75 * 120 } }
  for _, name in ipairs { "v", "vx", "vy", "v_error" } do
    local sum, count = 0, 0
    for _, row in ipairs(rows) do
      if row[name] then sum, count = sum + row[name], count + 1 end
    end
    print(("%s %d %d"):format(name, sum, count))
  end
elseif p.what == "yearly" then
  local yearly = raster.stack(p.cube, { variables = "v" }):resample("year", "mean")
  local bands = {}
  for i, image in ipairs(yearly) do bands[i] = image:rename("y" .. image.time:sub(1, 4)) end
  local all = raster.bands(bands)
  local sum, count = 0, 0
  for _, stats in pairs(all:stats()) do sum, count = sum + stats.mean * stats.count, count + stats.count end
  print(("%d maps, mean %.4f of %d"):format(#bands, sum / count, count))
else
  raster.stack(p.cube, { variables = "v" }):write(p.out, { dtype = "int16" })
end
