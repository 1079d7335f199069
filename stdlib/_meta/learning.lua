---@meta learning

--- Learning from labelled scenes, and measures of what a model or a method maps.
---
--- A class raster holds whole numbers, the codes of classes.
---@class learning
local learning = {}

---@class learning.EvaluatedScene
---@field prediction Raster Classes, one band.
---@field labels Raster Classes on the same grid, one band.
---@field group? string Scenes of one group count as one for the intervals. Default: each scene is a group, called by its number.

---@class learning.EvaluateOptions
---@field classes? table<integer, string> Names by code, of labels and predictions. Codes of one name are one class. Default: every code is a class.
---@field ignore? integer[] Codes whose pixels are left out, wherever they stand.
---@field by? Raster A raster of whole numbers on the same grid, such as land cover: measures are also given for each of its codes.
---@field confidence? number The share of intervals that hold the truth. From 0.5 to 0.999. Default 0.95.
---@field resamples? integer How often the groups are drawn anew for the intervals. From 100 to 100000. Default 2000.
---@field seed? integer Of the draws. Default 1.

--- How well a class raster agrees with labels: confusion matrix, accuracy, kappa, and precision, recall, F1 and IoU of each class.
---
--- One pass over the rasters, tile by tile, on all cores, in bounded memory. Precision is the user's accuracy, recall the producer's. Kappa
--- is Cohen's. Means are over the classes for which a measure is defined. What is a share of no pixels is missing, not 0.
---
--- Of several scenes, given as a list in place of the two rasters (the options follow it), the counts are added, and each measure has a
--- confidence interval: scenes (groups) are drawn anew with replacement, as many as there are, `resamples` times, and the
--- interval holds the middle share of the measures of these sums (percentile bootstrap). Pixels of one scene resemble their
--- neighbours, which is why scenes are the sample; of fewer than ten the intervals are too narrow. The numbers are those of a sample of pixels as it
--- was labelled: where labels were drawn more densely in one class than in another they are no estimates of areas.
---
--- **Errors.** Rasters of several bands or on different grids; values that are no whole numbers; codes that are neither a class nor
--- ignored; more than 255 codes; not one pixel with both a label and a prediction.
---
--- **Nodata.** Pixels that are masked in the labels (`unlabelled`) or only in the prediction (`unpredicted`) are left out and counted.
---
--- **Source.** Congalton 1991, doi:10.1016/0034-4257(91)90048-B; Cohen 1960, doi:10.1177/001316446002000104. Intervals: Efron & Tibshirani
--- 1993, An introduction to the bootstrap.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local grid = raster.grid { rows = 2, cols = 3 }
--- local labels = raster.from_table(grid, { { 0, 1, 1 }, { 0, 9, 1 } })
--- local map = raster.from_table(grid, { { 0, 1, 0 }, { 0, 0, 1 } })
--- local e = learning.evaluate(map, labels, { classes = { [0] = "land", [1] = "water" }, ignore = { 9 } })
--- print(e)
--- assert(e.pixels == 5 and e.ignored == 1 and e.accuracy == 0.8)
--- local two = learning.evaluate({
---   { prediction = map, labels = labels, group = "spring" },
---   { prediction = map, labels = map, group = "autumn" },
--- }, { ignore = { 9 } })
--- assert(two.overall[1].low <= two.accuracy)
--- ```
---@param prediction Raster|learning.EvaluatedScene[]
---@param labels? Raster|learning.EvaluateOptions
---@param options? learning.EvaluateOptions
---@return Evaluation
function learning.evaluate(prediction, labels, options) end

--- What `learning.evaluate` found. It prints itself.
---@class Evaluation
---@field matrix Table A row for each class of the labels (`labelled`), and the pixels predicted as each class (`as water`).
---@field classes Table A row for each class: pixels `labelled` and `predicted`, `precision`, `recall`, `f1`, `iou`, and of several groups the ends of their intervals (`iou_low`, `iou_high`).
---@field overall Table A row for each `measure` (`accuracy`, `kappa`, `mean_f1`, `mean_iou`): its `value`, and of several groups `low` and `high`.
---@field groups Table A row for each group: pixels and measures.
---@field strata Table A row for each code of the raster `by`: pixels and measures. Pixels that are masked there are in none.
---@field accuracy number The share of pixels with the right class.
---@field kappa number Agreement beyond that of chance.
---@field mean_f1 number
---@field mean_iou number
---@field pixels integer Compared.
---@field unlabelled integer Left out, because the label is masked.
---@field unpredicted integer Left out: labelled, but the prediction is masked.
---@field ignored integer Left out, because one of the two is a code to ignore.
local Evaluation = {}

---@class learning.EvaluationPlotOptions: plot.SizeOptions
---@field title? string Above the matrix. Default: accuracy, kappa and mean IoU.

--- The confusion matrix as a figure: rows are labels, columns predictions, colours and numbers shares of the row.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local labels = raster.from_table(raster.grid { rows = 1, cols = 4 }, { { 0, 1, 1, 0 } })
--- learning.evaluate(labels, labels, { classes = { [0] = "land", [1] = "water" } }):plot():write("matrix.png")
--- ```
---@param options? learning.EvaluationPlotOptions
---@return Figure
function Evaluation:plot(options) end

