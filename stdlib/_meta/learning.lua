---@meta learning

--- Learning from labelled scenes, and measures of what a model or a method maps.
---@class learning
local learning = {}

---@class learning.EngineOptions
---@field device? string `cpu`, `cuda`, or `cuda:1` for the second graphics card. Default "cpu".

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

return learning
