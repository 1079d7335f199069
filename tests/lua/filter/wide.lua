-- Focal statistics and percentiles of values that float32 does not hold, against loops in Lua over the same pixels.
local raster = require "raster"
local filter = require "filter"

local ROWS, COLS = 9, 11

-- Values near `base`, some masked.
local function values(base, step)
  local rows = {}
  for r = 1, ROWS do
    rows[r] = {}
    for c = 1, COLS do
      local k = (r * 7 + c * 5) % 13
      rows[r][c] = k ~= 0 and base + k % 5 * step
    end
  end
  return rows
end

local function under(rows, r, c)
  local found = {}
  for y = math.max(1, r - 1), math.min(ROWS, r + 1) do
    for x = math.max(1, c - 1), math.min(COLS, c + 1) do
      if rows[y][x] then found[#found + 1] = rows[y][x] end
    end
  end
  table.sort(found)
  return found
end

local STATISTICS = {
  min = function(v) return v[1] end,
  max = function(v) return v[#v] end,
  median = function(v)
    local low, high = v[(#v + 1) // 2], v[#v // 2 + 1]
    return low + (high - low) / 2
  end,
  mean = function(v)
    local sum = 0
    for _, x in ipairs(v) do sum = sum + (x - v[1]) end
    return v[1] + sum / #v
  end,
  mode = function(v)
    local best, most = nil, 0
    for _, x in ipairs(v) do
      local n = 0
      for _, y in ipairs(v) do if x == y then n = n + 1 end end
      if n > most then best, most = x, n end
    end
    return best
  end,
}

for _, case in ipairs {
  { "uint32", 16777217, 1 },
  { "float64", 1.7e9, 0.125 },
  { "int64", 9007199254740993, 1 },
} do
  local dtype, base, step = table.unpack(case)
  test(dtype .. ": focal statistics are of the values as they are", function()
    local rows = values(base, step)
    local image = raster.from_table(raster.grid { rows = ROWS, cols = COLS }, rows, { dtype = dtype })
    for name, statistic in pairs(STATISTICS) do
      local found = filter["focal_" .. name](image, { radius = 1, shape = "square" }):read():totable()
      for r = 1, ROWS do
        for c = 1, COLS do
          local got = found[r][c]
          if rows[r][c] then
            local want = statistic(under(rows, r, c))
            local exact = name == "min" or name == "max" or name == "mode"
            assert(got == want or not exact and math.abs(got - want) <= math.abs(want) * 3e-16, ("focal_%s at %d, %d is %s, not %s"):format(name, r, c, got, want))
          else
            assert(got ~= got)
          end
        end
      end
    end
    assert(filter.focal_mode(image, { radius = 1 }).dtypes.b1 == dtype)
  end)
end

test("std in float64", function()
  local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1e9, 1e9 + 0.5, 1e9 + 1 } }, { dtype = "float64" })
  assert_close(filter.focal_std(image, { radius = 1, shape = "square" }):read():get(0, 1), math.sqrt(1 / 6), 1e-12)
end)

test("percentiles in float64", function()
  local image = raster.from_table(raster.grid { rows = 1, cols = 5 }, { { -1.5, 1.7e9 + 0.25, 1.7e9 + 0.5, false, 1.7e9 } }, { dtype = "float64" })
  assert(image:percentile(0) == -1.5 and image:percentile(100) == 1.7e9 + 0.5)
  local p = image:percentile { 50, 200 / 3 }
  assert(p[1] == 1.7e9 + 0.125, p[1])
  assert_close(p[2], 1.7e9 + 0.25, 1e-6)
  local id = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 16777217, 16777219, 16777221 } }, { dtype = "uint32" })
  assert(id:percentile(50) == 16777219)
end)

test("the shared image of large identifiers", function()
  local ids = raster.open(shared "awkward/ids.tif")
  for _, name in ipairs { "mode", "min", "max", "median" } do
    local found = filter["focal_" .. name](ids, { radius = 1, shape = "square" }):read()
    if name ~= "min" then assert(found:get(2, 0) == 16777217, name) end
    assert(found:get(0, 0) == 16777217 and found:get(0, 6) == 16777219, name)
  end
  local b = ids.grid.bounds
  local t = ids:zonal(require("geometry").bbox(b[1], b[2], b[3], b[4], "EPSG:32611"), { statistics = { "min", "max", "median" } })
  assert(t[1].min == 5 and t[1].max == 16777219 and t[1].median == 16777217)
  local coarse = ids:align(raster.grid { like = ids, resolution = ids.grid.resolution[1] * 7 }, { resampling = "mode" })
  assert(coarse:read():get(0, 0) == 16777217)
end)
