-- Years, outliers, trends and series against slow and obvious loops.
local raster, itslive, time = require "raster", require "itslive", require "time"

local grid = raster.grid { crs = 3413, origin = { 0, 0 }, resolution = 120, rows = 3, cols = 4 }
-- Middle, days of the span.
local pairs_of = {
  { "2015-01-10", 32 }, { "2015-03-01", 16 }, { "2015-06-30", 365 }, { "2015-12-25", 40 }, { "2016-01-05", 16 }, { "2016-02-01", 120 },
  { "2016-08-01", 24 }, { "2016-12-31", 400 }, { "2017-05-05", 16 },
}

local function image_of(i)
  local function random(k) return raster.random(grid, { seed = 10 * i + k }) end
  local valid = random(4):gt(0.25)
  local vx, vy = (random(1) * 200 + 900):rename "vx", (random(2) * 100 - 500):rename "vy"
  local image = raster.bands(vx, vy, (vx * vx + vy * vy):sqrt():rename "v", (random(3) * 50 + 10):rename "v_error")
  return image:mask(valid):set_unit "m/yr":set_time(pairs_of[i][1]):set("date_dt", pairs_of[i][2])
end

local images, arrays = {}, {}
for i in ipairs(pairs_of) do
  images[i] = image_of(i)
  arrays[i] = images[i]:read()
end
local stack = raster.stack(images)

local function share(i, year, rule)
  local mid, days = time.seconds(pairs_of[i][1]), pairs_of[i][2]
  local from, to = time.seconds(year .. "-01-01"), time.seconds(year + 1 .. "-01-01")
  if rule == "mid_date" then return mid >= from and mid < to and 1 or 0 end
  local first, last = mid - days * 43200, mid + days * 43200
  return math.max(0, math.min(last, to) - math.max(first, from)) / (last - first)
end

