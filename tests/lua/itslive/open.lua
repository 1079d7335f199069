-- Opening granules that are made here: which pass, what is said of the others, where they come to lie.
local raster, itslive, geometry, fs, tables = require "raster", require "itslive", require "geometry", require "fs", require "tables"
local catalog = require "catalog"

local made
local function granules()
  made = made or itslive.make_granules("granules", { count = 15, size = 24, gaps = 0.1 })
  return "granules"
end

local function write(path, change)
  local grid = raster.grid { crs = 3413, origin = { -171600, -2275200 }, resolution = 120, rows = 8, cols = 8 }
  local o = { vx = raster.constant(grid, 300), vy = raster.constant(grid, 400), fill = -32767, unit = "meter/year", names = { "vx", "vy", "v" } }
  for name, value in pairs(change or {}) do o[name] = value end
  o.v = o.v or (o.vx * o.vx + o.vy * o.vy):sqrt():clamp(0, 30000)
  local variables = {}
  for i, name in ipairs(o.names) do
    variables[i] = {
      name = name, image = o[({ "vx", "vy", "v" })[i]], dtype = "int16", fill = o.fill, attributes = { units = o.unit, error = 20.0 },
    }
  end
  return raster.write_netcdf(path, variables, { records = o.record })
end

local NAME = "LC08_L1TP_009011_20150101_20200918_02_T1_X_LC08_L1TP_009011_20150117_20200918_02_T1_G0120V02_P100.nc"

