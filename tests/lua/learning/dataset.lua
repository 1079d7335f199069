local learning, raster = require "learning", require "raster"

local CLASSES = { [0] = "not water", [1] = "water", [2] = "water" }

local function grid(o)
  return raster.grid { crs = o.crs or "EPSG:32611", origin = { o.x or 400000, o.y or 3860000 }, resolution = o.resolution or 10, rows = o.rows or 64, cols = o.cols or 64 }
end

-- An image, and labels with codes 0 to 4 and 9 (cloud), in patches.
local function scene(name, o)
  o = o or {}
  local image = raster.random(grid(o), { seed = o.seed or 1, name = "HH" })
  local rows = {}
  for r = 0, image.rows - 1 do
    rows[r + 1] = {}
    for c = 0, image.cols - 1 do
      local code = (r // 5 * 7 + c // 7 * 3 + (o.seed or 1)) % 6
      rows[r + 1][c + 1] = code == 5 and 9 or code
    end
  end
  return { image = image, labels = raster.from_table(image, rows, { name = "dswe" }), group = name, properties = o.properties }
end

local function apart(n)
  local scenes = {}
  for i = 1, n do scenes[i] = scene("scene " .. i, { x = 400000 + 2000 * i, seed = i }) end
  return scenes
end

local function sides(ds)
  local found = {}
  for _, chip in ipairs(ds:chips()) do
    found[chip.group] = found[chip.group] or {}
    found[chip.group][chip.side] = true
  end
  return found
end

test("counts of chips are those of a slow loop over their labels", function()
  local s = scene("a", { rows = 70, cols = 50 })
  local labels = s.labels:read():totable()
  for _, o in ipairs { { 16, 16 }, { 16, 12 }, { 20, 7 } } do
    local chip, step = o[1], o[2]
    local ds = learning.dataset {
      scenes = { s }, chip = chip, step = step, minimum_labelled = 0.48, classes = CLASSES, split = { validation = 0, test = 0 },
    }
    local n = 0
    local rows = ds:chips()
    for r = 0, 70 - chip, step do
      for c = 0, 50 - chip, step do
        local count = { [0] = 0, 0 }
        for y = r, r + chip - 1 do
          for x = c, c + chip - 1 do
            local code = labels[y + 1][x + 1]
            if code <= 2 then count[code == 0 and 0 or 1] = count[code == 0 and 0 or 1] + 1 end
          end
        end
        local labelled = count[0] + count[1]
        if labelled >= 0.48 * chip * chip then
          n = n + 1
          assert(rows[n].row == r and rows[n].col == c)
          assert_close(rows[n].labelled, labelled / chip ^ 2, 1e-12)
          assert_close(rows[n]["share water"], count[1] / labelled, 1e-12)
        end
      end
    end
    assert(#ds == n and n > 0)
  end
end)

test("chips are read where they lie, and codes become classes", function()
  local s = scene("a", { rows = 40, cols = 50 })
  local ds = learning.dataset { scenes = { s }, chip = 16, step = 9, classes = CLASSES, split = { validation = 0, test = 0 } }
  local all, codes = s.image:read(), s.labels:read()
  for number, chip in ipairs(ds:chips()) do
    local pixels, classes = ds:read(number)
    assert(pixels:get(5, 3) == all:get(chip.row + 5, chip.col + 3))
    for y = 0, 15, 3 do
      for x = 0, 15 do
        local code, class = codes:get(chip.row + y, chip.col + x), classes:get(y, x)
        local expected
        if code == 0 then expected = 0 elseif code <= 2 then expected = 1 end
        assert(class == expected or (expected == nil and (class == nil or class ~= class)), tostring(code) .. " " .. tostring(class))
      end
    end
  end
  local image = ds:image(2)
  assert(image.rows == 16 and image.cols == 16 and image.crs == s.image.crs)
end)

test("an image smaller than a chip has one, masked beyond its end", function()
  local s = scene("a", { rows = 20, cols = 24 })
  local ds = learning.dataset { scenes = { s }, chip = 32, classes = CLASSES, split = { validation = 0, test = 0 } }
  local pixels, classes = ds:read(1)
  assert(#ds == 1 and ds:image(1):stats().HH.count == 20 * 24)
  assert(pixels:get(19, 23) == s.image:read():get(19, 23))
  local beyond = classes:get(19, 24)
  assert(beyond == nil or beyond ~= beyond)
end)

test("sides are whole scenes, the same for a seed, whatever the order of scenes", function()
  local o = { scenes = apart(10), chip = 32, classes = CLASSES, split = { seed = 7 } }
  local ds = learning.dataset(o)
  assert(#ds == 40)
  local found = sides(ds)
  local counts = {}
  for _, of in pairs(found) do
    local side = next(of)
    assert(next(of, side) == nil)
    counts[side] = (counts[side] or 0) + 1
  end
  assert(counts.test == 1 and counts.validation == 2 and counts.training == 7)
  local reversed = {}
  for i = 10, 1, -1 do reversed[#reversed + 1] = o.scenes[i] end
  o.scenes = reversed
  local again = sides(learning.dataset(o))
  for group, of in pairs(found) do assert(next(of) == next(again[group])) end
  o.split = { seed = 8 }
  local other, differs = sides(learning.dataset(o)), false
  for group, of in pairs(found) do differs = differs or next(of) ~= next(other[group]) end
  assert(differs)
end)

test("groups and columns stay together, and can be named", function()
  local scenes = apart(8)
  for i, s in ipairs(scenes) do s.properties = { site = i <= 4 and "Spain" or i <= 6 and "India" or "Nigeria" } end
  local ds = learning.dataset {
    scenes = scenes, chip = 32, classes = CLASSES,
    split = { by = "column", column = "site", test = { "Spain" }, validation = { "Nigeria" } },
  }
  for _, chip in ipairs(ds:chips()) do
    assert(chip.side == (chip.scene <= 4 and "test" or chip.scene <= 6 and "training" or "validation"))
  end
  assert(#ds.table == 3 and ds.table[1].side == "training" and ds.table[1].chips == 8 and ds.table[1].scenes == 2)
  assert_error(function()
    learning.dataset { scenes = scenes, chip = 32, classes = CLASSES, split = { by = "column", column = "country" } }
  end, "no property `country`.*site")
  assert_error(function()
    learning.dataset { scenes = scenes, chip = 32, classes = CLASSES, split = { test = { "scene 1", "scene 12" } } }
  end, "no group to put aside `scene 12`")
end)

test("no pixel of ground is on two sides where scenes overlap, in different UTM zones", function()
  -- Two scenes at 114° W, the seam of zones 11 and 12, at 35° N, that cover each other by a half; the others lie far off.
  local west = scene("west", { crs = "EPSG:32611", x = 773000, y = 3877000, rows = 96, cols = 96 })
  local east = scene("east", { crs = "EPSG:32612", x = 226200, y = 3877000, rows = 96, cols = 96, seed = 2 })
  local target = raster.grid { crs = "EPSG:4326", origin = { -114.05, 35.03 }, resolution = 0.0001, rows = 400, cols = 900 }
  local function cover(s) return (s.image * 0 + 1):align(target, { resampling = "nearest" }) end
  local shared_pixels = (cover(west) * cover(east)):stats().HH.count
  assert(shared_pixels > 500, shared_pixels)
  local scenes = { west, east }
  for i = 3, 8 do scenes[i] = scene("far " .. i, { x = 300000 + 3000 * i, rows = 96, cols = 96, seed = i }) end
  for seed = 1, 6 do
    local ds = learning.dataset { scenes = scenes, chip = 32, classes = CLASSES, split = { seed = seed, validation = 0.3, test = 0.2 } }
    local found = sides(ds)
    assert(next(found.west) == next(found.east), "divided")
  end
  -- So across the antimeridian, which is the same seam of zones 60 and 1, and in degrees beside metres.
  local dateline = {
    scene("west", { crs = "EPSG:32660", x = 773000, y = 3877000, rows = 96, cols = 96 }),
    scene("east", { crs = "EPSG:32601", x = 226200, y = 3877000, rows = 96, cols = 96, seed = 2 }),
  }
  for i = 3, 8 do dateline[i] = scenes[i] end
  local plain = scene("degrees", { crs = "EPSG:4326", x = -114.001, y = 35.001, resolution = 0.0001, rows = 96, cols = 96, seed = 4 })
  local degrees = { west, plain, table.unpack(scenes, 3) }
  for seed = 1, 4 do
    local options = { scenes = dateline, chip = 32, classes = CLASSES, split = { seed = seed, validation = 0.3, test = 0.2 } }
    local found = sides(learning.dataset(options))
    assert(next(found.west) == next(found.east), "divided at 180°")
    options.scenes = degrees
    found = sides(learning.dataset(options))
    assert(next(found.west) == next(found.degrees), "divided between metres and degrees")
  end
  -- Named for two sides, they cannot be.
  assert_error(function()
    learning.dataset { scenes = scenes, chip = 32, classes = CLASSES, split = { validation = { "west" }, test = { "east" } } }
  end, "east.*west share ground")
  -- By block and by chip, what overlaps the other side is dropped: no pixel of the target is covered from two sides.
  for _, by in ipairs { "block", "chip" } do
    local ds = learning.dataset {
      scenes = { west, east }, chip = 16, classes = CLASSES, split = { by = by, block = 500, seed = 3, validation = 0.3, test = 0.2 },
    }
    assert(ds.dropped > 0)
    local total
    for _, side in ipairs { "training", "validation", "test" } do
      local parts = {}
      for _, chip in ipairs(ds:chips(side)) do parts[#parts + 1] = ds:image(chip.chip) * 0 + 1 end
      assert(#parts > 0)
      local one
      for _, part in ipairs(parts) do
        local on = part:align(target, { resampling = "nearest" }):unmask(0):gt(0)
        one = one and (one | on) or on
      end
      total = total and total + one or one + 0
    end
    -- Nearest pixels may reach half a pixel (of 10 m) beyond the edge of a chip.
    local both = total:gt(1):stats()
    local name, moments = next(both)
    assert(moments.mean * 400 * 900 == 0 or moments.mean < 1e-5, name .. moments.mean)
  end
end)

test("chips that overlap within a scene are not on two sides either", function()
  local s = scene("a", { rows = 128, cols = 128 })
  local ds = learning.dataset {
    scenes = { s }, chip = 32, step = 16, classes = CLASSES, split = { by = "block", block = 640, seed = 2, validation = 0.25, test = 0.25 },
  }
  assert(ds.dropped > 0)
  local chips = ds:chips()
  for i, a in ipairs(chips) do
    for j = i + 1, #chips do
      local b = chips[j]
      local shares = math.abs(a.row - b.row) < 32 and math.abs(a.col - b.col) < 32
      assert(not (shares and a.side ~= b.side))
    end
  end
end)

test("what cannot be a dataset is an error with its values and the way out", function()
  local scenes = apart(4)
  local function made(o) return function() learning.dataset { scenes = o.scenes or scenes, chip = o.chip or 32, classes = o.classes or CLASSES, split = o.split, minimum_labelled = o.minimum } end end
  assert_error(made { scenes = { { image = scenes[1].image, labels = scenes[2].labels, group = "mixed" } } }, "labels of mixed are off the grid.*grids differ")
  assert_error(made { scenes = { scenes[1], scenes[2] } }, "3 sides need .*there are 2 %(scene 1, scene 2%).*by = \"block\"")
  assert_error(made { scenes = {} }, "at least one scene")
  assert_error(made { classes = { [0] = "land", [1] = "water", [77] = "ice" } }, "training side has no pixel of the class `ice`.*land %d+, water %d+, ice 0.*no chip has")
  assert_error(made { minimum = 1 }, "no chip of 32 × 32 pixels has labels in at least 100 %%.*codes 3 %(%d+ pixels%)")
  assert_error(made { scenes = { scenes[1], { image = scenes[2].image:rename { "HV" }, labels = scenes[2].labels, group = "b" } } }, "bands of b must be those of scene 1 %(HH%), got HV")
  assert_error(made { scenes = { { image = scenes[1].image, labels = scenes[1].image, group = "x" } } }, "labels of x must hold classes, which are whole numbers")
  assert_error(made { split = { by = "block" } }, "split.block is missing")
  assert_error(made { split = { by = "blok" } }, "did you mean")
  assert_error(made { split = { validaton = 0.2 } }, "unknown option `split%.validaton`; did you mean `split%.validation`%?")
  assert_error(made { split = { seeds = 1, sites = 3 } }, "unknown option `split%.seeds`; did you mean `split%.seed`%?")
  local s = scenes[1]
  assert_error(made { scenes = { s, { imag = s.image, labels = s.labels } } }, "unknown option `scenes%[2%]%.imag`; did you mean `scenes%[2%]%.image`%?")
  assert_error(made { scenes = { { image = s.image, labels = s.labels, grup = "a" } } }, "unknown option `scenes%[1%]%.grup`; did you mean `scenes%[1%]%.group`%?")
  -- Nothing is near, though all begin alike.
  assert_error(made { scenes = { { image = s.image, labels = s.labels, time = 1 } } }, "unknown option `scenes%[1%]%.time`; the options are: scenes%[1%]%.image, ")
  assert_error(function() learning.dataset { scenes = scenes } end, "classes is missing")
  local ds = learning.dataset { scenes = scenes, chip = 32, classes = CLASSES }
  assert_error(function() ds:read(99) end, "chip must be a chip's number, 1 to 16, got 99")
end)

test("a side without a chip and a class without a training pixel are errors before the training", function()
  -- Chips of which each shares ground with all others: whatever is dealt out, training is left with none.
  local s = scene("a", { rows = 40, cols = 40 })
  local function made(o)
    return function()
      learning.dataset { scenes = o.scenes or { s }, classes = o.classes or CLASSES, chip = o.chip or 32, step = o.step, split = o.split }
    end
  end
  assert_error(made { step = 4, split = { by = "chip", validation = 0.3, test = 0 } },
    "the training side has no chip: %d+ chips? are left of 9, %d were dropped because they share ground with another side; give more scenes, a smaller chip")
  -- A class that one scene has alone, and that scene judges.
  local scenes = apart(4)
  scenes[4].labels = scenes[4].labels * 0 + 1
  for i = 1, 3 do scenes[i].labels = scenes[i].labels * 0 end
  assert_error(made { scenes = scenes, classes = { [0] = "land", [1] = "water" }, split = { validation = { "scene 3" }, test = { "scene 4" } } },
    "the training side has no pixel of the class `water` %(pixels: land %d+, water 0%); 4096 lie on the other sides; choose another seed, other shares")
  -- A side that nobody wanted is missed when a network is trained.
  local ds = learning.dataset { scenes = apart(3), classes = CLASSES, chip = 32, split = { validation = 0, test = 0 } }
  local ok, why = pcall(learning.train, ds, { checkpoint = "c", model = "m.onnx", epochs = 1, device = "cpu" })
  assert(not ok and (why:find("no chip is on the validation side; give it a share in split", 1, true) or why:find("perilune setup torch", 1, true)), why)
end)

test("a page of chips is drawn", function()
  local ds = learning.dataset { scenes = apart(5), chip = 32, classes = CLASSES }
  ds:plot({ count = 6 }):write("chips.png")
  assert(require("fs").size("chips.png") > 3000)
  assert_error(function() ds:plot { bands = { "HH", "HV" } } end, "one, or three")
  assert(tostring(ds):find "Dataset of 20 chips")
end)

test("chips go to the folders of the notebooks and come back", function()
  local ds = learning.dataset { scenes = apart(5), chip = 32, classes = CLASSES }
  ds:write("chips")
  local fs = require "fs"
  assert(fs.exists("chips/HH/scene_1_00000.tif") and fs.exists("chips/labels/scene_5_00003.tif"))
  local again = learning.dataset {
    scenes = learning.read_chips("chips"), chip = 32, classes = { [0] = "not water", [1] = "water" },
    split = { by = "column", column = "side", validation = { "validation" }, test = { "test" } },
  }
  assert(#again == #ds)
  local a, b = ds:chips(), again:chips()
  for i = 1, #ds do
    assert(a[i].group == b[i].group and a[i].side == b[i].side)
    assert_close(a[i]["share water"], b[i]["share water"], 1e-12)
    local p, q = ds:read(i), again:read(i)
    assert(p:get(7, 9) == q:get(7, 9))
    assert(ds:image(i).grid == again:image(i).grid or tostring(ds:image(i).grid) == tostring(again:image(i).grid))
  end
  -- As pandas wrote it on another machine: an index without a name, absolute paths, no group.
  local lines = { ",HH,labels" }
  for i = 0, 3 do
    local name = ("scene_1_%05d.tif"):format(i)
    lines[#lines + 1] = ("%d,/home/u/chips/HH/%s,../data/chips/labels/%s"):format(i, name, name)
  end
  fs.write("chips/training_data.csv", table.concat(lines, "\n") .. "\n")
  local chips = learning.read_chips("chips")
  assert(#chips == 4 and chips[1].group == "scene_1" and chips[1].image.bands[1] == "HH")
  fs.write("chips/training_data.csv", "HH\nx.tif\n")
  assert_error(function() learning.read_chips("chips") end, "must have a column `labels`.*HH")
  assert_error(function() learning.read_chips("nowhere") end, "no such file")
end)

test("a sample is the chip, changed as asked for, the same for a seed", function()
  local s = scene("a", { rows = 64, cols = 64 })
  s.image = s.image:set_unit("power")
  local ds = learning.dataset { scenes = { s }, chip = 32, classes = CLASSES, split = { validation = 0, test = 0 } }
  local plain, classes = ds:read(3)
  local same, same_classes = ds:sample(3, { normalise = false })
  for i = 0, 31 do
    assert_close(same:get(i, 5), plain:get(i, 5), 1e-7)
    local a, b = classes:get(i, 5), same_classes:get(i, 5)
    assert(a == b or a ~= a and b ~= b)
  end
  local stats = s.image:stats().HH
  local normalised = ds:sample(3)
  assert_close(normalised:get(4, 5), (plain:get(4, 5) - stats.mean) / stats.std, 1e-5)
  local noisy = ds:sample(3, { speckle = { bands = { "HH" }, looks = 2 }, normalise = false, seed = 5 })
  assert(noisy:get(4, 5) ~= plain:get(4, 5))
  assert(noisy:get(4, 5) == ds:sample(3, { speckle = { bands = { "HH" }, looks = 2 }, normalise = false, seed = 5 }):get(4, 5))
  local dropped = ds:sample(3, { drop = { bands = { "HH" }, probability = 1 } })
  assert(dropped:get(4, 5) == 0 and dropped:get(20, 30) == 0)
  assert_error(function() ds:sample(3, { drop = { bands = { "HV" } } }) end, "no band `HV`")
  assert_error(function() ds:sample(3, { drop = { band = { "HH" } } }) end, "unknown option `drop%.band`; did you mean `drop%.bands`%?")
  assert_error(function() ds:sample(3, { speckle = { bands = { "HH" }, look = 3 } }) end, "unknown option `speckle%.look`; did you mean `speckle%.looks`%?")
end)
