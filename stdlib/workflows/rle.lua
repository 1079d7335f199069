--- Relative geolocation error (RLE) of a stack of coregistered single-look complex images of Sentinel-1 (CSLC-S1).
---
--- Opens the dates of a burst, draws random points inside an area of interest, pairs each date with those that follow it, and
--- matches the surroundings of every point between the two dates of every pair by amplitude correlation. A pair's offsets are one
--- CSV file, written at once; a run that was stopped goes on where it was. Then all offsets together: mean, standard deviation,
--- share inside OPERA's requirement, the figure with the requirement's box; and the network inverted to a series over the dates.
---
---     perilune run rle --folder stack --burst t064_135523_iw2 --bounds -118.086,34.797,-118.032,34.806

local raster, correlation, fs, json = require "raster", require "correlation", require "fs", require "json"
local geometry, tables, time, plot = require "geometry", require "tables", require "time", require "plot"
local opera, network = require "opera", require "network"

local p = params {
  folder = { type = "path", required = true, help = "Folder of the products (HDF5); folders in it are searched too." },
  out = { "rle", type = "path", help = "Folder of the results. A second run with the same settings goes on in it." },

  -- Which images
  burst = { type = "string", help = "Burst, such as t064_135523_iw2; needed where the folder holds several." },
  polarisation = { "VV", choices = { "VV", "VH", "HH", "HV" }, help = "Polarisation." },
  start = { type = "date", help = "First date." },
  stop = { type = "date", help = "Last date." },

  -- Where
  bounds = { type = "list", of = "number", unit = "deg", help = "West, south, east, north of the area of the points; the whole image where left out." },
  points = { 20, min = 1, help = "Random points." },
  seed = { 1, help = "Another seed, other points." },
  points_file = { type = "path", help = "CSV of points to use instead of random ones: columns lon and lat, or x and y in pixels from 0." },

  -- Which pairs
  neighbours = { 3, min = 1, help = "Each date is paired with this many that follow it." },
  min_days = { type = "number", min = 0, help = "Shortest time between the dates of a pair." },
  max_days = { type = "number", min = 0, help = "Longest time." },
  months = { type = "list", of = "integer", help = "Months that both dates must lie in, such as 5,6,7,8,9,10." },

  -- How
  window = { 128, min = 16, help = "Side of the window that is matched, in pixels, a power of 2." },
  search = { 4, min = 2, help = "How far offsets may be, in pixels, even." },
  oversampling = { 64, min = 1, help = "Correlation oversampling, a power of 2; it counts with --parity isce2 only." },
  parity = { "none", choices = { "none", "isce2" }, help = "isce2 gives the numbers of ISCE2's ampcor, in steps of 1/(2 oversampling) pixel." },
  snr = { 1, min = 0, help = "Offsets count whose signal-to-noise ratio is above this." },
  robust = { true, help = "Invert the network robustly (Huber)." },

  -- What is required
  range_requirement = { 0.5, min = 0, unit = "m", help = "Width of OPERA's box in range: 0.5 is +/-0.25 m." },
  azimuth_requirement = { 1.5, min = 0, unit = "m", help = "Height of OPERA's box in azimuth." },
  pass_share = { 0.8, min = 0, max = 1, help = "Share of the offsets that must lie within the requirement." },
  figures = { true, help = "Draw the figures as PNG." },
}

--%% Check what is asked

local function is_power_of_2(n) return n & (n - 1) == 0 end
for _, name in ipairs { "window", "oversampling" } do
  if not is_power_of_2(p[name]) then error(("--%s must be a power of 2, got %d"):format(name, p[name]), 0) end