---@class learning.Scene
---@field image Raster What is known of each pixel; all scenes have the same bands in the same units.
---@field labels Raster Codes of classes on the grid of the image, one band.
---@field group? string Scenes of one group stay on one side. Default: each scene is a group, called by its number.
---@field properties? table<string, string|number> What `by = "column"` divides by, such as `{ site = "Nebraska" }`.

---@class learning.SplitOptions
---@field by? "scene"|"block"|"column"|"chip" What stays together. `"scene"`: scenes and groups, and those that share ground. `"block"`: squares of ground. `"column"`: scenes with one value of a property, and those that share ground. `"chip"`: nothing; neighbours on other sides make measures look better than they are. Default `"scene"`.
---@field validation? number|string[] The share of chips that validation gets, or the names of its groups (or values of the column). From 0 to 0.9. Default 0.2.
---@field test? number|string[] The share of chips that test gets, or the names of its groups (or values of the column). From 0 to 0.9. Default 0.1.
---@field seed? integer Of the draw. Default 1.
---@field block? number About how wide and high blocks are, in metres. Above 0.
---@field column? string The property that divides scenes.

---@class learning.DatasetOptions
---@field scenes learning.Scene[] Images and their labels.
---@field classes table<integer, string> Names by code of the labels. Codes of one name are one class; codes that are not here are no label.
---@field chip? integer Pixels along a side of a chip. From 1 to 16384. Default 512.
---@field step? integer Pixels from one chip to the next. From 1 to 16384. Default: a chip's side.
---@field minimum_labelled? number A chip counts from this share of labelled pixels on. From 0 to 1. Default 0.1.
---@field balance? boolean Whether training draws chips with replacement, those with rare classes more often. Default false.
---@field split? learning.SplitOptions How chips are dealt out to training, validation and test. Default: by scene.

