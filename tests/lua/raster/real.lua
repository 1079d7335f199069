-- Real scenes. Expected numbers were made with numpy 2.4 and rasterio 1.5 on the same files (float64 sums of the
-- float32 or integer pixels): np.nanmedian, np.nanstd, np.nanpercentile, np.nanmean over axis 0, then min, max, mean, std.
-- Decibels in float64, values that are not finite left out (31 pixels of power are not positive).
local raster = require "raster"
local geometry = require "geometry"

local function assert_stats(found, expected, tolerance)
  local _, s = next(found:stats())
  assert(s.count == expected.count, ("count %d, expected %d"):format(s.count, expected.count))
  for _, name in ipairs { "min", "max", "mean", "std" } do
    if expected[name] then
      assert_close(s[name], expected[name], (tolerance or 1e-6) * math.max(1e-3, math.abs(expected[name])))
    end
  end
end

local PATTERN = "OPERA_L2_RTC-S1_{track}-{burst}-IW2_{date:yyyymmddThhmmss}Z_{processed}_{platform}_30_v1.0_{polarisation}.tif"

local function opera(polarisation)
  local folder = shared "sentinel1/opera_rtc_10SGD_T137/raw/T137-292318-IW2"
  return raster.stack(folder .. "/*_" .. polarisation .. ".tif", { pattern = PATTERN, unit = "power", names = polarisation })
end

