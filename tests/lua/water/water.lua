local raster, filter, water = require "raster", require "filter", require "water"

local SIZE = 400
local grid = raster.grid { crs = 32615, origin = { 500000, 3400000 }, resolution = 10, rows = SIZE, cols = SIZE }

-- A lake and a river on land; the rest of the scene is land of two kinds.
local function scene(looks, seed)
  local c = raster.coordinates(grid)
  local col, row = (c.x - 500000) / 10, (3400000 - c.y) / 10
  local lake = ((col - 120) * (col - 120) + (row - 140) * (row - 140)):lt(50 * 50)
  local river = (col - 300 - 20 * (row / 40):sin()):abs():lt(6)
  local truth = (lake | river):rename "water"
  local land = raster.where(row:gt(250), 0.12, 0.08)
  local speckle = raster.random(grid, { distribution = "speckle", looks = looks, seed = seed })
  return (raster.where(truth, 0.006, land) * speckle):rename("VV"):set_unit "power", truth, col, row
end

local function iou(map, truth)
  local function count(mask) return mask:cast("float32"):rename("n"):stats().n.mean end
  return count(map:eq(1) & truth) / count(map:eq(1) | truth)
end

test("the chain finds a lake and a river in speckle", function()
  local vv, truth = scene(4.4, 1)
  for _, method in ipairs { "minimum_error", "otsu", "expectation_maximization" } do
    local map = water.classify(vv, { method = method, tile = 80 })
    -- Between water, −22.2 dB, and land, −11 or −9.2 dB.
    assert(map.threshold_dB_VV > -21.5 and map.threshold_dB_VV < -12, method .. map.threshold_dB_VV)
    assert(map.tiles_VV >= 1 and map.units.water == "class" and map.dtypes.water == "uint8")
    assert(iou(map, truth) > 0.93, method .. " " .. iou(map, truth))
  end
end)

test("power, amplitude and dB give the same map", function()
  local vv = scene(10, 2)
  local by_power = water.classify(vv, { tile = 80 })
  local by_db = water.classify(vv:to_db(), { tile = 80 })
  assert_close(by_power.threshold_dB_VV, by_db.threshold_dB_VV, 0.05)
  assert(iou(by_power, by_db:eq(1)) > 0.999)
  assert_error(function() water.classify(vv:set_unit "m", { tile = 80 }) end, "power")
end)

