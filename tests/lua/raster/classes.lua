local raster, plot = require "raster", require "plot"

local grid = raster.grid { crs = 32632, origin = { 500000, 5000000 }, resolution = 10, rows = 2, cols = 3 }
local COVER = { { value = 0, name = "land", color = "#d9cfb8" }, { value = 1, name = "water", color = "#2468a8" }, { value = 7, name = "ice, of lakes" } }
local function cover(dtype) return raster.from_table(grid, { { 0, 1, 7 }, { 1, 1, 0 } }, { name = "cover" }):cast(dtype or "uint8"):set_classes(COVER) end

local function same(found, colors)
  assert(#found == 3)
  for i, class in ipairs(COVER) do
    assert(found[i].value == class.value and found[i].name == class.name, i)
    if colors and class.color then assert(found[i].color == class.color, tostring(found[i].color)) end
  end
end

test("a file keeps what its numbers mean, and colours where the format has them", function()
  for _, how in ipairs {
    { "a.tif", colors = true }, { "b.tif", dtype = "uint16", colors = true }, { "c.tif", { format = "COG" }, colors = true }, { "d.png", colors = true },
    { "e.tif", dtype = "int16" }, { "f.tif", { compress = "jpeg" } },
  } do
    cover(how.dtype):write(how[1], how[2])
    local back = raster.open(how[1])
    assert(back.units[back.bands[1]] == "class", how[1])
    same(back.classes[back.bands[1]], how.colors)
    if not (how[2] and how[2].compress) then assert(back:read():get(0, 2) == 7) end
  end
end)

test("bands of one file have classes of their own", function()
  local image = cover():add_bands(raster.constant(grid, 3):rename("height"):cast("uint8"):set_unit "m")
  image:write "two.tif"
  local back = raster.open "two.tif"
  same(back.classes.cover)
  assert(back.classes.height == nil and back.units.height == "m" and back.units.cover == "class")
end)

test("classes stay where numbers stay what they are", function()
  local map = cover()
  same(map.classes.cover, false)
  assert(map.classes.cover[3].color == nil and map.classes.cover[2].color == "#2468a8")
  for name, made in pairs {
    mask = map:mask(map:gt(0)), crop = map:crop { row = 0, col = 1, rows = 1, cols = 2 }, sieve = map:sieve { minimum_pixels = 2 },
    align = map:align(raster.grid { crs = 32632, origin = { 500000, 5000000 }, resolution = 5, rows = 4, cols = 6 }, { resampling = "nearest" }),
    where = raster.where(map:eq(1), map, map), rename = map:rename "x", cast = map:cast "int16",
  } do
    same(made.classes[made.bands[1]])
    assert(made.units[made.bands[1]] == "class", name)
  end
  for name, made in pairs { sum = map + 1, product = map * 2, other = raster.where(map:eq(1), map, raster.constant(grid, 1)), unit = map:set_unit "class", compared = map:eq(1) } do
    assert(made.classes[made.bands[1]] == nil, name)
  end
  local back = raster.from_json(map:to_json())
  same(back.classes.cover)
end)

test("overviews of classes are classes", function()
  local large = raster.grid { crs = 32632, origin = { 500000, 5000000 }, resolution = 10, rows = 600, cols = 600 }
  local at = raster.coordinates(large)
  -- Two of three columns are of class 2, the others of class 8: means are others.
  local map = raster.where(((at.x / 10):floor() % 3):lt(2), 2, 8):rename("cover"):cast("uint8"):set_classes { { value = 2, name = "two" }, { value = 8, name = "eight" } }
  for _, options in ipairs { { overviews = true }, { format = "COG" } } do
    map:write("o.tif", options)
    local few = raster.open("GTIFF_DIR:2:" .. folder .. "/o.tif")
    assert(few.rows == 300)
    assert(raster.where(few:eq(2) | few:eq(8), 0, 1):rename("other"):stats().other.max == 0)
  end
end)

test("maps are drawn in the colours that they carry", function()
  local map = cover()
  local given = plot.classes(map, { classes = COVER }):svg()
  assert(plot.classes(map):svg() == given)
  assert(given:find("ice, of lakes", 1, true))
  -- A value that is none of the classes is shown, not left out.
  local more = raster.where(map:eq(7), 9, map:set_unit ""):rename("cover"):cast("uint8"):set_classes(COVER)
  assert(plot.classes(more):svg() ~= plot.classes(more, { classes = COVER }):svg())
end)

test("what makes no sense is said", function()
  local map = cover()
  assert_error(function() map:set_classes { { value = 1 }, { value = 1 } } end, "classes%[2%]%.value must be one that no other class has, got 1")
  assert_error(function() map:set_classes { { name = "water" } } end, "value")
  assert_error(function() map:set_classes { { value = 1, colour = "red" } } end, "did you mean.*color")
  assert_error(function() map:add_bands(map:rename "b"):set_classes(COVER) end, "one band")
  assert_error(function() map:set_classes(COVER, "covr") end, "did you mean.*cover")
end)
