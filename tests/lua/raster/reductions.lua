-- Reductions of stacks that are more than one value of each band: against loops over all values.
local raster = require "raster"

local COUNT = 21
local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 4, cols = 70 }
local function time(i) return ("%d-%02d-%02d"):format(2016 + i // 5, 1 + i * 5 % 12, 1 + i * 7 % 28) end
local function random(seed, distribution) return raster.random(grid, { seed = seed, distribution = distribution or "normal" }) end
-- Some pixels are masked at most times, and some at all.
local function masked(image, i) return image:mask(random(100 + i, "uniform"):gt(0.3) & raster.coordinates(grid).x:gt(500020)) end

-- Calls f(row, col, values, images): the values that are valid, and the numbers of their images.
local function each_pixel(arrays, f)
  for r = 0, 3 do
    for c = 0, 69 do
      local values, places = {}, {}
      for i = 1, #arrays do
        local v = arrays[i]:get(r, c)
        if v == v then values[#values + 1], places[#places + 1] = v, i end
      end
      f(r, c, values, places)
    end
  end
end

local function read(stack)
  local arrays = {}
  for i, image in ipairs(stack) do arrays[i] = image:read() end
  return arrays
end

local function same(found, wanted, tolerance, what)
  if wanted ~= wanted then
    assert(found ~= found, ("%s: %s for none"):format(what, found))
  else
    assert(math.abs(found - wanted) <= tolerance * math.max(1, math.abs(wanted)), ("%s: %s for %s"):format(what, found, wanted))
  end
end

local images = {}
for i = 1, COUNT do images[i] = masked((random(i) * 3):round():rename "v", i):set_time(time(i)) end
local stack = raster.stack(images)

test("numbers of images, dates and modes, of few images and of many", function()
  for _, count in ipairs { 3, 8, COUNT } do
    local part = {}
    for i = 1, count do part[i] = images[i] end
    local some = raster.stack(part)
    local arrays, days = read(some), some:days "1970-01-01"
    local low, high, mode = some:argmin():read(), some:argmax():read(), some:mode():read()
    local all = some:reduce { "argmax", "mode", "mean" }
    assert(table.concat(all.bands, " ") == "v_argmax v_mode v_mean")
    local again = all.v_argmax:read()
    local early, late = some:date_of_min():read(), some:date_of_max { since = "2000-01-01" }:read()
    local epoch = 10957 -- days from 1970 to 2000
    each_pixel(arrays, function(r, c, values, places)
      local nan = 0 / 0
      local least, most, counts = nan, nan, {}
      local first_least, first_most, earliest, latest = nan, nan, nan, nan
      for k, v in ipairs(values) do
        counts[v] = (counts[v] or 0) + 1
        if not (v >= least) then least, first_least = v, places[k] end
        if not (v <= most) then most, first_most = v, places[k] end
      end
      for k, v in ipairs(values) do
        local day = days[places[k]]
        if v == least and not (day >= earliest) then earliest = day end
        if v == most and not (day >= latest) then latest = day end
      end
      local best, often = nan, 0
      for v, n in pairs(counts) do
        if n > often or n == often and v < best then best, often = v, n end
      end
      same(low:get(r, c), first_least, 0, "argmin")
      same(high:get(r, c), first_most, 0, "argmax")
      same(again:get(r, c), first_most, 0, "argmax among others")
      same(mode:get(r, c), best, 0, "mode")
      same(early:get(r, c), earliest, 0, "date of the smallest")
      same(late:get(r, c), latest - epoch, 0, "date of the largest")
    end)
  end
end)

test("what numbers and dates are in", function()
  local largest = stack:argmax()
  assert(largest.units.v == "1" and largest.dtypes.v == "uint16", largest.dtypes.v)
  assert(stack:date_of_max().units.v == "days since 1970-01-01")
  assert(stack:date_of_max({ since = "2020-01-01T06:00:00Z" }).units.v == "days since 2020-01-01T06:00:00Z")
  local one = raster.stack { { raster.constant(grid, 5), time = "2021-03-01" }, { raster.constant(grid, 2), time = "2024-12-31T23:00:00Z" } }
  assert(one:date_of_max({ day_of_year = true }):stats().constant.mean == 60)
  assert(one:date_of_min({ day_of_year = true }):stats().constant.mean == 366)
  assert_error(function() one:date_of_min { day_of_year = true, since = "2020-01-01" } end, "either since or day_of_year")
  assert_error(function() raster.stack({ raster.constant(grid, 5) }):date_of_max() end, "image 1 has no time")
  -- Classes stay classes, in files too.
  local classes = raster.stack { raster.constant(grid, 3):cast "uint8", raster.constant(grid, 3):cast "uint8", raster.constant(grid, 200):cast "uint8" }
  assert(classes:mode().dtypes.constant == "uint8" and classes:mode():stats().constant.max == 3)
  stack:argmin():write "argmin.tif"
  local again, wanted = raster.open("argmin.tif"):read(), stack:argmin():read()
  for c = 0, 69 do same(again:get(1, c), wanted:get(1, c), 0, "written") end
end)

test("weighted means by a loop", function()
  local list, errors = {}, {}
  for i = 1, COUNT do
    local error = masked(random(300 + i, "uniform") + 0.1, 40 + i):rename "v_error"
    list[i] = { raster.bands(images[i], error), time = time(i), span = 3 * i }
    errors[i] = error:set_time(time(COUNT + 1 - i))
  end
  local both = raster.stack(list)
  local v, e = read(both.v), read(both.v_error)
  local function check(found, of_error, of_weight)
    local bands = {}
    for _, band in ipairs(found.bands) do bands[band] = found[band]:read() end
    for r = 0, 3 do
      for c = 0, 69 do
        local n, sum, total, squares, variance, chi = 0, 0, 0, 0, 0, 0
        for pass = 1, 2 do
          for i = 1, COUNT do
            local x, s, g = v[i]:get(r, c), of_error(i, r, c), of_weight(i)
            if x == x and s == s then
              local w = g / s ^ 2
              if pass == 1 then
                n, sum, total = n + 1, sum + w, total + w * x
                variance = variance + w * w * s * s
              else
                squares, chi = squares + w * (x - total / sum) ^ 2, chi + ((x - total / sum) / s) ^ 2
              end
            end
          end
        end
        local nan = 0 / 0
        same(bands.v_count:get(r, c), n, 0, "count")
        same(bands.v_mean:get(r, c), n > 0 and total / sum or nan, 1e-6, "mean")
        same(bands.v_scatter_error:get(r, c), n > 1 and math.sqrt(squares / sum / (n - 1)) or nan, 1e-6, "scatter")
        if bands.v_std_error then
          same(bands.v_std_error:get(r, c), n > 0 and math.sqrt(variance) / sum or nan, 1e-6, "standard error")
          same(bands.v_reduced_chi2:get(r, c), n > 1 and chi / (n - 1) or nan, 1e-6, "chi")
        end
      end
    end
  end
  local function own(i, r, c) return e[i]:get(r, c) end
  local by_error = both:weighted_mean { error = "v_error" }
  assert(table.concat(by_error.bands, " ") == "v_mean v_count v_scatter_error v_std_error v_reduced_chi2")
  check(by_error, own, function() return 1 end)
  check(both:weighted_mean { error = { v = "v_error" }, weights = "span" }, own, function(i) return 3 * i end)
  local by_weight = both:weighted_mean { weights = "span", bands = { "v" } }
  assert(table.concat(by_weight.bands, " ") == "v_mean v_count v_scatter_error")
  check(by_weight, function() return 1 end, function(i) return 3 * i end)
  -- The images of another stack go by their times.
  local other = raster.stack(errors)
  check(both:weighted_mean { error = other, bands = { "v" } }, function(i, r, c) return e[COUNT + 1 - i]:get(r, c) end, function() return 1 end)
end)

test("weighted medians are medians of values that stand there as often as they weigh", function()
  local list, repeated = {}, {}
  for i = 1, COUNT do
    local image = images[i]:rename "v"
    list[i] = { image, time = time(i), times = 1 + i % 3 }
    for copy = 1, 1 + i % 3 do repeated[#repeated + 1] = image:set_time(time(i)) end
  end
  local found = raster.stack(list):weighted_median { weights = "times" }
  assert(table.concat(found.bands, " ") == "v_median v_count v_scatter_error")
  local slow = raster.stack(repeated)
  local middle = slow:median()
  local far = (slow - middle):map(function(image) return image:abs() end):median()
  local a, b, c = found.v_median:read(), middle:read(), found.v_scatter_error:read()
  local n, d = found.v_count:read(), far:read()
  local count = raster.stack(list):count():read()
  local v = read(raster.stack(list))
  for r = 0, 3 do
    for col = 0, 69 do
      same(a:get(r, col), b:get(r, col), 1e-6, "median")
      same(n:get(r, col), count:get(r, col), 0, "count")
      local sum, squares, valid = 0, 0, 0
      for i = 1, COUNT do
        local x = v[i]:get(r, col)
        if x == x then sum, squares, valid = sum + 1 + i % 3, squares + (1 + i % 3) ^ 2, valid + 1 end
      end
      local error = valid > 2 and math.sqrt(math.pi / 2) * 1.4826 * d:get(r, col) * math.sqrt(squares) / sum or 0 / 0
      same(c:get(r, col), error, 1e-5, "scatter")
    end
  end
end)

test("weighted means ask for what they need", function()
  local function image(unit, error_unit, span)
    local bands = raster.bands(raster.constant(grid, 1):set_unit(unit):rename "v", raster.constant(grid, 2):set_unit(error_unit):rename "s")
    return { bands, time = "2020-01-01", span = span }
  end
  local two = raster.stack { image("m/yr", "m/yr", 2), image("m/yr", "m/yr", -1) }
  assert_error(function() two:weighted_mean {} end, "give error, weights or both")
  assert_error(function() two:weighted_mean { error = "v_err" } end, "image 1: no band or property `v_err`")
  assert_error(function() two:weighted_mean { weights = "span" } end, "property `span` of image 2 must be a number above 0, got %-1")
  assert_error(function() two:weighted_mean { error = { w = "s" }, bands = { "v" } } end, "no entry for band `v`")
  assert_error(function() two:weighted_mean { error = 3 } end, "error must be the name of a band or a property")
  assert_error(function() two:select("s"):weighted_mean { error = "s" } end, "no band is left")
  local odd = raster.stack { image("m/yr", "m/d", 2), image("m/yr", "m/d", 1) }
  assert_error(function() odd:weighted_mean { error = "s" } end, "`v` is in m/yr, and its error `s` in m/d")
  assert(two:weighted_mean({ error = "s" }).units.v_std_error == "m/yr")
end)

test("no point has a smaller sum of distances than the geometric median", function()
  local list = {}
  for i = 1, 9 do
    local bands = {}
    for b = 1, 3 do bands[b] = masked(random(1000 * b + i), i):rename("b" .. b) end
    -- Where the second band alone is masked the image does not count.
    bands[2] = bands[2]:mask(random(2000 + i, "uniform"):gt(0.1))
    list[i] = raster.bands(table.unpack(bands))
  end
  local all = raster.stack(list)
  local median = all:geomedian { tolerance = 1e-9, max_iterations = 20000 }
  assert(table.concat(median.bands, " ") == "b1 b2 b3")
  local arrays, found = {}, {}
  for b = 1, 3 do arrays[b], found[b] = read(all["b" .. b]), median["b" .. b]:read() end
  local none, some = 0, 0
  for r = 0, 3 do
    for c = 0, 69, 3 do
      local points = {}
      for i = 1, 9 do
        local p = { arrays[1][i]:get(r, c), arrays[2][i]:get(r, c), arrays[3][i]:get(r, c) }
        if p[1] == p[1] and p[2] == p[2] and p[3] == p[3] then points[#points + 1] = p end
      end
      local m = { found[1]:get(r, c), found[2]:get(r, c), found[3]:get(r, c) }
      if #points == 0 then
        assert(m[1] ~= m[1] and m[3] ~= m[3])
        none = none + 1
      else
        local function sum(x, y, z)
          local total = 0
          for _, p in ipairs(points) do total = total + math.sqrt((p[1] - x) ^ 2 + (p[2] - y) ^ 2 + (p[3] - z) ^ 2) end
          return total
        end
        local least = sum(m[1], m[2], m[3])
        for step = -1, 1, 2 do
          for _, size in ipairs { 0.001, 0.01, 0.1 } do
            for b = 1, 3 do
              local p = { m[1], m[2], m[3] }
              p[b] = p[b] + step * size
              assert(sum(p[1], p[2], p[3]) >= least - 1e-6, "a smaller sum")
            end
          end
        end
        some = some + 1
      end
    end
  end
  assert(none > 0 and some > 40)
  local mixed = raster.bands(raster.constant(grid, 1):set_unit("m"):rename "a", raster.constant(grid, 1):set_unit("dB"):rename "b")
  assert_error(function() raster.stack({ mixed }):geomedian() end, "`a` %(m%) and `b` %(dB%) are in different units")
  assert_error(function() all:geomedian { tolerance = 0 } end, "tolerance")
end)

test("changes of level by cumulative sums", function()
  -- The level rises by 4 in the twelfth month.
  local list = {}
  for i = 1, COUNT do
    -- Not in the order of time.
    local month = i * 5 % COUNT + 1
    local image = masked(random(i) + (month >= 12 and 4 or 0), i):rename "v"
    list[i] = image:set_time(("%d-%02d-15"):format(2016 + month // 12, 1 + month % 12))
  end
  local risen = raster.stack(list)
  local fit = risen:cusum { permutations = 200, seed = 3 }
  assert(table.concat(fit.bands, " ") == "v_magnitude v_date v_change v_confidence" and fit.units.v_date == "days since 1970-01-01")
  local arrays, days = read(risen), risen:days "1970-01-01"
  local order = {}
  for i = 1, COUNT do order[i] = i end
  table.sort(order, function(a, b) return days[a] < days[b] end)
  local bands = {}
  for _, band in ipairs(fit.bands) do bands[band] = fit[band]:read() end
  local sure, all = 0, 0
  for r = 0, 3 do
    for c = 0, 69 do
      local values, times, sum = {}, {}, 0
      for _, i in ipairs(order) do
        local v = arrays[i]:get(r, c)
        if v == v then
          values[#values + 1], times[#times + 1] = v, days[i]
          sum = sum + v
        end
      end
      local n, nan = #values, 0 / 0
      local s, high, low, most, date, change = 0, 0, 0, -1, nan, nan
      for k = 1, n do
        s = s + values[k] - sum / n
        high, low = math.max(high, s), math.min(low, s)
        if k < n and math.abs(s) > most + 1e-9 then
          most, date = math.abs(s), times[k + 1]
          local before = 0
          for q = 1, k do before = before + values[q] end
          change = (sum - before) / (n - k) - before / k
        end
      end
      if n < 2 then
        assert(bands.v_magnitude:get(r, c) ~= bands.v_magnitude:get(r, c) and bands.v_confidence:get(r, c) ~= bands.v_confidence:get(r, c))
      else
        same(bands.v_magnitude:get(r, c), high - low, 1e-5, "magnitude")
        same(bands.v_date:get(r, c), date, 0, "date")
        same(bands.v_change:get(r, c), change, 1e-5, "change")
        all = all + 1
        if bands.v_confidence:get(r, c) > 0.9 then sure = sure + 1 end
      end
    end
  end
  assert(sure > 0.9 * all, ("%d of %d"):format(sure, all))
  -- Other windows, other neighbours, the same numbers; another seed, others.
  local part, whole = risen:crop({ row = 1, col = 30, rows = 2, cols = 11 }):cusum({ permutations = 200, seed = 3 }).v_confidence:read(), bands.v_confidence
  for c = 0, 10 do assert(part:get(1, c) == whole:get(2, 30 + c)) end
  local weak = stack:cusum({ permutations = 50 }).v_confidence:read()
  local other, differ = stack:cusum({ permutations = 50, seed = 1 }).v_confidence:read(), 0
  for c = 5, 69 do if weak:get(0, c) ~= other:get(0, c) then differ = differ + 1 end end
  assert(differ > 20)
  assert_error(function() stack:cusum { permutations = 0 } end, "permutations")
end)

test("the omnibus test finds changes, and chance alone as often as said", function()
  local grid = raster.grid { rows = 200, cols = 200 }
  local function speckle(seed, level) return raster.random(grid, { seed = seed, distribution = "speckle", looks = 4.4 }) * level end
  local quiet, changed = {}, {}
  for i = 1, 8 do
    local function image(level) return raster.bands(speckle(i, level):rename "VV", speckle(50 + i, level / 5):rename "VH"):set_unit "power" end
    quiet[i] = image(0.1):set_time(("2021-%02d-01"):format(i))
    changed[i] = image(i == 4 and 40 or i > 4 and 0.5 or 0.02):set_time(("2021-%02d-01"):format(i))
  end
  local summary, each = raster.stack(quiet):omnibus { looks = 4.4 }
  assert(table.concat(summary.bands, " ") == "p_value frequency first_change last_change" and #each == 7 and each[1].time == "2021-02-01")
  local share = 0.01
  local false_alarms = summary.p_value:lt(share):stats().p_value.mean
  -- Four standard deviations of a share of 40,000 are 0.002.
  assert(math.abs(false_alarms - share) < 0.002, false_alarms)
  local p, several = summary.p_value:read(), summary.frequency:read()
  local found = raster.stack(changed):omnibus { looks = 4.4, alpha = 0.001 }
  assert(found.frequency:stats().frequency.mean > 1.9 and found.units.first_change == "days since 1970-01-01")
  local _, changes = raster.stack(changed):omnibus { looks = 4.4, alpha = 0.001 }
  assert(changes[3]:eq(1):stats().change.mean > 0.97 and changes[4]:eq(2):stats().change.mean > 0.97)
  assert(changes[1]:stats().change.mean < 0.02)
  for r = 0, 199, 17 do
    for c = 0, 199, 13 do assert(several:get(r, c) == 0 or p:get(r, c) < 0.01) end
  end
  -- Decibels are made powers; the order of the images does not matter.
  local db, back = raster.stack(quiet):to_db():omnibus({ looks = 4.4 }).p_value:read(), {}
  for i = 1, 8 do back[i] = quiet[9 - i] end
  local reversed = raster.stack(back):omnibus({ looks = 4.4 }).p_value:read()
  for c = 0, 199, 7 do
    assert(reversed:get(3, c) == p:get(3, c))
    assert_close(db:get(3, c), p:get(3, c), 1e-4)
  end
  assert_error(function() raster.stack({ quiet[1] }):omnibus { looks = 4 } end, "images must be 2 at least, got 1")
  assert_error(function() raster.stack(quiet):set_unit("m"):omnibus { looks = 4 } end, "is in m")
  assert_error(function() raster.stack(quiet):set_unit(""):omnibus { looks = 4 } end, "no known unit")
  assert_error(function() raster.stack(quiet):omnibus { looks = 0.5 } end, "looks")
  assert_error(function() raster.stack(quiet):omnibus {} end, "looks")
end)

test("images that are masked say nothing of a change", function()
  local grid = raster.grid { rows = 1, cols = 3 }
  local function image(values, month)
    return raster.from_table(grid, { values }, { name = "VV", unit = "power" }):set_time(("2021-%02d-01"):format(month))
  end
  local all = raster.stack { image({ 1, 1, false }, 1), image({ 1.1, false, false }, 2), image({ 40, 0, 3 }, 3), image({ 41, 50, false }, 4) }
  local summary, each = all:omnibus { looks = 10, since = "2021-01-01" }
  local first, changes = summary.first_change:read(), read(each)
  local function text(row) return table.concat(row, " ") end
  assert(first:get(0, 0) == 59 and first:get(0, 1) == 90 and first:get(0, 2) ~= first:get(0, 2))
  local seen = {}
  for c = 0, 2 do
    for i = 1, 3 do
      local v = changes[i]:get(0, c)
      seen[#seen + 1] = v == v and ("%d"):format(v) or "-"
    end
  end
  assert(text(seen) == "0 1 0 - - 1 - - -", text(seen))
end)
