-- Expected numbers are of scikit-learn 1.9.1: tests/reference/learning.py.
local learning, raster = require "learning", require "raster"

local ROWS, COLS = 60, 80
local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3860000 }, resolution = 10, rows = ROWS, cols = COLS }

local function made(value)
  local rows = {}
  for r = 0, ROWS - 1 do
    rows[r + 1] = {}
    for c = 0, COLS - 1 do rows[r + 1][c + 1] = value(r, c) end
  end
  return raster.from_table(grid, rows, { name = "class" })
end

local function scene(seed)
  local function class(r, c) return (r * 7 + c * 3 + seed) // 40 % 3 end
  local labels = made(function(r, c) return (r + 2 * c + seed) % 17 == 0 and 255 or class(r, c) end)
  local prediction = made(function(r, c)
    local wrong = (r * 13 + c * 29 + seed * 5) % 11 < 1 + seed % 4
    return wrong and (class(r, c) + 1 + (r + c) % 2) % 3 or class(r, c)
  end)
  return { prediction = prediction, labels = labels, group = "scene " .. seed }
end

local function close(table, column, expected)
  for i, value in ipairs(expected) do assert_close(table[i][column], value, 1e-9) end
end

test("the measures of one scene are scikit-learn's", function()
  local s = scene(1)
  local e = learning.evaluate(s.prediction, s.labels, { ignore = { 255 } })
  assert(e.pixels == 4519 and e.ignored == 281 and e.unlabelled == 0 and e.unpredicted == 0)
  local counts = { { 1235, 139, 138 }, { 136, 1234, 136 }, { 137, 137, 1227 } }
  for i, row in ipairs(counts) do
    for j, n in ipairs(row) do assert(e.matrix[i]["as " .. j - 1] == n) end
  end
  close(e.classes, "precision", { 0.818965517, 0.817218543, 0.81745503 })
  close(e.classes, "recall", { 0.816798942, 0.81938911, 0.81745503 })
  close(e.classes, "f1", { 0.817880795, 0.818302387, 0.81745503 })
  close(e.classes, "iou", { 0.691876751, 0.692480359, 0.691267606 })
  assert_close(e.accuracy, 0.817880062, 1e-9)
  assert_close(e.kappa, 0.726819357, 1e-9)
  assert_close(e.mean_f1, 0.817879404, 1e-9)
  assert_close(e.mean_iou, 0.691874905, 1e-9)
  -- One group is no sample.
  assert(e.overall[1].low == nil)
end)

