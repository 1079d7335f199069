--- Maps open water on a radar scene without training: a threshold found in tiles that hold water and land, region growing, and masks of high and steep ground.
---
--- Takes a file with bands called VV, VH, HH or HV (power, amplitude or dB), or a folder: of ASF's ALOS PALSAR products, of one Sentinel-1
--- scene, or of a scene of make_water_scenes. Writes the classes (1 water, 0 not water) and figures for a paper.
---
---     perilune run water_threshold --scene AP_11104_FBD_F1130_RT1 --hand glo30 --out water.tif

local raster, fs, plot = require "raster", require "fs", require "plot"
local water, hand, palsar = require "water", require "hand", require "palsar"

local p = params {
  scene = { type = "path", required = true, help = "File or folder of the scene." },
  out = { "water.tif", type = "path", help = "The classes. The figures are named after it." },
  unit = { type = "string", choices = { "power", "dB", "amplitude" }, help = "Unit of the backscatter, where the files do not say it." },
  bands = { type = "list", of = "string", help = "Bands; water is what any of them says. The first of VH, VV, HV, HH where left out." },

  -- The threshold
  method = { "minimum_error", choices = { "minimum_error", "otsu", "expectation_maximization" }, help = "How a tile's threshold is found." },
  tile = { 100, min = 4, unit = "px", help = "Size of the tiles." },
  tiles = { 5, min = 1, help = "Tiles that are used at most." },
  threshold = { type = "number", unit = "dB", help = "A threshold in place of that of the tiles." },
  denoise = { true, help = "Denoise by total variation." },
  weight = { 0.35, min = 0.001, help = "Of the data against smoothness." },

  -- What is water
  growth = { 1, min = 0, unit = "dB", help = "What touches water is water, too, up to so far above the threshold." },
  reach = { 5, min = 0, max = 50, unit = "px", help = "Water grows so far at most." },
  hand = { "scene", help = "Heights above the drainage: a file, glo30 (read from the public bucket), none, or scene: hand.tif beside it, if there is one." },
  hand_limit = { 15, min = 0, unit = "m", help = "Water does not lie higher above the drainage." },
  dem = { "scene", help = "Heights for the slope: a file, glo30, none, or scene: its band DEM or dem.tif, if there is one." },
  minimum_area = { 0, min = 0, unit = "m²", help = "Smaller patches of water, and of land within it, go." },
  slope_limit = { 15, min = 0, max = 90, unit = "deg", help = "Water is not steeper." },

  figures = { true, help = "Draw the scene, the heights and the classes, and the histograms with the threshold." },
}

--%% The scene and its terrain

local image = water.open(p.scene, { unit = p.unit })
-- A radar shadow is as dark as water; PALSAR's products tell where there is one.
for _, band in ipairs(image.bands) do
  if band == "ls_map" or band == "mask" then image = palsar.mask_layover(image) break end
end

local function beside(name)
  local path = fs.join(fs.is_folder(p.scene) and p.scene or fs.dirname(p.scene), name)
  if fs.exists(path) then return raster.open(path) end
end

local function has(name)
  for _, band in ipairs(image.bands) do
    if band == name then return true end
  end
end

local function terrain(choice, band, file, from_bucket)
  if choice == "none" then return nil end
  if choice == "glo30" then return from_bucket(image.grid) end
  if choice ~= "scene" then return raster.open(choice):select(1):align(image, { resampling = "bilinear" }):rename(band) end
  local found = has(band) and image:select(band) or beside(file)
  return found and found:select(1):align(image, { resampling = "bilinear" }):rename(band)
end

local heights = terrain(p.hand, "HAND", "hand.tif", hand.on)
local dem = terrain(p.dem, "DEM", "dem.tif", hand.dem_on)

--%% Classes

local classes = water.classify(image, {
  bands = p.bands, method = p.method, tile = p.tile, tiles = p.tiles, threshold = p.threshold, denoise = p.denoise, weight = p.weight,
  growth = p.growth, reach = p.reach, hand = heights, hand_limit = p.hand_limit, minimum_area = p.minimum_area, slope = dem and water.slope(dem), slope_limit = p.slope_limit,
})
local tags, used = {}, {}
for name, value in pairs(classes.properties) do
  local band = name:match "^threshold_dB_(.+)$"
  if band then used[#used + 1] = { band = band, threshold = value, tiles = classes:get("tiles_" .. band) } end
  -- Where the image lay is told by the record of the file.
  if name ~= "path" then tags[name:upper()] = value end
end
table.sort(used, function(a, b) return a.band < b.band end)
fs.mkdir(fs.dirname(p.out))
classes:write(p.out, { nodata = 255, tags = tags })

local map = raster.open(p.out)
local share = map:cast("float32"):stats()[map.bands[1]].mean
for _, found in ipairs(used) do
  print(("%s: threshold %.2f dB%s"):format(found.band, found.threshold, found.tiles and (", from %d tiles"):format(found.tiles) or ""))
end
print(("%s: %.2f %% of the valid pixels are water"):format(p.out, 100 * share))

--%% Figures

if p.figures then
  local base = p.out:gsub("%.tiff?$", "")
  local georeferenced = image.crs ~= nil
  local function panel(title) return { title = title, lonlat = georeferenced, scale_bar = georeferenced and "lower right" or nil } end
  local shown = used[1].band
  local db = image:select(shown):to_db()
  local count = heights and 3 or 2
  -- Panels of a wide scene lie below each other.
  local is_wide = image.cols > 2 * image.rows
  local figure = plot.figure {
    rows = is_wide and count or 1, cols = is_wide and 1 or count, width = is_wide and 7.2 or 3.6 * count, height = is_wide and 2.2 * count or 3,
    dpi = 200, letters = true,
  }
  figure:axes(panel(shown .. " backscatter")):image(db, { colormap = "gray", label = shown .. " (dB)" })
  if heights then
    figure:axes(panel "Height above drainage"):image(heights, { colormap = "viridis", min = 0, max = 50, label = "HAND (m)" })
  end
  figure:axes(panel(("Open water, threshold %.1f dB"):format(used[1].threshold))):classes(map)
  print(figure:write(base .. ".png"))

  local histograms = plot.figure { cols = #used, width = 3.6 * #used, height = 2.8, dpi = 200, letters = #used > 1 }
  for _, found in ipairs(used) do
    local measured = image:select(found.band)
    local axes = histograms:axes { x_label = found.band .. " backscatter (dB)", y_label = "Density" }
    local low, high = table.unpack((p.denoise and water.denoise(measured) or measured:to_db()):percentile { 0.1, 99.9 })
    axes:histogram(measured:to_db(), { min = low, max = high, density = true, label = "measured", filled = false, color = "gray" })
    if p.denoise then axes:histogram(water.denoise(measured, { weight = p.weight }), { min = low, max = high, density = true, label = "denoised", opacity = 0.6 }) end
    axes:vertical_line(found.threshold, { color = "black", style = "dashed", label = ("threshold %.2f dB"):format(found.threshold) })
  end
  print(histograms:write(base .. "_histogram.png"))
end
