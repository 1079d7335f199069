--- Networks of image pairs: which dates to pair, how what was measured between them closes, one series over all dates.
---@class network
local M = {}

local time, tables, plot, correlation = require "time", require "tables", require "plot", require "correlation"
local library = require "library"

local fail = library.fail

---@class network.Pair
---@field reference integer Position of the earlier date, from 1.
---@field secondary integer Position of the later date.
---@field days? number Time between them, as `network.pairs` gives it.

---@class network.PairsOptions
---@field neighbours? integer Each date is paired with this many dates that follow it. At least 1. Default: with all.
---@field min_days? number Shortest time between the dates of a pair.
---@field max_days? number Longest time.
---@field months? integer[] Months that both dates of a pair must lie in: `{ 5, 6, 7, 8, 9, 10 }`. From 1 to 12.
---@field list? table[] The pairs themselves, `{ "20150105", "20150117" }` each, days or numbers of dates; the other options then choose among these.

-- Times as text in order, from a stack or a list.
local function times_of(owner, times)
  if type(times) == "userdata" then times = times:times() end
  if type(times) ~= "table" or #times < 2 then
    fail(("network.%s: needs at least two dates, got %s"):format(owner, type(times) == "table" and #times or library.describe(times)))
  end
  local list, seconds = {}, {}
  for i, text in ipairs(times) do
    -- 20150105 is how files of a stack are named.
    local iso = type(text) == "string" and text:gsub("^(%d%d%d%d)(%d%d)(%d%d)$", "%1-%2-%3") or text
    local ok, s = pcall(time.seconds, iso)
    if not ok then fail(("network.%s: times[%d] must be a date, got %s"):format(owner, i, library.describe(text))) end
    list[i], seconds[i] = iso, s
    if i > 1 and s == seconds[i - 1] then fail(("network.%s: the date %s is there twice"):format(owner, text)) end
    if i > 1 and s < seconds[i - 1] then
      fail(("network.%s: dates must be in order, but %s follows %s"):format(owner, text, times[i - 1]))
    end
  end
  return list, seconds
end

local DAY = 86400

-- The position of a date that is given by its number or its day.
local function position(list, given, where)
  if math.type(given) == "integer" and list[given] then return given end
  local wanted = tostring(given):gsub("%D", "")
  for i, text in ipairs(list) do
    if #wanted >= 8 and text:gsub("%D", ""):sub(1, 8) == wanted:sub(1, 8) then return i end
  end
  fail(("network.pairs: %s: there is no date %s among the %d, %s to %s"):format(where, library.describe(given), #list, list[1], list[#list]))
end

--- The pairs of a network, in order of their dates.
---
--- **Errors.** Fewer than two dates; dates doubled or out of order; choices that leave no pair.
---
--- ```lua
--- local network = require "network"
--- local days = { "2022-01-01", "2022-01-13", "2022-01-25", "2022-02-06" }
--- assert(#network.pairs(days, { neighbours = 3 }) == 6 and #network.pairs(days, { neighbours = 1 }) == 3)
--- local pairs = network.pairs(days, { min_days = 20, max_days = 30 })
--- assert(#pairs == 2 and pairs[1].reference == 1 and pairs[1].secondary == 3 and pairs[1].days == 24)
--- ```
---@param times string[]|Stack Dates in order.
---@param options? network.PairsOptions
---@return network.Pair[] pairs
function M.pairs(times, options)
  local o = library.options("network.pairs", options)
  local list, seconds = times_of("pairs", times)
  local allowed
  if o.months then
    allowed = {}
    for _, month in ipairs(o.months) do allowed[month] = true end
  end
  local month = {}
  for i, text in ipairs(list) do month[i] = time.parts(text).month end

  local candidates = {}
  if o.list then
    local seen = {}
    for k, pair in ipairs(o.list) do
      local where = ("list[%d]"):format(k)
      if type(pair) ~= "table" or not (pair[1] or pair.reference) or not (pair[2] or pair.secondary) then
        fail(("network.pairs: %s must be { reference, secondary }, got %s"):format(where, library.describe(pair)))
      end
      local i, j = position(list, pair[1] or pair.reference, where), position(list, pair[2] or pair.secondary, where)
      if i == j then fail(("network.pairs: %s pairs %s with itself"):format(where, list[i])) end
      i, j = math.min(i, j), math.max(i, j)
      if not seen[i * #list + j] then candidates[#candidates + 1] = { i, j } end
      seen[i * #list + j] = true
    end
    table.sort(candidates, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
  else
    for i = 1, #list do
      local partners = 0
      for j = i + 1, #list do
        local days = (seconds[j] - seconds[i]) / DAY
        local fits = days >= (o.min_days or 0) and (not allowed or allowed[month[i]] and allowed[month[j]])
        -- The neighbours are the next dates that may be paired at all.
        if fits then partners = partners + 1 end
        if partners > (o.neighbours or math.huge) then break end
        if fits then candidates[#candidates + 1] = { i, j } end
      end
    end
  end
  local pairs = {}
  for _, pair in ipairs(candidates) do
    local i, j = pair[1], pair[2]
    local days = (seconds[j] - seconds[i]) / DAY
    if days >= (o.min_days or 0) and days <= (o.max_days or math.huge)
      and (not allowed or allowed[month[i]] and allowed[month[j]]) then
      pairs[#pairs + 1] = { reference = i, secondary = j, days = days }
    end
  end
  if #pairs == 0 then
    fail(("network.pairs: no pair of the %d dates, %s to %s, is left by the options"):format(#list, list[1], list[#list]))
  end
  return pairs
end

--- Values of pairs as a matrix: row the reference, column the secondary date. What is not paired, and what is below the diagonal,
--- is NaN.
---
--- ```lua
--- local network = require "network"
--- local matrix = network.matrix({ { reference = 1, secondary = 3 } }, { 0.5 }, 3)
--- assert(matrix[1][3] == 0.5 and matrix[3][1] ~= matrix[3][1])
--- ```
---@param pairs network.Pair[]
---@param values number[]
---@param dates integer
---@return number[][] matrix
function M.matrix(pairs, values, dates)
  if #values ~= #pairs then fail(("network.matrix: %d values for %d pairs"):format(#values, #pairs)) end
  local matrix = {}
  for i = 1, dates do
    matrix[i] = {}
    for j = 1, dates do matrix[i][j] = 0 / 0 end
  end
  for k, pair in ipairs(pairs) do
    if pair.reference > dates or pair.secondary > dates then
      fail(("network.matrix: pair %d is of date %d, but there are %d"):format(k, math.max(pair.reference, pair.secondary), dates))
    end
    matrix[pair.reference][pair.secondary] = values[k] or 0 / 0
  end
  return matrix
end

---@class network.Triangle
---@field dates integer[] The three dates.
---@field misclosure number value(1→2) + value(2→3) − value(1→3): 0 for measurements without errors.

--- How the triangles of a network close.
---
--- **Nodata.** A triangle with a NaN does not count.
---
--- ```lua
--- local network = require "network"
--- local pairs = network.pairs { "2022-01-01", "2022-01-13", "2022-01-25" }
--- local triangles = network.closure(pairs, { 1.0, 3.3, 2.0 })
--- assert(#triangles == 1 and math.abs(triangles[1].misclosure + 0.3) < 1e-12)
--- ```
---@param pairs network.Pair[]
---@param values number[]
---@return network.Triangle[] triangles
function M.closure(pairs, values)
  if #values ~= #pairs then fail(("network.closure: %d values for %d pairs"):format(#values, #pairs)) end
  local at, after = {}, {}
  for k, pair in ipairs(pairs) do
    local i, j = pair.reference, pair.secondary
    at[i] = at[i] or {}
    after[i] = after[i] or {}
    at[i][j] = values[k]
    table.insert(after[i], j)
  end
  local triangles = {}
  for _, pair in ipairs(pairs) do
    local i, k = pair.reference, pair.secondary
    for _, j in ipairs(after[i]) do
      local one, two = at[i][j], at[j] and at[j][k]
      if two and j ~= k then
        local misclosure = one + two - at[i][k]
        if misclosure == misclosure then triangles[#triangles + 1] = { dates = { i, j, k }, misclosure = misclosure } end
      end
    end
  end
  return triangles
end

---@class network.SeriesOptions
---@field weights? number[] One a pair, proportional to the inverse variance.
---@field reference? integer The date at which the series is 0, from 1. At least 1. Default 1.
---@field robust? boolean Huber's estimate. Default false.
---@field tuning? number Of the robust estimate. Above 0. Default 1.345.

--- The series over dates that fits the values of pairs best, as a table with the columns date, value, sigma and pairs (how many
--- measured ones the date is in); and the whole inversion, see `correlation.invert`.
---
--- ```lua
--- local network = require "network"
--- local days = { "2022-01-01", "2022-01-13", "2022-01-25" }
--- local series, fit = network.series(days, network.pairs(days), { 1.0, 3.3, 2.0 })
--- assert(series[3].date == "2022-01-25" and math.abs(series[3].value - 3.2) < 1e-12 and fit.redundancy == 1)
--- ```
---@param times string[]|Stack
---@param pairs network.Pair[]
---@param values (number|false)[] NaN or false where a pair was not measured.
---@param options? network.SeriesOptions
---@return Table series
---@return correlation.Inversion fit
function M.series(times, pairs, values, options)
  local o = library.options("network.series", options)
  local list = times_of("series", times)
  local fit = correlation.invert(pairs, values, {
    dates = #list, weights = o.weights, reference = o.reference, robust = o.robust, tuning = o.tuning,
  })
  local rows = {}
  for i, text in ipairs(list) do rows[i] = { date = text:sub(1, 10), value = fit.series[i], sigma = fit.sigma[i], pairs = 0 } end
  for k, pair in ipairs(pairs) do
    if fit.residuals[k] == fit.residuals[k] then
      for _, date in ipairs { pair.reference, pair.secondary } do rows[date].pairs = rows[date].pairs + 1 end
    end
  end
  return tables.new(rows, { columns = { "date", "value", "sigma", "pairs" } }), fit
end

---@class network.PlotOptions
---@field title? string
---@field baselines? number[] Perpendicular baseline of each date in m. Without them pairs are arcs as high as the time between their dates.
---@field width? number Of the figure, in inches. Above 0. Default 7.

--- A figure of a network: a mark for each date, a line for each pair.
---
--- ```lua
--- local network = require "network"
--- local days = { "2022-01-01", "2022-01-13", "2022-01-25" }
--- network.plot(days, network.pairs(days)):write "network.png"
--- ```
---@param times string[]|Stack
---@param pairs network.Pair[]
---@param options? network.PlotOptions
---@return Figure figure
function M.plot(times, pairs, options)
  local o = library.options("network.plot", options)
  local list, seconds = times_of("plot", times)
  if o.baselines and #o.baselines ~= #list then
    fail(("network.plot: %d baselines for %d dates"):format(#o.baselines, #list))
  end
  local figure = plot.figure { width = o.width, height = o.width * 0.45 }
  local axes = figure:axes {
    title = o.title or ("%d dates, %d pairs"):format(#list, #pairs), legend = "none", x_scale = "time",
    y_label = o.baselines and "Perpendicular baseline (m)" or "Days between the dates of a pair",
  }
  local x, y = {}, {}
  local STEPS = 24
  for _, pair in ipairs(pairs) do
    local i, j = pair.reference, pair.secondary
    if o.baselines then
      x[#x + 1], y[#y + 1] = list[i], o.baselines[i]
      x[#x + 1], y[#y + 1] = list[j], o.baselines[j]
    else
      local days = (seconds[j] - seconds[i]) / DAY
      for step = 0, STEPS do
        local angle = math.pi * step / STEPS
        local at = (seconds[i] + seconds[j]) / 2 - math.cos(angle) * (seconds[j] - seconds[i]) / 2
        x[#x + 1], y[#y + 1] = time.add(list[i], { seconds = math.floor(at - seconds[i] + 0.5) }), days * math.sin(angle)
      end
    end
    x[#x + 1], y[#y + 1] = list[j], 0 / 0
  end
  axes:line(x, y, { color = "steelblue", line_width = 0.8 })
  local zero = {}
  for i = 1, #list do zero[i] = o.baselines and o.baselines[i] or 0 end
  axes:scatter(list, zero, { color = "black", marker_size = 4 })
  return figure
end

return M
