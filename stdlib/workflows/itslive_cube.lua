--- Velocities of a glacier over time from ITS_LIVE's granules or Zarr cubes: yearly means, seasons, trend, series at points, flow line.
---
--- Opens all granules of both versions, drops what is empty, doubled or beside the area, brings them onto one grid (other projections with their
--- vectors turned), masks outliers, and writes a GeoTIFF for each year, maps of the season and the trend, tables and figures. Granules go through tile by tile,
--- so that their number does not matter.
---
---     perilune run itslive_cube --granules pine_island --polygon glacier.geojson --projections all --out cube
---     perilune run itslive_cube --cubes archive --polygon glacier.geojson --max_separation 64 --out cube

local raster, fs, geometry, tables, plot = require "raster", require "fs", require "geometry", require "tables", require "plot"
local itslive, time = require "itslive", require "time"

local p = params {
  granules = { "itslive", type = "path", help = "Folder of granules (.nc), or a pattern such as data/*V02*.nc." },
  cubes = { type = "list", of = "string", help = "Zarr cubes in place of granules: paths or addresses, or archive for those that the archive has in the polygon." },
  catalogue = { type = "string", help = "Another file or address of the archive's catalogue of cubes." },
  polygon = { type = "path", help = "Vector file with the area (GeoJSON, GeoPackage, …); all that granules cover where left out." },
  out = { "cube", type = "path", help = "Folder to write into." },

  -- Which granules
  projections = { "all", choices = { "all", "most_common" }, help = "Bring those of other projections onto the grid, or leave them out." },
  satellites = { type = "list", of = "string", help = "Only pairs of these, such as LC08,S1." },
  min_separation = { type = "number", min = 0, unit = "days", help = "Shortest time between the images." },
  max_separation = { type = "number", min = 0, unit = "days", help = "Longest time." },
  max_error = { type = "number", min = 0, unit = "m/yr", help = "Largest error." },
  valid_percent = { type = "number", min = 0, max = 100, unit = "%", help = "Least share of pixels with a velocity, in the area." },
  interpolated = { true, help = "Keep values that were interpolated." },
  start = { type = "date", help = "First day of the mid-date." },
  stop = { type = "date", help = "Last day." },
  months = { type = "list", of = "integer", help = "Months of the mid-date, such as 11,12,1." },
  unreadable = { "error", choices = { "error", "skip" }, help = "What to do with damaged files and those that are no granules." },

  -- What is made of them
  resolution = { type = "number", min = 0, unit = "m", help = "Pixels of another size." },
  outliers = { 4, min = 0, help = "Robust standard deviations from the median that stay; 0 keeps all." },
  reducer = { "mean", choices = { "mean", "median" }, help = "Of the years." },
  weight = { "error", choices = { "error", "none" }, help = "Weigh by errors, or all alike." },
  time = { "overlap", choices = { "overlap", "mid_date" }, help = "A pair counts in all years that it spans, or in that of its middle." },
  least = { 2, min = 1, help = "Fewest pairs of a pixel in a year." },
  coverage = { 0.75, min = 0, max = 1, help = "Part of a year that pairs must span for it to count in the trend." },
  points = { type = "list", of = "number", unit = "deg", help = "Places of series, lon,lat,lon,lat,…" },
  points_file = { type = "path", help = "Vector file with such places." },
  line = { type = "list", of = "number", unit = "deg", help = "Flow line, lon,lat,lon,lat,…" },
  line_file = { type = "path", help = "Vector file with the flow line." },
  cube = { false, help = "Also write all images to one NetCDF file (time, y, x)." },

  -- Figures
  figures = { true, help = "Draw them." },
  title = { "Yearly mean velocity", help = "Of the figure of all years." },
  max = { type = "number", unit = "m/yr", help = "Speed of the last colour; the 98th percentile where left out." },
  dpi = { 300, min = 50, max = 1200, help = "Pixels an inch." },
}

