--- A network's first epoch of 200 chips of 256² pixels, read of a scene: backscatter in decibels without speckle (TV, weight 0.35), heights and heights
--- above the drainage; flips, turns, normalisation. `--what data` makes the scenes and the chip files that epoch.py reads.
local learning, raster, filter, fs = require "learning", require "raster", require "filter", require "fs"
local p = params { what = { "train", choices = { "data", "train" } }, batch = 8 }

-- Rows, columns and the west edge: one to train with, and one chip to look at afterwards.
local SCENES = { { 2560, 5120, 400000 }, { 256, 256, 500000 } }

local function band(scene, name, options)
  options.names = { name }
  return raster.open(("epoch_%d_%s.tif"):format(scene, name), options)
end

local function power(scene)
  return band(scene, "hh", { unit = "power" }):add_bands(band(scene, "hv", { unit = "power" }))
end

local function dataset(backscatter)
  local scenes = {}
  for i in ipairs(SCENES) do
    local image = backscatter(i):add_bands(band(i, "dem", { unit = "m" })):add_bands(band(i, "hand", { unit = "m" }))
    scenes[i] = { image = image, labels = raster.open(("epoch_%d_labels.tif"):format(i)), group = "scene " .. i }
  end
  return learning.dataset {
    scenes = scenes, chip = 256, classes = { [0] = "not water", [1] = "water" }, split = { validation = { "scene 2" }, test = 0 },
  }
end

if p.what == "data" then
  for i, scene in ipairs(SCENES) do
    local grid = raster.grid { crs = "EPSG:32611", origin = { scene[3], 3860000 }, resolution = 10, rows = scene[1], cols = scene[2] }
    local function write(image, name, options) image:write(("epoch_%d_%s.tif"):format(i, name), options) end
    for seed, name in ipairs { "hh", "hv" } do
      write(raster.random(grid, { distribution = "speckle", looks = 4, seed = 10 * i + seed }) * 0.1, name)
    end
    write(raster.random(grid, { distribution = "smooth", scale = 200, seed = i }) * 300, "dem")
    write(raster.random(grid, { distribution = "smooth", scale = 60, seed = i }) * 50, "hand")
    write(raster.random(grid, { distribution = "smooth", scale = 60, seed = i }):gt(0.5), "labels", { dtype = "uint8" })
  end
  dataset(power):write "epoch_chips"
else
  if fs.exists "epoch_state/last.safetensors" then fs.remove "epoch_state/last.safetensors" end
  local ds = dataset(function(scene) return filter.tv_bregman(power(scene):clamp(1e-5, 1):to_db(), { weight = 0.35 }) end)
  local trained = learning.train(ds, {
    checkpoint = "epoch_state", model = "epoch_ours.onnx", epochs = 1, batch = p.batch, learning_rate = 1e-4,
    augment = { flips = true, turns = true }, device = "cpu",
  })
  print(trained.history)
end