test("several scenes are added up, and the intervals are those of drawing scenes", function()
  local e = learning.evaluate({ scene(1), scene(2), scene(3), scene(4) }, { ignore = { 255 }, resamples = 20000 })
  assert(e.pixels == 18077 and e.ignored == 1123 and #e.groups == 4)
  close(e.classes, "iou", { 0.629095322, 0.630070308, 0.63003663 })
  assert_close(e.accuracy, 0.772805222, 1e-9)
  assert_close(e.kappa, 0.659207044, 1e-9)
  -- Of all 256 resamples the 2.5 and 97.5 % points.
  assert_close(e.overall[1].low, 0.682119938, 0.004)
  assert_close(e.overall[1].high, 0.86352824, 0.004)
  local again = learning.evaluate({ scene(1), scene(2), scene(3), scene(4) }, { ignore = { 255 }, resamples = 20000 })
  for i = 1, 4 do assert(again.overall[i].low == e.overall[i].low) end
  local narrow = learning.evaluate({ scene(1), scene(2), scene(3), scene(4) }, { ignore = { 255 }, confidence = 0.5 })
  assert(narrow.overall[1].low > e.overall[1].low and narrow.overall[1].high < e.overall[1].high)
end)

test("scenes of one group are one sample", function()
  local a, b = scene(1), scene(2)
  b.group = a.group
  local e = learning.evaluate({ a, b }, { ignore = { 255 } })
  assert(#e.groups == 1 and e.groups[1].group == "scene 1" and e.overall[1].low == nil)
end)

test("masked pixels are left out and counted", function()
  local small = raster.grid { crs = "EPSG:32611", origin = { 0, 10 }, resolution = 1, rows = 2, cols = 3 }
  local labels = raster.from_table(small, { { 0, 1, false }, { 1, 9, 0 } })
  local prediction = raster.from_table(small, { { 0, false, 1 }, { 0, 1, false } })
  local e = learning.evaluate(prediction, labels, { ignore = { 9 } })
  assert(e.unlabelled == 1 and e.unpredicted == 2 and e.ignored == 1 and e.pixels == 2)
  assert(e.matrix[1]["as 0"] == 1 and e.matrix[2]["as 0"] == 1)
  -- Nothing was predicted as 1: its precision is of no pixels.
  assert(e.classes[2].precision == nil and e.classes[2].recall == 0 and e.classes[2].iou == 0)
end)

test("codes of one name are one class, and a third raster divides the pixels", function()
  local small = raster.grid { crs = "EPSG:32611", origin = { 0, 10 }, resolution = 1, rows = 2, cols = 4 }
  local labels = raster.from_table(small, { { 0, 1, 2, 2 }, { 0, 0, 1, 4 } })
  local prediction = raster.from_table(small, { { 0, 1, 1, 0 }, { 1, 0, 1, 1 } })
  local cover = raster.from_table(small, { { 7, 7, 7, 7 }, { 8, 8, false, 8 } })
  local e = learning.evaluate(prediction, labels, {
    classes = { [0] = "not water", [1] = "water", [2] = "water" },
    ignore = { 4 },
    by = cover,
  })
  assert(e.classes[1].class == "not water" and e.classes[2].class == "water" and #e.classes == 2)
  assert(e.matrix[2]["as water"] == 3 and e.matrix[2]["as not water"] == 1 and e.ignored == 1)
  assert(#e.strata == 2 and e.strata[1].stratum == 7 and e.strata[1].pixels == 4 and e.strata[2].pixels == 2)
  assert_close(e.strata[1].accuracy, 0.75)
  assert_close(e.strata[2].accuracy, 0.5)
end)

test("what cannot be compared is an error that says why", function()
  local s = scene(1)
  assert_error(function() learning.evaluate(s.prediction, s.labels, { classes = { [0] = "a", [1] = "b", [2] = "c" } }) end,
    "code 255 %(281 pixels%).*ignore = { 255 }")
  assert_error(function() learning.evaluate(s.prediction, s.labels:crop { rows = 60, cols = 50 }) end, "grids differ.*60 × 80.*60 × 50")
  assert_error(function() learning.evaluate(s.prediction * 0.5, s.labels) end, "the prediction of the scene must hold classes.*0%.5")
  assert_error(function() learning.evaluate(s.prediction, s.labels, { ignore = { 0, 1, 2, 255 } }) end, "4800 are ignored")
  assert_error(function() learning.evaluate {} end, "at least one scene")
  assert_error(function() learning.evaluate(3) end, "must be a Raster, or a list")
  assert_error(function() learning.evaluate { { prediction = s.prediction } } end, "labels is missing")
  assert_error(function() learning.evaluate { { prediction = s.prediction, label = s.labels } } end, "unknown option `scenes%[1%]%.label`; did you mean `scenes%[1%]%.labels`%?")
  assert_error(function() learning.evaluate({ s }, { ignored = { 255 } }) end, "did you mean `ignore`")
  assert_error(function() learning.evaluate(s.prediction, s.labels, { classes = { water = 1 } }) end, "names by code")
end)

test("it says what it found, and draws it", function()
  local e = learning.evaluate({ scene(1), scene(2) }, { ignore = { 255 }, classes = { [0] = "land", [1] = "water", [2] = "ice" } })
  assert(tostring(e):find "accuracy 0%.")
  e:plot():write("matrix.png")
  assert(require("fs").size("matrix.png") > 1000)
end)
