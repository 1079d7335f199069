-- What stacks tell over time, and what they have of their images.
local raster = require "raster"

local COUNT = 30
local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 5, cols = 70 }
local images = {}
for i = 1, COUNT do
  local noise = raster.random(grid, { seed = i, distribution = "normal" }):rename "v"
  -- Some pixels are masked at most times, and some at all.
  local masked = raster.random(grid, { seed = 100 + i }):gt(0.3) & raster.coordinates(grid).x:gt(500020)
  local day = (i - 1) * 47
  local time = ("%d-%02d-%02d"):format(2015 + day // 360, day % 360 // 30 + 1, day % 30 % 28 + 1)
  images[i] = (noise + 10 + 0.1 * i):mask(masked):set_time(time)
end
local stack = raster.stack(images)

-- Least squares by Gauss's elimination of the normal equations: slow and plain.
local function solve(rows, values)
  local k = #rows[1]
  local a = {}
  for p = 1, k do
    a[p] = {}
    for q = 1, k do
      local sum = 0
      for n = 1, #rows do sum = sum + rows[n][p] * rows[n][q] end
      a[p][q] = sum
    end
    local right = 0
    for n = 1, #rows do right = right + rows[n][p] * values[n] end
    a[p][k + 1] = right
  end
  for p = 1, k do
    local best = p
    for q = p + 1, k do if math.abs(a[q][p]) > math.abs(a[best][p]) then best = q end end
    a[p], a[best] = a[best], a[p]
    for q = 1, k do
      if q ~= p then
        local f = a[q][p] / a[p][p]
        for c = p, k + 1 do a[q][c] = a[q][c] - f * a[p][c] end
      end
    end
  end
  local x = {}
  for p = 1, k do x[p] = a[p][k + 1] / a[p][p] end
  return x
end

test("harmonics by elimination", function()
  local fit = stack:harmonics { periods = { 1, 0.25 } }
  assert(table.concat(fit.bands, " ") == "v_offset v_offset_std_error v_slope v_slope_std_error v_annual_amplitude v_annual_amplitude_std_error "
    .. "v_annual_phase v_annual_phase_std_error v_0_25yr_amplitude v_0_25yr_amplitude_std_error v_0_25yr_phase v_0_25yr_phase_std_error v_residual",
    table.concat(fit.bands, " "))
  local arrays, days = {}, stack:days "2000-01-01"
  for i = 1, COUNT do arrays[i] = images[i]:read() end
  local slope, amplitude, phase, residual = fit.v_slope:read(), fit.v_annual_amplitude:read(), fit.v_annual_phase:read(), fit.v_residual:read()
  local few, many = 0, 0
  for r = 0, 4 do
    for c = 0, 69 do
      local rows, values = {}, {}
      for i = 1, COUNT do
        local y, t = arrays[i]:get(r, c), days[i] / 365.25
        if y == y then
          local w = 2 * math.pi * t
          rows[#rows + 1] = { 1, t - 17, math.cos(w), math.sin(w), math.cos(4 * w), math.sin(4 * w) }
          values[#values + 1] = y
        end
      end
      if #rows <= 6 then
        assert(slope:get(r, c) ~= slope:get(r, c))
        few = few + 1
      else
        local x = solve(rows, values)
        local left = 0
        for n = 1, #rows do
          local model = 0
          for p = 1, 6 do model = model + rows[n][p] * x[p] end
          left = left + (values[n] - model) ^ 2
        end
        local function near(found, wanted) assert(math.abs(found - wanted) < 1e-3 * (1 + math.abs(wanted)), ("%s for %s"):format(found, wanted)) end
        near(slope:get(r, c), x[2])
        near(amplitude:get(r, c), math.sqrt(x[3] ^ 2 + x[4] ^ 2))
        near(phase:get(r, c), math.atan(x[4], x[3]) / (2 * math.pi) % 1 * 365.25)
        near(residual:get(r, c), math.sqrt(left / #rows))
        many = many + 1
      end
    end
  end
  assert(few > 0 and many > 300)
end)

test("units of what is told over time", function()
  local fit = raster.stack({ images[1]:set_unit "m", images[20]:set_unit "m" }):theil_sen()
  assert(fit.v_slope.units.v_slope == "m/yr" and fit.units.v_offset == "m")
end)

test("the order of the images does not matter", function()
  local back = {}
  for i = 1, COUNT do back[i] = images[COUNT + 1 - i] end
  for _, name in ipairs { "harmonics", "mann_kendall", "theil_sen" } do
    local a, b = stack[name](stack), raster.stack(back)[name](raster.stack(back))
    for _, band in ipairs(a.bands) do
      assert(a[band]:read():get(3, 50) == b[band]:read():get(3, 50) or band:find "std_error", name .. " " .. band)
    end
  end
end)

test("models ask for what they need", function()
  local plain = raster.constant(grid, 1)
  assert_error(function() raster.stack({ plain, plain }):mann_kendall() end, "image 1 has no time")
  local one = plain:set_time "2020-01-01"
  assert_error(function() raster.stack({ one, one }):theil_sen() end, "images must be of two times at least, got 2, all of one")
  assert_error(function() raster.stack({ images[1], images[2] }):harmonics() end, "images must be more than the 6 terms of the model")
  assert_error(function() stack:harmonics { periods = { 1, 1 } } end, "periods must be each once, got 1 again")
  assert_error(function() stack:harmonics { periods = { 0 } } end, "periods must be years, from 0.001, got 0")
end)

test("arithmetic of stacks, by time", function()
  local first = raster.stack { { raster.constant(grid, 1), time = "2020-01-01" }, { raster.constant(grid, 2), time = "2021-01-01" } }
  local turned = raster.stack { { raster.constant(grid, 20), time = "2021-01-01" }, { raster.constant(grid, 10), time = "2020-01-01" } }
  local function means(s)
    local out = {}
    for i, image in ipairs(s) do out[i] = image:stats().constant.mean end
    return table.concat(out, " ")
  end
  assert(means(first + turned) == "11.0 22.0", means(first + turned))
  assert(means(first * 2) == "2.0 4.0" and means(2 - first) == "1.0 0.0" and means(-first) == "-1.0 -2.0")
  assert(means(first / raster.constant(grid, 2)) == "0.5 1.0" and means(raster.constant(grid, 4) / first) == "4.0 2.0")
  assert((first + turned):times()[2] == first:times()[2])
  local anomaly = first - first:mean()
  assert(means(anomaly) == "-0.5 0.5")
  local late = raster.stack { { raster.constant(grid, 1), time = "2020-01-01" }, { raster.constant(grid, 2), time = "2022-01-01" } }
  assert_error(function() return first + late end, "image 2 is of 2021%-01%-01T00:00:00Z, of which the other stack has none")
  assert_error(function() return first + stack end, "the other stack must be as long as the first %(2 images%), got 30 images")
  assert_error(function() return first + true end, "right must be a Raster or a number")
end)

test("a stack has what its images have", function()
  local db = raster.stack { { raster.constant(grid, 10):set_unit "power", time = "2020-01-01", orbit = 3 }, { raster.constant(grid, 100):set_unit "power", time = "2021-01-01", orbit = 4 } }:to_db()
  assert(#db == 2 and db[2]:stats().constant.mean == 20 and db:values("orbit")[2] == 4 and db:times()[1] == "2020-01-01")
  local mask = db:gt(15)
  local masked = db:mask(mask)
  assert(masked[1]:stats().constant.count == 0 and masked[2]:stats().constant.mean == 20)
  local two = raster.stack { raster.bands(images[1]:rename "a", images[2]:rename "b"), raster.bands(images[3]:rename "a", images[4]:rename "b") }
  assert(two.b.bands[1] == "b" and #two.b == 2)
  assert_error(function() db:stats() end, "`stats` of an image gives a table, so that a Stack has no such method")
  assert_error(function() db:to_dB() end, "to_db")
  assert_error(function() db.to_db() end, "call it with a colon")
end)

test("periods of the calendar", function()
  local function keys(by, ...)
    local dated = {}
    for i, time in ipairs { ... } do dated[i] = { raster.constant(grid, i), time = time } end
    local out = {}
    for i, group in ipairs(raster.stack(dated):group_by(by)) do out[i] = ("%s:%d"):format(group.key, #group.stack) end
    return table.concat(out, " ")
  end
  -- Winters begin in December; ISO weeks of the turn of the year (Python's datetime.isocalendar).
  assert(keys("season", "2024-03-01", "2023-12-31", "2024-02-29", "2024-12-01") == "2024-DJF:2 2024-MAM:1 2025-DJF:1")
  assert(keys("season_of_year", "2024-09-01", "2023-12-31", "2024-02-29", "2024-12-01") == "DJF:3 SON:1")
  assert(keys("week", "2021-01-03", "2021-01-04", "2024-12-30", "2020-12-28") == "2020-W53:2 2021-W01:1 2025-W01:1")
  assert(keys("month_of_year", "2024-10-01", "2023-02-01", "2022-10-31") == "02:1 10:2")
  assert(keys("day_of_year", "2024-03-01", "2023-03-01", "2024-12-31") == "060:1 061:1 366:1")
  assert(keys("day", "2024-03-01T23:59:59Z", "2024-03-02", "2023-12-31") == "2023-12-31:1 2024-03-01:1 2024-03-02:1")
  assert(keys(function(image) return image.time < "2024" end, "2024-03-01", "2023-03-01") == "false:1 true:1")
  assert_error(function() keys(function() end, "2024-03-01") end, "what the function returns for image 1 must be a text, a number or a boolean, got nil")
  assert_error(function() keys("fortnight", "2024-03-01") end, "fortnight")
end)

test("an image for each period", function()
  local seasons = stack:resample("season", "median")
  local groups = stack:group_by "season"
  assert(#seasons == #groups and seasons[1].time == "2014-12-01" and seasons[2].time == "2015-03-01")
  for i, group in ipairs(groups) do
    assert(seasons[i].images == #group.stack)
    local found, wanted = seasons[i]:read(), group.stack:median():read()
    for c = 0, 69 do
      local a, b = found:get(2, c), wanted:get(2, c)
      assert(a == b or (a ~= a and b ~= b))
    end
  end
  assert(stack:resample("week")[1].time == "2014-12-29")
  assert_error(function() stack:resample "month_of_year" end, "which comes again each year")
end)

test("sums so far and anomalies, pixel by pixel", function()
  local arrays, sums, sum = {}, {}, stack:cumulative()
  local gone = stack:anomaly "season_of_year"
  local members = {}
  for i, image in ipairs(images) do
    arrays[i], sums[i] = image:read(), sum[i]:read()
    local month = tonumber(image.time:sub(6, 7))
    local season = month % 12 // 3
    members[season] = members[season] or {}
    table.insert(members[season], i)
  end
  for c = 0, 69, 3 do
    local total, seen = 0, false
    for i = 1, COUNT do
      local v = arrays[i]:get(4, c)
      if v == v then total, seen = total + v, true end
      local found = sums[i]:get(4, c)
      if seen then assert_close(found, total, 1e-3) else assert(found ~= found) end
    end
  end
  for _, list in pairs(members) do
    for _, i in ipairs(list) do
      local found = gone[i]:read()
      for c = 0, 69, 7 do
        local total, n = 0, 0
        for _, j in ipairs(list) do
          local v = arrays[j]:get(1, c)
          if v == v then total, n = total + v, n + 1 end
        end
        local v = arrays[i]:get(1, c)
        if v == v then assert_close(found:get(1, c), v - total / n, 1e-4) else assert(found:get(1, c) ~= found:get(1, c)) end
      end
    end
  end
end)

test("gaps are filled in time, by a plain search", function()
  for _, most in ipairs { 1e9, 100 } do
    local filled = stack:interpolate { max_gap_days = most }
    local arrays, days, count = {}, stack:days(), 0
    for i = 1, COUNT do arrays[i] = images[i]:read() end
    for i = 1, COUNT do
      local found = filled[i]:read()
      for c = 0, 69 do
        local v = arrays[i]:get(3, c)
        if v ~= v then
          local before, after = i - 1, i + 1
          while before >= 1 and arrays[before]:get(3, c) ~= arrays[before]:get(3, c) do before = before - 1 end
          while after <= COUNT and arrays[after]:get(3, c) ~= arrays[after]:get(3, c) do after = after + 1 end
          if before >= 1 and after <= COUNT and days[after] - days[before] <= most then
            local a, b = arrays[before]:get(3, c), arrays[after]:get(3, c)
            v = a + (b - a) * (days[i] - days[before]) / (days[after] - days[before])
            count = count + 1
          end
        end
        local x = found:get(3, c)
        assert(v == v and math.abs(x - v) < 1e-5 or v ~= v and x ~= x, ("%s for %s"):format(x, v))
      end
    end
    assert(count > 50)
    assert(filled[7].time == images[7].time)
  end
  local twice = raster.stack { images[1], images[1] }
  assert_error(function() twice:interpolate() end, "images 1 and 2 are of one time")
end)
