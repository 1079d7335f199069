local raster, filter = require "raster", require "filter"

local grid = raster.grid { rows = 12, cols = 14 }

local function speckle(seed, unit)
  local rows = {}
  math.randomseed(seed)
  for r = 1, 12 do
    rows[r] = {}
    for c = 1, 14 do
      rows[r][c] = -math.log(1 - math.random()) * (c > 7 and 4 or 1)
    end
  end
  rows[3][4] = false
  return raster.from_table(grid, rows, { name = "VV", unit = unit or "power" })
end

local image = speckle(1)

local function values(result)
  return result:read():totable()
end

local function masked(v)
  return v ~= v
end

test("every filter keeps bands, units, grid and masked pixels", function()
  local looks = { looks = 1 }
  for name, smooth in pairs {
    lee = filter.lee(image, looks),
    kuan = filter.kuan(image, looks),
    gamma_map = filter.gamma_map(image, looks),
    frost = filter.frost(image),
    lee_sigma = filter.lee_sigma(image, looks),
    tv_bregman = filter.tv_bregman(image),
    quegan = filter.quegan({ image, speckle(2) })[1],
  } do
    assert(smooth.units.VV == "power", name)
    assert(smooth.rows == 12 and smooth.cols == 14, name)
    assert(smooth:read():count() == 167, name)
    assert(masked(values(smooth)[3][4]), name)
  end
end)

test("the refined Lee filter loses a border of two pixels", function()
  local smooth = values(filter.refined_lee(image))
  for c = 1, 14 do
    assert(masked(smooth[2][c]) and masked(smooth[11][c]))
  end
  assert(not masked(smooth[8][8]))
end)

test("a window without structure becomes its mean", function()
  local rows = { { 1, 1, 1 }, { 1, 1.3, 1 }, { 1, 1, 1 } }
  local flat = raster.from_table(raster.grid { rows = 3, cols = 3 }, rows, { unit = "power" })
  for _, name in ipairs { "lee", "kuan", "gamma_map" } do
    assert_close(values(filter[name](flat, { looks = 1, size = 3 }))[2][2], 9.3 / 9, 1e-6)
  end
end)

test("a strong target keeps its power", function()
  local rows = {}
  for r = 1, 20 do
    rows[r] = {}
    for c = 1, 20 do
      rows[r][c] = 1 + 0.5 * ((r * 7 + c * 3) % 5)
    end
  end
  for r = 9, 11 do
    for c = 9, 11 do rows[r][c] = 100 + r + 2 * c end
  end
  local scene = raster.from_table(raster.grid { rows = 20, cols = 20 }, rows, { unit = "power" })
  assert(values(filter.lee_sigma(scene, { looks = 1, strong_power = 50 }))[10][11] == rows[10][11])
  assert(values(filter.lee_sigma(scene, { looks = 1, strong_percentile = 97 }))[10][11] == rows[10][11])
  assert(values(filter.lee_sigma(scene, { looks = 1, strong_percentile = 100 }))[10][11] ~= rows[10][11])
end)

test("total variation falls with the weight", function()
  local function roughness(weight)
    local rows, sum = values(filter.tv_bregman(image:to_db(), { weight = weight })), 0
    for c = 1, 13 do
      sum = sum + math.abs(rows[6][c + 1] - rows[6][c])
    end
    return sum
  end
  assert(roughness(0.05) < roughness(0.5) and roughness(0.5) < roughness(5))
end)

test("the multi-temporal filter takes a stack and respects footprints", function()
  local half = image:mask(raster.from_table(grid, (function()
    local rows = {}
    for r = 1, 12 do
      rows[r] = {}
      for c = 1, 14 do rows[r][c] = c <= 7 and 1 or 0 end
    end
    return rows
  end)()))
  local smooth = filter.quegan(raster.stack { half, speckle(2), speckle(3) }, { size = 5 })
  assert(#smooth == 3)
  assert(masked(values(smooth[1])[6][10]) and not masked(values(smooth[1])[6][3]))
  -- Where the first image has nothing, the others are as without it.
  local two = filter.quegan({ speckle(2), speckle(3) }, { size = 5 })
  assert(values(smooth[2])[6][10] == values(two[1])[6][10])
  assert(values(smooth[2])[6][3] ~= values(two[1])[6][3])
end)

test("decibels are an error that names the way out", function()
  for _, name in ipairs { "refined_lee", "lee", "kuan", "gamma_map", "frost", "lee_sigma" } do
    local options = name ~= "refined_lee" and name ~= "frost" and { looks = 4 } or nil
    assert_error(function() filter[name](image:to_db(), options) end,
      "filter%." .. name .. ": band `VV` is in dB.*:to_power%(%)")
  end
  assert_error(function() filter.quegan { image:to_db() } end, "filter%.quegan: band `VV` is in dB")
end)

test("wrong options are named", function()
  assert_error(function() filter.lee(image, {}) end, "filter%.lee: .*looks is missing")
  assert_error(function() filter.lee(image, { look = 4 }) end, "unknown option `look`; did you mean `looks`%?")
  assert_error(function() filter.lee(image, { looks = 0 }) end, "looks must be a number above 0, got 0")
  assert_error(function() filter.kuan(image, { looks = 4, size = 6 }) end,
    "filter%.kuan: size must be an odd number of pixels from 3 to 101, got 6")
  assert_error(function() filter.lee_sigma(image, { looks = 4, size = 3 }) end, "size must be an odd number of pixels from 5 to 101")
  assert_error(function() filter.lee_sigma(image, { looks = 4, sigma = 1 }) end, "sigma must be a number from 0.1 to 0.99, got 1")
  assert_error(function() filter.frost(image, { damping = -1 }) end, "damping must be a number of at least 0, got %-1")
  assert_error(function() filter.tv_bregman(image, { weight = 0 }) end, "weight must be a number above 0, got 0")
  assert_error(function() filter.quegan({}) end, "filter%.quegan: images must be at least one, got 0")
  assert_error(function() filter.refined_lee("image") end, "raster must be a Raster")
end)