test("an OPERA stack: names, times, groups", function()
  local vv = opera "VV"
  assert(#vv == 21 and vv[1].track == "T137" and vv[1].burst == "292318" and vv[2].platform == "S1B")
  assert(vv[1].time == "2021-11-19T01:58:55Z" and vv.grid.crs == "EPSG:32611")
  local counts = {}
  for i, group in ipairs(vv:group_by "month") do counts[i] = group.key .. " " .. #group.stack end
  assert(table.concat(counts, ", ") == "2021-11 2, 2021-12 4, 2022-11 3, 2022-12 2, 2023-01 1, 2023-10 3, 2023-11 2, 2023-12 3, 2025-01 1")
  assert_close(vv[1]:read():get(10, 20), 0.022887588, 1e-9)
end)

test("an OPERA stack: composites", function()
  local vv = opera "VV"
  assert_stats(vv[1], { count = 10000, min = 0.004187170881778002, max = 0.10432758927345276, mean = 0.02391271147239022, std = 0.009623836080912117 })
  local r = vv:reduce { "median", "std", "p90" }
  assert_stats(r.VV_median, { count = 10000, min = 0.005518145393580198, max = 0.020637134090065956, mean = 0.011724131754459813, std = 0.001859092543473072 })
  assert_stats(r.VV_std, { count = 10000, min = 0.0043071629621381285, max = 0.02171428593428223, mean = 0.009659692096046453, std = 0.001957918175171417 })
  assert_stats(r.VV_p90, { count = 10000, min = 0.013428687117993832, max = 0.05062452331185341, mean = 0.025774821985978632, std = 0.004449195589108485 })
  local november = vv:between("2021-11", "2021-11"):mean()
  assert_stats(november, { count = 10000, min = 0.0038702444871887565, max = 0.054868983337655663, mean = 0.015498484286965685, std = 0.005143680820466533 })
end)

test("an OPERA stack: VV/VH in decibels", function()
  local vv, vh = opera "VV", opera "VH"
  local ratio = vv:map(function(image, i)
    assert(image.time == vh[i].time)
    return image.VV:to_db() - vh[i].VH:to_db()
  end)
  assert_stats(ratio:median(), { count = 10000, min = 6.926246487426646, max = 15.720888073616013, mean = 11.031237905766593, std = 1.0804664410439793 }, 1e-6)
end)

test("an OPERA stack: a time series at a point", function()
  local vv = opera "VV"
  local x, y = vv.grid:to_map(10.5, 20.5)
  local rows = vv:sample { { x, y } }
  assert(#rows == 21 and rows[2].time == "2021-11-25T01:58:13Z")
  assert_close(rows[1].VV, 0.022887588, 1e-9)
  assert_close(rows[2].VV, 0.0040722964, 1e-9)
  assert_close(rows[3].VV, 0.00848163, 1e-8)
end)

-- gamma nought from digital numbers: 10·log10(DN²) − 83.
local function palsar()
  local hh = raster.open(shared "palsar/N23W161_20_sl_HH_F02DAR_crop.tif", { names = "HH" })
  return hh, (hh ^ 2):log10() * 10 - 83
end

test("PALSAR: digital numbers, incidence angles, classes", function()
  local hh, gamma = palsar()
  assert_stats(hh, { count = 899984, min = 276, max = 40273, mean = 1809.7764171363046, std = 516.3519327170044 })
  assert_stats(gamma, { count = 899984, min = -34.181818358695644, max = 9.10027964202078, mean = -18.118856579296168, std = 2.1496803013976185 }, 2e-6)
  local angle = raster.open(shared "palsar/N23W161_20_linci_F02DAR_crop.tif", { names = "angle", unit = "deg" })
  assert_stats(angle, { count = 899984, min = 6, max = 82, mean = 36.37197883517929, std = 1.5145342101982795 })
  local land = raster.open(shared "palsar/N23W161_20_mask_F02DAR_crop.tif", { names = "class" })
  local chosen = gamma:mask(angle:gt(30) & angle:lt(45) & land:eq(255))
  assert_stats(chosen, { count = 1302, min = -25.12476475884113, max = 8.586066429242976, mean = -12.011901320238774, std = 5.0489943915215845 }, 2e-6)
end)

test("PALSAR: histogram and percentiles", function()
  local _, gamma = palsar()
  local h = gamma:histogram { bins = 8, min = -30, max = 10 }
  -- Pixels on an edge may fall to either side in float32.
  for i, n in ipairs { 4950, 144259, 698451, 50886, 1054, 228, 100, 15 } do
    assert(math.abs(h.counts[i] - n) <= 60, ("bin %d: %d, expected %d"):format(i, h.counts[i], n))
  end
  local p = gamma:percentile { 2, 50, 98 }
  assert_close(p[1], -22.8621254, 1e-5)
  assert_close(p[2], -18.06510544, 1e-5)
  assert_close(p[3], -13.94281292, 1e-5)
end)

test("elevation tiles make the merged model", function()
  local merged = raster.open(shared "dem/dem_stitcher/los_angeles_dem_geoid.tif")
  local stack = raster.stack(shared "dem/dem_stitcher/los_angeles_tile_*.tif")
  assert(#stack == 4)
  local mosaic = stack:mosaic { grid = merged }
  assert_stats(mosaic, { count = 130321, min = 41.058387756347656, max = 421.7623596191406, mean = 153.35803187940195, std = 77.35004899021688 })
  assert((mosaic - merged):abs():stats().b1.max == 0)
  local whole = stack:mosaic()
  assert(whole.rows == 381 and whole.cols == 381)
end)

test("a velocity granule: variables of a netCDF file", function()
  local path = shared "itslive/LE07_L1GT_001113_20121118_20161127_01_T2_X_LE07_L1GT_232113_20121104_20161127_01_T2_G0240V01_P059.nc"
  local names = {}
  for i, variable in ipairs(raster.subdatasets(path)) do names[i] = variable.name end
  assert(table.concat(names, " ") == "vx vy v chip_size_width chip_size_height interp_mask")
  local v = raster.open(path, { subdataset = "v" })
  assert(v.crs == "EPSG:3031" and v.units.v == "m/y" and v.dtypes.v == "int16" and v.rows == 592 and v.cols == 636)
  assert_stats(v, { count = 163268, min = 2, max = 5505, mean = 1383.6131085087095, std = 1593.012872790398 })
  local both = raster.open(path, { subdataset = { "vx", "vy" } })
  local vx, vy = both.vx, both.vy
  assert(table.concat(raster.open(path, { subdataset = { "vx", "vy" }, names = { "east", "north" } }).bands, " ") == "east north")
  -- The speed was rounded to whole metres a year.
  local difference = ((vx * vx + vy * vy:rename "vx"):sqrt() - v:set_unit ""):abs()
  assert(difference:percentile(99) <= 1)
  assert_error(function() raster.open(path) end, "holds several images; name one with { subdataset = \"vx\" }; there are: vx, vy, v,")
  assert_error(function() raster.open(path, { subdataset = "vz" }) end, "no subdataset `vz`; did you mean")
end)

test("a reprojection matches gdalwarp in the mean", function()
  local aster = raster.open(shared "dem/geoutils/AST_L1A_00303182012144228_Z.tif")
  assert_stats(aster, { count = 324194, min = 317.7101745605469, max = 3959.903076171875, mean = 1497.2626454164658, std = 586.9235763179345 })
  local lonlat = aster:reproject { crs = "EPSG:4326", resampling = "bilinear" }
  local _, s = next(lonlat:stats())
  assert(math.abs(s.mean - 1497.26) < 3 and math.abs(s.std - 586.9) < 3)
  local lake = geometry.bbox(630000, 4840000, 640000, 4850000, "EPSG:32718")
  local _, inside = next(aster:clip(lake):stats())
  local row = aster:zonal(lake, { statistics = { "count", "mean" } })[1]
  assert(row.count == inside.count)
  assert_close(row.mean, inside.mean, 1e-6)
end)
