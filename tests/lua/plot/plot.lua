local raster, plot, geometry = require "raster", require "plot", require "geometry"

local grid = raster.grid { rows = 40, cols = 60, crs = "EPSG:32611", bounds = { 600000, 3770000, 606000, 3774000 } }
local function image(phase, name, unit)
  local rows = {}
  for r = 1, 40 do
    rows[r] = {}
    for c = 1, 60 do rows[r][c] = (r - 20) ^ 2 + (c - 30) ^ 2 > 36 and math.sin(r / 9 + phase) * c or false end
  end
  return raster.from_table(grid, rows, { name = name or "VV", unit = unit or "dB" })
end

-- Whether a file is a picture that GDAL reads.
local function is_png(path)
  return raster.open(path).rows > 10
end

local function holds(figure, label)
  return figure:svg():find('aria-label="' .. label .. '"', 1, true)
end

test("a map of one band, to PNG and SVG", function()
  local figure = plot.map(image(0), { title = "A field", colormap = "magma", percentiles = { 1, 99 }, scale_bar = true,
    width = 4, height = 3, dpi = 50 })
  assert(figure:write("map.png") == "map.png")
  local picture = raster.open("map.png")
  assert(picture.cols == 200 and picture.rows == 150)
  assert(figure:write("map.svg") == "map.svg")
  for _, label in ipairs { "A field", "VV (dB)", "Easting (km)", "1 km" } do assert(holds(figure, label), label) end
end)

