--- Networks over scenes, for inference.py. `--what data` makes a scene of two bands and U-Nets for it; `--what map` maps it; `--what large` maps one of 30,000 ×
--- 30,000 pixels and four bands, which are made as they are read, with a network of two convolutions.
local learning, raster, inference = require "learning", require "raster", require "inference"
local p = params {
  what = { "map", choices = { "data", "map", "large" } }, model = "resnet18.onnx", size = 2560, overlap = 0, blend = "crop", rows = 30000, cols = 30000,
}

if p.what == "data" then
  local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3860000 }, resolution = 10, rows = p.size, cols = p.size }
  local bands = {}
  for seed, name in ipairs { "VV", "VH" } do
    local tone = raster.random(grid, { distribution = "smooth", scale = 400, seed = seed })
    bands[seed] = (10 * raster.random(grid, { distribution = "speckle", looks = 16, seed = 10 + seed }):log10() - 8 - 12 * tone):rename(name):set_unit "dB"
  end
  bands[1]:add_bands(bands[2]):write("scene.tif", { compress = "none" })
  local image = raster.open "scene.tif"
  local ds = learning.dataset {
    scenes = { { image = image, labels = image:select("VV"):lt(-14) } }, classes = { [0] = "not water", [1] = "water" }, chip = 256, step = 640,
    split = { by = "block", block = 6000, test = 0 },
  }
  for _, encoder in ipairs { "resnet18", "resnet50" } do
    learning.train(ds, { checkpoint = encoder, model = encoder .. ".onnx", encoder = encoder, epochs = encoder == "resnet18" and 12 or 2, batch = 4, learning_rate = 1e-3 })
  end
elseif p.what == "map" then
  local made = inference.open(p.model, { device = "cpu" })
    :apply(raster.open "scene.tif", { tile = 512, overlap = p.overlap, blend = p.blend, output = { "classes", "probabilities" } })
  made:select("class"):write "classes.tif"
  if p.overlap > 0 then made:select("water"):write "probability.tif" end
else
  local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3860000 }, resolution = 10, rows = p.rows, cols = p.cols }
  local bands
  for seed, name in ipairs { "a", "b", "c", "d" } do
    local band = raster.random(grid, { seed = seed, name = name })
    bands = bands and bands:add_bands(band) or band
  end
  inference.open("small.onnx", { device = "cpu", bands = { "a", "b", "c", "d" } }):apply(bands, { tile = 512, overlap = 8, blend = "crop" }):write "large.tif"
end
