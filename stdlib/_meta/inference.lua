---@meta inference

--- Models: networks in ONNX files, and what must be known to use them rightly.
---
--- ONNX Runtime computes them, on all cores or on a GPU; `perilune setup onnxruntime` brings it, with `--cuda` the one for NVIDIA's GPUs.
--- Without it they are computed by a slower one that is built in and knows fewer operators; a note says so.
---@class inference
local inference = {}

---@class inference.OpenOptions

---@class inference.Band

---@class inference.Class

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
--- not there, by its name; with `"auto"` the CPU computes instead, and a note says why where there is a driver.
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

return inference
