local raster, fs, s1 = require "raster", require "fs", require "sentinel1"

local function real() return shared "sentinel1/opera_rtc_10SGD_T137/raw" end

-- A scene of one value per band; `tags` go into the file.
local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 12, cols = 10 }
local function write(path, bands, options)
  local image
  for name, value in pairs(bands) do
    local one = (type(value) == "number" and raster.constant(grid, value) or value):rename(name)
    image = image and image:add_bands(one) or one
  end
  if options and options.unit then image = image:set_unit(options.unit) end
  image:write(path, { tags = options and options.tags })
end

test("OPERA products become images with bands, units and properties", function()
  local stack = s1.open_stack(real())
  assert(#stack == 63, #stack)
  local first, last = stack[1], stack[63]
  assert(table.concat(first.bands, " ") == "VV VH" and first.units.VV == "power" and first.units.VH == "power")
  assert(first.time == "2021-11-19T01:58:55Z" and last.time == "2025-01-02T01:59:14Z", last.time)
  assert(first.properties.relative_orbit == 137 and first.properties.platform == "S1A" and first.properties.mode == "IW")
  assert(first.properties.burst == "T137-292318-IW2" and first.properties.spacing == 30 and first.properties.pass == nil)
  assert(first.properties.polarisations == "VV VH")
  for i = 2, #stack do assert(stack[i - 1].time <= stack[i].time) end
end)

test("a band is the file's pixels", function()
  local folder = real()
  local stack = s1.open_stack(folder, { burst = "T137-292319-IW2", start = "2023-12-27", stop = "2023-12-27" })
  assert(#stack == 1)
  local file = raster.open(raster.find(folder, { pattern = "OPERA_*_T137-292319-IW2_20231227T*_VH.tif" })[1])
  assert(stack[1].VH:stats().VH.mean == file:stats()[file.bands[1]].mean)
end)

test("filters count", function()
  local folder = real()
  assert(#s1.open_stack(folder, { platform = "S1B" }) == 9)
  assert(#s1.open_stack(folder, { platform = "both" }) == 63)
  assert(#s1.open_stack(folder, { relative_orbit = 137, mode = "IW" }) == 63)
  assert(#s1.open_stack(folder, { relative_orbit = { 58, 137 } }) == 63)
  assert(#s1.open_stack(folder, { start = "2023-01-01", stop = "2023-12-31" }) == 27)
  assert(#s1.open_stack(folder, { start = "2023", stop = "2023" }) == 27)
  -- The stop is used itself, to the second.
  local one = { burst = "T137-292318-IW2", start = "2021-11-19" }
  one.stop = "2021-11-19T01:58:55Z"
  assert(#s1.open_stack(folder, one) == 1)
  one.stop = "2021-11-19T01:58:54Z"
  assert_error(function() s1.open_stack(folder, one) end, "stop = 2021%-11%-19T01:58:54Z removed")
  assert(#s1.open_stack(folder, { bounds = { -119.75, 34.25, -119.7, 34.3 } }) == 21)
  assert(#s1.open_stack(folder, { bands = { "VH" } }) == 63)
end)

test("an empty answer says which filter emptied it, and what was there", function()
  local folder = real()
  assert_error(function() s1.open_stack(folder, { relative_orbit = 58 }) end,
    "open%.lua:%d+: sentinel1%.open_stack: no image of the 63 in .* is left: relative_orbit = 58 removed the last 63, which have 137 %(63 images%)")
  assert_error(function() s1.open_stack(folder, { platform = "S1B", start = "2023-01-01" }) end,
    "start = 2023%-01%-01 removed the last 9, which have 2021%-11%-25 %(3 images%), 2021%-12%-07 %(3 images%)")
  assert_error(function() s1.open_stack(folder, { bounds = { 14, -20, 17, -17 } }) end, "bounds = 14, %-20, 17, %-17 removed the last 63")
  assert_error(function() s1.open_stack(folder, { pass = "ASCENDING" }) end,
    "cannot filter by pass = ASCENDING: neither the name nor a tag of OPERA_.* tells it.*properties = { pass = … }")
  assert(#s1.open_stack(folder, { pass = "ASCENDING", properties = { pass = "ASCENDING" } }) == 63)
end)

test("wrong options are named", function()
  assert_error(function() s1.open_stack(".", { pass = "UP" }) end, "no raster files")
  write("S1A_20230105_VV.tif", { VV = 0.1 })
  write("S1A_20230105_VH.tif", { VH = 0.1 })
  assert_error(function() s1.open_stack(".", { pass = "UP" }) end, "pass must be \"ASCENDING\" or \"DESCENDING\" or \"BOTH\", got \"UP\"")
  assert_error(function() s1.open_stack(".", { start = "yesterday" }) end, "start must be a date such as .* got \"yesterday\"")
  assert_error(function() s1.open_stack(".", { bounds = { 3, 1, 2, 4 } }) end, "bounds must be { west, south, east, north }")
  assert_error(function() s1.open_stack(".", { orbit = 3 }) end, "unknown option `orbit`")
end)

test("pairs by name need their unit", function()
  fs.mkdir "pairs"
  for i, day in ipairs { "20230105", "20230117" } do
    write("pairs/S1A_IW_" .. day .. "_VV_gamma0.tif", { b = 0.1 * i })
    write("pairs/S1A_IW_" .. day .. "_VH_gamma0.tif", { b = 0.02 * i })
  end
  write("pairs/S1A_IW_20230117_angle_gamma0.tif", { b = 35 })
  assert_error(function() s1.open_stack "pairs" end, "does not say whether it is power or dB; give { unit = \"power\" }")
  local stack = s1.open_stack("pairs", { unit = "power" })
  assert(#stack == 2 and stack[2].time == "2023-01-17" and stack[2].properties.platform == "S1A")
  assert(table.concat(stack[1].bands, " ") == "VV VH" and table.concat(stack[2].bands, " ") == "VV VH angle")
  assert_close(stack[2]:stats().VH.mean, 0.04, 1e-7)
  assert(stack[2].units.angle == "deg" and stack[2].units.VV == "power")
end)

test("an image that lacks a polarisation is named, or left out where asked", function()
  fs.mkdir "half"
  write("half/a_20230105_VV.tif", { b = 0.1 })
  assert_error(function() s1.open_stack("half", { unit = "power" }) end,
    "no image in half has the bands VV, VH: a_20230105_VV%.tif has VV but no VH")
  write("half/a_20230117_VV.tif", { b = 0.1 })
  write("half/a_20230117_VH.tif", { b = 0.1 })
  assert_error(function() s1.open_stack("half", { unit = "power" }) end,
    "1 of 2 images lack a polarisation: a_20230105_VV%.tif has VV but no VH.*incomplete = \"skip\"")
  assert(#s1.open_stack("half", { unit = "power", incomplete = "skip" }) == 1)
  assert(#s1.open_stack("half", { unit = "power", bands = { "VV" } }) == 2)
end)

test("exports with all bands in one file are in dB, unless they cannot be", function()
  fs.mkdir "export"
  local noise = raster.random(grid, { distribution = "normal", seed = 4 })
  local name = "export/S1A_IW_GRDH_1SDV_20180408T043025_20180408T043053_021371_024C9B_1B70.tif"
  write(name, { VV = noise - 10, VH = noise - 17, angle = 38 })
  local stack = s1.open_stack "export"
  local image = stack[1]
  assert(image.units.VV == "dB" and image.units.angle == "deg" and image.properties.relative_orbit == 124)
  assert(table.concat(image.bands, " ") == "VV VH angle" and image.time == "2018-04-08T04:30:25Z")
  assert(table.concat(s1.open_stack("export", { angle = "none" })[1].bands, " ") == "VV VH")
  write(name, { VV = 0.1, VH = 0.02, angle = 38 })
  assert_error(function() s1.open_stack "export" end, "has no negative value in the middle of VV, so it is hardly in dB")
  assert(s1.open_stack("export", { unit = "power" })[1].units.VV == "power")
  fs.mkdir "nameless"
  write("nameless/20180408.tif", { b1 = noise - 10, b2 = noise - 17 })
  assert_error(function() s1.open_stack "nameless" end, "files whose bands have no names need { names =")
end)

test("tags tell the pass and the orbit", function()
  fs.mkdir "tagged"
  for day, pass in pairs { ["20230105"] = "ascending", ["20230109"] = "descending" } do
    for _, band in ipairs { "VV", "VH" } do
      write(("tagged/%s_%s.tif"):format(day, band), { b = 0.1 }, {
        unit = "power", tags = { ORBIT_PASS_DIRECTION = pass, TRACK_NUMBER = 117, PLATFORM = "Sentinel-1A" },
      })
    end
  end
  local stack = s1.open_stack("tagged", { pass = "descending", relative_orbit = 117, platform = "S1A" })
  assert(#stack == 1 and stack[1].time == "2023-01-09" and stack[1].properties.pass == "DESCENDING")
  assert_error(function() s1.open_stack("tagged", { relative_orbit = 58 }) end, "relative_orbit = 58 removed the last 2, which have 117")
end)

test("patterns describe other names", function()
  fs.mkdir "pattern"
  for _, polarisation in ipairs { "co", "VV", "VH" } do
    write("pattern/o131-" .. polarisation .. "-A-2023.01.05.tif", { b = 0.1 })
    write("pattern/o131-" .. polarisation .. "-A-20230105.tif", { b = 0.1 })
  end
  local stack = s1.open_stack("pattern", { pattern = "o{relative_orbit}-{polarisation}-{pass}-{date:yyyymmdd}.tif", unit = "power" })
  assert(#stack == 1 and stack[1].properties.relative_orbit == 131 and stack[1].time == "2023-01-05")
  assert(stack[1].properties.pass == "ASCENDING")
  assert_error(function() s1.open_stack("pattern", { pattern = "x{date:yyyymmdd}.tif" }) end, "none of the 6 rasters in pattern fits the pattern x{date")
end)

test("static layers of a burst become its angle", function()
  fs.mkdir "static"
  local function opera(layer) return "static/OPERA_L2_RTC-S1_T117-249421-IW2_20230105T170624Z_20230106T000000Z_S1A_30_v1.0_" .. layer .. ".tif" end
  local function static(layer) return "static/OPERA_L2_RTC-S1-STATIC_T117-249421-IW2_20140403_S1A_30_v1.0_" .. layer .. ".tif" end
  write(opera "VV", { b = 0.1 })
  write(opera "VH", { b = 0.01 })
  write(static "incidence_angle", { b = 38 })
  write(static "local_incidence_angle", { b = 44 })
  assert_close(s1.open_stack("static")[1].angle:stats().angle.mean, 38)
  assert_close(s1.open_stack("static", { angle = "local_incidence_angle" })[1].angle:stats().angle.mean, 44)
  assert(not s1.has_band(s1.open_stack("static", { angle = "none" })[1], "angle"))
end)

test("what is no image beside the images is left alone", function()
  fs.mkdir "hyp3"
  local function name(layer) return "hyp3/S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A_" .. layer .. ".tif" end
  for layer, value in pairs { VV = 0.1, VH = 0.02, dem = 400, inc_map = math.rad(38), ls_map = 1 } do write(name(layer), { b = value }) end
  local stack = s1.open_stack "hyp3"
  assert(#stack == 1 and stack[1].units.VV == "power" and table.concat(stack[1].bands, " ") == "VV VH angle")
  assert_close(stack[1]:stats().angle.mean, 38, 1e-5)
  fs.mkdir "dem"
  write("dem/dem.tif", { b = 400 })
  assert_error(function() s1.open_stack "dem" end, "no image in dem has the bands VV, VH: dem%.tif has b but no VV and no VH")
end)

test("a real image in dB, of one polarisation", function()
  local stack = s1.open_stack(shared "sentinel1/pyrosar", { bands = { "VV" }, pass = "ascending" })
  local image = stack[1]
  assert(#stack == 1 and image.time == "2015-03-09T17:30:17Z" and image.properties.pass == "ASCENDING" and image.units.VV == "dB")
  local stats = image:stats().VV
  assert(stats.count == 58156)
  assert_close(stats.min, -26.65471, 1e-4)
  assert_close(stats.max, 1.432585, 1e-5)
end)