--- Labelled scenes as chips: squares of pixels that are read when they are wanted, dealt out to training, validation and test.
---
--- A chip lies at every multiple of `step` rows and columns, wholly inside its image (an image smaller than a chip has one, masked beyond the
--- end), and counts if at least `minimum_labelled` of its pixels have a label. Labels are gone over once, tile by tile, on all cores; images are not
--- read until somebody wants a chip.
---
--- No pixel of ground is on two sides, also where scenes overlap, whatever their projections: scenes and values of a column whose chips share
--- ground become one unit, and of blocks and chips those that share ground with a chip of another side are dropped (training's for validation's
--- and test's, validation's for test's). Both are told and counted. Shares are of chips: in an order drawn by the seed, test takes
--- units for as long as each brings it nearer to its share, at least one; then validation; the rest trains. Blocks are squares of a sphere's latitudes and
--- longitudes, the same for every scene, and hold the chips whose middles lie in them.
---
--- The draws are those of SplitMix64 and the same everywhere.
---
--- **Errors.** Labels off the grid of their image; scenes with other bands or units than the first; values that are no whole numbers; no chip with
--- enough labels; a side that stays empty; a class that no training chip has. Each names its values and the way out.
---
--- **Nodata.** Masked labels, and codes that are in no class, are no labels. Where a band of the image is masked, training ignores the pixel.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local scenes = {}
--- for i = 1, 5 do
---   local grid = raster.grid { crs = "EPSG:32611", origin = { 400000 + 5000 * i, 3860000 }, resolution = 10, rows = 128, cols = 128 }
---   local image = raster.random(grid, { seed = i, name = "HH" })
---   scenes[i] = { image = image, labels = image:gt(0.3), group = "scene " .. i }
--- end
--- local ds = learning.dataset { scenes = scenes, chip = 64, classes = { [0] = "not water", [1] = "water" } }
--- print(ds)
--- assert(#ds == 20 and #ds:chips("training") == 12)
--- ```
---@param options learning.DatasetOptions
---@return Dataset
function learning.dataset(options) end

--- Chips that lie in files: a list of scenes of one chip each, for `learning.dataset`.
---
--- The folder has `training_data.csv`, a row for each chip, with a column for each band and one called `labels`; a file lies in the folder of its
--- column, whatever path it was written with. Columns without a folder are no bands. The group is the column `group`, or the name of the file without
--- its number: `AP_1234567_00003.tif` is of `AP_1234567`. A column `side` becomes a property, so that `split = { by = "column", column = "side", validation
--- = { "validation" }, test = { "test" } }` keeps the sides that `Dataset:write` wrote. The chips of the notebooks of
--- OPERA-Cal-Val/dl-with-alos-dswe have the codes `{ [0] = "water", [1] = "not water" }`.
---
--- **Errors.** No table, or one without labels; files that are not there or are no images; bands of a chip on different grids.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local image = raster.random(raster.grid { crs = "EPSG:32611", origin = { 0, 0 }, resolution = 10, rows = 32, cols = 32 }, { name = "hh" })
--- local classes = { [0] = "low", [1] = "high" }
--- local scene = { image = image, labels = image:gt(0.5) }
--- learning.dataset({ scenes = { scene }, classes = classes, chip = 16, split = { validation = 0, test = 0 } }):write("chips")
--- local again = learning.dataset { scenes = learning.read_chips("chips"), classes = classes, chip = 16, split = { validation = 0, test = 0 } }
--- assert(#again == 4 and again.bands[1] == "hh")
--- ```
---@param folder string
---@return learning.Scene[]
function learning.read_chips(folder) end

--- Chips of labelled scenes. `#dataset` counts them; it prints itself.
---@class Dataset
---@field table Table A row for each side: its scenes, chips, labelled pixels, and the share of each class among these.
---@field classes string[] Names of the classes, in the order of the least code of each: the first is class 0.
---@field bands string[] Names of the bands of the images.
---@field chip_size integer Pixels along a side of a chip.
---@field dropped integer Chips that were dropped because they share ground with a chip of another side.
local Dataset = {}

--- A row for each chip: its number, side, scene, group, first row and column in the scene, the share of labelled pixels, and of each class
--- among these.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local image = raster.random(raster.grid { crs = "EPSG:32611", origin = { 0, 0 }, resolution = 10, rows = 64, cols = 64 })
--- local ds = learning.dataset {
---   scenes = { { image = image, labels = image:gt(0.5) } },
---   classes = { [0] = "low", [1] = "high" },
---   chip = 16,
---   split = { by = "block", block = 200 },
--- }
--- local chip = ds:chips("training")[1]
--- print(chip.row, chip.col, chip.labelled, chip["share high"])
--- assert(#ds:chips() == #ds)
--- ```
---@param side? "training"|"validation"|"test" Default all.
---@return Table
function Dataset:chips(side) end

--- The image of a chip, lazily, where it lies on the map.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local image = raster.random(raster.grid { rows = 32, cols = 32 })
--- local scene = { image = image, labels = image:gt(0.5) }
--- local ds = learning.dataset { scenes = { scene }, classes = { [0] = "low", [1] = "high" }, chip = 16, split = { validation = 0, test = 0 } }
--- assert(ds:image(4).rows == 16)
--- ```
---@param chip integer From 1.
---@return Raster
function Dataset:image(chip) end

--- The pixels of a chip and its classes, counted from 0.
---
--- **Errors.** A number beyond the last chip; what reading the scene fails with.
---
--- **Nodata.** Pixels without a label are masked in the classes.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local image = raster.random(raster.grid { rows = 32, cols = 32 })
--- local scene = { image = image, labels = image:gt(0.5) }
--- local ds = learning.dataset { scenes = { scene }, classes = { [0] = "low", [1] = "high" }, chip = 16, split = { validation = 0, test = 0 } }
--- local pixels, classes = ds:read(1)
--- assert((pixels:get(3, 2) > 0.5) == (classes:get(3, 2) == 1))
--- ```
---@param chip integer From 1.
---@return Array pixels
---@return Array classes
function Dataset:read(chip) end

---@class learning.ChannelDrop
---@field bands string[] What may be dropped.
---@field probability? number How often a chip is touched at all. From 0 to 1. Default 0.8.
---@field draws? integer Draws among the bands, with replacement. From 1 to 1024. Default 3.

---@class learning.Speckle
---@field bands string[] In power or dB.
---@field looks number The number of looks of the noise: its variance is 1 / looks. From 0.5 to 10000.

---@class learning.AugmentOptions
---@field flips? boolean Left and right, and up and down, each in half of the cases. Default false.
---@field turns? boolean None to three quarter turns, each as often. Default false.
---@field drop? learning.ChannelDrop Sets bands to 0, after normalisation.
---@field speckle? learning.Speckle Multiplies power by gamma-distributed noise of mean 1, before normalisation; adds its logarithm to decibels.

---@class learning.SampleOptions: learning.AugmentOptions
---@field normalise? boolean Whether bands are brought to mean 0 and standard deviation 1 of the training chips. Default true.
---@field seed? integer Of the draws. Default 1.
---@field epoch? integer Of the draws. Default 0.

--- A chip as training sees it: with speckle, normalised, masked pixels 0, bands dropped, flipped and turned, as asked for; classes masked where a band
--- was.
---
--- Speckle multiplies power by gamma-distributed noise of mean 1 and variance 1/looks, independent from pixel to pixel and band to band, and
--- adds its logarithm to decibels. Flips and turns move pixels and classes together and change none. A dropped band is 0: its mean, where it
--- was normalised. The same seed, epoch and chip give the same sample everywhere.
---
--- **Errors.** Bands that are not there; speckle of bands that are neither power nor dB.
---
--- **Source.** Speckle: Goodman 1976. Channel drop: the notebooks of OPERA-Cal-Val/dl-with-alos-dswe.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local image = raster.random(raster.grid { rows = 32, cols = 32 }):set_unit("power")
--- local scene = { image = image, labels = image:gt(0.5) }
--- local ds = learning.dataset { scenes = { scene }, classes = { [0] = "low", [1] = "high" }, chip = 16, split = { validation = 0, test = 0 } }
--- local pixels, classes = ds:sample(1, { turns = true, speckle = { bands = { "random" }, looks = 4 } })
--- assert(pixels.rows == 16 and classes.rows == 16)
--- ```
---@param chip integer From 1.
---@param options? learning.SampleOptions
---@return Array pixels
---@return Array classes
function Dataset:sample(chip, options) end

--- Writes the chips as files: a folder for each band, `labels` (classes from 0, 255 for none), and `training_data.csv`, which names the files of each
--- chip, its group and its side. `learning.read_chips` reads them, and so do programs that know this layout.
---
--- **Errors.** Files that cannot be written; a band called `labels`, `group` or `side`; what reading the scenes fails with.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local image = raster.random(raster.grid { crs = "EPSG:32611", origin = { 0, 0 }, resolution = 10, rows = 32, cols = 32 }, { name = "hh" })
--- local scene = { image = image, labels = image:gt(0.5), group = "AP_1234" }
--- local ds = learning.dataset { scenes = { scene }, classes = { [0] = "low", [1] = "high" }, chip = 16, split = { validation = 0, test = 0 } }
--- ds:write("chips")
--- assert(#learning.read_chips("chips") == 4 and require("fs").exists("chips/hh/AP_1234_00003.tif"))
--- ```
---@param folder string
function Dataset:write(folder) end

---@class learning.DatasetPlotOptions: plot.SizeOptions
---@field side? "training"|"validation"|"test" Only chips of this side.
---@field count? integer How many chips are shown, drawn by the seed. From 1 to 48. Default 8.
---@field bands? string[] One band in grey, or three as red, green and blue. Default: the first.
---@field colors? string[] Of the classes, in their order.
---@field seed? integer Of the draw. Default 1.

--- A page of chips, each image beside its labels; pixels without a label are grey.
---
--- **Errors.** A side without chips; bands that are not there, or are neither one nor three.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local image = raster.random(raster.grid { rows = 32, cols = 32 })
--- local scene = { image = image, labels = image:gt(0.5) }
--- local ds = learning.dataset { scenes = { scene }, classes = { [0] = "low", [1] = "high" }, chip = 16, split = { validation = 0, test = 0 } }
--- ds:plot({ count = 2 }):write("chips.png")
--- ```
---@param options? learning.DatasetPlotOptions
---@return Figure
function Dataset:plot(options) end

---@class learning.EngineOptions
---@field device? string `auto`, a graphics card where there is one that works, else the CPU; `cpu`; `cuda`, or `cuda:1` for the second card. Default `"auto"`, without a note where there is no card.

---@class learning.Engine
---@field name string Always "libtorch".
---@field version string Its version, such as "2.13".
---@field device string Where it computes.
---@field threads integer With how many threads on the CPU.

--- Opens what networks are trained with, and has it compute a convolution, a normalisation, a loss and their gradients, to be sure that it computes
--- what it should: a long job may ask first. Training opens it by itself.
---
--- **Errors.** Where libtorch is not set up (`perilune setup torch` brings it, with `--cuda` for graphics cards), the device is not there, or its
--- numbers are not those of PyTorch.
---
--- ```lua
--- local learning = require "learning"
--- local engine = learning.engine()
--- assert(engine.name == "libtorch" and engine.threads >= 1)
--- ```
---@param options? learning.EngineOptions
---@return learning.Engine
function learning.engine(options) end

---@class learning.TrainOptions
---@field checkpoint string The folder that holds the state of training: it goes on from there where there is one.
---@field model string The ONNX file that gets the best model, whenever there is a better one.
---@field encoder? "resnet18"|"resnet34"|"resnet50" Of the U-Net. Default `"resnet18"`.
---@field weights? string What the whole network starts from: `.safetensors`, `.pt` or `.pth` with the names of segmentation_models_pytorch.
---@field encoder_weights? string What the encoder starts from: torchvision's file of ImageNet weights, or a whole network's.
---@field epochs? integer At most so many passes over the training chips. From 1 to 1000000. Default 100.
---@field batch? integer Chips in a batch. From 1 to 4096. Default 8.
---@field accumulate? integer Batches whose gradients are summed for one step. From 1 to 1000000. Default 1.
---@field learning_rate? number Of the first epoch. Above 0. Default 0.0001.
---@field optimiser? "adam"|"adamw" Which optimiser. Default `"adam"`.
---@field weight_decay? number How strongly weights are drawn to 0. At least 0. Default 0.
---@field loss? "cross_entropy"|"dice"|"focal" What is made small. Default `"cross_entropy"`.
---@field class_weights? number[] One a class, for `cross_entropy`. Default: 1 each.
---@field gamma? number Of `focal`: how little the easy pixels count. At least 0. Default 2.
---@field halve_after? integer Epochs without a better validation loss after which the learning rate is halved. From 1 to 1000000. Default 10.
---@field least_learning_rate? number Below which it does not fall. At least 0. Default 0.
---@field stop_after? integer Epochs without a better validation loss after which training ends. From 1 to 1000000. Default 80.
---@field best_by? "loss"|"iou" What the best epoch is known by, of the validation chips: their loss, or their mean IoU. Default `"loss"`.
---@field augment? learning.AugmentOptions What is done to training chips so that each is another one each time.
---@field normalise? boolean Whether bands are brought to mean 0 and standard deviation 1 of the training chips. Default true.
---@field fill? number What masked pixels become, after normalisation. Default 0.
---@field licence? string Under which terms the model may be used, such as `CC-BY-4.0`. It lies in the model, as do the next two.
---@field source? string Where the model comes from.
---@field notes? table<string, string|number|boolean> What else is to be known of the training, such as `{ DENOISED = "tv_bregman 0.35" }`: under `training` of the model's metadata.
---@field device? string `auto`, a graphics card where there is one that works, else the CPU; `cpu`; `cuda`, or `cuda:1` for the second card. Default `"auto"`, without a note where there is no card.
---@field seed? integer Of the first weights, the order of chips, and the augmentations. Default 1.

--- Trains a U-Net with a ResNet encoder on the chips of a dataset, and writes the best model as ONNX.
---
--- The network is that of segmentation_models_pytorch 0.5 (`Unet`), so its weights fit by name and shape. Chips are read, normalised and changed on other threads, ahead
--- of the device. After each epoch the validation chips are looked at; after `halve_after` epochs without a loss lower by a ten-thousandth the
--- learning rate is halved, after `stop_after` training ends. What a batch needs beyond the memory (of the graphics card, or `--memory` on the CPU) goes through the network in parts whose gradients are summed, with a note.
---
--- The folder `checkpoint` gets `last.safetensors` after each epoch: weights, the optimiser's memory, the schedule and the history. The same
--- call goes on from there, after Ctrl-C or kill too, to the same weights bit for bit (with the same number of threads). `best.safetensors` and the model are written whenever
--- an epoch is the best so far.
---
--- Losses are means over labelled pixels. `cross_entropy`: minus the logarithm of the softmax at the label, weighted by class, as PyTorch's
--- `CrossEntropyLoss`. `dice`: one minus the Dice coefficient of each class over the batch, mean over the classes; a class without a label counts 0.
--- `focal`: the binary focal loss of each class, summed, without alpha. Both as in segmentation_models_pytorch.
---
--- The first convolution of `encoder_weights` is fitted to other numbers of bands than three: one band gets the sum of the three kernels; n bands get them
--- in turn, times 3/n.
---
--- **Errors.** Where libtorch is not set up; a chip size that is no multiple of 32; weights whose names or shapes are not the network's; a folder that holds
--- the state of a training with other settings, with what differs; a loss that is no number, with its epoch and batch.
---
--- **Nodata.** Masked pixels become `fill` after normalisation and count for no loss and no measure.
---
--- **Source.** Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28; He et al. 2016, doi:10.1109/CVPR.2016.90; Kingma & Ba 2015, arXiv:1412.6980; Loshchilov &
--- Hutter 2019, arXiv:1711.05101; Milletari et al. 2016, doi:10.1109/3DV.2016.79; Lin et al. 2017, doi:10.1109/ICCV.2017.324.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local scenes = {}
--- for i = 1, 3 do
---   local grid = raster.grid { crs = "EPSG:32611", origin = { 4000 * i, 0 }, resolution = 10, rows = 64, cols = 64 }
---   local image = raster.random(grid, { distribution = "smooth", scale = 30, seed = i, name = "HH" })
---   scenes[i] = { image = image, labels = image:gt(0.5) }
--- end
--- local ds = learning.dataset { scenes = scenes, classes = { [0] = "low", [1] = "high" }, chip = 32, split = { validation = { "3" }, test = 0 } }
--- local t = learning.train(ds, { checkpoint = "run", model = "model.onnx", epochs = 1, batch = 4 })
--- assert(t.epochs == 1 and #t.history == 1 and require("fs").exists("model.onnx"))
--- ```
---@param dataset Dataset
---@param options learning.TrainOptions
---@return Training
function learning.train(dataset, options) end

--- What a training has come to. It prints itself.
---@class Training
---@field history Table A row for each epoch: `learning_rate`, `training_loss`, `validation_loss`, and of the validation chips `accuracy`, `mean_iou`, and `iou NAME` of each class.
---@field classes Table A row for each class: pixels `labelled`, `precision`, `recall`, `f1`, `iou` of the best epoch's validation chips.
---@field best integer The number of the best epoch; 0 in a dry run.
---@field epochs integer How many there were.
---@field mean_iou? number Of the best epoch's validation chips.
---@field waited number The share of the time of this call that the device waited for chips.
local Training = {}

--- Losses on the left, IoU of each class on the right, by epoch.
---
--- ```lua
--- local learning, raster = require "learning", require "raster"
--- local scenes = {}
--- for i = 1, 3 do
---   local grid = raster.grid { crs = "EPSG:32611", origin = { 4000 * i, 0 }, resolution = 10, rows = 32, cols = 32 }
---   local image = raster.random(grid, { distribution = "smooth", scale = 30, seed = i, name = "HH" })
---   scenes[i] = { image = image, labels = image:gt(0.5) }
--- end
--- local ds = learning.dataset { scenes = scenes, classes = { [0] = "low", [1] = "high" }, chip = 32, split = { validation = { "3" }, test = 0 } }
--- learning.train(ds, { checkpoint = "run", model = "model.onnx", epochs = 2, batch = 2 }):plot():write("history.png")
--- ```
---@param options? plot.SizeOptions
---@return Figure
function Training:plot(options) end

return learning
