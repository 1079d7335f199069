local raster = require "raster"

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 200, cols = 300 }

test("distributions have their moments", function()
  local function moments(options)
    local stats = raster.random(grid, options):stats().random
    return stats.mean, stats.std
  end
  local mean, std = moments { distribution = "speckle", looks = 4.4, seed = 3 }
  assert_close(mean, 1, 0.01)
  assert_close(std, 1 / math.sqrt(4.4), 0.01)
  mean, std = moments { distribution = "normal", seed = 3 }
  assert_close(mean, 0, 0.02)
  assert_close(std, 1, 0.02)
  mean, std = moments { seed = 3 }
  assert_close(mean, 0.5, 0.01)
  assert_close(std, math.sqrt(1 / 12), 0.01)
  local smooth = raster.random(grid, { distribution = "smooth", scale = 20, octaves = 3 }):stats().random
  assert(smooth.min >= 0 and smooth.max <= 1 and smooth.std > 0.05)
end)

test("pixels depend on the seed and on nothing else", function()
  local a = raster.random(grid, { seed = 1 })
  local part = raster.random(grid, { seed = 1 }):crop { row = 50, col = 60, rows = 20, cols = 20 }
  local same = a:crop { row = 50, col = 60, rows = 20, cols = 20 }
  assert((part - same):stats().random.max == 0)
  assert((a - raster.random(grid, { seed = 2 })):stats().random.std > 0.3)
end)

-- SplitMix64 (Steele, Lea and Flood 2014) in Lua's integers, which wrap: the next number, and the state after it.
local function splitmix(state)
  state = state + 0x9E3779B97F4A7C15
  local z = (state ~ (state >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return z ~ (z >> 31), state
end

test("numbers are those of SplitMix64, of which each pixel has a stream of its own", function()
  local function stream(seed, row, col)
    local a = splitmix(seed) ~ (row * 0x9E3779B97F4A7C15)
    local b = splitmix(a) ~ (col * 0xD1B54A32D192ED03)
    local state = splitmix(b)
    return function()
      local number
      number, state = splitmix(state)
      return (number >> 11) / 2.0 ^ 53
    end
  end
  local function single(v) return (("f"):unpack(("f"):pack(v))) end
  for _, seed in ipairs { 0, 1, 77 } do
    local uniform = raster.random(grid, { seed = seed }):read()
    local normal = raster.random(grid, { seed = seed, distribution = "normal" }):read()
    for _, at in ipairs { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 199, 299 }, { 57, 123 } } do
      local draw = stream(seed, at[1], at[2])
      local u, v = draw(), draw()
      assert(uniform:get(at[1], at[2]) == single(u))
      -- Box and Muller 1958.
      assert_close(normal:get(at[1], at[2]), math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v), 1e-6)
    end
  end
end)

test("coordinates are those of the pixels' middles", function()
  local c = raster.coordinates(grid)
  local x, y = c.x:read():totable(), c.y:read():totable()
  assert(x[1][1] == 500005 and x[1][300] == 502995 and y[1][1] == 4999995 and y[200][1] == 4998005)
  assert(c.units.x == "m")
end)

test("wrong options are named", function()
  assert_error(function() raster.random(grid, { distribution = "speckel" }) end, "did you mean \"speckle\"")
  assert_error(function() raster.random(grid, { distribution = "speckle", looks = 0 }) end, "looks must be a number above 0")
end)

test("coordinates in another CRS, and how they change from pixel to pixel", function()
  local own = raster.coordinates(grid, { derivatives = true }):stats()
  for name, expected in pairs { dx_dx = 1, dx_dy = 0, dy_dx = 0, dy_dy = 1 } do
    assert_close(own[name].min, expected, 1e-9)
    assert_close(own[name].max, expected, 1e-9)
  end
  -- On the central meridian of UTM zone 33 north is north, and the scale is 0.9996.
  local degrees = raster.coordinates(raster.grid { like = grid, bounds = { 500000, 4999990, 500010, 5000000 } }, { crs = 4326, derivatives = true })
  local lon, lat, _, _, dy_dx, dy_dy = degrees:read():get(0, 0)
  assert_close(lon, 15 + 5 * 0.99960 / 78700, 1e-4)
  -- A degree of the meridian at 45.15 degrees, on WGS 84: 111 132.954 - 559.822 cos 2φ + 1.175 cos 4φ metres.
  local metres = 111132.954 - 559.822 * math.cos(2 * math.rad(lat)) + 1.175 * math.cos(4 * math.rad(lat))
  assert_close(dy_dy * metres * 0.9996, 1, 1e-6)
  assert_close(dy_dx, 0, 1e-9)
  assert(degrees.units.x == "deg" and degrees.bands[6] == "dy_dy")
  assert_error(function() raster.coordinates(grid, { crs = "nowhere" }) end, "EPSG code")
end)
