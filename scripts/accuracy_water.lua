--- The accuracy of maps of water by thresholds on hand labels: the table of docs/accuracy.md.
---
---     perilune run scripts/accuracy_water.lua --labels LABELS
---
--- Chips of Sen1Floods11 (Bonafilia et al. 2020): Sentinel-1 VV and VH in dB, 512 × 512 pixels of 10 m, and labels by hand: 1 water, 0 not, −1 not known.

local raster, fs, log, water = require "raster", require "fs", require "log", require "water"

local p = params {
  labels = { type = "path", required = true, help = "Folder with sen1floods11 and sen1floods11_official." },
  block = { 64, min = 1, unit = "px", help = "Blocks that the bootstrap draws: pixels near each other err together." },
  draws = { 2000, min = 100, help = "Draws of the bootstrap." },
  seed = { 1, help = "Of the draws." },
}

--%% The chips

local chips = {}
local function add(image, labels)
  chips[#chips + 1] = { name = fs.basename(image):gsub("_S1Hand%.tif$", ""), image = image, labels = labels }
end
for _, path in ipairs(fs.glob(p.labels .. "/sen1floods11/S1/*_S1Hand.tif")) do
  add(path, (path:gsub("/S1/", "/Labels/"):gsub("S1Hand", "LabelHand")))
end
for _, path in ipairs(fs.glob(p.labels .. "/sen1floods11_official/*_S1Hand.tif")) do add(path, (path:gsub("S1Hand", "LabelHand"))) end
table.sort(chips, function(a, b) return a.name < b.name end)
if #chips == 0 then error(p.labels .. " holds no sen1floods11/S1/*_S1Hand.tif", 0) end

--%% Counts by block

-- Of each block how many pixels are true and false positives and negatives.
local function counts(map, truth)
  local blocks = {}
  local grid = truth.grid
  local t = grid.transform
  local coarse = raster.grid {
    crs = grid.wkt, origin = { t[1], t[4] }, resolution = { t[2] * p.block, -t[6] * p.block }, rows = grid.rows // p.block,
    cols = grid.cols // p.block,
  }
  local known = truth:ge(0) & map:is_valid()
  local water_there, said = truth:eq(1), map:unmask(0):eq(1)
  for name, mask in pairs { tp = water_there & said, fp = ~water_there & said, fn = water_there & ~said, tn = ~water_there & ~said } do
    local share = (mask & known):unmask(0):cast("float32"):align(coarse, { resampling = "average" }):read():totable()
    local i = 0
    for _, row in ipairs(share) do
      for _, value in ipairs(row) do
        i = i + 1
        blocks[i] = blocks[i] or {}
        blocks[i][name] = value * p.block ^ 2
      end
    end
  end
  return blocks
end

local function scores(blocks, chosen)
  local sum = { tp = 0, fp = 0, fn = 0, tn = 0 }
  for i = 1, #blocks do
    local block = blocks[chosen and chosen[i] or i]
    for name, value in pairs(block) do sum[name] = sum[name] + value end
  end
  return sum.tp / (sum.tp + sum.fp + sum.fn), 2 * sum.tp / (2 * sum.tp + sum.fp + sum.fn), sum
end

local function interval(blocks)
  math.randomseed(p.seed)
  local ious, f1s = {}, {}
  for draw = 1, p.draws do
    local chosen = {}
    for i = 1, #blocks do chosen[i] = math.random(#blocks) end
    local iou, f1 = scores(blocks, chosen)
    -- A draw without water says nothing of it.
    if iou == iou then ious[#ious + 1], f1s[#f1s + 1] = iou, f1 end
  end
  local function ends(values)
    table.sort(values)
    return values[math.max(1, #values * 25 // 1000)], values[math.min(#values, #values * 975 // 1000 + 1)]
  end
  return { ends(ious) }, { ends(f1s) }
end

--%% The maps

local METHODS = {
  { "Otsu, VV, whole chip", function(image)
    local db = water.denoise(image:select "VV")
    local t = db:threshold { method = "otsu" }
    return db:set_unit "":lt(t), t
  end },
  { "minimum error, VV, tiles", function(image)
    local map = water.classify(image, { bands = { "VV" } })
    return map, map.threshold_dB_VV
  end },
  { "minimum error, VH, tiles", function(image)
    local map = water.classify(image, { bands = { "VH" } })
    return map, map.threshold_dB_VH
  end },
  { "expectation maximisation, VV, tiles", function(image)
    local map = water.classify(image, { bands = { "VV" }, method = "expectation_maximization" })
    return map, map.threshold_dB_VV
  end },
}

local all, mapped = {}, {}
print "| chip | water | method | threshold (dB) | IoU | F1 | precision | recall |\n|---|---|---|---|---|---|---|---|"
for _, chip in ipairs(chips) do
  local image = raster.open(chip.image, { names = { "VV", "VH" }, unit = "dB" })
  local truth = raster.open(chip.labels):select(1):align(image)
  for m, method in ipairs(METHODS) do
    local ok, map, threshold = pcall(method[2], image)
    if ok then
      local blocks = counts(map, truth)
      local iou, f1, sum = scores(blocks)
      local by_iou, by_f1 = interval(blocks)
      all[m], mapped[m] = all[m] or {}, (mapped[m] or 0) + 1
      table.move(blocks, 1, #blocks, #all[m] + 1, all[m])
      local known = sum.tp + sum.fp + sum.fn + sum.tn
      print(("| %s | %.1f %% | %s | %.2f | %.3f (%.3f–%.3f) | %.3f (%.3f–%.3f) | %.3f | %.3f |"):format(chip.name,
        100 * (sum.tp + sum.fn) / known, method[1], threshold, iou, by_iou[1], by_iou[2], f1, by_f1[1], by_f1[2], sum.tp / (sum.tp + sum.fp),
        sum.tp / (sum.tp + sum.fn)))
    else
      print(("| %s | | %s | none | | | | |"):format(chip.name, method[1]))
      log.warn(tostring(map))
    end
  end
end
for m, method in ipairs(METHODS) do
  local iou, f1 = scores(all[m])
  local by_iou, by_f1 = interval(all[m])
  print(("| the %d mapped | | %s | | %.3f (%.3f–%.3f) | %.3f (%.3f–%.3f) | | |"):format(mapped[m], method[1], iou, by_iou[1], by_iou[2], f1, by_f1[1], by_f1[2]))
end
