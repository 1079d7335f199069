local raster, filter, fs, json = require "raster", require "filter", require "fs", require "json"
local palsar, s1 = require "palsar", require "sentinel1"

-- What tests/reference/palsar.py recorded.
local function record()
  fs.copy(fixture "palsar/n23w161.json", "record.json")
  return json.decode(fs.read "record.json")
end

test("a real tile: γ⁰, masks, and the ratio of HH and HV", function()
  local expected = record()
  local image = palsar.open(shared "palsar")
  assert(table.concat(image.bands, " ") == "HH HV angle mask" and image.units.HH == "power" and image.units.angle == "deg")
  assert(image.tile == "N23W161" and image.year == 2020)
  local clean = palsar.mask_layover(image)
  local masked = s1.mask_angle(clean, 30.63993, 45.53993)
  for step, at in pairs { valid = image, clean = clean, masked = masked } do
    local stats = at:select("HH", "HV"):to_db():stats()
    for _, band in ipairs { "HH", "HV" } do
      local key = band .. "_" .. step
      assert(stats[band].count == expected.counts[key], key .. ": " .. stats[band].count)
      assert_close(stats[band].mean, expected.means_dB[key], 1e-5)
    end
  end
  local smooth = filter.focal_median(masked:select("HH", "HV"), { radius = 3 })
  local bands = masked:select("HH", "HV"):to_db():add_bands(s1.ratio(smooth, { bands = { "HH", "HV" } }))
  local points = {}
  for i, pixel in ipairs(expected.pixels) do
    local x, y = image.grid:to_map(pixel[1] + 0.5, pixel[2] + 0.5)
    points[i] = { x, y }
  end
  for i, row in ipairs(bands:sample(points)) do
    assert_close(row.HH, expected.dB.HH[i], 2e-5)
    assert_close(row.HV, expected.dB.HV[i], 2e-5)
    assert_close(row.HHdHV_dB, expected.ratio_db_r3[i], 3e-5)
  end
end)

local grid = raster.grid { crs = "EPSG:4326", origin = { -160, 22 }, resolution = 0.0002, rows = 2, cols = 2 }
local function write(folder, name, rows)
  fs.mkdir(folder)
  raster.from_table(grid, rows):cast("uint16"):write(folder .. "/" .. name .. ".tif")
end

test("digital number 0 is no measurement", function()
  local power = palsar.gamma0(raster.from_table(grid, { { 0, 1 }, { 1000, 4000 } }, { name = "HH" }))
  local rows = power:to_db():read():totable()
  assert(rows[1][1] ~= rows[1][1])
  assert_close(rows[1][2], -83, 1e-4)
  assert_close(rows[2][1], -23, 1e-4)
  assert_close(rows[2][2], 20 * math.log(4000, 10) - 83, 1e-4)
end)

test("tiles and years are told apart", function()
  for _, tile in ipairs { "N23W161_20", "N23W161_17", "N24W161_20" } do
    write("tiles", tile .. "_sl_HH_F02DAR", { { 1000, 1000 }, { 1000, 1000 } })
    write("tiles", tile .. "_sl_HV_F02DAR", { { 500, 500 }, { 500, 500 } })
  end
  assert_error(function() palsar.open "tiles" end,
    "palsar%.lua:%d+: palsar%.open: tiles holds 3 tiles: N23W161 of 2017, N23W161 of 2020, N24W161 of 2020; choose one")
  local image = palsar.open("tiles", { tile = "N23W161", year = 2017 })
  assert(image.year == 2017 and table.concat(image.bands, " ") == "HH HV")
  assert_error(function() palsar.open("tiles", { tile = "S01E010" }) end, "no mosaic files of tile S01E010 in tiles")
  assert_error(function() palsar.mask_layover(image) end, "the image has no band `mask` or `ls_map`; it has: HH, HV")
  write("half", "N23W161_20_sl_HH_F02DAR", { { 1, 1 }, { 1, 1 } })
  assert_error(function() palsar.open "half" end, "tile N23W161 of 2020 in half has no HV")
end)

test("a scene of ASF's zip: power, heights, angles, layover and shadow", function()
  local folder = "scene/AP_11104_FBD_F1130_RT1"
  fs.mkdir(folder)
  local here = raster.grid { crs = "EPSG:32604", origin = { 500000, 2400000 }, resolution = 12.5, rows = 2, cols = 2 }
  local function layer(name, rows, dtype)
    raster.from_table(here, rows):cast(dtype or "float32"):write(folder .. "/AP_11104_FBD_F1130_RT1" .. name .. ".tif")
  end
  layer("_HH", { { 0, 0.1 }, { 0.2, 0.3 } })
  layer("_HV", { { 0, 0 }, { 0.02, 0.03 } })
  layer(".dem", { { 5, 6 }, { 7, 8 } }, "int16")
  layer(".inc_map", { { 0.5, 0.6 }, { 0.7, math.pi / 4 } })
  layer(".ls_map", { { 0, 1 }, { 17, 1 } }, "uint8")
  local image = palsar.open_rtc "scene"
  assert(table.concat(image.bands, " ") == "HH HV DEM angle ls_map" and image.units.HV == "power" and image.units.DEM == "m")
  local stats = image:stats()
  -- Where neither polarisation has power, nothing was measured.
  assert(stats.HH.count == 3 and stats.HV.count == 2 and stats.DEM.count == 3 and stats.angle.count == 3)
  assert_close(stats.angle.max, 45, 1e-4)
  assert(palsar.mask_layover(image):stats().HH.count == 2)
  assert(palsar.granule(image.scene) == "ALPSRP111041130")
  fs.copy(folder .. "/AP_11104_FBD_F1130_RT1_HH.tif", "scene/AP_11105_FBD_F1130_RT1_HH.tif")
  assert_error(function() palsar.open_rtc "scene" end, "scene holds 2 scenes: AP_11104_FBD_F1130_RT1, AP_11105_FBD_F1130_RT1; choose one")
  assert_error(function() palsar.open_rtc("scene", { scene = "AP_1" }) end, "no scene AP_1 in scene; its files are named like")
end)