end
if p.search % 2 == 1 then error(("--search must be even, got %d"):format(p.search), 0) end
if p.bounds and (#p.bounds ~= 4 or p.bounds[1] >= p.bounds[3] or p.bounds[2] >= p.bounds[4]) then
  error(("--bounds must be west,south,east,north in degrees, got %s"):format(table.concat(p.bounds, ",")), 0)
end

--%% Open the dates

local stack = opera.open_stack(p.folder, {
  burst = p.burst, polarisation = p.polarisation, start = p.start, stop = p.stop,
})
if #stack < 2 then
  error(("%s holds one date of the burst (%s); a pair needs two"):format(p.folder, stack[1].properties.date), 0)
end
local first, grid = stack[1], stack[1].grid
local burst, days = first.properties.burst or "burst", {}
for i = 1, #stack do days[i] = stack[i].properties.date end
local dx, dy = grid.transform[2], grid.transform[6]
print(("%s: %d dates, %s to %s; %d × %d (rows × cols) pixels of %g m × %g m, %s"):format(
  burst, #days, days[1], days[#days], grid.rows, grid.cols, dx, -dy, grid.crs))

--%% The points

-- What matching needs around a pixel: the window, the search range, and 4 pixels for its second correlation.
local CHIP = p.window + 2 * p.search + 8
if CHIP > grid.rows or CHIP > grid.cols then
  error(("the images are %d × %d pixels, smaller than the window and its search range, %d; choose a smaller --window"):format(
    grid.rows, grid.cols, CHIP), 0)
end

local function pixel_of(lon, lat)
  local x, y = geometry.point(lon, lat, 4326):to_crs(grid.wkt):position()
  local row, col = grid:to_pixel(x, y)
  return math.floor(col), math.floor(row)
end

local function area()
  local half = CHIP // 2
  local min_x, min_y, max_x, max_y = half, half, grid.cols - half, grid.rows - half
  if p.bounds then
    local w, s, e, n = table.unpack(p.bounds)
    local xs, ys = {}, {}
    for i, corner in ipairs { { w, s }, { w, n }, { e, s }, { e, n } } do xs[i], ys[i] = pixel_of(corner[1], corner[2]) end
    min_x, max_x = math.max(min_x, math.min(table.unpack(xs))), math.min(max_x, math.max(table.unpack(xs)))
    min_y, max_y = math.max(min_y, math.min(table.unpack(ys))), math.min(max_y, math.max(table.unpack(ys)))
  end
  if min_x >= max_x or min_y >= max_y then
    local b = grid:bounds_in "EPSG:4326"
    error(("no point of the area %s has a window of %d pixels inside the images, which cover %.4f,%.4f,%.4f,%.4f"):format(
      p.bounds and table.concat(p.bounds, ",") or "", CHIP, b[1], b[2], b[3], b[4]), 0)
  end
  return min_x, min_y, max_x, max_y
end

local points = {}
if p.points_file then
  local given = tables.read_csv(p.points_file)
  local has = {}
  for _, name in ipairs(given.names) do has[name] = true end
  if not (has.lon and has.lat) and not (has.x and has.y) then
    error(("%s needs the columns lon and lat, or x and y"):format(p.points_file), 0)
  end
  for i = 1, #given do
    local row = given[i]
    local x, y = row.x, row.y
    if has.lon and has.lat then x, y = pixel_of(row.lon, row.lat) end
    points[i] = { id = i - 1, x = math.tointeger(x), y = math.tointeger(y) }
    if not points[i].x or not points[i].y then error(("%s: row %d: x and y must be whole pixels"):format(p.points_file, i), 0) end
  end
else
  local min_x, min_y, max_x, max_y = area()
  math.randomseed(p.seed)
  for i = 1, p.points do
    points[i] = { id = i - 1, x = math.random(min_x, max_x - 1), y = math.random(min_y, max_y - 1) }
  end
end

--%% The pairs

local pairs_of = network.pairs(days, {
  neighbours = p.neighbours, min_days = p.min_days, max_days = p.max_days, months = p.months,
})

--%% The folder of the results

fs.mkdir(fs.join(p.out, "pairs"))
local function out(name) return fs.join(p.out, name) end

-- A table leaves what is missing out of its rows.
local function number(value) return value or 0 / 0 end

-- Files of another run would be mixed with ours, so what made them is kept beside them.
local settings = {
  burst = burst, polarisation = p.polarisation, window = p.window, search = p.search, parity = p.parity,
  oversampling = p.parity == "isce2" and p.oversampling or 0, points = points,
}
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key in pairs(a) do
    if not same(a[key], b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end
if fs.exists(out "settings.json") then
  local ok, before = pcall(json.decode, fs.read(out "settings.json"))
  if not ok or not same(before, settings) then
    error(("%s holds results made with other settings or points (settings.json there); choose another --out, or remove it"):format(p.out), 0)
  end
else
  fs.write(out "settings.json", json.encode(settings, { pretty = true }))
end

local POINT_COLUMNS = { "id", "x", "y", "lon", "lat" }
local located = {}
for i, point in ipairs(points) do
  local x, y = grid:to_map(point.y + 0.5, point.x + 0.5)
  local lon, lat = geometry.point(x, y, grid.wkt):to_crs(4326):position()
  located[i] = { id = point.id, x = point.x, y = point.y, lon = lon, lat = lat }
end
tables.new(located, { columns = POINT_COLUMNS }):write_csv(out "points.csv")

--%% Match

local COLUMNS = { "id", "x", "y", "dx_m", "dy_m", "dx_px", "dy_px", "dx_std_px", "dy_std_px",
  "correlation", "snr", "cov_xx", "cov_yy", "cov_xy", "reason" }
local function path_of(pair) return out(("pairs/%s_%s.csv"):format(days[pair.reference], days[pair.secondary])) end

-- A file is whole if it has the columns and a row for each point; anything else is made again.
local function whole(path)
  if not fs.exists(path) then return false end
  local ok, found = pcall(tables.read_csv, path)
  if not ok or #found ~= #points or table.concat(found.names, " ") ~= table.concat(COLUMNS, " ") then return false end
  for i, point in ipairs(points) do
    local row = found[i]
    if row.id ~= point.id or row.x ~= point.x or row.y ~= point.y then return false end
  end
  return true
end

local missing, last_use = {}, {}
for _, pair in ipairs(pairs_of) do
  if not whole(path_of(pair)) then
    missing[#missing + 1] = pair
    for _, date in ipairs { pair.reference, pair.secondary } do last_use[date] = #missing end
  end
end
if #missing < #pairs_of then
  print(("%d of %d pairs are there already"):format(#pairs_of - #missing, #pairs_of))
end

-- The chips of a date are read once, when its first pair comes, and let go after its last. They lie under each other, each
-- with all that its window needs, so pixels of a neighbour are never touched.
local chips, in_strip = {}, {}
for k, point in ipairs(points) do in_strip[k] = { id = point.id, x = CHIP // 2, y = (k - 1) * CHIP + CHIP // 2 } end
local function chips_of(date)
  chips[date] = chips[date] or stack[date]:chips(points, CHIP)
  return chips[date]
end

local options = {
  points = in_strip, window = p.window, search = p.search, oversampling = p.oversampling,
  parity = p.parity == "isce2" and "isce2" or nil,
}
-- Seconds of processor time, on all cores together.
local spent = { reading = 0, matching = 0 }
local function timed(what, fn, ...)
  local before = os.clock()
  local result = fn(...)
  spent[what] = spent[what] + os.clock() - before
  return result
end

for k, pair in ipairs(missing) do
  local a, b = timed("reading", chips_of, pair.reference), timed("reading", chips_of, pair.secondary)
  local found = timed("matching", correlation.ampcor, a, b, options)
  local rows = {}
  for i = 1, #found do
    local row = found[i]
    row.x, row.y = points[i].x, points[i].y
    -- Metres to the east and to the north; what failed is NaN with its reason.
    row.dx_m, row.dy_m = number(row.dx_px) * dx, number(row.dy_px) * dy
    rows[i] = row
  end
  tables.new(rows, { columns = COLUMNS }):write_csv(path_of(pair))
  for _, date in ipairs { pair.reference, pair.secondary } do
    if last_use[date] <= k then chips[date] = nil end
  end
  collectgarbage()
end
chips = nil
if #missing > 0 then
  print(("%d pairs of %d points: %.1f s of processor time matching, %.1f s reading"):format(#missing, #points, spent.matching, spent.reading))
end

--%% All offsets

local all = {}
local dx_of, dy_of = {}, {}
for k = 1, #points do dx_of[k], dy_of[k] = {}, {} end
for n, pair in ipairs(pairs_of) do
  local found = tables.read_csv(path_of(pair))
  for k = 1, #found do
    local row = found[k]
    local good = row.reason == "ok" and number(row.snr) > p.snr
    dx_of[k][n], dy_of[k][n] = good and row.dx_m or 0 / 0, good and row.dy_m or 0 / 0
    all[#all + 1] = {
      reference = days[pair.reference], secondary = days[pair.secondary], days = pair.days, id = row.id, x = row.x, y = row.y,
      dx_m = number(row.dx_m), dy_m = number(row.dy_m), snr = number(row.snr), reason = good and "ok" or row.reason == "ok" and "low_snr" or row.reason,
    }
  end
end
tables.new(all, {
  columns = { "reference", "secondary", "days", "id", "x", "y", "dx_m", "dy_m", "snr", "reason" },
}):write_csv(out "offsets.csv")

local range, azimuth, reasons = {}, {}, {}
for _, row in ipairs(all) do
  if row.reason == "ok" then
    range[#range + 1], azimuth[#azimuth + 1] = row.dx_m, row.dy_m
  else
    reasons[row.reason] = (reasons[row.reason] or 0) + 1
  end
end
if #range == 0 then
  local text = {}
  for reason, count in pairs(reasons) do text[#text + 1] = reason .. " " .. count end
  error(("none of the %d offsets is usable: %s"):format(#all, table.concat(text, ", ")), 0)
end

--%% Mean, standard deviation, pass or fail

local function mean_std(values)
  local sum, squares, n = 0, 0, 0
  for _, v in ipairs(values) do
    if v == v then sum, n = sum + v, n + 1 end
  end
  local mean = sum / n
  for _, v in ipairs(values) do
    if v == v then squares = squares + (v - mean) ^ 2 end
  end
  return mean, math.sqrt(squares / n), n
end

local summary, passes = {}, true
for _, axis in ipairs {
  { "range", range, p.range_requirement }, { "azimuth", azimuth, p.azimuth_requirement },
} do
  local name, values, box = table.unpack(axis)
  local mean, std, n = mean_std(values)
  local inside = 0
  for _, v in ipairs(values) do
    if math.abs(v) <= box / 2 then inside = inside + 1 end
  end
  local pass = math.abs(mean) <= box / 2 and inside / n >= p.pass_share
  passes = passes and pass
  summary[#summary + 1] = {
    axis = name, offsets = n, failed = #all - n, mean_m = mean, std_m = std, requirement_m = box / 2, inside = inside / n,
    result = pass and "pass" or "fail",
  }
end
local summary_table = tables.new(summary, {
  columns = { "axis", "offsets", "failed", "mean_m", "std_m", "requirement_m", "inside", "result" },
})
summary_table:write_csv(out "summary.csv")
for _, row in ipairs(summary) do
  print(("mean RLE in %s: %.4f m  std RLE in %s: %.4f m  within ±%.2f m: %.1f %%  %s"):format(
    row.axis, row.mean_m, row.axis, row.std_m, row.requirement_m, 100 * row.inside, row.result))
end
for reason, count in pairs(reasons) do print(("%d offsets failed: %s"):format(count, reason)) end

--%% One series over the dates

-- Each point's network is inverted by itself; a date's value is the mean over the points.
local per_date = {}
for i = 1, #days do per_date[i] = { range = {}, azimuth = {} } end
local square, squares = { range = 0, azimuth = 0 }, { range = 0, azimuth = 0 }
for k = 1, #points do
  for axis, values in pairs { range = dx_of[k], azimuth = dy_of[k] } do
    local fit = correlation.invert(pairs_of, values, { dates = #days, robust = p.robust })
    for i = 1, #days do table.insert(per_date[i][axis], fit.series[i]) end
    for _, residual in ipairs(fit.residuals) do
      if residual == residual then square[axis], squares[axis] = square[axis] + residual ^ 2, squares[axis] + 1 end
    end
  end
end
local series = {}
for i, day in ipairs(days) do
  local rg_avg, rg_std, n = mean_std(per_date[i].range)
  local az_avg, az_std = mean_std(per_date[i].azimuth)
  series[i] = {
    date = day:gsub("(%d%d%d%d)(%d%d)(%d%d)", "%1-%2-%3"), rg_avg = rg_avg, rg_std = rg_std, az_avg = az_avg, az_std = az_std,
    points = n,
  }
end
tables.new(series, { columns = { "date", "rg_avg", "rg_std", "az_avg", "az_std", "points" } }):write_csv(out "series.csv")
print(("residuals of the inversion: %.4f m in range, %.4f m in azimuth (root mean square)"):format(
  math.sqrt(square.range / squares.range), math.sqrt(square.azimuth / squares.azimuth)))

--%% Figures

if p.figures then
  -- The offsets and the box that they should lie in.
  local limit = math.max(2, 1.1 * p.azimuth_requirement / 2, 1.1 * p.range_requirement / 2)
  local figure = plot.figure { width = 5.2, height = 5.2, dpi = 300, font_size = 9 }
  local axes = figure:axes {
    title = "Relative geolocation error at random points", x_label = "Δ Range (m)", y_label = "Δ Azimuth (m)",
    x_limits = { -limit, limit }, y_limits = { -limit, limit }, grid = true, legend = "upper right",
  }
  axes:horizontal_line(0, { color = "black", line_width = 0.8, style = "solid" })
  axes:vertical_line(0, { color = "black", line_width = 0.8, style = "solid" })
  axes:scatter(range, azimuth, { label = "RLEs", color = "#1f77b4", marker_size = 2.6, opacity = 0.6 })
  local half_range, half_azimuth = p.range_requirement / 2, p.azimuth_requirement / 2
  axes:rectangle({ -half_range, -half_azimuth, half_range, half_azimuth }, { label = "OPERA requirements", color = "red", line_width = 1.4 })
  local r, a = summary[1], summary[2]
  -- A dark cross below the light one keeps it visible on the points and beside them.
  axes:error_bars({ r.mean_m }, { a.mean_m }, { a.std_m }, { x_error = { r.std_m }, color = "black", marker_size = 8 })
  axes:scatter({ r.mean_m }, { a.mean_m }, { label = "Mean of RLEs", color = "red", marker = "diamond", marker_size = 7, outline = "white" })
  axes:text(-0.96 * limit, -0.95 * limit, ("range %.3f ± %.3f m, azimuth %.3f ± %.3f m, %d offsets: %s"):format(
    r.mean_m, r.std_m, a.mean_m, a.std_m, r.offsets, passes and "pass" or "fail"), { size = 7.5, halo = "white" })
  figure:write(out "rle.png")

  -- The burst, the area and the points on a map.
  local outline, xs, ys = opera.outline(first), {}, {}
  for i, point in ipairs(located) do xs[i], ys[i] = point.lon, point.lat end
  local map = plot.figure { width = 6, height = 4, dpi = 200 }
  local ground = map:axes { title = ("%s, %s"):format(burst, first.properties.pass or "pass unknown"), x_label = "Longitude (°)", y_label = "Latitude (°)", grid = true }
  ground:features(outline, { color = "darkorange", fill = "#ff8c0040", label = "Burst" })
  if p.bounds then ground:rectangle(p.bounds, { color = "blue", label = "Area of the points" }) end
  ground:scatter(xs, ys, { color = "black", marker_size = 2, label = "Points" })
  map:write(out "map.png")

  -- Amplitude of the first date with the points.
  local decibels = ((first:abs() ^ 2):log10() * 10):rename "amplitude"
  local picture = plot.map(decibels, {
    title = ("%s %s %s"):format(burst, days[1], p.polarisation), colormap = "gray", label = "Amplitude (dB)", scale_bar = true,
    width = 7, dpi = 200,
  })
  local px, py = {}, {}
  for i, point in ipairs(points) do px[i], py[i] = grid:to_map(point.y + 0.5, point.x + 0.5) end
  picture[1]:scatter(px, py, { color = "yellow", outline = "black", marker_size = 4, label = "Points" })
  picture:write(out "amplitude.png")

  network.plot(days, pairs_of, { title = ("%d dates, %d pairs"):format(#days, #pairs_of) }):write(out "network.png")

  -- The series, as in the validation of the products.
  local dates, figure_series = {}, plot.figure { rows = 2, width = 7, height = 5, dpi = 200 }
  for i, row in ipairs(series) do dates[i] = row.date end
  for _, axis in ipairs { { "Range", "rg", p.range_requirement / 2 }, { "Azimuth", "az", p.azimuth_requirement / 2 } } do
    local name, key, requirement = table.unpack(axis)
    local low, high, avg, std = {}, {}, {}, {}
    local reach = requirement
    for i, row in ipairs(series) do low[i], high[i], avg[i], std[i] = -requirement, requirement, row[key .. "_avg"], row[key .. "_std"] end
    for i = 1, #avg do
      if avg[i] == avg[i] then reach = math.max(reach, math.abs(avg[i]) + std[i]) end
    end
    -- Room for the legend above.
    local panel = figure_series:axes {
      y_label = ("%s (m)"):format(name), x_scale = "time", legend = "upper right", y_limits = { -1.15 * reach, 1.6 * reach },
    }
    panel:band(dates, low, high, { color = "red", opacity = 0.08, label = ("±%.2f m"):format(requirement) })
    panel:error_bars(dates, avg, std, { color = "#1f77b4", marker_size = 3, label = "Mean and spread of the points" })
  end
  figure_series:write(out "series.png")
end
print(("%s: %s"):format(out "rle.png", passes and "the requirement is met" or "the requirement is not met"))
