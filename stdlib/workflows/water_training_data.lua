--- Makes training data from radar scenes with labels of the same day: for each scene an image of all channels and its labels on one grid, and a list of them.
---
--- Takes the folder that alos_dswe_pairs or alos_dswe_from_list filled, or one of make_water_scenes: a folder a scene, in ASF's layout, with tiles of DSWE in
--- `usgs_dswe`. Optical composites (Global Forest Change) and heights above the drainage (GLO-30 HAND) are read from their public
--- servers by windows, merged and brought onto the grid of the scene. Scenes that are there already are passed over.
---
---     perilune run water_training_data --folder data/scenes --out training
---
--- `scenes.csv` is what `water_train` takes: scene, image and labels (from its folder), group. Labels are 1 water, 0 not water, 255 not known.

local raster, fs, tables, log = require "raster", require "fs", require "tables", require "log"
local learning = require "learning"
local dswe, water = require "dswe", require "water"

local p = params {
  folder = { type = "path", required = true, help = "Folder of the scenes." },
  out = { "training", type = "path", help = "Where images and labels go." },
  optical = { "gfc", choices = { "gfc", "scene", "none" }, help = "Four optical channels: Global Forest Change, the scene's own optical.tif, or none." },
  product = { "last", choices = { "first", "last" }, help = "Composite of Global Forest Change: of the first or the last year." },
  gfc_version = { type = "string", help = "Version of Global Forest Change, such as GFC-2020-v1.8." },
  gfc_base = { type = "string", help = "Another address, or a folder, of Global Forest Change." },
  hand = { "glo30", choices = { "glo30", "scene", "none" }, help = "Heights above the drainage: GLO-30, the scene's own hand.tif, or none." },
  hand_base = { type = "string", help = "Another address, or a folder, of GLO-30 HAND." },
  denoise = { true, help = "Denoise the radar channels by total variation, the scene as a whole." },
  weight = { 0.35, min = 0.001, help = "Of the data against smoothness." },
  chips = { 0, min = 0, unit = "px", help = "Also write chips of this size as files, in a folder a channel; 0 writes none: learning.dataset reads scenes." },
  known_share = { 0.1, min = 0, max = 1, help = "Scenes with fewer labels are left out of the list." },
}

--%% One scene after the other

local folders = fs.glob(p.folder .. "/*/usgs_dswe")
table.sort(folders)
if #folders == 0 then
  error(("%s holds no scene with a folder usgs_dswe; alos_dswe_pairs and make_water_scenes make such"):format(p.folder), 0)
end
local rows = {}
for _, tiles in ipairs(folders) do
  local folder = fs.dirname(tiles)
  local name = fs.basename(folder)
  local image_path, labels_path = fs.join(p.out, name, "image.tif"), fs.join(p.out, name, "labels.tif")
  if not fs.exists(image_path) or not fs.exists(labels_path) then
    fs.mkdir(fs.join(p.out, name))
    local image = water.channels(folder, {
      denoise = p.denoise and p.weight or 0, optical = p.optical, product = p.product, gfc_version = p.gfc_version, gfc_base = p.gfc_base,
      hand = p.hand, hand_base = p.hand_base,
    })
    local codes = dswe.on(image, fs.glob(tiles .. "/*INWAM*"))
    raster.write_all {
      { image, image_path, { tags = { SCENE = name, [water.DENOISED] = image.properties[water.DENOISED] } } },
      { dswe.labels(codes):mask(image:select(1):is_valid()), labels_path, { nodata = 255, tags = { SCENE = name } } },
    }
  end
  local labels = raster.open(labels_path)
  local counts = labels:cast("float32"):rename("labels"):stats().labels
  local known = counts.count / (labels.rows * labels.cols)
  rows[#rows + 1] = {
    scene = name, image = fs.join(name, "image.tif"), labels = fs.join(name, "labels.tif"), group = name, known_share = known,
    water_share = counts.count > 0 and counts.mean or 0,
  }
  print(("%s: %.1f %% labelled, of that %.1f %% water"):format(name, 100 * known, 100 * rows[#rows].water_share))
end

--%% The list

local kept = tables.new(rows, { columns = { "scene", "image", "labels", "group", "known_share", "water_share" } })
  :filter(function(row) return row.known_share >= p.known_share end)
if #kept < #rows then log.warn("%d of %d scenes have too few labels and are not in the list", #rows - #kept, #rows) end
kept:write_csv(fs.join(p.out, "scenes.csv"))
print(("%d scenes in %s"):format(#kept, fs.join(p.out, "scenes.csv")))

--%% Chips as files, where that is wanted

if p.chips > 0 then
  local scenes = {}
  for i = 1, #kept do
    local image, names = raster.open(fs.join(p.out, kept[i].image)), {}
    -- The notebooks' folders: hh, hv, red, nir…
    for k, band in ipairs(image.bands) do names[k] = band:lower() end
    scenes[i] = { image = image:rename(table.unpack(names)), labels = raster.open(fs.join(p.out, kept[i].labels)), group = kept[i].group }
  end
  -- Sides are dealt out when they are trained with.
  local dataset = learning.dataset {
    scenes = scenes, chip = p.chips, classes = { [0] = "not water", [1] = "water" }, split = { validation = 0, test = 0 },
  }
  dataset:write(fs.join(p.out, "chips"))
  print(("%d chips of %d × %d pixels in %s"):format(#dataset, p.chips, p.chips, fs.join(p.out, "chips")))
end