-- The values of a pixel in a year: vx, vy, weight, share, error.
local function values(row, col, year, o)
  local list = {}
  for i in ipairs(pairs_of) do
    local f = share(i, year, o.time)
    local vx, vy, _, e = arrays[i]:get(row, col)
    if f > 0 and vx == vx then list[#list + 1] = { vx, vy, o.weight == "none" and f or f / e ^ 2, f, e } end
  end
  return list
end

local function mean(list)
  local w, x, y, formal = 0, 0, 0, 0
  for _, p in ipairs(list) do
    w, x, y, formal = w + p[3], x + p[3] * p[1], y + p[3] * p[2], formal + p[3] ^ 2 * p[5] ^ 2
  end
  x, y = x / w, y / w
  local v, scatter = math.sqrt(x * x + y * y), 0
  for _, p in ipairs(list) do scatter = scatter + p[3] * (((p[1] - x) * x + (p[2] - y) * y) / v) ^ 2 end
  return x, y, v, math.sqrt(formal) / w, #list > 1 and math.sqrt(scatter / w / (#list - 1)) or 0 / 0
end

local function near(found, expected)
  if expected ~= expected then
    assert(found ~= found, ("expected none, got %s"):format(found))
  else
    assert_close(found, expected, 1e-4 * math.abs(expected) + 1e-3)
  end
end

test("yearly means weigh by errors and by the time that pairs span", function()
  for _, o in ipairs { {}, { time = "mid_date" }, { weight = "none" } } do
    local years = itslive.yearly(stack, o)
    local first = o.time == "mid_date" and 2015 or 2014
    assert(years[1].year == first, years[1].year)
    for image in years:each() do
      local array = image:read()
      for row = 0, 2 do
        for col = 0, 3 do
          local list = values(row, col, image.year, { time = o.time or "overlap", weight = o.weight or "error" })
          local x, y, v, formal, scatter, count = array:get(row, col)
          assert(count == #list)
          if #list > 0 then
            local ex, ey, ev, eformal, escatter = mean(list)
            near(x, ex)
            near(y, ey)
            near(v, ev)
            near(formal, o.weight == "none" and 0 / 0 or eformal)
            near(scatter, escatter)
          else
            near(v, 0 / 0)
          end
        end
      end
    end
  end
end)

local function median(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[(n + 1) // 2] or (list[n // 2] + list[n // 2 + 1]) / 2
end

test("medians are of the components", function()
  local years = itslive.yearly(stack, { reducer = "median", weight = "none", years = { 2016 }, least = 2 })
  assert(#years == 1)
  local array = years[1]:read()
  for row = 0, 2 do
    for col = 0, 3 do
      local list, xs, ys = values(row, col, 2016, { time = "mid_date" }), {}, {}
      for i, p in ipairs(list) do xs[i], ys[i] = p[1], p[2] end
      local x, y, v, _, scatter, count = array:get(row, col)
      assert(count == #list)
      if #list < 2 then
        near(v, 0 / 0)
      else
        local mx, my, away = median(xs), median(ys), {}
        for i, p in ipairs(list) do away[i] = math.abs((p[1] - mx) * mx + (p[2] - my) * my) / math.sqrt(mx ^ 2 + my ^ 2) end
        near(x, mx)
        near(y, my)
        near(scatter, #list > 2 and 1.4826 * math.sqrt(math.pi / 2) * median(away) / math.sqrt(#list) or 0 / 0)
      end
    end
  end
end)

-- The value up to which half of the weights lie.
local function weighted_median(list, sum)
  table.sort(list, function(a, b) return a[1] < b[1] end)
  local below = 0
  for i, pair in ipairs(list) do
    below = below + pair[2]
    assert(math.abs(below - sum / 2) > 1e-9 * sum, "no two middles among random weights")
    if below > sum / 2 then return pair[1] end
  end
end

test("weighted medians count pairs by errors and by the time that they span", function()
  local years = itslive.yearly(stack, { reducer = "median" })
  assert(years[1].year == 2014)
  local compared = 0
  for image in years:each() do
    local array = image:read()
    for row = 0, 2 do
      for col = 0, 3 do
        local list = values(row, col, image.year, { time = "overlap", weight = "error" })
        local x, y, v, formal, scatter, count = array:get(row, col)
        assert(count == #list)
        local xs, ys, sum, squares, variance = {}, {}, 0, 0, 0
        for i, p in ipairs(list) do
          xs[i], ys[i] = { p[1], p[3] }, { p[2], p[3] }
          sum, squares, variance = sum + p[3], squares + p[3] ^ 2, variance + p[3] ^ 2 * p[5] ^ 2
        end
        if #list == 0 then
          near(v, 0 / 0)
        else
          local mx, my, away = weighted_median(xs, sum), weighted_median(ys, sum), {}
          for i, p in ipairs(list) do away[i] = { math.abs((p[1] - mx) * mx + (p[2] - my) * my) / math.sqrt(mx ^ 2 + my ^ 2), p[3] } end
          near(x, mx)
          near(y, my)
          near(v, math.sqrt(mx ^ 2 + my ^ 2))
          near(formal, math.sqrt(math.pi / 2 * variance) / sum)
          near(scatter, #list > 2 and 1.4826 * math.sqrt(math.pi / 2) * weighted_median(away, sum) * math.sqrt(squares) / sum or 0 / 0)
          compared = compared + 1
        end
      end
    end
  end
  assert(compared > 20, compared)
end)

test("the constants of a scatter are those of normal values", function()
  local fine = raster.grid { crs = 3413, origin = { 0, 0 }, resolution = 120, rows = 50, cols = 50 }
  local list = {}
  for i = 1, 25 do
    local noise = raster.random(fine, { distribution = "normal", seed = i })
    list[i] = raster.bands((noise * 20 + 1000):rename "vx", raster.constant(fine, 0):rename "vy", raster.constant(fine, 20):rename "v_error")
      :set_unit "m/yr":set_time(("2015-%02d-15"):format(i % 12 + 1))
  end
  local of_median = 20 / 5 * math.sqrt(math.pi / 2)
  for reducer, expected in next, { mean = 20 / 5, median = of_median, weighted = of_median } do
    local o = reducer == "weighted" and { reducer = "median" } or { reducer = reducer, weight = reducer == "median" and "none" or nil }
    local year = itslive.yearly(raster.stack(list), o)[1]
    local stats = year:stats()
    -- How much the means themselves scatter from pixel to pixel.
    assert_close(stats.vx.std, expected, 0.05 * expected)
    assert_close(stats.v_std_error.mean, expected, 0.05 * expected)
    if reducer ~= "median" then assert_close(stats.v_error.mean, expected, 1e-3) end
  end
end)

test("outliers go by the median absolute deviation", function()
  local clean = itslive.mask_outliers(stack, { deviations = 1.5, floor = 5 })
  local masked = 0
  for row = 0, 2 do
    for col = 0, 3 do
      local limits = {}
      for band = 1, 2 do
        local list, away = {}, {}
        for i in ipairs(pairs_of) do
          local v = select(band, arrays[i]:get(row, col))
          if v == v then list[#list + 1] = v end
        end
        local middle = median(list)
        for k, v in ipairs(list) do away[k] = math.abs(v - middle) end
        limits[band] = { middle, math.max(5, 1.5 * 1.4826 * median(away)) }
      end
      for i in ipairs(pairs_of) do
        local vx, vy = arrays[i]:get(row, col)
        local keep = math.abs(vx - limits[1][1]) <= limits[1][2] and math.abs(vy - limits[2][1]) <= limits[2][2]
        local found = clean[i]:read():get(row, col)
        assert((found == found) == keep, ("image %d, %d, %d"):format(i, row, col))
        if vx == vx and not keep then masked = masked + 1 end
      end
    end
  end
  assert(masked > 3)
end)

test("trends need years", function()
  assert_error(function() itslive.trend(itslive.yearly(stack, { years = { 2015, 2016 } })) end, "needs 3 images at least")
  local trend = itslive.trend(itslive.yearly(stack))
  assert(table.concat(trend.bands, " ") == "v_slope v_slope_low v_slope_high v_tau v_p_value")
end)

test("series have a row for each velocity, with its pair", function()
  local series = itslive.series(stack, { { x = 60, y = -60, name = "corner" }, { x = 300, y = -300 } })
  local expected = {}
  for i in ipairs(pairs_of) do
    local vx, vy, v, e = arrays[i]:get(0, 0)
    if vx == vx then expected[#expected + 1] = { pairs_of[i], vx, vy, v, e } end
  end
  local rows = series:filter { point = 1 }
  assert(#rows == #expected and #series > #expected)
  for k, want in ipairs(expected) do
    local row = rows[k]
    assert(row.name == "corner" and row.time:sub(1, 10) == want[1][1] and row.date_dt == want[1][2])
    assert(row.vx == want[2] and row.vy == want[3] and row.v == want[4] and row.v_error == want[5])
  end
  assert(series:filter({ point = 2 })[1].name == nil)
  assert_error(function() itslive.series(stack:map(function(image) return image:mask(image:lt(-1e9)) end), { { 60, -60 } }) end, "no image has a velocity")
end)

test("flow lines are profiles of each image", function()
  local table_ = itslive.flow_line(stack, { { 60, -180 }, { 420, -180 } }, { step = 60 })
  local times = {}
  for i = 1, #table_ do times[table_[i].time] = (times[table_[i].time] or 0) + 1 end
  local count = 0
  for _, n in next, times do
    count = count + 1
    assert(n == #table_ / #pairs_of)
  end
  assert(count == #pairs_of and table_[1].distance_m == 0)
end)

test("histograms count all images, and what lies beyond", function()
  local histogram = itslive.histogram(stack, { bins = 7, max = 1100 })
  local counts, beyond = {}, 0
  for i in ipairs(pairs_of) do
    for row = 0, 2 do
      for col = 0, 3 do
        local v = select(3, arrays[i]:get(row, col))
        if v == v then
          local bin = v >= 1100 and v > 1100 and 8 or math.min(math.floor(v / (1100 / 7)) + 1, 7)
          if bin == 8 then beyond = beyond + 1 else counts[bin] = (counts[bin] or 0) + 1 end
        end
      end
    end
  end
  for bin = 1, 7 do assert(histogram[bin].count == (counts[bin] or 0), bin) end
  assert(beyond > 0 and #histogram == 8 and histogram[8].count == beyond and histogram[8].to == nil)
end)

test("what is missing is said", function()
  assert_error(function() itslive.yearly(stack:select("vx", "vy")) end, "no band v_error to weigh by")
  assert_error(function() itslive.yearly(stack:select "v") end, "no band vx; they have: v")
  assert_error(function() itslive.yearly(stack, { years = { 1999 } }) end, "no image lies in the years 1999")
  assert_error(function() itslive.yearly(stack, { weigth = "none" }) end, "weigth")
end)
