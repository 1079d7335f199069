local plot = require "plot"

local function holds(figure, label)
  return figure:svg():find('aria-label="' .. label .. '"', 1, true)
end

-- x, y, width and height of the boxes of a colour within the first panel.
local function boxes(figure, color)
  local out = {}
  local inside = figure:svg():match '<g clip%-path="url%(#c0%)">(.-)</g>'
  for x, y, w, h in inside:gmatch('<rect x="([%d.]+)" y="([%d.]+)" width="([%d.]+)" height="([%d.]+)" fill="' .. color .. '"') do
    out[#out + 1] = { x = tonumber(x), y = tonumber(y), width = tonumber(w), height = tonumber(h) }
  end
  return out
end

test("bars of several series stand side by side on zero", function()
  local figure = plot.bars({ "forest", "crops", "open water" }, { { 2, 4, false }, { 1, 3, 5 } }, {
    labels = { "VV", "VH" }, colors = { "#112233", "#445566" }, errors = { { 1, 1, 1 }, { 0.5, 0.5, 0.5 } }, y_label = "γ⁰ (dB)",
  })
  for _, label in ipairs { "VV", "VH", "forest", "open water", "γ⁰ (dB)" } do assert(holds(figure, label), label) end
  local first, second = boxes(figure, "#112233"), boxes(figure, "#445566")
  assert(#first == 2 and #second == 3)
  assert_close(first[2].height / first[1].height, 2, 0.01)
  assert_close(first[1].x + first[1].width, second[1].x, 0.01)
  assert_close(first[1].y + first[1].height, second[3].y + second[3].height, 0.01)
  local flat = plot.bars({ "a", "b" }, { 1, 2 }, { horizontal = true, colors = { "#112233" } })
  local bars = boxes(flat, "#112233")
  assert_close(bars[2].width / bars[1].width, 2, 0.01)
  -- Read from above.
  assert(bars[1].y < bars[2].y)
end)

test("boxes of lists and of columns are the same", function()
  local lists = plot.boxes({ "water", "land" }, { { -21, -19, -20, -12, -22 }, { -9, -10, -8, -11 } }, { y_label = "VV (dB)" })
  local columns = plot.boxes({ "water", "land", "water", "land", "water", "land", "water", "land", "water" }, { -21, -9, -19, -10, -20, -8, -12, -11, -22 },
    { y_label = "VV (dB)" })
  assert(lists:svg() == columns:svg())
  assert(holds(lists, "water") and holds(lists, "VV (dB)"))
  -- Quartiles of -22, -21, -20, -19, -12 are -21 and -19; of -11 to -8, -10.25 and -8.75.
  local found = boxes(lists, "#1f77b4")
  assert(#found == 2)
  assert_close(found[1].height / found[2].height, 2 / 1.5, 0.01)
  local without = plot.boxes({ "water" }, { { -21, -19, -20, -12, -22 } }, { outliers = false, horizontal = true })
  assert(select(2, without:svg():gsub("<use", "")) > 0)
end)

test("a quantity over place and time, from a matrix and from columns", function()
  local matrix = plot.hovmoller({ 0, 1, 2 }, { "2020-01-01", "2020-02-01", "2020-03-01" }, { { 1, 2, 3 }, { 4, false, 6 }, { 7, 8, 9 } },
    { label = "Speed (m/yr)", y_label = "Distance (km)" })
  assert(holds(matrix, "Speed (m/yr)") and holds(matrix, "Distance (km)") and matrix:svg():find "2020")
  local x, t, v = {}, {}, {}
  for i, row in ipairs { { 7, 8, 9 }, { 1, 2, 3 }, { 4, 0 / 0, 6 } } do
    for k, value in ipairs(row) do
      x[#x + 1], t[#t + 1], v[#v + 1] = k - 1, ({ "2020-03-01", "2020-01-01", "2020-02-01" })[i], value
    end
  end
  local columns = plot.hovmoller(x, t, v, { label = "Speed (m/yr)", y_label = "Distance (km)" })
  assert(columns:svg() == matrix:svg())
  local upright = plot.hovmoller({ 0, 1, 2 }, { "2020-01-01", "2020-02-01" }, { { 1, 2, 3 }, { 4, 5, 6 } }, { time = "y", norm = "log" })
  assert(upright:svg() ~= matrix:svg())
end)

test("wrong lists are named", function()
  assert_error(function() plot.bars({ "a", "b" }, { 1, 2, 3 }) end, "plot%.bars: heights must be as many in each series as there are places %(2%), got 3")
  assert_error(function() plot.bars({ "a" }, { { 1 }, { 2 } }, { labels = { "x" } }) end, "labels must be as many as there are series %(2%), got 1")
  assert_error(function() plot.bars({ "a" }, { "x" }) end, "heights%[1%]")
  assert_error(function() plot.bars("a", { 1 }) end, "places must be a list of names or of numbers")
  assert_error(function() plot.boxes({ "a", "b" }, { 1 }) end, "values must be as many as there are groups %(2%), got 1")
  assert_error(function() plot.boxes({ "a" }, { { 1 }, { 2 } }) end, "values must be as many lists as there are groups %(1%), got 2")
  assert_error(function() plot.boxes({ "a" }, { { 1 } }, { reach = -1 }) end, "reach must be a number of at least 0, got %-1")
  assert_error(function() plot.hovmoller({ 0, 1 }, { "2020-01-01" }, { { 1, 2 }, { 3, 4 } }) end, "values must be a list for each time %(1%), got 2")
  assert_error(function() plot.hovmoller({ 0, 1 }, { "2020-01-01" }, { { 1 } }) end, "as many in each list as there are places %(2%), got 1")
  assert_error(function() plot.hovmoller({ 0, 1 }, { "2020-01-01" }, { 1, 2 }) end, "times must be as long as x %(2%)")
end)

test("boxes say how many values they have", function()
  local figure = plot.boxes({ "Jan", "Feb" }, { { 1, 2, 3 }, { 2, 0 / 0, 4, 5, 6 } }, { counts = true })
  local svg = figure:svg()
  assert(svg:find("Jan (3)", 1, true) and svg:find("Feb (4)", 1, true), svg:match('aria%-label="Jan[^"]*"'))
  -- Of numbers, too.
  assert(plot.boxes({ 1, 1, 7 }, { 3, 4, 5 }, { counts = true }):svg():find("7 (1)", 1, true))
end)

test("names that find no room read upwards", function()
  local names = { "January", "February", "March", "April", "May", "June", "July", "August" }
  local narrow = plot.bars(names, { 1, 2, 3, 4, 5, 6, 7, 8 }, { width = 2.5 }):svg()
  local wide = plot.bars(names, { 1, 2, 3, 4, 5, 6, 7, 8 }, { width = 6.4 }):svg()
  assert(narrow:find("January", 1, true) and narrow ~= wide)
  local height = function(svg) return tonumber(svg:match('height="([%d.]+)pt"')) / tonumber(svg:match('width="([%d.]+)pt"')) end
  -- Upright names need room below.
  assert(height(narrow) > height(wide) + 0.1)
end)
