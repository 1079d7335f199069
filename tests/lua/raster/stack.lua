local raster, time = require "raster", require "time"

local grid = raster.grid { rows = 2, cols = 2 }
local nan = 0 / 0

local function image(a, b, c, d)
  return raster.from_table(grid, { { a, b }, { c, d } }, { name = "VV", unit = "power" })
end

-- Three images; pixel (1, 1) is valid in none, (1, 0) in one.
local function three()
  return raster.stack {
    { image(3, 1, false, false), time = "2024-01-05", platform = "S1A", orbit = 137 },
    { image(1, 5, 7, false), time = "2024-02-10", platform = "S1B", orbit = 64 },
    { image(2, false, false, false), time = "2024-02-20", platform = "S1A", orbit = 137 },
  }
end

local function pixels(found)
  local array = found:read()
  return { array:get(0, 0), array:get(0, 1), array:get(1, 0), array:get(1, 1) }
end

local function assert_pixels(found, ...)
  local got, expected = pixels(found), { ... }
  for i = 1, 4 do
    if expected[i] ~= expected[i] then
      assert(got[i] ~= got[i], "pixel " .. i .. " is " .. got[i])
    else
      assert_close(got[i], expected[i], 1e-6)
    end
  end
end

test("images come with time and properties", function()
  local s = three()
  assert(#s == 3 and s[4] == nil)
  assert(s[2].time == "2024-02-10" and s[2].platform == "S1B" and s[2].orbit == 64)
  assert(table.concat(s:times(), " ") == "2024-01-05 2024-02-10 2024-02-20")
  assert(table.concat(s:values "orbit", " ") == "137 64 137")
  assert(table.concat(s:days(), " ") == "0.0 36.0 46.0")
  assert(s:days("2024-01-01")[1] == 4.0)
  assert(tostring(s):match "^[^\n]*" == "Stack of 3 images" and tostring(s):find "time")
  local n = 0
  for _, item in ipairs(s) do n = n + item:read():get(0, 0) end
  for item in s:each() do n = n + item:read():get(0, 0) end
  assert(n == 12)
end)

test("reducers drop masked pixels", function()
  local s = three()
  assert_pixels(s:median(), 2, 3, 7, nan)
  assert_pixels(s:mean(), 2, 3, 7, nan)
  assert_pixels(s:std(), math.sqrt(2 / 3), 2, 0, nan)
  assert_pixels(s:min(), 1, 1, 7, nan)
  assert_pixels(s:max(), 3, 5, 7, nan)
  assert_pixels(s:sum(), 6, 6, 7, nan)
  assert_pixels(s:count(), 3, 2, 1, 0)
  assert_pixels(s:first(), 3, 1, 7, nan)
  assert_pixels(s:last(), 2, 5, 7, nan)
  assert_pixels(s:percentile(25), 1.5, 2, 7, nan)
  local several = s:reduce { "median", "std", "p90" }
  assert(table.concat(several.bands, " ") == "VV_median VV_std VV_p90")
  assert_pixels(several.VV_p90, 2.8, 4.6, 7, nan)
  assert_error(function() s:reduce "medain" end, "no reducer `medain`; did you mean `median`%?")
  assert_error(function() s:percentile(101) end, "percentile must be between 0 and 100, got 101")
end)

test("filter by function and by property", function()
  local s = three()
  assert(#s:filter(function(item) return item.platform == "S1A" end) == 2)
  assert(#s:filter { platform = "S1A", orbit = 137 } == 2)
  assert(#s:filter { orbit = { 64, 137 } } == 3)
  assert(#s:filter { orbit = "64" } == 1)
  assert(#s:filter { orbit = 1 } == 0)
  assert_error(function() s:filter { platfrom = "S1A" } end, "no property `platfrom`; did you mean `platform`%?")
  assert_error(function() s:filter(3) end, "condition must be a function of an image, or a table")
  assert_error(function() s:filter(function(item) return item.pas end) end, "stack%.lua:%d+: a Raster has no field or method `pas`")
  assert(#s:between("2024-02-01", "2024-02-19") == 1 and #s:between("2024-02-01", "2024-02-20") == 2)
  -- The last day, month or year of a span is all of it.
  local hours = raster.stack { { s[1], time = "2024-06-30T10:00:00Z" }, { s[2], time = "2024-07-01T00:00:00Z" } }
  assert(#hours:between("2024-06-01", "2024-06-30") == 1 and #hours:between("2024-06", "2024-06") == 1 and #hours:between("2024", "2024") == 2)
  assert_error(function() hours:between("2024-07", "2024-06") end, "stop must be a time after the start")
end)

test("map builds the graph once an image and keeps time and properties", function()
  local calls = 0
  local s = three():map(function(item, i)
    calls = calls + 1
    if i == 2 then return nil end
    return raster.constant(grid, i):rename "index"
  end)
  assert(calls == 3 and #s == 2)
  assert(s[2].time == "2024-02-20" and s[2].platform == "S1A")
  assert_pixels(s:max(), 3, 3, 3, 3)
  assert_error(function() three():map(function() return 5 end) end, "Stack:map: what fn returns for image 1 must be a Raster, or nil to leave the image out, got 5")
  assert_error(function() three():map(function(item) return item.VX end) end, "stack%.lua:%d+: a Raster has no field or method `VX`; did you mean `VV`%?")
end)

test("sort and group", function()
  local s = three()
  local down = s:sort(nil, { descending = true })
  assert(down[1].time == "2024-02-20" and down[3].time == "2024-01-05")
  assert(s:sort("orbit")[1].orbit == 64)
  local groups = s:group_by "month"
  assert(#groups == 2 and groups[1].key == "2024-01" and groups[2].key == "2024-02" and #groups[2].stack == 2)
  local passes = s:group_by "platform"
  assert(passes[1].key == "S1A" and #passes[1].stack == 2)
  assert_pixels(passes[1].stack:mean(), 2.5, 1, nan, nan)
  assert_error(function() s:group_by "monthly" end, "no property `monthly`")
end)

-- Days, values at pixel (0, 0), and whether they are valid: 40 images, unevenly spaced over three years.
local function long()
  local items, days, values = {}, {}, {}
  local day, state = 0, 7
  for i = 1, 40 do
    state = (state * 1103515245 + 12345) % 2147483648
    day = day + 1 + state % 53
    state = (state * 1103515245 + 12345) % 2147483648
    local value = state % 1000 / 10
    local valid = state // 1000 % 5 > 0
    days[i], values[i] = day, valid and value
    items[i] = { image(valid and value, i, 1, 1), time = time.format(time.add("2022-01-01", { days = day }), "%Y-%m-%d") }
  end
  return raster.stack(items), days, values
end

local function at(found)
  return found:read():get(0, 0)
end

test("calendar groups hold the images of their year, month and day", function()
  local s = long()
  for period, length in pairs { year = 4, month = 7, day = 10 } do
    local expected, order = {}, {}
    for i, moment in ipairs(s:times()) do
      local key = moment:sub(1, length)
      if not expected[key] then
        expected[key] = {}
        order[#order + 1] = key
      end
      table.insert(expected[key], i)
    end
    local groups = s:group_by(period)
    assert(#groups == #order, period)
    for i, group in ipairs(groups) do
      assert(group.key == order[i], group.key)
      assert(#group.stack == #expected[group.key])
      for k, index in ipairs(expected[group.key]) do
        assert(group.stack[k]:read():get(0, 1) == index, "another image")
      end
    end
  end
end)

test("rolling windows of days equal a slow loop", function()
  local s, days, values = long()
  for _, reducer in ipairs { "mean", "max", "count", "last" } do
    local rolled = s:rolling { days = 90, reducer = reducer }
    assert(#rolled == #s)
    for i = 1, #s do
      local sum, n, most, last = 0, 0, -1, nil
      for k = 1, i do
        if values[k] and days[k] > days[i] - 90 then
          sum, n, most, last = sum + values[k], n + 1, math.max(most, values[k]), values[k]
        end
      end
      local expected = ({ mean = sum / n, max = n > 0 and most or nan, count = n, last = last or nan })[reducer]
      local got = at(rolled[i])
      assert(expected ~= expected and got ~= got or math.abs(got - expected) < 1e-4, ("%s %d: %s, not %s"):format(reducer, i, got, expected))
    end
  end
end)

test("rolling windows", function()
  local s = three():rolling { images = 2, reducer = "max" }
  assert(#s == 2 and s[1].time == "2024-02-10")
  assert_pixels(s[1], 3, 5, 7, nan)
  assert_pixels(s[2], 2, 5, 7, nan)
  local days = three():rolling { days = 15 }
  assert(#days == 3)
  assert_pixels(days[3], 1.5, 5, 7, nan)
  assert_error(function() three():rolling {} end, "either images or days")
  assert_error(function() three():rolling { images = 0 } end, "images must be an integer of at least 1, got 0")
end)

test("apply sees all images and their days", function()
  -- The slope of a least-squares line through pixel (0, 0): days 0, 36, 46, values 3, 1, 2.
  local slope = three():apply(function(images, days)
    local n, st, stt = #images, 0, 0
    for _, t in ipairs(days) do st, stt = st + t, stt + t * t end
    local sy, sty
    for i, item in ipairs(images) do
      sy = sy and sy + item or item
      sty = sty and sty + item * days[i] or item * days[i]
    end
    return (sty * n - sy * st) / (n * stt - st * st)
  end)
  local t, y = { 0, 36, 46 }, { 3, 1, 2 }
  local mt, my, a, b = (0 + 36 + 46) / 3, 2, 0, 0
  for i = 1, 3 do
    a = a + (t[i] - mt) * (y[i] - my)
    b = b + (t[i] - mt) ^ 2
  end
  assert_close(slope:read():get(0, 0), a / b, 1e-7)
end)

test("stacks join", function()
  local s = three() .. three()
  assert(#s == 6)
  assert_error(function() return s .. 3 end, "operator %.%.: right must be a Stack, got 3")
end)

test("an empty stack says so", function()
  local empty = three():filter { orbit = 1 }
  assert(#empty == 0 and empty.grid == nil and #empty:times() == 0)
  assert_error(function() empty:median() end, "Stack:median: the stack is empty")
  assert(#empty:align() == 0)
end)

test("grids that differ are named with the image", function()
  local other = raster.from_table(raster.grid { rows = 1, cols = 2 }, { { 1, 2 } }, { name = "VV", unit = "power" })
  local s = raster.stack { image(1, 2, 3, 4), other }
  assert_error(function() s:mean() end, "Stack:mean: the grids differ")
  local aligned = s:align()
  assert_pixels(aligned:count(), 2, 2, 1, 1)
  assert_error(function() s:select "VW" end, "Stack:select: image 1: no band `VW`; did you mean `VV`%?")
end)

test("units that differ are refused", function()
  local s = raster.stack { image(1, 2, 3, 4), image(1, 2, 3, 4):to_db() }
  assert_error(function() s:mean() end, "band `VV` is in power in one image and in dB in another")
end)

test("points of all images make rows", function()
  local rows = three():sample({ { 0.5, 0.5 }, { x = 1.5, y = 0.5, name = "lake" } })
  assert(#rows == 6)
  assert(rows[1].time == "2024-01-05" and rows[1].VV == 3 and rows[1].x == 0.5)
  assert(rows[4].name == "lake" and rows[4].VV == 5 and tostring(rows):match "^[^\n]*" == "table: 6 × 5 (rows × columns)")
  assert(rows[6].VV == nil)
end)

test("export names files by date and resolution", function()
  local place = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 2, cols = 2 }
  local function at(day, value)
    return raster.constant(place, value):set_time(day)
  end
  local s = raster.stack { at("2024-01-05", 1), at("2024-01-06", 2), at("2024-01-07", 3) }
  local paths = s:export { folder = "out", prefix = "S1", max = 2 }
  assert(table.concat(paths, " ") == "out/S1_20240105_10m.tif out/S1_20240106_10m.tif")
  assert(raster.open(paths[2]):stats().constant.mean == 2)
  assert(raster.open(paths[2]).time == "2024-01-06")
  local named = s:export { folder = "out", prefix = "S1", names = { "a", "b", "c" }, first = 3, compress = "none" }
  assert(#named == 1 and named[1] == "out/S1_c_10m.tif")
  assert_error(function() s:export { folder = "out", names = { "a" } } end, "names must be one name per image %(3%), got 1")
  assert_error(function() s:export { folder = "/etc/perilune" } end, "outside the working folder")
  assert_error(function() s:export { folder = "out", perfix = "x" } end, "unknown option `perfix`; did you mean `prefix`%?")
end)

test("files with named parts", function()
  image(1, 2, 3, 4):write("S1_S1A_20240105_x.tif")
  image(5, 6, 7, 8):write("S1_S1B_20240117_y.tif")
  local s = raster.stack("S1_*.tif", { pattern = "S1_{platform}_{date:yyyymmdd}_*.tif", unit = "dB" })
  assert(#s == 2 and s[1].platform == "S1A" and s[2].time == "2024-01-17" and s[1].units.VV == "dB")
  local byname = raster.stack({ "S1_S1A_20240105_x.tif", "S1_S1B_20240117_y.tif" }, {
    properties = function(path)
      local platform, year, month, day = path:match("S1_(%w+)_(%d%d%d%d)(%d%d)(%d%d)")
      if platform == "S1A" then return false end
      return { platform = platform, time = ("%s-%s-%s"):format(year, month, day) }
    end,
  })
  assert(#byname == 1 and byname[1].platform == "S1B" and byname[1].time == "2024-01-17")
  assert_error(function() raster.stack("S1_*.tif", { pattern = "S1_{date:yyyymmdd}_*.tif" }) end,
    "the name does not fit the pattern `S1_{date:yyyymmdd}_%*%.tif`")
  assert_error(function() raster.stack("S2_*.tif") end, "raster%.stack: no file fits S2_%*%.tif %(looked in")
  assert_error(function() raster.stack("nowhere", { pattern = "S1_{date:yyyymmdd}_*.tif" }) end, "raster%.stack: no such file: nowhere %(looked in")
  assert_error(function() raster.stack { "missing.tif" } end, "raster%.stack: no such file: missing%.tif %(looked in")
  assert_error(function() raster.stack { 7 } end, "images%[1%] must be a path, a Raster, or { path = … }")
  assert_error(function() raster.stack(".", { pattern = "{}" }) end, "has no plain name")
end)
