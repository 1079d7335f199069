--- Trains a network that maps open water: a U-Net on chips of labelled scenes, told apart by scene, and an ONNX file that says how to use it.
---
--- Takes the list that water_training_data wrote: scene, image, labels, group. With radar and heights alone (`--bands HH,HV,DEM,HAND`) the model
--- maps any scene; with the optical channels too, training drops some of them now and then, so that the model does without where they fail.
--- Whatever ends the training, the best model so far is in its file, and the same command goes on from the last epoch.
---
---     perilune run water_train --scenes training/scenes.csv --bands HH,HV,DEM,HAND --model water.onnx
---
--- Beside the model are its history and, of the scenes that training never saw, how good its map is.

local raster, fs, tables = require "raster", require "fs", require "tables"
local inference, learning = require "inference", require "learning"
local water = require "water"

local p = params {
  scenes = { type = "path", required = true, help = "The list of scenes, as water_training_data writes it: paths of images and labels, from the folder of the list." },
  model = { "water.onnx", type = "path", help = "The model. History and figures are named after it; its state is kept in a folder beside it." },
  bands = { type = "list", of = "string", help = "Channels of the images that it takes; all where left out." },

  -- Chips and sides
  chip = { 512, min = 32, unit = "px", help = "Size of the chips; a multiple of 32." },
  step = { type = "integer", min = 1, unit = "px", help = "From one chip to the next; a chip's size where left out." },
  minimum_labelled = { 0.1, min = 0, max = 1, help = "Chips with a smaller share of labels are left out." },
  validation = { 0.2, min = 0, max = 0.9, help = "Share of the chips that choose the best epoch." },
  test = { 0.1, min = 0, max = 0.9, help = "Share of the chips that training never sees." },
  validation_groups = { type = "list", of = "string", help = "Scenes that choose the best epoch, in place of a share." },
  test_groups = { type = "list", of = "string", help = "Scenes that training never sees, in place of a share." },
  balance = { false, help = "Show chips with water more often." },

  -- The network and its training
  encoder = { "resnet18", choices = { "resnet18", "resnet34", "resnet50" }, help = "Encoder of the U-Net." },
  encoder_weights = { type = "path", help = "Weights that the encoder starts from, such as torchvision's of ImageNet." },
  class_weights = { type = "list", of = "number", help = "Weights of not water and water in the loss; the notebook's are 1,5." },
  epochs = { 100, min = 1, help = "Passes over the chips, at most." },
  batch = { 8, min = 1, help = "Chips in a batch." },
  learning_rate = { 1e-4, help = "Of the first epoch." },
  halve_after = { 10, min = 1, help = "Epochs without a better loss after which the learning rate is halved." },
  stop_after = { 80, min = 1, help = "Epochs without a better loss after which training ends." },
  speckle = { 0, min = 0, help = "Number of looks of the speckle that is added to the radar channels; 0 adds none." },
  drop = { true, help = "Drop optical channels now and then, where there are some." },
  device = { "auto", help = "auto, cpu, or cuda for a graphics card." },
  seed = { 1, help = "Of sides, first weights, order and augmentations." },
  licence = { type = "string", help = "Terms of use that the model names, such as CC-BY-4.0." },
  source = { type = "string", help = "Where it comes from, which the model names." },

  figures = { true, help = "Draw a page of chips, the history and the confusion matrix." },
}

local CLASSES = { [0] = "not water", [1] = "water" }
local OPTICAL = { red = true, NIR = true, SWIR1 = true, SWIR2 = true }
local RADAR = { HH = true, HV = true, VV = true, VH = true }

--%% The scenes

local list = tables.read(p.scenes)
-- Paths count from the folder of the list, so that both can be moved; addresses are whole.
local function placed(path)
  return path:find("^%w+://") and path or fs.join(fs.dirname(p.scenes), path)
end
local scenes, prepared = {}, nil
for i = 1, #list do
  local row = list[i]
  local image = raster.open(placed(row.image))
  if p.bands then image = image:select(table.unpack(p.bands)) end
  local how = image.properties[water.DENOISED] or "none"
  if prepared and prepared ~= how then
    error(("%s: backscatter is denoised by %s, that of the scenes before it by %s; make all of them in the same way"):format(row.image, how, prepared), 0)
  end
  prepared = how
  scenes[i] = { image = image, labels = raster.open(placed(row.labels)), group = row.group or row.scene }
end
local dataset = learning.dataset {
  scenes = scenes, classes = CLASSES, chip = p.chip, step = p.step, minimum_labelled = p.minimum_labelled, balance = p.balance,
  split = { validation = p.validation_groups or p.validation, test = p.test_groups or p.test, seed = p.seed },
}
print(dataset)

local base = p.model:gsub("%.onnx$", "")
fs.mkdir(fs.dirname(p.model))
if p.figures then print(dataset:plot({ side = "training", colors = { "#d9cfb8", "#2468a8" }, seed = p.seed, dpi = 150 }):write(base .. "_chips.png")) end

--%% Training

local optical, radar = {}, {}
for _, name in ipairs(dataset.bands) do
  if OPTICAL[name] then optical[#optical + 1] = name end
  if RADAR[name] then radar[#radar + 1] = name end
end
-- Said aloud, "auto" tells each time that there is no graphics card.
local device = p.device ~= "auto" and p.device or nil
local trained = learning.train(dataset, {
  checkpoint = base .. "_state", model = p.model, encoder = p.encoder, encoder_weights = p.encoder_weights,
  epochs = p.epochs, batch = p.batch, learning_rate = p.learning_rate, class_weights = p.class_weights,
  halve_after = p.halve_after, stop_after = p.stop_after, device = device, seed = p.seed,
  notes = { [water.DENOISED] = prepared, chips = #dataset:chips "training" }, licence = p.licence, source = p.source,
  augment = {
    flips = true, turns = true,
    drop = p.drop and #optical > 0 and { bands = optical } or nil,
    speckle = p.speckle > 0 and { bands = radar, looks = p.speckle } or nil,
  },
})
print(trained)
trained.history:write_csv(base .. "_history.csv")
if p.figures then print(trained:plot({ dpi = 200 }):write(base .. "_history.png")) end

--%% How good its map is where it never was

local held = {}
for _, chip in ipairs(dataset:chips("test")) do held[chip.scene] = true end
local model = inference.open(p.model, { device = device })
local compared = {}
for i, scene in ipairs(scenes) do
  if held[i] then
    compared[#compared + 1] = { prediction = model:apply(scene.image), labels = scene.labels, group = scene.group }
  end
end
if #compared > 0 then
  local found = learning.evaluate(compared, { classes = CLASSES, ignore = { 255 } })
  local names = {}
  for i, scene in ipairs(compared) do names[i] = scene.group end
  print(("On %d scenes that training never saw (%s):"):format(#compared, table.concat(names, ", ")))
  print(found)
  found.classes:write_csv(base .. "_test.csv")
  if p.figures then print(found:plot({ dpi = 200 }):write(base .. "_test.png")) end
end
print(p.model)
