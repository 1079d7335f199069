--- The accuracy of maps of water by a U-Net on sites that it never saw, beside thresholds: a table of docs/accuracy.md.
---
---     perilune run scripts/accuracy_water_network.lua --labels LABELS --out water_network
---
--- Chips of Sen1Floods11 as in accuracy_water.lua. Each site in turn is left out: a network learns from the chips of the others, blocks of
--- which choose the best epoch, and maps the chips of the site. A run that was ended goes on from its last epoch.

local raster, fs, learning, inference, water = require "raster", require "fs", require "learning", require "inference", require "water"

local p = params {
  labels = { type = "path", required = true, help = "Folder with sen1floods11 and sen1floods11_official." },
  out = { "water_network", type = "path", help = "Folder of the models, the states of training and the maps." },
  block = { 64, min = 1, unit = "px", help = "Blocks that the bootstrap draws: pixels near each other err together." },
  chip = { 128, min = 32, unit = "px", help = "Size of the chips of training." },
  step = { 64, min = 1, unit = "px", help = "From one chip to the next." },
  validation_block = { 1300, unit = "m", help = "Blocks of ground of the training sites, a fifth of which choose the best epoch." },
  epochs = { 20, min = 1, help = "Passes over the chips." },
  learning_rate = { 1e-3, help = "Of the first epoch." },
  class_weights = { type = "list", of = "number", help = "Weights of not water and water in the loss." },
  networks = { { "plain", "denoised" }, type = "list", of = "string", help = "What the networks see: backscatter as it is, or denoised." },
  seed = { 1, help = "Of sides, first weights, order, augmentations and the draws of the bootstrap." },
}

local CLASSES = { [0] = "not water", [1] = "water" }

--%% The chips, by site

local chips, sites = {}, {}
for _, path in ipairs(fs.glob(p.labels .. "/**/*_S1Hand.tif")) do
  local image = raster.open(path, { names = { "VV", "VH" }, unit = "dB" })
  local labels = raster.open((path:gsub("/S1/", "/Labels/"):gsub("S1Hand", "LabelHand"))):select(1):align(image)
  local name = fs.basename(path):gsub("_S1Hand%.tif$", "")
  chips[#chips + 1] = { name = name, site = name:match "^[^_]+", image = image, labels = labels:mask(labels:ge(0)), maps = {} }
end
table.sort(chips, function(a, b) return a.name < b.name end)
for _, chip in ipairs(chips) do
  if chip.site ~= sites[#sites] then sites[#sites + 1] = chip.site end
end

--%% The maps

local function otsu(image)
  local db = water.denoise(image:select "VV")
  return db:set_unit "":lt(db:threshold { method = "otsu" })
end
local function minimum_error(image) return water.classify(image, { bands = { "VH" } }) end

local function as_it_is(image) return image end
local NETWORKS = {
  plain = { name = "U-Net, VV and VH", prepare = as_it_is },
  denoised = { name = "U-Net, VV and VH denoised", prepare = water.denoise },
}

-- The network that never saw the site.
local function train(site, kind, prepare)
  local scenes = {}
  for _, chip in ipairs(chips) do
    if chip.site ~= site then scenes[#scenes + 1] = { image = prepare(chip.image), labels = chip.labels, group = chip.name } end
  end
  local dataset = learning.dataset {
    scenes = scenes, classes = CLASSES, chip = p.chip, step = p.step,
    split = { by = "block", block = p.validation_block, validation = 0.2, test = 0, seed = p.seed },
  }
  print(("Without %s, %s"):format(site, kind))
  print(dataset)
  local base = fs.join(p.out, kind .. "_without_" .. site)
  local trained = learning.train(dataset, {
    checkpoint = base, model = base .. ".onnx", encoder = "resnet18", epochs = p.epochs, batch = 8, learning_rate = p.learning_rate,
    class_weights = p.class_weights, augment = { flips = true, turns = true }, seed = p.seed,
  })
  print(trained)
  return inference.open(base .. ".onnx", { device = "cpu" })
end

fs.mkdir(p.out)
local methods = { "Otsu, VV, whole chip", "minimum error, VH, tiles" }
for _, chip in ipairs(chips) do
  chip.maps[methods[1]], chip.maps[methods[2]] = otsu(chip.image), minimum_error(chip.image)
end
for _, kind in ipairs(p.networks) do
  local network = NETWORKS[kind] or error(("--networks is plain, denoised or both, not %s"):format(kind), 0)
  local name, prepare = network.name, network.prepare
  methods[#methods + 1] = name
  for _, site in ipairs(sites) do
    local model = train(site, kind, prepare)
    for _, chip in ipairs(chips) do
      if chip.site == site then
        local path = fs.join(p.out, ("%s_%s.tif"):format(kind, chip.name))
        model:apply(prepare(chip.image), { tile = 256 }):write(path)
        chip.maps[name] = raster.open(path)
      end
    end
  end
end

--%% The table

-- Blocks are the groups that the bootstrap draws.
local function evaluate(method, site)
  local blocks = {}
  for _, chip in ipairs(chips) do
    if not site or chip.site == site then
      for row = 0, chip.image.rows - p.block, p.block do
        for col = 0, chip.image.cols - p.block, p.block do
          local window = { row = row, col = col, rows = p.block, cols = p.block }
          blocks[#blocks + 1] = { prediction = chip.maps[method]:crop(window), labels = chip.labels:crop(window) }
        end
      end
    end
  end
  return learning.evaluate(blocks, { classes = CLASSES, seed = p.seed }).classes[2]
end

print "| site left out | method | IoU | F1 | precision | recall |\n|---|---|---|---|---|---|"
for i = 1, #sites + 1 do
  for _, method in ipairs(methods) do
    local w = evaluate(method, sites[i])
    print(("| %s | %s | %.3f (%.3f–%.3f) | %.3f (%.3f–%.3f) | %.3f | %.3f |"):format(sites[i] or "all", method, w.iou, w.iou_low, w.iou_high,
      w.f1, w.f1_low, w.f1_high, w.precision, w.recall))
  end
end
