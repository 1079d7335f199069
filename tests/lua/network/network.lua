local network, raster, fs = require "network", require "raster", require "fs"

local days = {}
for i = 0, 11 do days[i + 1] = require("time").add("2022-01-05", 12 * i) end

test("each date is paired with its next neighbours", function()
  -- The notebook's 287 dates with 3 neighbours make 855 pairs.
  local many = {}
  for i = 0, 286 do many[i + 1] = require("time").add("2014-12-21", 12 * i) end
  assert(#network.pairs(many, { neighbours = 3 }) == 855)
  local pairs = network.pairs(days, { neighbours = 2 })
  assert(#pairs == 21 and pairs[1].reference == 1 and pairs[1].secondary == 2 and pairs[2].secondary == 3)
  assert(pairs[1].days == 12 and pairs[2].days == 24)
  assert(#network.pairs(days) == 66)
end)

test("baselines and seasons choose", function()
  for _, pair in ipairs(network.pairs(days, { min_days = 20, max_days = 40 })) do
    assert(pair.days >= 20 and pair.days <= 40)
  end
  -- Neighbours are counted among the dates that may be paired.
  local far = network.pairs(days, { neighbours = 1, min_days = 30 })
  assert(#far == 9 and far[1].secondary == 4)
  local spring = network.pairs(days, { months = { 3, 4 } })
  for _, pair in ipairs(spring) do
    for _, end_ in ipairs { pair.reference, pair.secondary } do
      local month = tonumber(days[end_]:sub(6, 7))
      assert(month == 3 or month == 4)
    end
  end
  assert(#spring == 10)
end)

test("explicit pairs are found by day or number, in any order, once", function()
  local pairs = network.pairs(days, { list = { { "20220129", "20220105" }, { 1, 3 }, { "2022-01-17", "20220129" } } })
  assert(#pairs == 2 and pairs[1].reference == 1 and pairs[1].secondary == 3 and pairs[2].reference == 2)
end)

test("compact dates, and stacks, are dates", function()
  assert(#network.pairs { "20220105", "20220117", "20220129" } == 3)
  local grid = raster.grid { rows = 2, cols = 2 }
  local stack = raster.stack { raster.constant(grid, 1):set_time("2023-01-01"), raster.constant(grid, 2):set_time("2023-01-13") }
  assert(network.pairs(stack)[1].days == 12)
end)

test("what makes no network is told", function()
  assert_error(function() network.pairs { "2022-01-05" } end, "needs at least two dates, got 1")
  assert_error(function() network.pairs { "2022-01-05", "2022-01-05" } end, "the date 2022%-01%-05 is there twice")
  assert_error(function() network.pairs { "2022-01-17", "2022-01-05" } end, "dates must be in order, but 2022%-01%-05 follows")
  assert_error(function() network.pairs { "2022-01-17", "soon" } end, "times%[2%] must be a date, got \"soon\"")
  assert_error(function() network.pairs(days, { min_days = 1000 }) end, "no pair of the 12 dates, 2022%-01%-05 to 2022%-05%-17, is left")
  assert_error(function() network.pairs(days, { list = { { "20220105", "20220106" } } }) end, "list%[1%]: there is no date \"20220106\"")
  assert_error(function() network.pairs(days, { list = { { 2, 2 } } }) end, "pairs 2022%-01%-17 with itself")
  assert_error(function() network.pairs(days, { neighbours = 0 }) end, "neighbours must be an integer of at least 1")
  assert_error(function() network.pairs(days, { months = { 13 } }) end, "months must be a list of integers from 1 to 12")
  assert_error(function() network.pairs(days, { neighbors = 1 }) end, "did you mean `neighbours`")
end)

test("consistent values close, a blunder does not, and the series is the truth", function()
  local pairs = network.pairs(days, { neighbours = 3 })
  local truth, values = {}, {}
  for i = 1, #days do truth[i] = math.sin(i) - math.sin(1) end
  for k, pair in ipairs(pairs) do values[k] = truth[pair.secondary] - truth[pair.reference] end
  local triangles = network.closure(pairs, values)
  -- Of i < j < k with k − i ≤ 3: two of them with k − i = 3, one with 2.
  assert(#triangles == 10 + 9 * 2, #triangles)
  for _, triangle in ipairs(triangles) do assert_close(triangle.misclosure, 0, 1e-12) end
  local series, fit = network.series(days, pairs, values)
  for i = 1, #days do
    assert_close(series[i].value, truth[i], 1e-12)
    assert(series[i].date == days[i])
  end
  assert(fit.redundancy == #pairs - 11 and series[6].pairs == 6 and series[1].pairs == 3)
  values[5] = values[5] + 9
  local worst = 0
  for _, triangle in ipairs(network.closure(pairs, values)) do worst = math.max(worst, math.abs(triangle.misclosure)) end
  assert_close(worst, 9, 1e-9)
  local robust = network.series(days, pairs, values, { robust = true })
  for i = 1, #days do assert_close(robust[i].value, truth[i], 1e-4) end
end)

test("a matrix has the values above its diagonal", function()
  local pairs = network.pairs(days, { neighbours = 1 })
  local values = {}
  for k = 1, #pairs do values[k] = k end
  local matrix = network.matrix(pairs, values, #days)
  assert(matrix[3][4] == 3 and matrix[4][3] ~= matrix[4][3] and matrix[3][5] ~= matrix[3][5] and #matrix == 12)
  assert_error(function() network.matrix(pairs, values, 5) end, "is of date 6, but there are 5")
  assert_error(function() network.matrix(pairs, {}, 5) end, "0 values for 11 pairs")
end)

test("a network is drawn, by time or by baselines", function()
  local pairs = network.pairs(days, { neighbours = 3 })
  network.plot(days, pairs):write "time.png"
  local baselines = {}
  for i = 1, #days do baselines[i] = 40 * math.sin(3 * i) end
  network.plot(days, pairs, { baselines = baselines, title = "B" }):write "baselines.png"
  assert(fs.size "time.png" > 5000 and fs.size "baselines.png" > 5000)
  assert_error(function() network.plot(days, pairs, { baselines = { 1 } }) end, "1 baselines for 12 dates")
end)
