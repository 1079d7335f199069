local raster, filter, s1 = require "raster", require "filter", require "sentinel1"

local function grid(x, y, rows, cols)
  return raster.grid { crs = "EPSG:32633", origin = { x or 500000, y or 5000000 }, resolution = 10, rows = rows or 4, cols = cols or 4 }
end
local function band(name, value, unit, on)
  return raster.constant(on or grid(), value):rename(name):set_unit(unit or "power")
end
local function value(image)
  local stats = image:stats()[image.bands[1]]
  assert(stats.count > 0 and stats.min == stats.max)
  return stats.mean
end

test("the four quantities, from power and from decibels", function()
  local power = raster.bands(band("VV", 0.1), band("VH", 0.025))
  for _, image in ipairs { power, power:to_db() } do
    local db = s1.ratio(image)
    assert(db.bands[1] == "VVdVH_dB" and db.units.VVdVH_dB == "dB")
    assert_close(value(db), 10 * math.log(4, 10), 1e-5)
    local ratio = s1.ratio(image, { quantity = "ratio" })
    assert(ratio.bands[1] == "VVdVH" and ratio.units.VVdVH == "1")
    assert_close(value(ratio), 4, 1e-5)
    local difference = s1.ratio(image, { quantity = "difference" })
    assert(difference.bands[1] == "VVminVH" and difference.units.VVminVH == "power")
    assert_close(value(difference), 0.075, 1e-7)
    local notebook = s1.ratio(image, { quantity = "notebook" })
    assert(notebook.bands[1] == "VVdVH" and notebook.units.VVdVH == "1")
    assert_close(value(notebook), -10 / (10 * math.log(0.025, 10)), 1e-6)
  end
  local other = raster.bands(band("HH", 0.1), band("HV", 0.025))
  assert_close(value(s1.ratio(other, { bands = { "HH", "HV" } })), 10 * math.log(4, 10), 1e-5)
end)

test("a ratio of unknown numbers is refused", function()
  local image = raster.bands(band("VV", 0.1, ""), band("VH", 0.025, ""))
  assert_error(function() s1.ratio(image) end, "functions%.lua:%d+: sentinel1%.ratio: band VV is in no known unit, not in power, amplitude or dB")
  assert_error(function() s1.ratio(image, { quantity = "rato" }) end, "quantity must be \"ratio_db\" or .* got \"rato\"")
  assert_error(function() s1.ratio(band("VV", 1)) end, "no band `VH`")
end)

test("angles are kept between the limits, both excluded", function()
  local g = grid(nil, nil, 1, 5)
  local angle = raster.from_table(g, { { 30, 30.5, 40, 45.5, false } }, { name = "angle", unit = "deg" })
  local masked = s1.mask_angle(raster.bands(band("VV", 1, "power", g), angle), 30.5, 45.5)
  local row = masked.VV:read():totable()[1]
  for col = 1, 5 do assert((row[col] == row[col]) == (col == 3), col) end
  assert_error(function() s1.mask_angle(band("VV", 1), 30, 45) end, "mask_angle: the image has no band `angle`; it has: VV")
end)

test("speckle filters take power and decibels", function()
  local g = grid(nil, nil, 30, 30)
  local power = raster.random(g, { distribution = "speckle", looks = 4.4, seed = 7 }):rename("VV"):set_unit "power"
  local function largest_difference(a, b)
    local stats = (a - b):abs():stats()
    return stats[a.bands[1]].max
  end
  local focal = s1.despeckle(power, { radius = 30 })
  assert(largest_difference(focal, filter.focal_median(power, { radius = 3 })) == 0)
  -- An odd number of pixels has one in the middle, in decibels too; at the borders the disk may hold an even number.
  local inside = { row = 3, col = 3, rows = 24, cols = 24 }
  local db = s1.despeckle(power:to_db(), { radius = 30 })
  assert(largest_difference(db:crop(inside), focal:to_db():crop(inside)) < 1e-5)
  local lee = s1.despeckle(power:to_db(), { method = "refined_lee" })
  assert(lee.units.VV == "dB")
  assert(largest_difference(lee, filter.refined_lee(power):to_db()) < 2e-4)
  assert(s1.despeckle(power, { method = "none" }):stats().VV.std == power:stats().VV.std)
  assert_error(function() s1.despeckle(power, { method = "median" }) end, "method must be \"focal\" or \"refined_lee\" or \"none\"")
end)

