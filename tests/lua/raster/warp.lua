local raster, geometry, json, fs = require "raster", require "geometry", require "json", require "fs"

local function grid_of(entry)
  return raster.grid {
    crs = entry.crs,
    origin = entry.origin,
    resolution = entry.resolution,
    rows = entry.rows,
    cols = entry.cols,
  }
end

--- Columns and rows of an image's own pixels, from 0, as two bands.
local function positions(grid)
  local at = raster.coordinates(grid)
  local col = ((at.x - grid.bounds[1]) / grid.resolution[1]):floor():rename "col"
  local row = ((at.y * -1 + grid.bounds[4]) / grid.resolution[2]):floor():rename "row"
  return raster.bands(col, row)
end

-- Every pixel centre through pyproj, without a lattice: tests/reference/warp_positions.py.
fs.copy(fixture "warp/positions.json", "positions.json")
local pairs_of_grids = json.decode(fs.read "positions.json")
assert(#pairs_of_grids >= 40)

for _, entry in ipairs(pairs_of_grids) do
  test("pixel centres lie where pyproj finds them: " .. entry.name, function()
    local source, target = grid_of(entry.source), grid_of(entry.target)
    local found = positions(source):align(target)
    local at = positions(target)
    local index = (at.row * target.cols + at.col):mask(found.col:is_valid()):rename "index"
    local stats = raster.bands(found, index):stats()
    local valid = stats.col.count
    local said = ("%d valid, pyproj %d"):format(valid, entry.valid)
    assert(valid == entry.valid, said)
    -- Which pixels: the sum of their places is exact.
    assert_close(stats.index.mean, entry.index_sum / valid, 1e-9 * entry.target.rows * entry.target.cols)
    -- Positions may be off by 0.02 pixels: of as many centres another pixel is the nearest.
    assert_close(stats.col.mean, entry.col_sum / valid, 0.02)
    assert_close(stats.row.mean, entry.row_sum / valid, 0.02)
  end)
end

local function world(west, resolution)
  return raster.grid { crs = 4326, bounds = { west, -90, west + 360, 90 }, resolution = resolution }
end

--- An image whose values are the longitudes from −180 and the latitudes of its pixels.
local function lonlat(grid)
  local at = raster.coordinates(grid)
  return raster.bands(((at.x + 180) % 360 - 180):rename "lon", at.y:rename "lat")
end

test("longitudes are those of the place, however they are counted", function()
  for _, west in ipairs { -180, 0, -20 } do
    local image = lonlat(world(west, 1))
    local points = { { -120.5, 34.5 }, { 239.5, 34.5 }, { 179.5, 0.5 }, { -180.5, 0.5 }, { 539.5, 0.5 } }
    for i, row in ipairs(image:sample(points)) do
      assert(row.lon == (i < 3 and -120.5 or 179.5) and row.lat == points[i][2], ("%g: %s"):format(west, row.lon))
    end
    -- Across 180°: in one piece, in the order of the area.
    for _, area in ipairs { { 170, -10, 190, 10 }, { -190, -10, -170, 10 }, { 170, -10, -170, 10 } } do
      local part = image:clip(area)
      assert(part.cols == 20 and part.rows == 20, tostring(part.grid))
      local s = part:stats()
      assert(s.lon.count == 400 and s.lon.min == -179.5 and s.lon.max == 179.5 and s.lon.mean == 0, tostring(west))
    end
    local shapes = geometry.bbox(170, -10, -170, 10)
    local zone = image:zonal(shapes, { statistics = { "count", "mean", "min", "max" } })[1]
    assert(zone.lon_count == 400 and zone.lon_min == -179.5 and zone.lon_max == 179.5 and zone.lat_mean == 0)
    local part = image:clip(shapes)
    assert(part:stats().lon.count == 400 and part.cols == 20, tostring(part.grid))
    -- Elsewhere than at a seam too.
    local zone = image:zonal(geometry.bbox(-125, 30, -115, 40))[1]
    assert(zone.lon_count == 100 and zone.lon_mean == -120 and zone.lat_mean == 35)
  end
end)

test("align and mosaic go around", function()
  for _, west in ipairs { -180, 0, 7 } do
    local other = world(west, 1)
    local moved = lonlat(world(-180, 1)):align(other, { resampling = "cubic" })
    -- Whole pixels move: no value changes, none is lost.
    local off = (moved.lon - lonlat(other).lon):abs():stats().lon
    assert(off.count == 64800 and off.max == 0, tostring(off.count))
  end
  -- A mean of ten degrees at the seam has both sides.
  local coarse = raster.grid { crs = 4326, bounds = { -5, -90, 355, 90 }, resolution = 10 }
  local lat = lonlat(world(0, 1)).lat
  local mean = lat:align(coarse, { resampling = "average" })
  assert(mean:stats().lat.count == 648)
  local at = raster.coordinates(world(0, 1))
  -- cos(lon) has no seam, neither has its interpolation half a pixel farther.
  local wave = at.x:to_radians():cos():rename "wave"
  local half = raster.grid { crs = 4326, bounds = { -180.5, -90, 179.5, 90 }, resolution = 1 }
  local expected = raster.coordinates(half).x:to_radians():cos()
  local off = (wave:align(half, { resampling = "bilinear" }) - expected):abs():stats().wave
  assert(off.count == 64800 and off.max < 1e-4, tostring(off.max))
  local mean_wave = wave:align(coarse, { resampling = "average" })
  -- The mean of cos over 10° is cos of the middle times sin(5°) / 5° in radians.
  local factor = math.sin(math.rad(5)) / math.rad(5)
  local expected = raster.coordinates(coarse).x:to_radians():cos() * factor
  local off = (mean_wave - expected):abs():stats().wave
  assert(off.count == 648 and off.max < 1e-4, tostring(off.max))

  local function part(west, east)
    return lonlat(raster.grid { crs = 4326, bounds = { west, -10, east, 10 }, resolution = 1 })
  end
  local both = raster.mosaic { part(170, 180), part(-180, -170) }
  assert(both.cols == 20 and both.rows == 20 and both.grid.bounds[1] == 170, tostring(both.grid))
  assert(both:stats().lon.count == 400 and both:stats().lon.mean == 0)
  local all = raster.mosaic { part(0, 360), part(-10, 10) }
  assert(all.cols == 360 and all.grid.bounds[1] == 0 and all:stats().lon.count == 7200, tostring(all.grid))
  local onto = raster.mosaic({ part(170, 180), part(-180, -170) }, { grid = world(0, 1) })
  assert(onto:stats().lon.count == 400)
end)

test("tas.nc of 0 to 360 as rasterio reads it", function()
  local tas = raster.open(shared "awkward/tas.nc"):set_crs "EPSG:4326"
  local first = tas:select(1):rename "tas"
  local coarse = first:align(raster.grid { crs = 4326, bounds = { -180, -90, 180, 90 }, resolution = 10 })
  assert(coarse:stats().tas.count == 648)
  assert_close(first:sample({ { -120.5, 34.5 } })[1].tas, 235.035, 1e-3)
  assert_close(first:clip({ -121, 34, -120, 35 }):stats().tas.mean, 235.035, 1e-3)
  assert_close(first:zonal(geometry.bbox(-121, 34, -120, 35), { all_touched = true })[1].mean, 235.035, 1e-3)
end)

test("grids that reproject makes end at the poles", function()
  local polar = raster.grid { crs = 3031, bounds = { -3e6, -3e6, 3e6, 3e6 }, resolution = 25000 }
  for _, resolution in ipairs { false, 1, 0.7, 0.25 } do
    local grid = polar:reproject { crs = 4326, resolution = resolution or nil }
    local b = grid.bounds
    assert(b[2] >= -90 - 1e-9 and b[4] <= 90 and b[3] - b[1] <= 360 + 1e-9, tostring(grid))
    if resolution ~= 0.7 then assert_close(b[2], -90, 1e-9) end
    if resolution ~= 0.7 then assert_close(b[3] - b[1], 360, 1e-9) end
  end
  -- Every pixel of a cap south of its edges' middle (63.0° S) has a value.
  local image = raster.constant(polar, 1):reproject { crs = 4326, resolution = 1 }
  local cap = image:clip { -180, -90, 180, -64 }
  assert(cap:stats().constant.count == 360 * 26, tostring(cap:stats().constant.count))
  -- Across 180° it is one piece.
  local utm = raster.grid { crs = 32601, bounds = { 100000, 0, 300000, 200000 }, resolution = 1000 }
  local b = utm:reproject({ crs = 4326, resolution = 0.01 }).bounds
  assert(b[3] - b[1] < 2, ("%g %g"):format(b[1], b[3]))
  local west, _, east = table.unpack(utm:bounds_in(4326))
  assert(west > 179 and east < -178, ("%g %g"):format(west, east))
end)

-- An odd number of columns: centres lie on the meridian of 180°, where a box around the globe begins and ends.
local pole = raster.grid { crs = 3031, bounds = { -1505000, -1505000, 1505000, 1505000 }, resolution = 10000 }

test("areas in degrees follow parallels over a polar grid", function()
  local at = raster.coordinates(pole)
  -- A cap is a disc. Its radius is that of a point on its edge.
  local x, y = geometry.point(0, -80):to_crs(3031):position()
  local radius = math.sqrt(x * x + y * y)
  local function within(distance)
    local disc = (at.x:set_unit "" ^ 2 + at.y:set_unit "" ^ 2):rename "disc"
    return disc:mask(disc:lt(distance * distance)):stats().disc.count
  end
  -- The edge is followed to a hundredth of a pixel of 10 km.
  local least, most = within(radius - 100), within(radius + 1)
  local image = raster.constant(pole, 1)
  for _, cap in ipairs { geometry.bbox(-180, -90, 180, -80), geometry.polygon({ { -180, -90 }, { 180, -90 }, { 180, -80 }, { -180, -80 }, { -180, -90 } }) } do
    local zone = image:zonal(cap)[1]
    assert(zone.count >= least and zone.count <= most, zone.count)
    local part = image:clip(cap)
    assert(part:stats().constant.count == zone.count)
    assert(part.cols == 2 * math.ceil(radius / 10000 - 0.5) + 1)
  end
  -- A quarter of a ring between parallels: sectors of the disc.
  local ring = image:zonal(geometry.bbox(0, -85, 90, -80))[1].count
  local x85, y85 = geometry.point(0, -85):to_crs(3031):position()
  local area = math.pi / 4 * (radius ^ 2 - x85 ^ 2 - y85 ^ 2) / 1e8
  assert_close(ring, area, 0.01 * area)
end)

test("within follows parallels", function()
  local points = {}
  for lon = -180, 170, 10 do
    points[#points + 1] = geometry.point(lon, -80.001)
    points[#points + 1] = geometry.point(lon, -79.999)
  end
  local polar = geometry.features(points):to_crs(3031)
  assert(#polar:within(geometry.bbox(-180, -90, 180, -80)) == 36)
  assert(#polar:within({ -180, -90, 180, -80 }, { crs = 4326 }) == 36)
  assert(#polar:within({ 0, -85, 90, -80 }, { crs = 4326 }) >= 8)
end)

local utm = raster.grid { crs = 32632, origin = { 400000, 5200000 }, resolution = 30, rows = 200, cols = 300 }

test("sample interpolates between pixel centres", function()
  -- A plane: bilinear and cubic have no error, nearest has that of the centre.
  local at = raster.coordinates(utm)
  local plane = (at.x * 2 + at.y):rename "z"
  local points = { { 401234.5, 5197777.25 }, { 403000, 5198000 }, { x = 402999.9, y = 5194100, name = "b" } }
  for _, method in ipairs { "bilinear", "cubic" } do
    for i, row in ipairs(plane:sample(points, { resampling = method })) do
      assert_close(row.z, 2 * row.x + row.y, 1e-6)
      assert(i < 3 or row.name == "b")
    end
  end
  local function centre(v, origin) return origin + (math.floor((v - origin) / 30) + 0.5) * 30 end
  for _, row in ipairs(plane:sample(points)) do
    assert_close(row.z, 2 * centre(row.x, 400000) + centre(row.y, 5194000 + 0), 30)
    assert_close(row.z, 2 * centre(row.x, 400000) + 5200000 - (math.floor((5200000 - row.y) / 30) + 0.5) * 30, 1e-6)
  end
  -- Keys' kernel at a quarter of a pixel: −9/128, 111/128, 29/128, −3/128.
  local line = raster.from_table(raster.grid { rows = 1, cols = 4 }, { { 1, 2, 5, 3 } }, { name = "v" })
  local row = line:sample({ { 1.75, 0.5 } }, { resampling = "cubic" })[1]
  assert_close(row.v, (-9 * 1 + 111 * 2 + 29 * 5 - 3 * 3) / 128, 1e-6)
  assert_error(function() line:sample({ { 1, 0.5 } }, { resampling = "median" }) end, 'resampling must be "nearest" or "bilinear" or "cubic", got "median"')
  -- Across the seam of 0 to 360.
  local world = raster.coordinates(world(0, 1)).x:to_radians():cos():rename "wave"
  local seam = world:sample({ { 0, 0.5 }, { -0.25, 0.5 }, { 359.75, 0.5 } }, { resampling = "bilinear" })
  for _, row in ipairs(seam) do assert_close(row.wave, math.cos(math.rad(row.x)), 1e-4) end
end)

test("points outside are said to be, with the way out", function()
  local image = raster.coordinates(utm):rename("east", "north")
  local lon, lat = geometry.point(403000, 5198000, 32632):to_crs(4326):position()
  assert_error(function() image:sample { { lon, lat } } end, 'for degrees say { crs = "EPSG:4326" }')
  assert_error(function() image:sample { { lat, lon } } end, "for degrees say { " .. ("%.12f"):format(lon):sub(1, 8))
  assert_error(function() image:sample({ { lat, lon } }, { crs = 4326 }) end, "did you mean { " .. ("%.12f"):format(lon):sub(1, 8))
  assert_error(function() image:sample { { 0, 1 }, { 1, 0 } } end, "2 outside, the first { 0, 1 } of EPSG:32632")
  assert_error(function() image:sample { { 1 } } end, "points are { x, y }")
  local rows = image:sample { { 0, 0 }, { 403000, 5198000 } }
  assert(rows[1].x == 0 and rows[2].y == 5198000)
  assert_error(function() image:clip { 10, 46, 11, 47 } end, 'say { crs = "EPSG:4326" }')
  assert_error(function() image:clip { lon - 1, lat - 1, lon + 1, lat + 1 } end, 'for degrees say { crs = "EPSG:4326" }')
  assert_error(function() image:clip { lat - 1, lon - 1, lat + 1, lon + 1 } end, "longitude before latitude")
  local rows = image:sample(image:sample({ { x = 403000, y = 5198000, name = "a" } }):select { "name", "x", "y" })
  assert(rows[1].name == "a")
end)

test("a profile has distances on the ground", function()
  local image = raster.coordinates(utm):rename("east", "north")
  local rows = image:profile({ { 400100, 5199000 }, { 403100, 5199000 }, { 403100, 5196000 } }, { step = 100, resampling = "bilinear" })
  -- Scale of UTM here: 0.9996 on the central meridian, farther 0.9996 (1 + x² / 2R²), x = 98 km.
  local scale = 0.9996 * (1 + 98400 ^ 2 / (2 * 6371000 ^ 2))
  assert_close(rows[#rows].distance_m, 6000 / scale, 0.1)
  for i, row in ipairs(rows) do
    assert_close(row.east, row.x, 1e-6)
    assert_close(row.north, row.y, 1e-6)
    if i > 1 then
      local step = row.distance_m - rows[i - 1].distance_m
      assert(step > 90 and step <= 100.01, tostring(step))
    end
  end
  local line = geometry.line({ { 400100, 5199000 }, { 403100, 5199000 } }, 32632)
  assert(#image:profile(line) >= 100 and #image:profile(line:to_crs(4326)) >= 100)
  -- A degree of the equator is 111319.491 m on WGS 84.
  local world = raster.coordinates(world(-180, 1)):rename("lon", "lat")
  local rows = world:profile({ { 179, 0.25 }, { 181, 0.25 } }, { resampling = "bilinear", step = 20000 })
  assert_close(rows[#rows].distance_m, 2 * 111319.491, 10)
  assert_error(function() image:profile { { 0, 0 }, { 1, 1 } } end, "line must be { x, y }")
  assert_error(function() image:profile { { 0, 0 } } end, "at least 2")
end)

test("what runs in a circle is resampled as unit vectors", function()
  -- A ramp of phases: its mean over a pixel is that of its middle, wherever it wraps.
  local grid = raster.grid { crs = 32632, origin = { 400000, 5200000 }, resolution = 10, rows = 40, cols = 400 }
  local x = (raster.coordinates(grid).x - 400000) / 10
  local ramp = x * (2 * math.pi / 37)
  local phase = raster.atan2(ramp:sin(), ramp:cos()):rename "phase"
  local coarse = raster.grid { crs = 32632, origin = { 400000, 5200000 }, resolution = 40, rows = 10, cols = 100 }
  local middle = (raster.coordinates(coarse).x - 400000) / 10 * (2 * math.pi / 37)
  for _, method in ipairs { "average", "bilinear", "cubic" } do
    for _, image in ipairs { phase, phase:cyclic(-math.pi, math.pi), phase:clip(phase) } do
      local found = image:align(coarse, { resampling = method })
      -- The first and last pixels see the image's end.
      local apart = found:subtract(middle, { force = true })
      local off = raster.atan2(apart:sin(), apart:cos()):crop { col = 2, cols = 96 }
      local s = off:abs():stats()
      s = s[next(s)]
      assert(s.count == 960 and s.max < 1e-3, method .. " " .. s.max)
    end
  end
  local aspect = raster.from_table(raster.grid { rows = 1, cols = 2 }, { { 359, 3 } }, { name = "aspect" })
  assert_close(aspect:cyclic(0, 360):resample({ 2, 1 }, { resampling = "average" }):read():get(0, 0), 1, 1e-3)
  assert_close(aspect:resample({ 2, 1 }, { resampling = "average" }):read():get(0, 0), 181, 1e-3)
  assert_error(function() aspect:cyclic(0, 360):resample({ 2, 1 }, { resampling = "median" }) end, "values run in a circle")
  assert_error(function() aspect:cyclic(360, 0) end, "high must be a number above low")
end)

test("pictures of phases have no values between the two ends", function()
  local plot = require "plot"
  -- Columns of 3.1 and −3.1 in turn: one colour, light. Their mean, 0, is the darkest.
  local grid = raster.grid { crs = 32632, origin = { 400000, 5200000 }, resolution = 10, rows = 1500, cols = 1500 }
  local col = (raster.coordinates(grid).x:set_unit "" - 400000) / 10
  local phase = (col:floor() % 2 * 6.2 - 3.1):rename "phase"
  local colours = { min = -math.pi, max = math.pi, color_bar = false }
  local function darkest(image, colormap)
    colours.colormap = colormap
    plot.map(image, colours):write "phase.png"
    local picture = raster.open "phase.png"
    local part = picture:select(1):rename("red"):crop {
      row = picture.rows // 2 - 50,
      col = picture.cols // 2 - 50,
      rows = 100,
      cols = 100,
    }
    return part:stats().red.min
  end
  assert(darkest(phase, "twilight") > 200)
  assert(darkest(phase:cyclic(-math.pi, math.pi), { "white", "black", "white", "white" }) > 200)
  assert(darkest(phase, { "white", "black", "white", "red" }) < 100)
end)

test("boxes in degrees are drawn along parallels", function()
  local plot = require "plot"
  -- The cap beyond 80° S, filled: the centre of each side of the circle is in it, where chords between its vertices are not.
  local figure = plot.map(raster.constant(pole, 0), { color_bar = false })
  figure[1]:features(geometry.bbox(-180, -90, 180, -80), { color = "#ff0000", fill = "#ff0000" })
  figure:write "cap.png"
  local picture = raster.open "cap.png"
  local red = picture:select(1):rename "v" - picture:select(2):rename "v"
  local share = red:mask(red:gt(200)):stats()
  share = share[next(share)].count
  -- Of the panel, 3010 km wide and high: as large a part as the disc is of the square.
  local x, y = geometry.point(0, -80):to_crs(3031):position()
  local disc = math.pi * (x * x + y * y) / 3010000 ^ 2
  -- The panel takes most of the figure, at least its half and at most all.
  assert(share > 0.5 * disc * picture.rows * picture.cols and share < disc * picture.rows * picture.cols, tostring(share))
end)

test("pictures of what runs in a circle show all of it, in colours that do too", function()
  local plot = require "plot"
  local grid = raster.grid { rows = 30, cols = 40 }
  local ramp = raster.random(grid, { seed = 1 }) * 8
  local phase = raster.atan2(ramp:sin(), ramp:cos()):rename "phase"
  local said = { min = -math.pi, max = math.pi, colormap = "twilight" }
  assert(plot.map(phase):svg() == plot.map(phase, said):svg())
  assert(plot.map(phase):svg() ~= plot.map(phase, { percentiles = { 2, 98 }, colormap = "twilight" }):svg())
end)

-- Cells of 128 pixels, between whose corners positions are interpolated: bilinear values of an image of coordinates are its positions.
test("positions on a large grid are those of the projection to 0.02 of a pixel", function()
  local source = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 8192, cols = 8192 }
  local target = raster.grid { crs = "EPSG:32632", origin = { 974670, 5020570 }, resolution = 10, rows = 8192, cols = 8192 }
  local here = raster.coordinates(source)
  local moved = { east = here.x:rename "east":align(target, { resampling = "bilinear" }), north = here.y:rename "north":align(target, { resampling = "bilinear" }) }
  local points = {}
  for i = 1, 40 do
    -- Centres of pixels anywhere in a cell, 60 px and more inside the source.
    local row, col = 700 + (i * 1237) % 6600, 1200 + (i * 2741) % 6000
    points[i] = { 974670 + 10 * (col + 0.5), 5020570 - 10 * (row + 0.5) }
  end
  local east, north = moved.east:sample(points), moved.north:sample(points)
  for i, point in ipairs(points) do
    local x, y = geometry.point(point[1], point[2], 32632):to_crs(32633):position()
    assert(math.abs(east[i].east - x) < 0.2 and math.abs(north[i].north - y) < 0.2,
      ("(%g, %g): %g, %g against %g, %g"):format(point[1], point[2], east[i].east, north[i].north, x, y))
  end
end)
