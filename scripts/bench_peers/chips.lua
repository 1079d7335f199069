--- Chips of a scene as training sees them, so many epochs: decibels without speckle (TV, weight 0.35), flips and turns. `--what data` makes the scene
--- and the chip files that chips.py reads. Tells CPU seconds.
local learning, raster, filter = require "learning", require "raster", require "filter"
local p = params { what = { "epochs", choices = { "data", "epochs" } }, epochs = 3 }

local function dataset(image)
  return learning.dataset {
    scenes = { { image = image, labels = raster.open "chips_labels.tif" } },
    chip = 256, classes = { [0] = "not water", [1] = "water" }, split = { validation = 0, test = 0 },
  }
end

local function power()
  return raster.open("chips_hh.tif", { names = { "hh" }, unit = "power" }):add_bands(raster.open("chips_hv.tif", { names = { "hv" }, unit = "power" }))
end

if p.what == "data" then
  local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3860000 }, resolution = 10, rows = 2560, cols = 5120 }
  for seed, name in ipairs { "hh", "hv" } do
    (raster.random(grid, { distribution = "speckle", looks = 4, seed = seed }) * 0.1):write("chips_" .. name .. ".tif")
  end
  raster.random(grid, { distribution = "smooth", scale = 60, seed = 1 }):gt(0.5):write("chips_labels.tif", { dtype = "uint8" })
  dataset(power()):write("chips")
else
  local ds = dataset(filter.tv_bregman(power():clamp(1e-5, 1):to_db(), { weight = 0.35 }))
  for epoch = 0, p.epochs - 1 do
    local before = os.clock()
    for chip = 1, #ds do ds:sample(chip, { flips = true, turns = true, epoch = epoch, normalise = false }) end
    print(("epoch %d: %d chips, %.2f s CPU"):format(epoch, #ds, os.clock() - before))
  end
end
