local raster, plot, fs = require "raster", require "plot", require "fs"

local grid = raster.grid { crs = "EPSG:32607", origin = { 560000, 6750000 }, resolution = 100, rows = 30, cols = 40 }
local here = raster.coordinates(grid)
local height = ((((here.x - 562000) ^ 2 + (here.y - 6748500) ^ 2) / -2e6):exp() * 900):rename("height"):set_unit("m")

local function says(figure, label)
  return figure:svg():find('aria-label="' .. label .. '"', 1, true)
end

-- Facets are paths filled with a colour of their own.
local function facets(figure)
  local count = 0
  for _ in figure:svg():gmatch('<path[^>]-fill="#%x%x%x%x%x%x"[^>]-stroke="#%x%x%x%x%x%x"') do count = count + 1 end
  return count
end

test("a surface carries axes with units, and how much it is exaggerated", function()
  local figure = plot.surface(height, { width = 4, exaggeration = 1.5 })
  for _, label in ipairs { "Easting (km)", "Northing (km)", "height (m)", "Vertical exaggeration 1.5×" } do
    assert(says(figure, label), label)
  end
  assert(not figure:svg():find "exaggeration 1×")
  assert(not plot.surface(height, { exaggeration = 1 }):svg():find "Vertical exaggeration")
  assert(says(plot.surface(height, { x_label = "To the east (km)" }), "To the east (km)"))
  assert(says(plot.surface(height, { height_label = "Elevation (m)", label = "Colours" }), "Elevation (m)"))
end)

test("facets lie between the middles of pixels and leave gaps where heights are masked", function()
  local whole = facets(plot.surface(height, { color_bar = false }))
  local holed = facets(plot.surface(height:mask(here.x:gt(560800)), { color_bar = false }))
  assert(whole >= 29 * 39, whole)
  -- The first eight of forty columns.
  assert(whole - holed == 29 * 8, whole - holed)
end)

test("colours are those of the drape", function()
  local noise = raster.random(grid)
  local own, draped = plot.surface(height), plot.surface(height, { drape = noise, label = "Noise (1)" })
  assert(says(draped, "Noise (1)") and not says(own, "Noise (1)"))
  local one = plot.surface(height, { drape = height * 0 + 5, min = 0, max = 10, colormap = { "#102030", "#102030" }, shading = 0, color_bar = false })
  local count = select(2, one:svg():gsub('fill="#102030"', ""))
  assert(count >= 29 * 39, count)
end)

test("views differ, and files of each kind are written", function()
  local seen = {}
  for _, view in ipairs { { 0, 30 }, { 30, 30 }, { 30, 60 }, { 200, 20 }, { -45, 90 } } do
    local svg = plot.surface(height, { azimuth = view[1], elevation = view[2], width = 3 }):svg()
    assert(not seen[svg])
    seen[svg] = true
  end
  for _, name in ipairs { "hill.png", "hill.svg", "hill.pdf" } do
    assert(plot.surface(height, { width = 3, facets = 20 }):write(name) == name and fs.size(name) > 1000)
  end
  assert(fs.size "hill.pdf" < 400000)
end)

test("in a page of several panels it has one to itself", function()
  local page = plot.figure { cols = 2 }
  page:axes { title = "Map" }:image(height)
  local axes = page:axes { title = "Surface" }:surface(height)
  assert(says(page, "Surface") and says(page, "Map"))
  axes:line({ 1, 2 }, { 3, 4 })
  assert_error(function() page:svg() end, "a surface has its panel to itself")
end)

test("what cannot be a surface is said", function()
  assert_error(function() plot.surface(height:set_unit "km") end, "plot%.surface: heights must be in metres.*got height in km")
  assert_error(function() plot.surface(raster.bands(height, (height * 2):rename "b")) end, "2 bands")
  local other = raster.random(raster.grid { crs = "EPSG:32607", origin = { 560000, 6750000 }, resolution = 50, rows = 30, cols = 40 })
  assert_error(function() plot.surface(height, { drape = other }) end, "different grids.*align")
  assert_error(function() plot.surface(height, { elevation = 91 }) end, "elevation must be a number of degrees from 0 to 90")
  assert_error(function() plot.surface(height, { exaggeration = 0 }) end, "exaggeration must be a number above 0")
  assert_error(function() plot.surface(height, { facets = 1 }) end, "facets")
end)
