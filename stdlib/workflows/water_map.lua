--- Maps open water on a radar scene of any size with a trained network: classes, confidence, polygons and figures, without chips and without seams.
---
--- Takes a model of water_train, or another ONNX file that says what its bands are, and a scene: a file with bands called VV, VH, HH or HV, a
--- folder of ASF's ALOS PALSAR products or of one Sentinel-1 scene, or one that water_training_data or make_water_scenes made. The other channels
--- that the model wants come from the scene, or from their public servers, only where the scene lies.
---
---     perilune run water_map --model water.onnx --scene AP_11104_FBD_F1130_RT1 --out water.tif
---
--- Memory stays the same however large the scene is. A run that was ended goes on where it was: what is finished is not computed again.

local raster, fs, plot, log = require "raster", require "fs", require "plot", require "log"
local inference, water = require "inference", require "water"

local p = params {
  model = { type = "path", required = true, help = "The model, an ONNX file." },
  scene = { type = "path", required = true, help = "File or folder of the scene." },
  out = { "water.tif", type = "path", help = "The classes. The other files are named after it." },
  unit = { type = "string", choices = { "power", "dB", "amplitude" }, help = "Unit of the backscatter, where the files do not say it." },

  -- Its other channels
  denoise = { type = "number", min = 0, help = "Weight of the denoising; 0 for none. As in training where left out." },
  optical = { "gfc", choices = { "gfc", "scene" }, help = "Optical channels: Global Forest Change, or optical.tif beside the scene." },
  product = { "last", choices = { "first", "last" }, help = "Composite of Global Forest Change: of the first or the last year." },
  gfc_base = { type = "string", help = "Another address, or a folder, of Global Forest Change." },
  hand = { "glo30", choices = { "glo30", "scene" }, help = "Heights above the drainage: GLO-30, or hand.tif beside the scene." },
  hand_base = { type = "string", help = "Another address, or a folder, of GLO-30 HAND." },

  -- How the network goes over it
  tile = { type = "integer", min = 1, unit = "px", help = "Size of its windows; 512, or what the model takes, where left out." },
  overlap = { type = "integer", min = 0, unit = "px", help = "What neighbouring windows have in common; an eighth where left out." },
  blend = { "hann", choices = { "hann", "crop", "mean", "max" }, help = "How windows become one image." },
  batch = { 1, min = 1, help = "Windows that the network takes at a time." },
  augment = { "none", choices = { "none", "flips", "dihedral" }, help = "Show each window in several positions, and average." },
  device = { "auto", help = "auto, cpu, or cuda." },

  -- What is made
  polygons = { type = "path", help = "Also write the water as polygons: .gpkg, .geojson or .parquet." },
  minimum_area = { 0, min = 0, unit = "m²", help = "Smaller polygons are left out." },
  simplify = { type = "number", unit = "CRS", help = "Polygons with fewer corners, to about this length." },
  figures = { true, help = "Draw backscatter, false colour, classes and confidence." },
}

--%% The model and the channels that it wants

-- Said aloud, "auto" tells each time that there is no graphics card.
local device = p.device ~= "auto" and p.device or nil
local model = inference.open(p.model, { device = device })
print(model)
local bands = {}
for i, band in ipairs(model.bands) do bands[i] = band.name end
if #bands == 0 then
  error(("%s does not say which bands it takes; open it in a script, where inference.open takes them"):format(p.model), 0)
end
local how = (model.metadata.training or {})[water.DENOISED] or "none"
local weight = p.denoise or tonumber(how:match "^tv_bregman (.+)$") or 0
local scene = water.channels(p.scene, {
  bands = bands, denoise = weight, unit = p.unit, optical = p.optical, product = p.product, gfc_base = p.gfc_base, hand = p.hand,
  hand_base = p.hand_base,
})
if scene.properties[water.DENOISED] ~= how then
  log.warn("the model was trained on backscatter denoised by %s, and sees backscatter denoised by %s", how, scene.properties[water.DENOISED])
end

--%% Classes and their confidence

local found = model:apply(scene, {
  tile = p.tile, overlap = p.overlap, blend = p.blend, batch = p.batch, augment = p.augment, output = { "classes", "confidence" },
})
local classes = {}
for i, class in ipairs(model.classes) do
  local known = water.CLASSES[i]
  classes[i] = { value = class.value or i - 1, name = class.name, color = class.color or (known and known.name == class.name and known.color) or nil }
end
local classified = found:select "class"
if #classes > 0 then classified = classified:set_classes(classes) end
local base = p.out:gsub("%.tiff?$", "")
fs.mkdir(fs.dirname(p.out))
local tags = { MODEL = fs.basename(p.model) }
raster.write_all {
  { classified, p.out, { resume = true, tags = tags } },
  { found:select "confidence", base .. "_confidence.tif", { tags = tags } },
}
local map, confidence = raster.open(p.out), raster.open(base .. "_confidence.tif")
local wet
for _, class in ipairs(classes) do
  if class.name == "water" then wet = class.value end
end
if wet then
  local share = map:eq(wet):cast("float32"):rename("share"):stats().share.mean
  print(("%s: %.2f %% of the valid pixels are water, at a mean confidence of %.3f"):format(p.out, 100 * share, confidence:stats().confidence.mean))
end

--%% Polygons

if p.polygons then
  if not wet then error(("%s has no class called water, so that there is nothing to make polygons of"):format(p.model), 0) end
  local written = map:write_polygons(p.polygons, {
    classes = { water = wet }, minimum_area = p.minimum_area, simplify = p.simplify, mean = confidence,
  })
  print(("%s: %d polygons"):format(p.polygons, written))
end

--%% Figures

if p.figures then
  local georeferenced = map.crs ~= nil
  local function panel(title) return { title = title, lonlat = georeferenced, scale_bar = georeferenced and "lower right" or nil } end
  local radar, optical = nil, {}
  for _, name in ipairs(bands) do
    if not radar and name:match "^[HV][HV]$" then radar = name end
    optical[name] = true
  end
  local has_colors = optical.red and optical.NIR and optical.SWIR1
  local count = has_colors and 4 or 3
  -- Panels of a wide scene lie below each other.
  local is_wide = map.cols > 2 * map.rows
  local rows = is_wide and count or (count + 1) // 2
  local figure = plot.figure {
    rows = rows, cols = is_wide and 1 or 2, width = 7.2, height = (is_wide and 2.2 or 3) * rows, dpi = 200, letters = true,
  }
  if radar then figure:axes(panel(radar .. " backscatter")):image(scene:select(radar), { colormap = "gray", label = radar .. " (dB)" }) end
  if has_colors then figure:axes(panel "SWIR1, NIR, red"):rgb(scene:select("SWIR1", "NIR", "red")) end
  figure:axes(panel "Classes"):classes(map)
  figure:axes(panel "Confidence"):image(confidence, { colormap = "viridis", min = 1 / #model.classes, max = 1, label = "Probability of the class" })
  print(figure:write(base .. ".png"))
end
