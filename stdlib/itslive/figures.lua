-- Tables and figures of velocities: points over time, flow lines, years side by side, histograms.
local tables, plot, time = require "tables", require "plot", require "time"
local library = require "library"
local over_time = require "itslive.over_time"

local fail = library.fail
local M = {}

local KNOWN = { "reference_time", "secondary_time", "date_dt", "platform" }

function M.series(where, stack, points, o)
  over_time.check(where, stack, { "vx", "vy" })
  local images = {}
  for image in stack:each() do images[#images + 1] = image end
  local rows, names, seen = {}, {}, {}
  for _, image in ipairs(images) do
    local found = image:sample(points, { crs = o.crs, resampling = o.resampling })
    for _, name in ipairs(found.names) do
      if not seen[name] then seen[name], names[#names + 1] = true, name end
    end
    for k = 1, #found do
      local row = found[k]
      if row.vx then
        row.point = k
        row.time = image.time
        for _, name in ipairs(KNOWN) do row[name] = image:get(name, false) or nil end
        rows[#rows + 1] = row
      end
    end
  end
  if #rows == 0 then fail(("%s: no image has a velocity at any of the points"):format(where)) end
  local columns = { "time", "point" }
  for _, name in ipairs(names) do columns[#columns + 1] = name end
  for _, name in ipairs(KNOWN) do
    for _, row in ipairs(rows) do
      if row[name] ~= nil then
        columns[#columns + 1] = name
        break
      end
    end
  end
  local made = tables.new(rows, { columns = columns })
  return made:cast("time", "time"):sort { "point", "time" }
end

-- Rows of each point, in order.
local function points_of(series)
  local groups = {}
  for _, group in ipairs(series:groups "point") do groups[#groups + 1] = group end
  return groups
end

-- Column v of a table or, where it has none, the length of vx and vy.
local function speed_of(row) return row.v or row.vx and math.sqrt(row.vx ^ 2 + row.vy ^ 2) or 0 / 0 end

function M.plot_series(where, series, o)
  local groups = points_of(series)
  if #groups == 0 then fail(("%s: the table has no rows"):format(where)) end
  local figure = plot.figure { rows = #groups, width = 7, height = math.min(8, 1.2 + 1.9 * #groups), dpi = o.dpi, title = o.title }
  for k, group in ipairs(groups) do
    local times, v, e = {}, {}, {}
    local lowest, highest = math.huge, 0
    for i = 1, #group do
      local row = group[i]
      times[i], v[i], e[i] = row.time, speed_of(row), row.v_error or 0
      -- Errors of short pairs would squeeze all else together.
      if v[i] == v[i] then lowest, highest = math.min(lowest, v[i]), math.max(highest, v[i]) end
    end
    local room = math.max(highest - lowest, 0.05 * highest, 1)
    local name = group[1].name or ("Point %d"):format(group[1].point)
    local panel = figure:axes {
      title = name, y_label = "Velocity (m/yr)", x_scale = "time", grid = true, legend = k == 1 and "upper left" or "none",
      y_limits = { math.max(0, lowest - 0.25 * room), highest + 0.45 * room },
    }
    panel:error_bars(times, v, e, { color = "#9db7d5", marker_size = 1 })
    panel:scatter(times, v, { color = "#1f4e8c", marker_size = 3.2, label = "Pairs" })
    if o.yearly then
      local x, y = {}, {}
      for i = 1, #o.yearly do
        local row = o.yearly[i]
        if row.point == group[1].point then x[#x + 1], y[#y + 1] = row.time, speed_of(row) end
      end
      panel:line(x, y, { color = "#d62728", marker = "o", marker_size = 4.5, label = "Yearly means" })
    end
  end
  return figure
end

function M.flow_line(where, stack, line, o)
  over_time.check(where, stack, { "v" })
  local rows = {}
  for image in stack:each() do
    local found = image:select("v"):profile(line, { crs = o.crs, step = o.step, resampling = "bilinear" })
    for k = 1, #found do
      local row = found[k]
      rows[#rows + 1] = { time = image.time, distance_m = row.distance_m, x = row.x, y = row.y, v = row.v }
    end
  end
  return tables.new(rows, { columns = { "time", "distance_m", "x", "y", "v" } }):cast("time", "time")
end

-- Points of the page that the axes of this figure are wide and high, about.
local WIDE, HIGH = 330, 235

-- The moments at which an image is drawn, so that its marks reach half way to its neighbours; gaps of the data stay.
local function moments(seconds, size)
  local gaps = {}
  for i = 2, #seconds do gaps[i - 1] = seconds[i] - seconds[i - 1] end
  table.sort(gaps)
  local usual = gaps[(#gaps + 1) // 2] or 0
  local all = math.max(seconds[#seconds] - seconds[1] + usual, 1)
  local step = all * size / WIDE * 0.75
  local at = {}
  for i, s in ipairs(seconds) do
    local before = math.min(usual / 2, i > 1 and (s - seconds[i - 1]) / 2 or usual / 2)
    local after = math.min(usual / 2, i < #seconds and (seconds[i + 1] - s) / 2 or usual / 2)
    local count = math.max(1, math.ceil((before + after) / step))
    at[i] = {}
    for k = 1, count do at[i][k] = time.format(s - before + (before + after) * (k - 0.5) / count, "%Y-%m-%dT%H:%M:%SZ") end
  end
  return at
end

function M.plot_flow_line(where, profile, o)
  local seconds, index, longest, places = {}, {}, 0, {}
  for i = 1, #profile do
    local row = profile[i]
    if not index[row.time] then
      seconds[#seconds + 1] = time.seconds(row.time)
      index[row.time] = #seconds
      places[#seconds] = 0
    end
    local k = index[row.time]
    places[k], longest = places[k] + 1, math.max(longest, row.distance_m / 1000)
  end
  if #seconds == 0 then fail(("%s: the table has no rows"):format(where)) end
  local size = math.max(1.5, math.min(14, 1.3 * HIGH / math.max(places[1], 1)))
  local at = moments(seconds, size)
  local x, y, v = {}, {}, {}
  for i = 1, #profile do
    local row = profile[i]
    for _, moment in ipairs(at[index[row.time]]) do
      x[#x + 1], y[#y + 1], v[#v + 1] = moment, row.distance_m / 1000, row.v or 0 / 0
    end
  end
  local figure = plot.figure { width = 6.4, height = 4, dpi = o.dpi }
  figure:axes({
    title = o.title or "Velocity along the flow line", y_label = "Distance along the line (km)", x_scale = "time",
    y_limits = { -0.02 * longest, 1.02 * longest },
  }):scatter(x, y, { values = v, colormap = "viridis", color_bar = "Velocity (m/yr)", marker = "square", marker_size = size })
  return figure
end

function M.plot_years(where, yearly, o)
  over_time.check(where, yearly, { "v" })
  local images, titles = {}, {}
  for image in yearly:each() do
    images[#images + 1] = image:select "v"
    titles[#titles + 1] = tostring(image:get("year", image.time and image.time:sub(1, 4) or ""))
  end
  local cols = o.cols or math.min(4, #images)
  return plot.maps(images, {
    title = o.title, titles = titles, cols = cols, label = "Velocity (m/yr)", colormap = "viridis", min = o.min or 0, max = o.max,
    dpi = o.dpi, letters = o.letters, scale_bar = true, width = math.min(7.2, 1.2 + 2 * cols),
  })
end

function M.histogram(where, stack, o)
  over_time.check(where, stack, { "v" })
  local most = o.max
  if not most then
    most = 0
    for image in stack:each() do
      local stats = image:select("v"):stats().v
      if stats.count > 0 then most = math.max(most, stats.max) end
    end
    most = most > 0 and most or 1
  end
  local counts, edges, above = {}, nil, 0
  for i = 1, o.bins do counts[i] = 0 end
  for image in stack:each() do
    local v = image:select "v"
    local ok, h = pcall(v.histogram, v, { bins = o.bins, min = 0, max = most })
    if ok then
      edges, above = h.edges, above + h.above
      for i, n in ipairs(h.counts) do counts[i] = counts[i] + n end
    elseif v:stats().v.count > 0 then
      error(h, 0)
    end
  end
  if not edges then fail(("%s: no image has a velocity"):format(where)) end
  local rows = {}
  for i, n in ipairs(counts) do rows[i] = { from = edges[i], to = edges[i + 1], count = n } end
  if above > 0 then rows[#rows + 1] = { from = most, count = above } end
  return tables.new(rows, { columns = { "from", "to", "count" } })
end

function M.plot_histogram(_, histogram, o)
  local x, y, zero, most = {}, {}, {}, 1
  for i = 1, #histogram do
    local row = histogram[i]
    if row.to then
      for _, at in ipairs { row.from, row.to } do
        x[#x + 1], y[#y + 1], zero[#zero + 1] = at, row.count, 0
      end
      most = math.max(most, row.count)
    end
  end
  local figure = plot.figure { width = 5.2, height = 3.4, dpi = o.dpi }
  local axes = figure:axes {
    title = o.title or "Velocities of all granules", x_label = "Velocity (m/yr)", y_label = "Pixels", legend = "none",
    x_limits = { x[1], x[#x] }, y_limits = { 0, 1.05 * most },
  }
  axes:band(x, zero, y, { color = "#1f77b4", opacity = 0.85 })
  return figure
end

return M
