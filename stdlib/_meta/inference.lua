---@meta inference

--- Models: networks in ONNX files, and what must be known to use them rightly.
---
--- ONNX Runtime computes them, on all cores or on a GPU; `perilune setup onnxruntime` brings it, with `--cuda` the one for NVIDIA's GPUs.
--- Without it they are computed by a slower one that is built in and knows fewer operators; a note says so.
---@class inference
local inference = {}

---@class inference.OpenOptions
---@field device? string What computes it: `"auto"` (the first GPU where one works, else the CPU, with a note why), `"cpu"`, `"cuda"` (the first GPU) or `"cuda:1"` (the second). Default as `"auto"`, without the note where there is no driver.
---@field precision? "float32"|"tf32" In which numbers a GPU multiplies float32: `float32`, as the CPU does, or `tf32`, with factors rounded to 10 bits of the fraction, which is faster. Default `"float32"`.
---@field gpu_memory_mib? integer The most that it takes of a GPU's memory, in MiB. At least 1. Default: what it needs.
---@field bands? (string|inference.Band)[] The bands that it takes, in its order: names, or tables with a name, a unit and what they are turned into.
---@field classes? (string|inference.Class)[] The classes that it tells apart, in its order: names, or tables with a name, a value and a colour.
---@field nodata? integer What stands for masked pixels in a map of classes. From 0 to 255.
---@field activation? "logits"|"probabilities"|"values" What its numbers are: of classes before the softmax (one channel: the logistic function), probabilities, or quantities.
---@field stride? integer What height and width of its input must be multiples of. At least 1.
---@field receptive_field? integer Pixels along a side that one pixel of its output depends on. At least 1.

---@class inference.Band
---@field name string Of the band, as in images.
---@field unit? string Of the band's values, as in images: `"dB"`, `"power"`. Default: not known.
---@field input? string The input that it is a channel of. Default: the first.
---@field clip? number[] The lowest and the highest value that are passed on, in the band's unit.
---@field mean? number What is subtracted.
---@field std? number What is divided by. Above 0.
---@field scale? number What is multiplied by. Not 0.
---@field offset? number What is added then.
---@field fill? number What a masked pixel becomes, among the numbers that the model is given. Default 0.

---@class inference.Class
---@field name string Of the class.
---@field value? integer In maps. From 0 to 255. Default: its place among the classes, from 0.
---@field color? string As `#1f78b4`.

---@class inference.ApplyOptions
---@field tile? integer|integer[] Pixels of a window: one number, or `{ rows, cols }`. Default the size that the network takes; where it takes any, 512, or what of its stride comes next below.
---@field overlap? integer Pixels that a window has in common with the next; the distance of windows is a multiple of the network's stride. Default an eighth of the window.
---@field blend? "hann"|"crop"|"mean"|"max" How windows become one image: `hann` fades them into one another by Hann windows whose weights have the sum 1 everywhere; `crop` takes each pixel from the window whose middle is nearest, and equals the whole image at once where the overlap is the network's receptive field; `mean` weighs all the same; `max` takes the largest of each class. Default `"hann"`.
---@field batch? integer Windows that the network takes at a time. It is halved, with a note, where a GPU has no room for as many. At least 1. Default 1.
---@field augment? "none"|"flips"|"dihedral" Positions in which each window is shown, over which is averaged: `flips` four, `dihedral` the eight of a square. Default `"none"`.
---@field output? "classes"|"confidence"|"probabilities"|"logits"|"values"|("classes"|"confidence"|"probabilities"|"logits"|"values")[] What is made, one or several: `classes`, the number of the most probable class, as uint8; `confidence`, its probability; `probabilities`, a band a class; `logits` or `values`, the network's numbers as they are. Default classes, of a model of quantities values.
---@field head? string The output of the network that is meant, by its name. Default the first.
---@field device? string Where it is computed, as in `inference.open`. Default where the model was opened.
---@field precision? "float32"|"tf32" In which numbers a GPU multiplies, as in `inference.open`. Default as the model was opened.

--- Opens a model.
---
--- What a model must be given, and what it gives, lies in its file when perilune has written it: bands with their names, units, order and
--- normalisation, classes, what its numbers are. Of other models it is given by options; what they say takes the place of what the file
--- says. A band is limited to `clip`, then becomes `(x - mean) / std` or `x * scale + offset`; masked pixels become `fill`.
---
--- Numbers are computed as the model says (float32, float16, …). Its file is read once: what is changed later counts at the next opening.
---
--- **Errors.** A file that is no ONNX model, that is cut short or lacks its external weights; weights that are NaN or infinite; an operator that
--- cannot be computed; bands or classes that the network does not have. With `device = "cuda"` a GPU, driver or library that is
--- not there, by its name; with `"auto"` the CPU computes instead, and a note says why. `precision = "tf32"` where no GPU computes.
---
--- ```lua
--- local fs, inference = require "fs", require "inference"
--- if fs.exists("water.onnx") then
---   local model = inference.open("water.onnx", {
---     bands = { { name = "HH", unit = "dB", clip = { -50, 10 }, mean = -8, std = 4 }, "angle" },
---     classes = { "land", { name = "water", color = "#1f78b4" } },
---   })
---   print(model, model.inputs[1].shape[2])
--- end
--- ```
---@param path string An ONNX file.
---@param options? inference.OpenOptions
---@return Model
function inference.open(path, options) end

--- A network, and what must be known to use it. `print` shows what it is.
---@class Model
---@field path string Its file.
---@field inputs { name: string, type: string, shape: integer[] }[] What it takes; 0 is an axis of any size. Images are (batch, band, row, column).
---@field outputs { name: string, type: string, shape: integer[] }[] What it gives.
---@field bands inference.Band[] The bands that it takes, in its order; empty where that is not known.
---@field classes inference.Class[] The classes that it tells apart, in its order; empty where that is not known.
---@field metadata table All that is known of it: bands, classes, nodata, activation, stride, receptive_field, licence, source, training.
---@field device string What computes it: `cpu by ONNX Runtime 1.32.0`.
---@field opset integer The version of ONNX's operators that it is written in.
local Model = {}

--- The model over images of any size, window by window: a lazy image on their grid, or on a coarser one where the network's output is.
---
--- Windows are anchored at the first pixel of the image, and each is computed once, whatever is asked for: a crop computes the windows that it touches, and gets the
--- same pixels. The last window of a row or column is moved back to end with the image. Beyond the image, in images smaller than a window and up to the next
--- multiple of the stride, pixels count as masked.
---
--- Bands are found by the names that the model gives them; decibels, amplitude and power become what it takes. Pixels are masked where a band is, and are
--- shown to the network as the model says (0 after normalisation unless it does); windows without a valid pixel are not computed. A network that gives one vector a
--- window makes an image whose pixels are windows. Of several inputs each is an image, all on one grid.
---
--- Probabilities are blended, and the class is the most probable one after blending.
---
--- **Errors.** Images, bands, their number or units that the model does not take; a tile or an overlap that it does not fit; numbers of the network that are not finite.
---
--- ```lua
--- local fs, inference, raster = require "fs", require "inference", require "raster"
--- if fs.exists("water.onnx") then
---   local water = inference.open("water.onnx"):apply(raster.open("scene.tif"), { output = { "classes", "confidence" } })
---   water:write("water.tif", { resume = true })
--- end
--- ```
---@param images Raster|Raster[] One for each input of the network.
---@param options? inference.ApplyOptions
---@return Raster
function Model:apply(images, options) end

return inference
