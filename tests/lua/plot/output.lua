local raster, plot, fs = require "raster", require "plot", require "fs"

local grid = raster.grid { rows = 20, cols = 30, crs = "EPSG:32611", bounds = { 600000, 3770000, 603000, 3772000 } }
local function day(i)
  return (raster.constant(grid, i) + raster.random(grid)):rename("VV"):set("time", ("2024-03-%02dT00:00:00Z"):format(i)):set("orbit", i)
end

test("a figure as PDF", function()
  local figure = plot.map(day(1), { title = "One day", width = 3 }):title("Page")
  assert(figure:write("map.pdf") == "map.pdf")
  local text = fs.read "map.pdf"
  assert(text:sub(1, 7) == "%PDF-1." and text:find("%%EOF", 1, true))
  assert(text:find("/MediaBox [0 0 216 ", 1, true) or text:find("/MediaBox %[0 0 216"))
  assert(text:find("DejaVuSans", 1, true) and text:find("/ToUnicode", 1, true))
  -- An image, not a picture of the page: letters and lines stay what they are.
  assert(#text < 150000, #text)
end)

test("titles and labels after creation", function()
  local figure = plot.line({ 1, 2 }, { 2, 1 }):title("Page")
  figure[1]:title("Panel"):x_label("Distance (km)"):y_label("Height (m)")
  local svg = figure:svg()
  for _, label in ipairs { "Page", "Panel", "Distance (km)", "Height (m)" } do
    assert(svg:find('aria-label="' .. label .. '"', 1, true), label)
  end
end)

test("small multiples by a property", function()
  local figure = plot.maps({ day(1), day(2) }, { title_by = "orbit" })
  local svg = figure:svg()
  assert(svg:find('aria-label="1"', 1, true) and svg:find('aria-label="2"', 1, true) and not svg:find("2024-03-01", 1, true))
end)

test("a stack as an animation", function()
  local stack = raster.stack { day(1), day(2), day(3) }
  assert(plot.animate(stack, "days.gif", { width = 2, dpi = 60 }) == "days.gif")
  local gif = fs.read "days.gif"
  assert(gif:sub(1, 6) == "GIF89a" and gif:byte(7) + 256 * gif:byte(8) == 120)
  plot.animate(stack, "days.png", { width = 2, dpi = 60, seconds = 0.25, loops = 2, min = 0, max = 4 })
  local png = fs.read "days.png"
  local control = png:find("acTL", 1, true)
  local frames, loops = (">I4I4"):unpack(png, control + 4)
  assert(frames == 3 and loops == 2)
  assert(select(2, png:gsub("fcTL", "")) == 3)
  -- The first picture is what other programs show.
  assert(raster.open("days.png").cols == 120)
  assert_error(function() plot.animate(stack, "days.mp4") end, "must be %*%.png, %*%.apng, %*%.gif, got")
  assert_error(function() plot.animate({}, "days.gif") end, "at least one image")
  assert_error(function() plot.animate(stack, "days.gif", { seconds = 0 }) end, "seconds must be a number of seconds from 0.02 to 60, got 0")
end)