test("an image plots itself, band by band", function()
  local two = raster.bands(image(0, "VV"), image(1, "VH"))
  local figure = two:plot { width = 5, letters = true, lonlat = true }
  assert(#figure == 2)
  local svg = figure:svg()
  assert(svg:find("(a) VV", 1, true) and svg:find("(b) VH", 1, true) and svg:find("°W", 1, true))
  -- An image of one band takes the same options.
  local one = image(0):plot { letters = true, titles = { "Alone" }, title = "Page", shared = false, cols = 3 }
  svg = one:svg()
  assert(#one == 1 and svg:find("(a) Alone", 1, true) and svg:find("Page", 1, true))
  assert(#image(0):plot() == 1)
end)

test("a stack becomes small multiples titled by date", function()
  local images = {}
  for i = 1, 3 do images[i] = image(i):set("time", ("2024-03-%02dT00:00:00Z"):format(i)) end
  local figure = raster.stack(images):plot { title = "Three days" }
  assert(#figure == 3)
  local svg = figure:svg()
  assert(svg:find("2024-03-02", 1, true) and svg:find("Three days", 1, true))
  -- One colour bar for all.
  assert(select(2, svg:gsub('aria%-label="VV %(dB%)"', "")) == 1)
end)

test("composites and classes", function()
  local three = raster.bands(image(0, "r"), image(1, "g"), image(2, "b"))
  plot.rgb(three, { bands = { "b", "g", "r" }, gamma = 1.5 }):write("rgb.png")
  local sign = image(0, "sign"):gt(0)
  local figure = plot.classes(sign, { classes = { { value = 0, name = "below", color = "steelblue" }, { value = 1, name = "above", color = "C1" } } })
  assert(holds(figure, "above"))
  plot.classes(sign):write("unnamed.png")
  assert(is_png("rgb.png") and is_png("unnamed.png"))
end)

test("charts in panels", function()
  local figure = plot.figure { rows = 2, cols = 2, width = 6, title = "Charts" }
  local days = { "2024-01-05", "2024-02-10", "2024-03-01", "2024-04-20" }
  figure:axes { title = "Series", y_label = "γ⁰ (dB)", grid = true }
    :band(days, { -13, -12, -14, -13 }, { -9, -8, -10, -9 })
    :line(days, { -11, -10, false, -11 }, { label = "field", marker = "circle", color = "teal" })
    :error_bars(days, { -17, -16, -18, -17 }, { 1, 1, 2, 1 }, { label = "lake" })
    :vertical_line("2024-02-20", { label = "flood", color = "red" })
  figure:axes { x_label = "VV (dB)" }:histogram(image(0), { bins = 20 }):horizontal_line(50)
  figure:axes { x_scale = "log", y_ticks = { 0, 5, 10 } }:scatter({ 1, 10, 100 }, { 1, 5, 9 }, { values = { 1, 2, 3 }, color_bar = "rank" })
  figure:axes { legend = "lower left" }:line({ 1, 2 }, { 2, 1 }, { label = "a", style = "dashed", line_width = 3 })
  for _, label in ipairs { "Charts", "Series", "field", "lake", "flood", "VV (dB)", "rank", "Feb" } do
    assert(holds(figure, label), label)
  end
  assert_error(function() figure:axes() end, "all 2 × 2 panels .* are taken")
end)

test("one-line charts", function()
  plot.line({ 1, 2, 3 }, { 1, 4, 9 }, { x_label = "n", y_label = "n²", width = 3 }):write("line.png")
  plot.scatter({ 1, 2, 3 }, { 1, 4, 9 }, { marker = "x" }):write("scatter.png")
  plot.histogram({ 1, 2, 2, 3 }, { bins = 3, density = true }):write("histogram.png")
  plot.histogram(raster.bands(image(0, "VV"), image(1, "VH"))):write("two.png")
  assert(is_png("line.png") and is_png("scatter.png") and is_png("histogram.png") and is_png("two.png"))
end)

test("areas and text on a map, in longitude and latitude", function()
  local figure = plot.map(image(0))
  figure[1]:rectangle({ -115.9, 34.07, -115.88, 34.09 }, { crs = "EPSG:4326", color = "red", label = "area" })
    :features(geometry.polygon({ { -115.91, 34.06 }, { -115.89, 34.06 }, { -115.9, 34.08 } }), { fill = "#ffffff80", label = "lake" })
    :text(602000, 3772000, "site", { halo = "white", anchor = "center" })
  assert(holds(figure, "site") and holds(figure, "area") and holds(figure, "lake"))
end)

test("colour maps are listed", function()
  local names = table.concat(plot.colormaps(), " ")
  assert(names:find("viridis") and names:find("RdBu") and names:find("tab10"))
end)

test("wrong arguments are named", function()
  assert_error(function() plot.map(image(0), { colourmap = "magma" }) end, "plot%.map: unknown option `colourmap`; did you mean `colormap`%?")
  assert_error(function() plot.map(image(0), { colormap = "magna" }) end, "no colour map `magna`; did you mean `magma`%?")
  assert_error(function() plot.map(image(0), { min = 1, percentiles = { 2, 98 } }) end, "limits in one way only")
  assert_error(function() plot.map(image(0), { min = 5, max = 1 }):write("x.png") end, "colour limits must be finite numbers, the lower first, got 5 and 1")
  assert_error(function() plot.map(raster.bands(image(0, "VV"), image(1, "VH"))) end, "2 bands %(VV, VH%); choose one with the option `band`")
  assert_error(function() plot.map(image(0)):write("map.jpeg") end, "Figure:write: file name of a figure must be %*%.png, %*%.svg, %*%.pdf, got `.*map%.jpeg`")
  assert_error(function() plot.map(image(0)):write("/etc/map.png") end, "outside the working folder")
  assert_error(function() plot.line({ 1, 2 }, { 1 }) end, "y must be as long as x %(2%), got 1")
  assert_error(function() plot.line({ 1, 2 }, { 1, "a" }) end, "y%[2%] must be a time: .*, got \"a\"")
  assert_error(function() plot.rgb(image(0)) end, "bands must be three.*got 1")
  assert_error(function() plot.histogram("x") end, "values must be a Raster or a list of numbers")
  assert_error(function() plot.figure { rows = 0 } end, "rows must be an integer of at least 1")
  assert_error(function() plot.figure():write("empty.png") end, "the figure is empty: add axes first")
  assert_error(function() plot.figure { font_size = 0 } end, "font_size must be a number of points from 1 to 400, got 0")
  assert_error(function() plot.map(image(0), { percentiles = { 2, 200 } }) end, "percentiles%[2%] must be a number from 0 to 100, got 200")
  assert_error(function() plot.map(image(0), { legend = "lower lft" }) end, 'legend must be .*; did you mean "lower left"')
  assert_error(function() plot.map(image(0), { legend = 5 }) end, 'legend must be true or false or "auto" or .*got 5')
  assert_error(function() plot.line({ 1 }, { 1 }, { marker = "squares" }) end, 'marker must be .*; did you mean "square"')
  assert_error(function() plot.line({ 1 }, { 1 }, { x_limits = { 1 } }) end, "x_limits must be two numbers or times: { first, last }, got a list of 1")
  assert_error(function() plot.figure():axes():text(1, 1, "x", { ancor = "left" }) end, "Axes:text: unknown option `ancor`; did you mean `anchor`")
  assert_error(function() plot.maps({}) end, "images must be at least one image")
  assert_error(function() plot.classes(image(0), { classes = { { value = 1, colour = "red" } } }) end, "classes%[1%]%.color")
end)

test("a large image is read at the picture's resolution", function()
  local big = raster.coordinates(raster.grid { rows = 3000, cols = 4000 })
  local figure = big:select(big.bands[1]):plot { width = 3, dpi = 60 }
  figure:write("big.png")
  assert(is_png("big.png"))
end)

test("real scenes", function()
  local folder = shared "sentinel1/opera_rtc_10SGD_T137/raw/T137-292319-IW2/"
  local name = "OPERA_L2_RTC-S1_T137-292319-IW2_20211119T015858Z_20250830T120333Z_S1A_30_v1.0_"
  local vv = raster.open(folder .. name .. "VV.tif", { names = { "VV" }, unit = "power" })
  local figure = vv:to_db():plot { scale_bar = "lower right", lonlat = true, grid = true }
  assert(holds(figure, "VV (dB)"))
end)

-- Width of the page and of the first panel, in points.
local function widths(figure)
  local svg = figure:svg()
  return tonumber(svg:match 'width="([%d.]+)pt"'), tonumber(svg:match '<clipPath[^>]*><rect[^>]* width="([%d.]+)"')
end

test("a legend and a colour bar leave a map its room", function()
  local classes = { { value = 1, name = "Water that is there all year round", color = "navy" }, { value = 2, name = "Snow", color = "white" } }
  local alone = plot.map(image(0), { label = "Height (m)" })
  local figure = plot.figure {}
  local axes = figure:axes {}
  axes:image(image(0), { label = "Height (m)" })
  axes:classes(image(0):gt(0), { classes = classes })
  -- Below, so that the map is as wide as without.
  local page, panel = widths(figure)
  local _, without = widths(alone)
  assert(math.abs(panel - without) < 1 and page <= 6.4 * 72 + 1, panel)
  -- Beside, where that was asked for, the page grows and the map keeps half of what it had.
  local wide = plot.figure {}
  axes = wide:axes { legend = "right" }
  axes:image(image(0), { label = "Height (m)" })
  axes:rectangle({ 601000, 3771000, 602000, 3772000 }, { label = ("A very long name of an area "):rep(3) })
  page, panel = widths(wide)
  assert(panel > 0.49 * 6.4 * 72 and page > 6.4 * 72, panel)
  -- A width that was given is kept.
  local fixed = plot.figure { width = 5 }
  axes = fixed:axes { legend = "right" }
  axes:image(image(0), { label = "Height (m)" })
  axes:rectangle({ 601000, 3771000, 602000, 3772000 }, { label = "An area" })
  assert(widths(fixed) == 360)
end)

test("outlines with a halo show on any ground", function()
  local figure = plot.map(image(0), {})
  figure[1]:rectangle({ 601000, 3771000, 602000, 3772000 }, { color = "white", halo = "black", line_width = 0.6 })
  local svg = figure:svg()
  local dark, light = svg:find('stroke="#000000" stroke-width="1.8"', 1, true), svg:find('stroke="#ffffff" stroke-width="0.6"', 1, true)
  assert(dark and light and dark < light)
end)
