local raster, plot = require "raster", require "plot"

local grid = raster.grid { rows = 40, cols = 60, crs = "EPSG:32611", bounds = { 600000, 3770000, 606000, 3774000 } }

-- An image of a function of row and column; false is masked.
local function image(name, value, unit)
  local rows = {}
  for r = 1, 40 do
    rows[r] = {}
    for c = 1, 60 do rows[r][c] = value(r, c) end
  end
  return raster.from_table(grid, rows, { name = name, unit = unit })
end

local function holds(figure, label)
  return figure:svg():find('aria-label="' .. label .. '"', 1, true)
end

local function count(figure, pattern)
  return select(2, figure:svg():gsub(pattern, ""))
end

local function field(east, north)
  return raster.bands(image("vx", function() return east end, "m/yr"), image("vy", function() return north end, "m/yr"))
end

test("arrows point where the field does and carry their speed in the legend", function()
  local figure = plot.figure { width = 4 }
  figure:axes():quiver(field(30, 40), { color = "#123456" })
  assert(holds(figure, "50 m/yr"))
  -- Tail, neck, head, tip: of every arrow the tip lies north-east of the tail by 3 to 4, which is up on the page.
  local seen = 0
  for x1, y1, rest in figure:svg():gmatch '<path d="M([%d.]+) ([%d.]+)(L[^"]+)Z" fill%-rule="evenodd" fill="#123456"' do
    local points = {}
    for x, y in rest:gmatch "L([%d.]+) ([%d.]+)" do points[#points + 1] = { tonumber(x), tonumber(y) } end
    local last = points[6]
    local tail = { (x1 + last[1]) / 2, (y1 + last[2]) / 2 }
    local tip = points[3]
    if tip[2] < tail[2] then
      assert_close((tip[1] - tail[1]) / (tail[2] - tip[2]), 0.75, 0.02)
      assert_close(((tip[1] - tail[1]) ^ 2 + (tail[2] - tip[2]) ^ 2) ^ 0.5, 16, 0.05)
      seen = seen + 1
    end
  end
  assert(seen > 50, seen)
end)

test("arrows by speed have a colour bar, and what is masked has none", function()
  local masked = raster.bands(image("u", function(_, c) return c > 30 and c or false end), image("v", function() return 0 end))
  local half, whole = plot.figure(), plot.figure()
  half:axes():quiver(masked, { color = "#123456", unit = "m/s", key = 20 })
  whole:axes():quiver(raster.bands(image("u", function(_, c) return c end), image("v", function() return 0 end)), { color = "#123456" })
  assert(holds(half, "20 m/s"))
  local a, b = count(half, 'fill="#123456"'), count(whole, 'fill="#123456"')
  assert(a > 0.4 * b and a < 0.6 * b, a .. " of " .. b)
  local coloured = plot.map(image("speed", function(_, c) return c end), { color_bar = false })
  coloured[1]:quiver(masked, { colormap = "magma", color_bar = "Speed (m/s)", lengths = "sqrt", key = 0, unit = "knots", halo = "white" })
  assert(holds(coloured, "Speed (m/s)") and not coloured:svg():find("knots", 1, true))
end)

test("components towards east and north are turned onto the map", function()
  local polar = raster.grid { crs = "EPSG:3031", bounds = { -1600000, -300000, -1580000, -280000 }, rows = 20, cols = 20 }
  local north = raster.bands(raster.constant(polar, 0):rename("e"), raster.constant(polar, 1):rename("n"))
  -- At 259 degrees east, north is along (-1590, -290): down to the left.
  local figure = plot.figure { width = 3 }
  figure:axes():quiver(north, { components = "east north", color = "#123456", key = 0 })
  local x1, y1, rest = figure:svg():match '<path d="M([%d.]+) ([%d.]+)(L[^"]+)Z" fill%-rule="evenodd" fill="#123456"'
  local points = {}
  for x, y in rest:gmatch "L([%d.]+) ([%d.]+)" do points[#points + 1] = { tonumber(x), tonumber(y) } end
  local dx, dy = points[3][1] - (x1 + points[6][1]) / 2, points[3][2] - (y1 + points[6][2]) / 2
  assert(dx < 0 and dy > 0)
  assert_close(dy / -dx, 290 / 1590, 0.02)
end)

test("streamlines run along the field with heads", function()
  local figure = plot.figure { width = 4 }
  figure:axes():streamlines(field(3, 0), { color = "#123456", label = "flow", spacing = 20 })
  assert(holds(figure, "flow"))
  local lines = 0
  for d in figure:svg():gmatch '<path d="([^"]+)" fill%-rule="evenodd" fill="none" stroke="#123456" stroke%-width="0.8"' do
    local first = tonumber(d:match "^M[%d.]+ ([%d.]+)")
    for y in d:gmatch "L[%d.]+ ([%d.]+)" do assert_close(tonumber(y), first, 0.01) end
    lines = lines + 1
  end
  assert(lines >= 8 and lines <= 20, lines)
  assert(count(figure, 'fill="#123456"') >= lines)
  local coloured = plot.figure()
  coloured:axes():streamlines(raster.bands(image("u", function(r, c) return c * 3 end), image("v", function(r, c) return r - 20 end)), {
    colormap = "viridis", color_bar = "Speed (m/s)", norm = "log", halo = "white",
  })
  assert(holds(coloured, "Speed (m/s)"))
end)

test("contours are labelled and leave gaps", function()
  local ramp = image("height", function(_, c) return c - 0.5 end)
  local figure = plot.map(ramp, { color_bar = false, width = 5 })
  figure[1]:contours(ramp, { levels = { 20, 40.5 }, color = "#123456", label = "Height (m)" })
  assert(holds(figure, "20.0") and holds(figure, "40.5") and holds(figure, "Height (m)"))
  -- The line of 20 is at x = 602 000 of 600 000 to 606 000.
  local left, width = figure:svg():match '<clipPath id="c0"><rect x="([%d.]+)" y="[%d.]+" width="([%d.]+)"'
  local found = 0
  local inside = figure:svg():match '<g clip%-path="url%(#c0%)">(.-)</g>'
  for x in inside:gmatch '<path d="M([%d.]+) [%d.]+L[^"]+" fill%-rule="evenodd" fill="none" stroke="#123456"' do
    local at = (x - left) / width * 60
    assert(math.abs(at - 20) < 0.02 or math.abs(at - 40.5) < 0.02, at)
    found = found + 1
  end
  -- Each is cut by its label.
  assert(found >= 4, found)
  local bare = plot.map(ramp, { color_bar = false })
  bare[1]:contours(ramp, { labels = false, count = 3, color = "#123456" })
  assert(count(bare, 'stroke="#123456"') == 2)
  local holed = image("height", function(r, c)
    if r > 15 and r < 25 then return false end
    return c
  end)
  local cut = plot.map(holed, { color_bar = false })
  cut[1]:contours(holed, { labels = false, levels = { 30.5 }, color = "#123456" })
  assert(count(cut, 'stroke="#123456"') == 2)
end)

test("colours by logarithms have the marks of logarithms", function()
  local decades = image("speed", function(_, c) return 10 ^ (c / 15) end)
  local figure = plot.map(decades, { norm = "log", min = 1, max = 10000, label = "Speed (m/yr)" })
  for _, label in ipairs { "1", "10", "100", "1000" } do assert(holds(figure, label), label) end
  local both = image("change", function(_, c) return (c - 30.5) ^ 3 end)
  figure = plot.map(both, { norm = "symlog", linear_within = 10, min = -10000, max = 10000, label = "Change (m)" })
  for _, label in ipairs { "−1000", "−10", "0", "100" } do assert(holds(figure, label), label) end
  plot.scatter({ 1, 2 }, { 1, 2 }, { values = { 1, 1000 }, norm = "log", color_bar = "n" }):write("points.png")
end)

test("wrong fields and norms are named", function()
  local one = image("u", function() return 1 end)
  local axes = plot.figure():axes()
  assert_error(function() axes:quiver(one) end, "Axes:quiver: bands must be two, the components.*got 1 %(u%)")
  assert_error(function() axes:streamlines(field(1, 1), { spacing = 1 }) end, "spacing must be a number of points from 2 to 500, got 1")
  assert_error(function() axes:quiver(field(1, 1), { components = "east-north" }) end, 'components must be .*; did you mean "east north"')
  assert_error(function() axes:contours(field(1, 1)) end, "2 bands %(vx, vy%); choose one with the option `band`")
  assert_error(function() plot.map(one, { norm = "log", min = -1, max = 5 }):write("x.png") end, "colour limits must be above 0 for logarithms.*got %-1")
  assert_error(function() plot.map(one, { norm = "log", symmetric = true }):write("x.png") end, "both sides of zero have no logarithms")
  assert_error(function() plot.map(one, { linear_within = 3 }) end, '`linear_within` goes with the norm "symlog"')
end)

test("the flow of Pine Island Glacier", function()
  local path = shared "itslive/LE07_L1GT_001113_20121118_20161127_01_T2_X_LE07_L1GT_232113_20121104_20161127_01_T2_G0240V01_P059.nc"
  local vx, vy = raster.open(path, { subdataset = "vx" }), raster.open(path, { subdataset = "vy" })
  local velocity = raster.bands(vx:rename "vx", vy:rename "vy")
  local speed = ((velocity.vx ^ 2 + velocity.vy ^ 2):sqrt()):rename "v"
  local figure = plot.map(speed, { norm = "log", min = 10, max = 5000, label = "Speed (m/yr)", width = 4 })
  figure[1]:quiver(velocity, { color = "#123456", unit = "m/yr", key = 2000, lengths = "sqrt" }):contours(speed, { levels = { 1000 }, color = "#654321" })
  assert(holds(figure, "2000 m/yr") and count(figure, 'stroke="#654321"') > 2)
  local arrows = count(figure, 'fill="#123456"')
  assert(arrows > 40, arrows)
end)
