local correlation = require "correlation"

test("three dates, by hand", function()
  local found = correlation.invert({ { 1, 2 }, { 2, 3 }, { 1, 3 } }, { 1.0, 2.0, 3.3 })
  -- The misclosure of 0.3 is shared equally.
  assert_close(found.series[1], 0)
  assert_close(found.series[2], 1.1, 1e-12)
  assert_close(found.series[3], 3.2, 1e-12)
  assert_close(found.residuals[1], -0.1, 1e-12)
  assert_close(found.residuals[3], 0.1, 1e-12)
  assert_close(found.rms, 0.1, 1e-12)
  assert(found.redundancy == 1 and found.iterations == 1)
end)

test("weights, reference date, names and missing values", function()
  local pairs = { { reference = 1, secondary = 2 }, { reference = 2, secondary = 3 }, { reference = 1, secondary = 3 } }
  local found = correlation.invert(pairs, { 1.0, 2.0, 3.3 }, { weights = { 1e6, 1e6, 1 }, reference = 3 })
  assert_close(found.series[3], 0)
  assert_close(found.series[1], -3, 1e-5)
  found = correlation.invert(pairs, { 1.0, false, 0 / 0 }, { dates = 4 })
  assert_close(found.series[2], 1)
  assert(found.series[3] ~= found.series[3] and found.series[4] ~= found.series[4] and found.sigma[2] ~= found.sigma[2])
end)

test("the robust fit sees through a blunder", function()
  local pairs, values = {}, {}
  for i = 1, 20 do
    for j = i + 1, math.min(20, i + 3) do
      pairs[#pairs + 1] = { i, j }
      values[#values + 1] = 0.5 * (j - i) + 0.01 * math.sin(7 * i + 3 * j)
    end
  end
  values[12] = 40
  local plain, robust = correlation.invert(pairs, values), correlation.invert(pairs, values, { robust = true })
  assert(math.abs(plain.series[20] - 9.5) > 0.05 or plain.rms > 1)
  for i = 1, 20 do assert_close(robust.series[i], 0.5 * (i - 1), 0.05) end
  assert(robust.factors[12] < 0.01 and robust.iterations > 1)
end)

test("wrong input is named", function()
  assert_error(function() correlation.invert({ { 1, 2 } }, { 1, 2 }) end, "values must be one for each of the 1 pairs, got 2")
  assert_error(function() correlation.invert({ { 0, 2 } }, { 1 }) end, "reference of pairs%[1%] must be the number of a date, from 1, got 0")
  assert_error(function() correlation.invert({ { 1, 1 } }, { 1 }) end, "two different ones, got 1 and 1")
  assert_error(function() correlation.invert({ { 1, 3 } }, { 1 }, { dates = 2 }) end, "must be one of the 2 dates, got 3")
  assert_error(function() correlation.invert({ { 1, 2 } }, { "a" }) end, "values%[1%] must be a number")
  assert_error(function() correlation.invert({ { 1, 2 } }, { 1 }, { weights = { -1 } }) end, "weights%[1%] must be a number above 0, got %-1")
  assert_error(function() correlation.invert({ { 1, 2 } }, { 1 }, { robst = true }) end, "did you mean `robust`")
end)
