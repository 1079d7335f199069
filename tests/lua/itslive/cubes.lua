-- Cubes in the archive's layout (nasa-jpl/its_live_production, itscube.py): int16 without a fill value but `missing_value`, chunks that are longer than the
-- axis of time, times and satellites of layers beside them.
local raster, itslive, fs, json, geometry = require "raster", require "itslive", require "fs", require "json", require "geometry"

local NONE = json.null

local function array(path, name, dtype, shape, chunks, axes, said, bytes)
  local folder = path .. "/" .. name
  fs.mkdir(folder)
  fs.write(folder .. "/.zarray", json.encode {
    zarr_format = 2, shape = shape, chunks = chunks, dtype = dtype, compressor = NONE, fill_value = NONE, order = "C", filters = NONE,
  })
  said._ARRAY_DIMENSIONS = axes
  fs.write(folder .. "/.zattrs", json.encode(said))
  if bytes then fs.write(folder .. "/" .. ("0" .. (".0"):rep(#shape - 1)), bytes) end
end

-- Filled up to a whole chunk.
local function packed(format, values, count)
  local parts = {}
  for i = 1, count do parts[i] = string.pack("<" .. format, values[i] or 0) end
  return table.concat(parts)
end

local function words(values, length, count)
  local parts = {}
  for i = 1, count do
    local word = values[i] or ""
    for k = 1, length do parts[#parts + 1] = string.pack("<I4", word:byte(k) or 0) end
  end
  return table.concat(parts)
end

local SIZE, LONG = 4, 8

-- A cube of SIZE² pixels of 120 m from (left, top), of layers { first, last (days since 1970), satellite, error, vx = function(row, col) }.
local function cube(path, left, top, layers, epsg)
  fs.write(fs.mkdir(path) and path .. "/.zgroup" or path .. "/.zgroup", '{"zarr_format": 2}')
  local n = #layers
  local mids, spans, firsts, lasts, satellites, missions, errors = {}, {}, {}, {}, {}, {}, {}
  local vx, vy = {}, {}
  for i, layer in ipairs(layers) do
    firsts[i], lasts[i], mids[i], spans[i] = layer[1], layer[2], (layer[1] + layer[2]) / 2, layer[2] - layer[1]
    satellites[i], missions[i], errors[i] = layer[3], layer[3]:match "^%d$" and "L" or "S", layer[4]
    for r = 0, SIZE - 1 do
      for c = 0, SIZE - 1 do
        vx[#vx + 1], vy[#vy + 1] = layer.vx(r, c), -30
      end
    end
  end
  local axes, whole = { "mid_date", "y", "x" }, LONG * SIZE * SIZE
  local said = function() return { missing_value = -32767, units = "meter/year", grid_mapping = "mapping" } end
  array(path, "vx", "<i2", { n, SIZE, SIZE }, { LONG, SIZE, SIZE }, axes, said(), packed("i2", vx, whole))
  array(path, "vy", "<i2", { n, SIZE, SIZE }, { LONG, SIZE, SIZE }, axes, said(), packed("i2", vy, whole))
  local days = function() return { units = "days since 1970-01-01", calendar = "proleptic_gregorian" } end
  array(path, "mid_date", "<f8", { n }, { LONG }, { "mid_date" }, days(), packed("d", mids, LONG))
  array(path, "acquisition_date_img1", "<f8", { n }, { LONG }, { "mid_date" }, days(), packed("d", firsts, LONG))
  array(path, "acquisition_date_img2", "<f8", { n }, { LONG }, { "mid_date" }, days(), packed("d", lasts, LONG))
  array(path, "date_dt", "<f8", { n }, { LONG }, { "mid_date" }, { units = "days" }, packed("d", spans, LONG))
  array(path, "vx_error", "<f4", { n }, { LONG }, { "mid_date" }, { units = "meter/year" }, packed("f", errors, LONG))
  array(path, "vy_error", "<f4", { n }, { LONG }, { "mid_date" }, { units = "meter/year" }, packed("f", errors, LONG))
  for i = 1, 2 do
    array(path, "satellite_img" .. i, "<U2", { n }, { LONG }, { "mid_date" }, {}, words(satellites, 2, LONG))
    array(path, "mission_img" .. i, "<U1", { n }, { LONG }, { "mid_date" }, {}, words(missions, 1, LONG))
  end
  local x, y = {}, {}
  for i = 1, SIZE do x[i], y[i] = left + 120 * i - 60, top - 120 * i + 60 end
  array(path, "x", "<f8", { SIZE }, { LONG }, { "x" }, {}, packed("d", x, LONG))
  array(path, "y", "<f8", { SIZE }, { LONG }, { "y" }, {}, packed("d", y, LONG))
  -- Of no axes: an empty list.
  fs.mkdir(path .. "/mapping")
  fs.write(path .. "/mapping/.zarray", '{"zarr_format":2,"shape":[],"chunks":[],"dtype":"<U1","compressor":null,"fill_value":null,"order":"C","filters":null}')
  fs.write(path .. "/mapping/.zattrs", json.encode { spatial_epsg = epsg or 3413, grid_mapping_name = "polar_stereographic" })
  return path
end

local LEFT, TOP = -180000, -2280000

-- 2015-01-01 is day 16436.
local function layer(first, last, satellite, err, speed)
  return { first, last, satellite, err, vx = function(r, c) return r == 0 and c == 0 and -32767 or speed + 10 * c end }
end

local function two()
  cube("west.zarr", LEFT, TOP, { layer(16436, 16452, "8", 5, 100), layer(16500, 16512, "1A", 2, 120), layer(16900, 17000, "8", 9, 140) })
  cube("east.zarr", LEFT + 120 * SIZE, TOP, { layer(16500, 16512, "1A", 2, 500), layer(16436, 16442, "8", 5, 600) })
end

test("the layers of a cube are images like those of granules", function()
  two()
  local stack = itslive.open_cubes "west.zarr"
  assert(#stack == 3 and table.concat(stack.bands, " ") == "vx vy v v_error")
  local first = stack[1]
  assert(first.time == "2015-01-09" and first.date_dt == 16 and first.platform == "L08" and first.name == "west.zarr[1]", first.time)
  assert(first.reference_time == "2015-01-01T00:00:00Z" and first.secondary_time == "2015-01-17T00:00:00Z")
  assert(stack[2].platform == "S1A" and first.grid.crs:find "3413" and first.units.vx == "m/yr")
  local array = first
  assert(array:select("vx"):read():get(1, 2) == 120 and array:select("vy"):read():get(1, 2) == -30 and array:select("v_error"):read():get(1, 2) == 5)
  assert(math.abs(array:select("v"):read():get(1, 2) - math.sqrt(120 ^ 2 + 30 ^ 2)) < 1e-4)
  local none = array:select("vx"):read():get(0, 0)
  assert(none ~= none)
  local report = itslive.report(stack)
  assert(report.found == 3 and report.kept == 3)
  -- What takes granules takes them.
  local years = itslive.yearly(stack, { weight = "none", time = "mid_date" })
  assert(#years == 2 and years[1].granules == 2 and years[1]:select("vx"):read():get(2, 1) == 120)
end)

test("pairs of several cubes are joined, others stay", function()
  two()
  local stack = itslive.open_cubes { "west.zarr", "east.zarr" }
  -- One pair in both, two in the one, one in the other.
  assert(#stack == 4 and stack.grid.cols == 2 * SIZE and stack.grid.rows == SIZE)
  local both = stack:filter(function(image) return image.platform == "S1A" end)
  assert(#both == 1)
  local row = both[1]
  assert(row:select("vx"):read():get(1, 3) == 150 and row:select("vx"):read():get(1, 4) == 500)
  local alone = stack:filter(function(image) return image.date_dt == 6 end)[1]
  local west = alone:select("vx"):read():get(1, 0)
  assert(west ~= west and alone:select("vx"):read():get(1, 5) == 610)
  -- Two of the same days and satellite in one cube are two pairs.
  cube("doubled.zarr", LEFT + 120 * SIZE, TOP, { layer(16500, 16512, "1A", 2, 500), layer(16500, 16512, "1A", 3, 510) })
  assert(#itslive.open_cubes { "west.zarr", "doubled.zarr" } == 5)
end)

test("filters go by what the cube says of its layers", function()
  two()
  local function count(options) return #itslive.open_cubes("west.zarr", options) end
  assert(count { satellites = "S1" } == 1 and count { max_separation = 16 } == 2 and count { min_separation = 50 } == 1)
  assert(count { start = "2016" } == 1 and count { stop = "2015-01" } == 1 and count { months = 1 } == 1 and count { max_error = 4 } == 1)
  assert_error(function() count { min_separation = 500 } end, "itslive.open_cubes: none of the 3 granules is left: 3 of a shorter separation")
  assert_error(function() count { start = "2016", stop = "2015" } end, "itslive.open_cubes: stop %(2015%) is before start")
end)

-- The catalogue in the archive's form, of both cubes.
local function catalogue()
  local features = {}
  for i, name in ipairs { "west.zarr", "east.zarr" } do
    local x = LEFT + (i - 1) * 120 * SIZE
    local right, bottom = x + 120 * SIZE, TOP - 120 * SIZE
    features[i] = { properties = {
      zarr_url = name, epsg = 3413,
      geometry_epsg = { type = "Polygon", coordinates = { { { x, bottom }, { right, bottom }, { right, TOP }, { x, TOP }, { x, bottom } } } },
    } }
  end
  fs.write("cubes.json", json.encode { features = features })
  return "cubes.json"
end

test("cubes are found at places and in areas, which clip them", function()
  two()
  local at = geometry.point(LEFT + 60, TOP - 60, 3413):to_crs "EPSG:4326"
  local lon, lat = at:position()
  local stack = itslive.open_cubes({ lon, lat }, { catalogue = catalogue() })
  assert(#stack == 3 and stack.grid.cols == SIZE)
  -- The two columns on either side of where the cubes meet.
  local middle = LEFT + 120 * SIZE
  local area = geometry.bbox(middle - 240, TOP - 360, middle + 240, TOP - 120, 3413)
  local clipped = itslive.open_cubes(area, { catalogue = catalogue() })
  assert(#clipped == 4 and clipped.grid.cols == 4 and clipped.grid.rows == 2, clipped.grid.cols)
  assert(clipped:filter(function(image) return image.platform == "S1A" end)[1]:select("vx"):read():get(0, 2) == 500)
  assert_error(function() itslive.open_cubes({ 20, 10 }, { catalogue = catalogue() }) end, "no cube at 20, 10")
end)

test("what is no cube is said", function()
  two()
  assert_error(function() itslive.open_cubes(7) end, "source must be the path or address of a cube")
  assert_error(function() itslive.open_cubes { "west.zarr", 7 } end, "source%[2%] must be the path")
  assert_error(function() itslive.open_cubes "nowhere.zarr" end, "nowhere.zarr")
  raster.stack({ raster.constant(raster.grid { crs = 3413, origin = { 0, 0 }, resolution = 120, rows = 2, cols = 2 }, 1):set_time "2020-01-01" }):write "other.zarr"
  assert_error(function() itslive.open_cubes "other.zarr" end, "other.zarr is no cube of ITS_LIVE: it has no vx and vy over time")
  fs.write("west.zarr/vx/.zattrs", json.encode { units = "m/day", _ARRAY_DIMENSIONS = { "mid_date", "y", "x" } })
  assert_error(function() itslive.open_cubes "west.zarr" end, "vx in west.zarr is in m/day; ITS_LIVE has metres a year")
end)