local function out(name) return fs.join(p.out, name) end
local function positions(name, list, least)
  if #list % 2 == 1 or #list < 2 * least then
    error(("--%s must be pairs of lon,lat, %d at least, got %d numbers"):format(name, least, #list), 0)
  end
  local found = {}
  for i = 1, #list, 2 do found[#found + 1] = { list[i], list[i + 1] } end
  return found
end

--%% What is asked for, before anything is read

local points, line
if p.points and p.points_file or p.line and p.line_file then error("give places as numbers or as a file, not both", 0) end
if p.points then
  points = {}
  for i, at in ipairs(positions("points", p.points, 1)) do
    points[i] = { geometry = geometry.point(at[1], at[2]), properties = { name = ("P%d"):format(i) } }
  end
  points = geometry.features(points)
elseif p.points_file then
  points = geometry.read(p.points_file)
end
if p.line then
  line = geometry.line(positions("line", p.line, 2))
elseif p.line_file then
  line = geometry.read(p.line_file)[1].geometry
end

--%% Open the granules

local which = {
  polygon = p.polygon, projections = p.projections, satellites = p.satellites, min_separation = p.min_separation,
  max_separation = p.max_separation, max_error = p.max_error, valid_percent = p.valid_percent,
  interpolated = p.interpolated and "keep" or "drop", start = p.start, stop = p.stop, months = p.months, resolution = p.resolution,
}
local stack
if p.cubes then
  local source = p.cubes
  if #source == 1 and source[1] == "archive" then
    if not p.polygon then error("--cubes archive needs --polygon, the area to look in", 0) end
    source = geometry.read(p.polygon)
  end
  which.catalogue = p.catalogue
  stack = itslive.open_cubes(source, which)
else
  which.unreadable = p.unreadable
  stack = itslive.open_granules(p.granules, which)
end
local grid, report = stack.grid, itslive.report(stack)
print(("%d of %d %s, %s to %s, on %d × %d pixels of %g m in %s"):format(
  report.kept, report.found, p.cubes and "pairs" or "granules", stack[1].time:sub(1, 10), stack[#stack].time:sub(1, 10), grid.rows, grid.cols, grid.resolution[1], grid.crs))
for _, entry in ipairs(report.dropped) do print(("%d left out: %s"):format(entry.count, entry.reason)) end
for _, note in ipairs(report.notes) do print("note: " .. note) end

fs.mkdir(p.out)
local rows = {}
for image in stack:each() do
  local has = image.properties
  rows[#rows + 1] = {
    file = has.name, status = "kept", mid_date = image.time, reference = has.reference_time, secondary = has.secondary_time, date_dt = has.date_dt,
    platform = has.platform, version = has.version, crs = has.source_crs, percent_valid = has.percent_valid, error = has.error,
  }
end
for _, entry in ipairs(report.dropped) do
  for _, name in ipairs(entry.names) do rows[#rows + 1] = { file = name, status = entry.reason } end
end
tables.new(rows, {
  columns = { "file", "status", "mid_date", "reference", "secondary", "date_dt", "platform", "version", "crs", "percent_valid", "error" },
}):write_csv(out "granules.csv")

--%% Copies on the grid

-- Much is computed of the granules, one pass after the other. Each is decoded, turned and clipped once, and lies uncompressed where TMPDIR says while the
-- rest is computed: 16 bytes a pixel and granule.
local scratch = fs.temporary()
local copies = {}
for i, image in ipairs(stack) do
  local path = image:write(fs.join(scratch, ("%05d.tif"):format(i)), { compress = "none", dtype = "float32", statistics = false })
  copies[i] = raster.open(path):set_unit "m/yr":set_time(image.time):set {
    date_dt = image.date_dt, reference_time = image.reference_time, secondary_time = image.secondary_time, platform = image:get("platform", ""),
  }
  collectgarbage()
end
stack = raster.stack(copies)

--%% Mask outliers

if p.outliers > 0 and #stack > 2 then
  -- Written first, so that all that follows reads them instead of computing them again.
  local components = stack:select("vx", "vy")
  local middle = raster.open(components:median():write(fs.join(scratch, "median.tif"), { compress = "none" }))
  local spread = (components - middle):abs():median():write(fs.join(scratch, "spread.tif"), { compress = "none" })
  stack = itslive.mask_outliers(stack, { deviations = p.outliers, around = middle, spread = raster.open(spread) })
end
if p.cube then print(stack:write(out "cube.nc", { dtype = "float32" })) end

--%% Years

local years = itslive.yearly(stack, { reducer = p.reducer, weight = p.weight, time = p.time, least = p.least })
local known = {}
for i, image in ipairs(years) do
  -- Year by year: few pairs are in two.
  local path = image:write(out(("velocity_%d.tif"):format(image.year)), { dtype = "float32", tags = { granules = image.granules } })
  known[i] = raster.open(path):set_time(image.time):set { year = image.year, granules = image.granules }
end
years = raster.stack(known)

-- The part of a year that pairs span: the mean of half a year is one of a season.
local function coverage(year)
  local from, to = time.seconds(("%d-01-01"):format(year)), time.seconds(("%d-01-01"):format(year + 1))
  local spans = {}
  for image in stack:each() do
    local mid, half = time.seconds(image.time), image.date_dt * 43200
    local first, last = math.max(from, mid - half), math.min(to, mid + half)
    if first < last then spans[#spans + 1] = { first, last } end
  end
  table.sort(spans, function(a, b) return a[1] < b[1] end)
  local covered, reached = 0, from
  for _, span in ipairs(spans) do
    covered = covered + math.max(0, span[2] - math.max(reached, span[1]))
    reached = math.max(reached, span[2])
  end
  return covered / (to - from)
end

local statistics, with, whole = {}, {}, {}
for image in years:each() do
  local s = image:stats()
  local row = { year = image.year, granules = image.granules, coverage = coverage(image.year), pixels = s.v.count }
  if s.v.count > 0 then
    local v = image:select "v"
    local low, median, high = table.unpack(v:percentile { 5, 50, 95 })
    row.mean, row.p5, row.median, row.p95, row.max = s.v.mean, low, median, high, s.v.max
    row.mean_error, row.mean_std_error, row.mean_count = s.v_error.mean, s.v_std_error.mean, s.count.mean
    with[#with + 1] = image
    if row.coverage >= p.coverage then whole[#whole + 1] = image end
  end
  statistics[#statistics + 1] = row
end
if #with == 0 then
  error(("no pixel has %d pairs in any year; take a smaller --least"):format(p.least), 0)
end
years = raster.stack(with)
local summary = tables.new(statistics, {
  columns = {
    "year", "granules", "coverage", "pixels", "mean", "p5", "median", "p95", "max", "mean_error", "mean_std_error", "mean_count",
  },
})
summary:write_csv(out "years.csv")
print(summary:select("year", "granules", "coverage", "pixels", "median", "p95", "mean_error", "mean_std_error"):render { rows = 100 })

--%% Histogram

local top = 0
for i = 1, #summary do top = math.max(top, summary[i].max or 0) end
local histogram = itslive.histogram(stack, { bins = 100, max = math.ceil(1.05 * top / 100) * 100 })
histogram:write_csv(out "histogram.csv")
local last = histogram[#histogram]
if not last.to then print(("%d pixels are faster than %d m/yr, where the histogram ends"):format(last.count, last.from)) end

--%% Season and trend

local season, trend
if #stack >= 8 then
  season = raster.open(itslive.seasonal(stack, { weight = p.weight }):write(out "season.tif"))
else
  print(("no season: %d granules are too few"):format(#stack))
end
if #whole >= 4 then
  trend = raster.open(itslive.trend(raster.stack(whole)):write(out "trend.tif"))
else
  print(("no trend: %d years of which pairs span %g %% are too few"):format(#whole, 100 * p.coverage))
end

--%% Series and flow line

local series, yearly_series
if points then
  series = itslive.series(stack, points)
  series:write_csv(out "series.csv")
  yearly_series = itslive.series(years, points)
  yearly_series:write_csv(out "series_years.csv")
end
local profile
if line then
  profile = itslive.flow_line(years, line)
  profile:write_csv(out "flow_line.csv")
end

--%% Figures

local written = { out "years.csv", out "granules.csv", out "histogram.csv" }
if p.figures then
  local function save(figure, name) written[#written + 1] = figure:write(out(name)) end
  save(itslive.plot_histogram(histogram, { dpi = p.dpi }), "histogram.png")
  save(itslive.plot_years(years, { title = p.title, max = p.max, dpi = p.dpi }), "years.png")

  local map = plot.map(years:select("v"):mean(), {
    title = "Mean of the years", label = "Velocity (m/yr)", colormap = "viridis", min = 0, max = p.max, scale_bar = true, lonlat = true, dpi = p.dpi,
    width = 5.2,
  })
  if p.polygon then map[1]:features(geometry.read(p.polygon), { color = "black", line_width = 0.8 }) end
  if line then map[1]:features(line, { color = "white", halo = "black", line_width = 1 }) end
  if points then
    map[1]:features(points, { color = "red", marker_size = 5 })
    for i = 1, #points do
      local x, y = points[i].geometry:position()
      map[1]:text(x, y, "  " .. tostring(points[i].name or i), { halo = "white", crs = points.crs, size = 8 })
    end
  end
  save(map, "map.png")

  if season then
    local figure = plot.figure { cols = 2, width = 7.2, dpi = p.dpi, letters = true }
    figure:axes({ title = "Seasonal amplitude", scale_bar = true }):image(season:select "v_annual_amplitude", {
      colormap = "magma", label = "Amplitude (m/yr)", min = 0,
    })
    -- Where the wave is no larger than its error, its phase is noise.
    local clear = season:select "v_annual_amplitude":gt(season:select "v_annual_amplitude_std_error" * 2)
    local phase = season:select "v_annual_phase":mask(clear):cyclic(0, 365.25)
    figure:axes({ title = "Day of the highest speed" }):image(phase, {
      colormap = "twilight", label = "Day of the year", min = 0, max = 365.25,
    })
    save(figure, "season.png")
  end
  if trend then
    local slope, sure = trend:select "v_slope", trend:select "v_p_value":lt(0.05)
    local reach = slope:abs():percentile(98)
    local figure = plot.figure { width = 5.2, dpi = p.dpi }
    -- Of four years no order is rare enough.
    local some = sure:stats().v_p_value.max == 1
    local axes = figure:axes {
      title = some and "Trend (pale where p ≥ 0.05)" or "Trend (p ≥ 0.05 everywhere)", scale_bar = true, lonlat = true,
    }
    local look = { colormap = "RdBu_r", min = -reach, max = reach, label = "Trend (m/yr per year)" }
    if some then
      axes:image(slope:mask(~sure), { colormap = "RdBu_r", min = -reach, max = reach, opacity = 0.35, color_bar = false })
      axes:image(slope:mask(sure), look)
    else
      axes:image(slope, look)
    end
    save(figure, "trend.png")
  end
  if series then save(itslive.plot_series(series, { yearly = yearly_series, dpi = p.dpi }), "series.png") end
  if profile then save(itslive.plot_flow_line(profile, { dpi = p.dpi }), "flow_line.png") end
end
for _, path in ipairs(written) do print(path) end
