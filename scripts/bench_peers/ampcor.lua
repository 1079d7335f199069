--- Amplitude correlation of a complex pair: points, or a dense field.
local raster, correlation = require "raster", require "correlation"
local p = params { what = { "points", choices = { "points", "dense" } } }

local first, second = raster.open "slc1024.tif", raster.open "slc1024_moved.tif"
if p.what == "points" then
  local points = {}
  for row = 0, 19 do
    for col = 0, 19 do points[#points + 1] = { 80 + 45 * col, 80 + 45 * row } end
  end
  local offsets = correlation.ampcor(first, second, { points = points, window = 128, search = 4, oversampling = 64 })
  local found = 0
  for _, row in ipairs(offsets) do
    if row.reason == "ok" and math.abs(row.dx_px - 1) < 0.05 and math.abs(row.dy_px + 2) < 0.05 then found = found + 1 end
  end
  assert(found == #points, found)
else
  local offsets = correlation.ampcor(first, second, { window = 64, search = 20, oversampling = 64, skip = 30 })
  offsets:write("ampcor_dense.tif", { compress = "none", statistics = false })
  local stats = raster.open("ampcor_dense.tif"):stats()
  print(offsets.rows * offsets.cols, stats.dx_px.count, stats.dx_px.mean, stats.dy_px.mean)
end