-- Three bursts of one pass, and one of the next.
local function bursts()
  local list = {}
  for i, spec in ipairs { { 0, "01" }, { -20, "04" }, { -60, "07" } } do
    list[i] = band("VV", i, "power", grid(500000, 5000000 + spec[1])):set_time("2023-01-05T05:26:" .. spec[2] .. "Z")
      :set("relative_orbit", 117):set("platform", "S1A"):set("burst", "b" .. i)
  end
  list[4] = band("VV", 9):set_time("2023-01-17T05:26:01Z"):set("relative_orbit", 117):set("platform", "S1A"):set("burst", "b1")
  return list
end

test("bursts of a pass become one image, and passes stay apart", function()
  local passes = s1.mosaic_passes(raster.stack(bursts()))
  assert(#passes == 2 and passes[1].rows == 10 and passes[2].rows == 10)
  local column = {}
  for r, row in ipairs(passes[1]:read():totable()) do column[r] = row[1] end
  assert(table.concat(column, " "):gsub("%.0", "") == "1 1 1 1 2 2 3 3 3 3")
  assert(passes[1].time == "2023-01-05T05:26:01Z" and passes[1].properties.burst == "b1 b2 b3")
  assert(passes[2].properties.burst == "b1")
  local last = s1.mosaic_passes(raster.stack(bursts()), { method = "last" })
  assert(last[1]:read():get(2, 0) == 2)
end)

test("other pixels are an error that names the way out", function()
  local list = bursts()
  list[2] = band("VV", 2, "power", grid(500003, 4999980)):set_time("2023-01-05T05:26:04Z")
    :set("name", "second"):set("relative_orbit", 117)
  assert_error(function() s1.mosaic_passes(raster.stack(list)) end,
    "mosaic_passes: the first image and second do not share their pixels: .*500003.*give a { grid = raster.grid")
  assert_error(function() s1.tracks(raster.stack(list)) end, "sentinel1%.tracks: .*do not share their pixels.*scale = …")
end)

test("tracks are sorted by orbit, or by burst", function()
  local list = bursts()
  list[5] = band("VV", 5):set_time("2023-01-06T05:26:01Z"):set("relative_orbit", 58):set("burst", "c1")
  local stack = raster.stack(list)
  local tracks = s1.tracks(stack)
  assert(#tracks == 2 and tracks[1].label == "T058" and #tracks[1].stack == 1 and tracks[2].label == "T117" and #tracks[2].stack == 2)
  local each = s1.tracks(stack, { bursts = "each" })
  local labels = {}
  for i, track in ipairs(each) do labels[i] = track.label .. ":" .. #track.stack end
  assert(table.concat(labels, " ") == "b1:2 b2:1 b3:1 c1:1", table.concat(labels, " "))
  local summary = s1.summary(stack)
  assert(#summary == 4 and summary[1].orbit == 117 and summary[1].images == 2 and summary[1].last == "2023-01-17")
end)

test("another scale is an average of powers, whatever the unit", function()
  local g = grid(nil, nil, 2, 2)
  local power = raster.from_table(g, { { 1, 1 }, { 1, 0.01 } }, { name = "VV", unit = "power" }):set_time "2023-01-05"
  for _, image in ipairs { power, power:to_db() } do
    local track = s1.tracks(raster.stack { image }, { scale = 20, resampling = "average" })[1]
    assert(track.stack[1].rows == 1 and track.stack[1].units.VV == "power")
    assert_close(value(track.stack[1]), 3.01 / 4, 1e-6)
  end
end)

test("bounds and CRS make the grid", function()
  local image = band("VV", 1, "power", grid(500000, 5000000, 400, 400)):set_time "2023-01-05"
  local own = image.grid:bounds_in "EPSG:4326"
  local middle = { own[1] + 0.01, own[2] + 0.01, own[1] + 0.02, own[2] + 0.02 }
  local part = s1.tracks(raster.stack { image }, { bounds = middle })[1].stack[1]
  assert(part.grid.resolution[1] == 10 and part.crs == "EPSG:32633" and part.rows < 130 and part.rows > 100, tostring(part.grid))
  local geographic = s1.tracks(raster.stack { image }, { crs = "EPSG:4326", scale = 0.0002, bounds = middle })[1].stack[1]
  assert(geographic.crs == "EPSG:4326" and geographic.cols == 50 or geographic.cols == 51, geographic.cols)
  -- Its own CRS asks for nothing.
  local same = s1.tracks(raster.stack { image }, { crs = "EPSG:32633" })[1].stack[1]
  assert(same.grid == image.grid)
end)
