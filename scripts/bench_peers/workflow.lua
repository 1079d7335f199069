--- The VV/VH composite: focal median of 100 m, ratio in decibels, median and standard deviation over 20 dates, to COG.
local raster, filter = require "raster", require "filter"

local function open(pol, date)
  return raster.open(("stack_%s_202301%02d.tif"):format(pol, date)):set_unit("power")
end

local ratios = {}
for date = 1, 20 do
  local vv = filter.focal_median(open("VV", date), { radius = 100, unit = "m" }):to_db()
  local vh = filter.focal_median(open("VH", date), { radius = 100, unit = "m" }):to_db()
  ratios[date] = (vv - vh):rename { "VVdVH" }:mask_outside(-5, 15)
end
local composite = raster.stack(ratios):reduce { "median", "std" }
raster.write_all {
  { composite:select { "VVdVH_median" }, "vvvh_ours.tif", { format = "COG" } },
  { composite:select { "VVdVH_std" }, "vvvh_ours_std.tif", { format = "COG" } },
}