test("both versions and projections become one stack in order of time", function()
  local stack = itslive.open_granules(granules())
  local report = itslive.report(stack)
  assert(#stack == 15 and report.found == 15 and report.kept == 15 and #report.dropped == 0)
  assert(report.projections[1].crs == "EPSG:3413" and report.projections[1].count == 12 and report.projections[2].count == 3)
  local before, rows = "", {}
  for i = 1, #made do rows[made[i].file] = made[i] end
  for _, image in ipairs(stack) do
    local row = rows[image.name]
    assert(image.time >= before and image.grid:matches(stack.grid))
    before = image.time
    assert(image.version == row.version and image.source_crs == row.crs and image.date_dt == row.date_dt)
    assert(image.reference_time:sub(1, 10) == row.reference and image.secondary_time:sub(1, 10) == row.secondary)
    assert_close(image.error, row.error, 1e-3)
    assert_close(image.percent_valid, row.valid_percent, 1)
    assert(image.platform == "LC08" and table.concat(image.bands, " ") == "vx vy v v_error" and image.units.v == "m/yr")
    assert(image:stats().vx.count > 200)
  end
end)

test("velocities in all projections and versions are those of the known field", function()
  itslive.make_granules("calm", { count = 15, size = 60, gaps = 0, outliers = 0, noise = 0, amplitude = 0, trend = 0 })
  local stack = itslive.open_granules "calm"
  local truth = raster.open "calm/truth.tif":align(stack.grid)
  local inside = { row = 20, col = 20, rows = 30, cols = 30 }
  for _, image in ipairs(stack) do
    for name, unit in next, { vx = "ux", vy = "uy" } do
      local away = (image:select(name):set_unit "" - truth.speed:set_unit "" * truth[unit]:set_unit ""):crop(inside):stats()
      local stats = select(2, next(away))
      -- Rounded to whole metres a year, and between pixels of 120 or 240 m.
      local limit = image.version == 1 and 60 or image.source_crs ~= "EPSG:3413" and 20 or 0.51
      assert(math.abs(stats.mean) < limit / 4 and stats.std < limit, ("%s %s %g %g"):format(image.name, name, stats.mean, stats.std))
    end
  end
end)

test("projections other than the most common are left out where that is asked for", function()
  local stack = itslive.open_granules(granules(), { projections = "most_common" })
  local report = itslive.report(stack)
  assert(#stack == 12 and report.dropped[1].reason == "of another projection" and report.dropped[1].count == 3)
  assert(report.notes[1]:find("EPSG:32622 (3) are left out, those in EPSG:3413 (12) kept", 1, true), report.notes[1])
end)

test("filters take what they say, and say what they took", function()
  local function count(o)
    local stack = itslive.open_granules(granules(), o)
    local report = itslive.report(stack)
    local out = 0
    for _, entry in ipairs(report.dropped) do out = out + entry.count end
    assert(#stack + out == 15)
    return #stack
  end
  local function expected(keep)
    local n = 0
    for i = 1, #made do n = n + (keep(made[i]) and 1 or 0) end
    return n
  end
  granules()
  assert(count { max_separation = 16 } == expected(function(row) return row.date_dt <= 16 end))
  assert(count { min_separation = 32 } == expected(function(row) return row.date_dt >= 32 end))
  assert(count { satellites = "LC" } == 15 and count { satellites = { "S1", "LC08" } } == 15)
  assert(count { months = { 2, 3 } } == expected(function(row)
    local month = require "time".parts(require "time".add(row.reference, row.date_dt // 2)).month
    return month == 2 or month == 3
  end))
  assert(count { start = "2015-03", stop = "2015-05" } < 15)
  local worst = 40
  assert(count { max_error = worst } == expected(function(row) return row.error <= worst end))
  assert_error(function() itslive.open_granules(granules(), { satellites = "S2", max_separation = 20 }) end, "none of the 15 granules is left: 15 of other satellites")
  assert_error(function() itslive.open_granules(granules(), { start = "2016", stop = "2015" }) end, "stop %(2015%) is before start %(2016%)")
  assert_error(function() itslive.open_granules(granules(), { start = "soon" }) end, "start must be a date")
  assert_error(function() itslive.open_granules(granules(), { satelites = "S1" }) end, "did you mean `satellites`")
  local kept = itslive.open_granules(granules(), { interpolated = "drop" })
  local all = itslive.open_granules(granules())
  assert(kept[1]:stats().vx.count < all[1]:stats().vx.count and kept[1]:stats().vx.count > 0.9 * all[1]:stats().vx.count)
end)

test("folders, patterns, lists and single files are taken", function()
  granules()
  assert(#itslive.open_granules "granules/*V02_P*.nc" == 10)
  assert(#itslive.open_granules "**/*V01*" == 5)
  assert(#itslive.open_granules { "granules/" .. made[1].file, { path = "granules/" .. made[2].file } } == 2)
  assert(#itslive.open_granules("granules/" .. made[1].file) == 1)
  local items = {}
  for i = 1, 3 do
    items[i] = {
      type = "Feature", stac_version = "1.0.0", id = "g" .. i, links = {}, properties = { datetime = "2015-01-01T00:00:00Z" },
      assets = { data = { href = "granules/" .. made[i].file, roles = { "data" } } },
    }
  end
  assert(#itslive.open_granules(catalog.items(items)) == 3)
  fs.mkdir "nothing"
  assert_error(function() itslive.open_granules "nothing" end, "no granules %(%.nc%) in nothing")
  assert_error(function() itslive.open_granules "granules/X*.nc" end, "no granule %(%.nc%) fits")
  assert_error(function() itslive.open_granules {} end, "the list is empty")
  assert_error(function() itslive.open_granules { 5 } end, "source%[1%] must be a path")
  assert_error(function() itslive.open_granules "missing.nc" end, "missing.nc")
end)

test("granules of one pair are told", function()
  fs.mkdir "twice"
  write("twice/" .. NAME)
  write("twice/" .. NAME:gsub("20200918", "20230101"), { vx = raster.constant(raster.grid { crs = 3413, origin = { -171600, -2275200 }, resolution = 120, rows = 8, cols = 8 }, 310) })
  local stack = itslive.open_granules "twice"
  local report = itslive.report(stack)
  assert(#stack == 1 and report.dropped[1].reason == "doubled" and report.notes[1]:find "1 granule left out that is of the pair")
  assert(#itslive.open_granules("twice", { duplicates = "all" }) == 2)
  assert_error(function() itslive.open_granules("twice", { duplicates = "error" }) end, "are of the same pair")
end)

test("fill values that leaked are masked", function()
  local grid = raster.grid { crs = 3413, origin = { -171600, -2275200 }, resolution = 120, rows = 1, cols = 5 }
  fs.mkdir "leaked"
  write("leaked/" .. NAME, {
    vx = raster.from_table(grid, { { -32767, 300, 300, 32767, 300 } }), vy = raster.from_table(grid, { { 400, 400, -32767, 400, 400 } }),
    v = raster.from_table(grid, { { 500, 500, 500, 500, -5 } }), fill = -32768,
  })
  local image = itslive.open_granules("leaked")[1]
  local vx, vy, v = image.vx:read():totable()[1], image.vy:read():totable()[1], image.v:read():totable()[1]
  assert(vx[2] == 300 and vy[2] == 400 and v[2] == 500)
  for _, i in ipairs { 1, 3, 4 } do assert(vx[i] ~= vx[i] and vy[i] ~= vy[i] and v[i] ~= v[i], i) end
  assert(v[5] ~= v[5])
end)

test("a polygon cuts and masks, and says what lies beside it", function()
  local box = geometry.bbox(-49.305, 69.146, -49.29, 69.152)
  geometry.features({ { geometry = box, properties = {} } }):write "box.geojson"
  local whole = itslive.open_granules(granules())
  local stack = itslive.open_granules(granules(), { polygon = "box.geojson" })
  assert(#stack == 15 and stack.grid.rows * stack.grid.cols < whole.grid.rows * whole.grid.cols / 4)
  assert((stack[1].vx - whole[1].vx:align(stack.grid)):stats().vx.max == 0)
  fs.mkdir "far"
  fs.copy("granules/" .. made[1].file, "far/" .. made[1].file)
  write("far/" .. NAME:gsub("009011", "080011"), {
    vx = raster.constant(raster.grid { crs = 3413, origin = { 0, -1200000 }, resolution = 120, rows = 8, cols = 8 }, 1),
    vy = raster.constant(raster.grid { crs = 3413, origin = { 0, -1200000 }, resolution = 120, rows = 8, cols = 8 }, 1),
  })
  local near = itslive.open_granules("far", { polygon = box })
  local report = itslive.report(near)
  assert(#near == 1 and report.dropped[1].reason == "beside the polygon" and report.dropped[1].count == 1)
  assert_error(function() itslive.open_granules(granules(), { polygon = geometry.bbox(10, 60, 11, 61) }) end,
    "15 beside the polygon; the polygon lies in 10.000, 60.000, 11.000, 61.000, the granules in %-49")
  local least = itslive.open_granules(granules(), { polygon = box, valid_percent = 95 })
  local dropped = itslive.report(least)
  for image in least:each() do
    assert(image.percent_valid >= 95)
  end
  assert(#least + (dropped.dropped[1] and dropped.dropped[1].count or 0) == 15)
end)

test("what is no granule, or damaged, or in other units, is said", function()
  granules()
  fs.mkdir "bad"
  fs.copy("granules/" .. made[1].file, "bad/" .. made[1].file)
  local bytes = fs.read("granules/" .. made[2].file)
  fs.write("bad/" .. made[2].file, bytes:sub(1, #bytes // 2))
  assert_error(function() itslive.open_granules "bad" end, made[2].file:gsub("%p", "%%%0"))
  local stack = itslive.open_granules("bad", { unreadable = "skip" })
  local report = itslive.report(stack)
  assert(#stack == 1 and report.dropped[1].reason == "unreadable" and report.notes[1]:find(made[2].file, 1, true), report.notes[1])
  write("other.nc", { names = { "u", "w", "t" } })
  assert_error(function() itslive.open_granules { "other.nc" } end, "other.nc is no granule of ITS_LIVE: it has no vx and vy; its images are u, w, t")
  fs.mkdir "days"
  write("days/" .. NAME, { unit = "m/day" })
  assert_error(function() itslive.open_granules "days" end, "vx in days/.* is in m/day; ITS_LIVE has metres a year")
  write("nameless.nc")
  assert_error(function() itslive.open_granules { "nameless.nc" } end, "tells when its images were taken")
end)

test("a granule without a name of the archive is known by its record", function()
  write("own.nc", { record = { { name = "img_pair_info", attributes = {
    acquisition_date_img1 = "20150117T15:12:10.5", acquisition_date_img2 = "20150101T15:12:10", mission_img1 = "S", satellite_img1 = "1A",
    mission_img2 = "S", satellite_img2 = "1B", roi_valid_percentage = 80.0,
  } } } })
  local image = itslive.open_granules("own.nc")[1]
  assert(image.reference_time == "2015-01-01T15:12:10Z" and image.time:sub(1, 13) == "2015-01-09T15" and image.platform == "S1A,S1B")
  assert_close(image.date_dt, 16, 1e-3)
end)

test("the truth of the granules is what they hold", function()
  local few = tables.read_csv(granules() .. "/granules.csv")
  assert(#few == 15 and few[5].crs == "EPSG:32622" and few[3].version == 1)
  local truth = raster.open(granules() .. "/truth.tif")
  assert_close((truth.ux ^ 2 + truth.uy ^ 2):stats().ux.min, 1, 1e-5)
end)