test("tiles are those of a plain loop", function()
  local vv = scene(4.4, 3)
  local power = vv:read():totable()
  local size, all = 50, {}
  local function mean(row, col, side)
    local sum = 0
    for i = row + 1, row + side do
      for j = col + 1, col + side do sum = sum + power[i][j] end
    end
    return sum / (side * side)
  end
  for i = 0, SIZE // size - 1 do
    for j = 0, SIZE // size - 1 do
      local parts = {}
      for k = 0, 3 do parts[k + 1] = mean(i * size + k // 2 * size // 2, j * size + k % 2 * size // 2, size // 2) end
      local m = (parts[1] + parts[2] + parts[3] + parts[4]) / 4
      local v = 0
      for k = 1, 4 do v = v + (parts[k] - m) ^ 2 / 4 end
      all[#all + 1] = { row = i * size, col = j * size, mean = m, std = math.sqrt(v), variation = math.sqrt(v) / m }
    end
  end
  local function ranked(name, p)
    local values = {}
    for i, tile in ipairs(all) do values[i] = tile[name] end
    table.sort(values)
    local rank = p / 100 * (#values - 1)
    local low = math.floor(rank)
    return values[low + 1] + (rank - low) * (values[math.min(low + 2, #values)] - values[low + 1])
  end
  local dark, chosen, p = ranked("mean", 50), {}, 95
  repeat
    chosen = {}
    for _, tile in ipairs(all) do
      if tile.mean < dark and tile.variation > ranked("variation", p) then chosen[#chosen + 1] = tile end
    end
    p = p - 5
  until #chosen >= 5 or p < 5
  table.sort(chosen, function(a, b) return a.std > b.std end)
  local found = water.tiles(vv, { tile = size })
  assert(#found == 5)
  for i = 1, 5 do
    assert(found[i].row == chosen[i].row and found[i].col == chosen[i].col, i)
    assert_close(found[i].variation, chosen[i].variation, 1e-4)
  end
end)

test("high and steep ground is no water", function()
  local vv, truth, col = scene(4.4, 4)
  local hand = raster.where(col:lt(200), 0, 40):rename("HAND"):set_unit "m"
  local map = water.classify(vv, { tile = 80, hand = hand })
  assert(iou(map, truth & col:lt(200)) > 0.93)
  local slope = raster.where(col:lt(200), 30, 0):rename("slope"):set_unit "deg"
  assert(iou(water.classify(vv, { tile = 80, slope = slope }), truth & col:ge(200)) > 0.85)
  -- Where a mask is not known it takes nothing off.
  assert(iou(water.classify(vv, { tile = 80, hand = hand:mask(col:lt(200)) }), truth) > 0.93)
end)

test("a slope in degrees, in metres and in longitude and latitude", function()
  local c = raster.coordinates(grid)
  local plane = ((c.x - 500000) * 0.3 + (c.y - 3400000) * 0.4):rename "DEM":set_unit "m"
  local stats = water.slope(plane):stats().slope
  assert(stats.count == (SIZE - 2) ^ 2)
  assert_close(stats.mean, math.deg(math.atan(0.5)), 1e-2)
  -- pyproj.Geod(ellps="WGS84"): at 60° N one degree of longitude is 55800.0 m, one of latitude 111412.3 m.
  local north = raster.grid { crs = 4326, origin = { 10, 60.005 }, resolution = 0.001, rows = 10, cols = 10 }
  local d = raster.coordinates(north)
  assert_close(water.slope((d.x - 10) * 55800):read():get(5, 5), 45, 0.02)
  assert_close(water.slope((d.y - 60) * 111412.3):read():get(5, 5), 45, 0.02)
end)

test("an image without two classes is an error with the way out", function()
  local speckle = raster.random(grid, { distribution = "speckle", looks = 4.4 }) * 0.1
  local land = speckle:rename("VV"):set_unit "power"
  assert_error(function() water.classify(land) end, "water%.threshold: VV does not show two classes: none of %d+ tiles has a threshold")
  local map = water.classify(land, { threshold = -18 })
  assert(map.threshold_dB_VV == -18 and iou(map, land:lt(0)) ~= 1)
  assert_error(function() water.classify(land, { bands = { "VH" } }) end, "VH")
  assert_error(function() water.classify(land:rename "power") end, "none of the bands VH, VV, HV, HH but power; say which")
  assert_error(function() water.tiles(land, { tile = 500 }) end, "holds no tile of 500; take a smaller")
  assert_error(function() water.classify(land, { tile = 51 }) end, "tile must be .*even")
end)

test("growth is that of a plain search in breadth", function()
  local small = raster.grid { rows = 60, cols = 50 }
  local db = (raster.random(small, { distribution = "smooth", scale = 8, octaves = 3, seed = 3 }) * 14 - 24):rename("VV"):set_unit "dB"
  db = db:mask(raster.random(small, { seed = 4 }):gt(0.05))
  local values = db:read():totable()
  local T, GROWTH, REACH = -19, 3, 4
  local expected = {}
  for i = 1, 60 do
    expected[i] = {}
    for j = 1, 50 do expected[i][j] = values[i][j] < T and 0 or nil end
  end
  for step = 1, REACH do
    for i = 1, 60 do
      for j = 1, 50 do
        if not expected[i][j] and values[i][j] < T + GROWTH then
          for k = math.max(1, i - 1), math.min(60, i + 1) do
            for l = math.max(1, j - 1), math.min(50, j + 1) do
              if expected[k][l] and expected[k][l] < step then expected[i][j] = step end
            end
          end
        end
      end
    end
  end
  local found = water.classify(db, { threshold = T, growth = GROWTH, reach = REACH, denoise = false }):cast("float32"):read():totable()
  local grown = 0
  for i = 1, 60 do
    for j = 1, 50 do
      local v = values[i][j]
      if v == v then
        assert((found[i][j] == 1) == (expected[i][j] ~= nil), i .. " " .. j)
        if expected[i][j] and expected[i][j] > 0 then grown = grown + 1 end
      else
        assert(found[i][j] ~= found[i][j])
      end
    end
  end
  assert(grown > 50)
end)

test("denoising is that of the scene as a whole, in dB", function()
  local vv = scene(4.4, 5)
  local by_hand = filter.tv_bregman(raster.min(raster.max(vv, 1e-5), 1):set_unit("power"):to_db(), { weight = 0.35 })
  assert((water.denoise(vv) - by_hand):abs():rename("d"):stats().d.max < 1e-4)
end)

test("one class is not parted, however it varies", function()
  local c = raster.coordinates(grid)
  local col = (c.x - 500000) / 10
  local speckle = raster.random(grid, { distribution = "speckle", looks = 4.4, seed = 11 })
  local waves = raster.random(grid, { distribution = "smooth", scale = 60, octaves = 2, seed = 12 })
  local hills = raster.random(grid, { distribution = "smooth", scale = 15, octaves = 4, seed = 13 })
  for name, power in pairs {
    -- Darker from near to far range, as a rough sea is; land with hills.
    range = 10 ^ (-1.4 - 0.8 * col / SIZE), land = 10 ^ (-1.2 + 0.4 * hills), flat = raster.constant(grid, 0.004),
  } do
    local vv = (power * speckle):rename("VV"):set_unit "power"
    -- The other methods part whatever they are given.
    for _, method in ipairs { "minimum_error" } do
      assert_error(function() error(tostring(water.classify(vv, { method = method, tile = 80 }).threshold_dB_VV) .. name .. method) end, "does not show two classes")
    end
  end
  -- Calm and rough water may part in a tile: with a lower separation than water and land have.
  local wind = (10 ^ (-2.2 + 0.5 * waves) * speckle):rename("VV"):set_unit "power"
  local found, tiles = water.threshold(wind, water.denoise(wind), { tile = 80 })
  local used = tiles:filter(function(row) return row.status == "used" end)
  assert(#used == 1 and used[1].separation > 2 and used[1].separation < 4 and found == used[1].threshold_dB)
  assert_error(function() water.threshold(wind, water.denoise(wind), { tile = 80, minimum_separation = 4 }) end, "does not show two classes")
end)

test("patches that are too small go", function()
  local vv, truth, col, row = scene(10, 6)
  local pond, islet = ((col - 60) ^ 2 + (row - 330) ^ 2):lt(4 ^ 2), ((col - 120) ^ 2 + (row - 140) ^ 2):lt(5 ^ 2)
  vv = raster.where(pond, 0.006, raster.where(islet, 0.1, vv)):rename("VV"):set_unit "power"
  local function share(map, where) return map:mask(where):cast("float32"):stats().water.mean end
  local all, large = water.classify(vv, { tile = 80 }), water.classify(vv, { tile = 80, minimum_area = 15000 })
  -- The pond has some 5,000 m², the islet some 8,000.
  assert(share(all, pond) > 0.8 and share(all, islet) < 0.4)
  assert(share(large, pond) == 0 and share(large, islet) == 1)
  assert(iou(large, truth) > 0.93)
  -- In degrees an area is that on the ground: a pixel is 10 m wide and high here.
  local degrees = raster.grid { crs = 4326, origin = { 10, 60.018 }, resolution = { 10 / 55800, 10 / 111412.3 }, rows = SIZE, cols = SIZE }
  local at = raster.coordinates(degrees)
  local x, y = (at.x - 10) * 5580, (60.018 - at.y) * 11141.23
  local dark = ((x - 120) ^ 2 + (y - 140) ^ 2):lt(50 ^ 2) | ((x - 60) ^ 2 + (y - 330) ^ 2):lt(4 ^ 2)
  local speckle = raster.random(degrees, { distribution = "speckle", looks = 10, seed = 6 })
  local there = (raster.where(dark, 0.006, 0.1) * speckle):rename("VV"):set_unit "power"
  local function pond_at(least) return water.classify(there, { tile = 80, threshold = -15, minimum_area = least }):read():get(330, 60) end
  assert(pond_at(3500) == 1 and pond_at(7000) == 0)
end)

test("real chips: the labels of hands are met", function()
  local folder = shared "labels/sen1floods11"
  local image = raster.open(folder .. "/S1/USA_905409_S1Hand.tif", { names = { "VV", "VH" }, unit = "dB" })
  local truth = raster.open(folder .. "/Labels/USA_905409_LabelHand.tif"):select(1):align(image)
  local map = water.classify(image, { bands = { "VV" } })
  -- Labels say that water is at −18…−20 dB and land at −9…−11 dB.
  assert(map.threshold_dB_VV > -18 and map.threshold_dB_VV < -11)
  assert(iou(map:mask(truth:ge(0)), truth:eq(1)) > 0.6)
end)
