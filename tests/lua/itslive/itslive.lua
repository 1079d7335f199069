local raster, correlation, itslive = require "raster", require "correlation", require "itslive"

local grid = raster.grid { crs = "EPSG:3413", origin = { -200000, -2200000 }, resolution = 15, rows = 256, cols = 256 }
local first = raster.random(grid, { distribution = "smooth", scale = 3 })
local second = first:shift { cols = 2, rows = 1 }
local offsets = correlation.autorift(first, second, { chip = 16, search = 8 })
local velocity = correlation.velocity(offsets, { reference_time = "2020-03-01", secondary_time = "2020-04-02" })
local ids = {
  reference_id = "LC08_L1TP_008011_20200301_20200313_01_T1", secondary_id = "LC08_L1TP_008011_20200402_20200410_01_T1",
}

test("a granule reads back as images", function()
  local path = itslive.write(velocity, offsets, ids)
  assert(path:match "LC08_L1TP_008011_20200301_20200313_01_T1_X_LC08_L1TP_008011_20200402_20200410_01_T1_G0240V02_P%d%d%d%.nc$", path)
  local back = raster.open(path, { subdataset = "vx" })
  assert(back.grid:matches(velocity.grid), tostring(back.grid))
  local expected, got = velocity:read(), back:read()
  for row = 2, 13 do
    local vx = expected:get(row, row)
    assert_close((got:get(row, row)), math.floor(vx + 0.5), 1)
  end
  local names = {}
  for _, array in ipairs(raster.arrays(path)) do names[#names + 1] = array.name .. " " .. array.dtype end
  local all = table.concat(names, ", ")
  for _, wanted in ipairs {
    "/vx int16", "/vy int16", "/v int16", "/v_error int16", "/chip_size_width uint16", "/chip_size_height uint16",
    "/interp_mask uint8", "/x float64", "/y float64",
  } do
    assert(all:find(wanted, 1, true), wanted .. " in " .. all)
  end
  assert(raster.open(path, { subdataset = "chip_size_width" }):stats().chip_size_width.max == 240)
end)

test("names tell what they tell", function()
  local s = itslive.scene(ids.reference_id)
  assert(s.sensor == "C" and s.satellite == "8" and s.date == "2020-03-01" and s.collection_category == "T1")
  assert(itslive.scene("x").path == nil)
end)

test("what cannot be written is said", function()
  assert_error(function() itslive.write(velocity, offsets, { reference_id = "a" }) end, "the option secondary_id is missing")
  assert_error(function() itslive.write(velocity, offsets, { reference = "a" }) end, "unknown option `reference`")
  assert_error(function() itslive.write(velocity:crop { rows = 4, cols = 4 }, offsets, ids) end, "different grids")
end)
