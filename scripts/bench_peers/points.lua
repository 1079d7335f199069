--- Amplitude correlation at a few points of a complex pair, in the first call of a process and in those after it.
local raster, correlation = require "raster", require "correlation"
local p = params { points = 20, calls = 5 }

local first, second = raster.open "slc1024.tif", raster.open "slc1024_moved.tif"
local points = {}
for i = 0, p.points - 1 do points[#points + 1] = { 80 + i * 173 % 860, 80 + i * 379 % 860 } end
for call = 1, p.calls do
  local start = os.clock()
  local offsets = correlation.ampcor(first, second, { points = points, window = 128, search = 4, oversampling = 64 })
  print(("call %d: %.2f ms CPU a window"):format(call, 1000 * (os.clock() - start) / p.points))
  for _, row in ipairs(offsets) do
    assert(row.reason == "ok" and math.abs(row.dx_px - 1) < 0.05 and math.abs(row.dy_px + 2) < 0.05)
  end
end
