--- Open water from radar backscatter without training: denoising, a threshold from tiles that hold water and land, and masks by terrain.
---
--- ```
--- image (power or dB) → denoise → threshold of tiles → region growing → HAND and slope masks → classes
--- ```
---@class water
local M = {}

local raster, filter, geometry = require "raster", require "filter", require "geometry"
local catalog, fs, library, log, tables = require "catalog", require "fs", require "library", require "log", require "tables"
local gfc, hand, palsar, s1 = require "gfc", require "hand", require "palsar", require "sentinel1"

local fail = library.fail

--- The classes of a water map with their colours; the maps that are made here carry them.
---@type raster.Class[]
M.CLASSES = {
  { value = 0, name = "not water", color = "#d9cfb8" },
  { value = 1, name = "water", color = "#2468a8" },
}

--- The highest thresholds in dB that are believed of C band, by polarisation: those of HydroSAR (ASF, asf-tools).
M.HIGHEST = { VV = -15.5, VH = -23 }

-- The folder that a zip of ASF's holds. What has been unpacked before is only compared.
local function unpacked(path)
  local members = catalog.unzip(path, { into = fs.dirname(path) })
  for _, member in ipairs(members) do
    if member.name:match "%.tiff?$" then return fs.dirname(member.path) end
  end
  fail(("water.open: %s holds no GeoTIFF"):format(path))
end

local function opened(path, unit)
  if path:lower():match "%.zip$" then path = unpacked(path) end
  if not fs.is_folder(path) then return raster.open(path, { unit = unit }) end
  local image = fs.join(path, "image.tif")
  if fs.exists(image) then return raster.open(image, { unit = unit }) end
  if #fs.glob(path .. "/AP_*_RT?_*.tif") > 0 then return palsar.open_rtc(path) end
  if #fs.glob(path .. "/*_sl_H*.tif") > 0 then return palsar.open(path) end
  local stack = s1.open_stack(path, { unit = unit, incomplete = "skip" })
  if #stack ~= 1 then fail(("water.open: %s holds %d scenes; name the file or the folder of one"):format(path, #stack)) end
  return stack[1]
end

---@class water.OpenOptions
---@field unit? "power"|"dB"|"amplitude" Of the backscatter, where the files do not say it.

--- Opens a scene: a file with bands called after their polarisations; a folder with such an `image.tif`; a folder of ASF's ALOS PALSAR
--- products, or the zip that ASF sends them in, which is unpacked beside it; a tile of the global PALSAR mosaics; or a folder with the files of one Sentinel-1 scene.
---
--- The property `scene` says what it is called. Radar shadow is as dark as water: `palsar.mask_layover` masks it, where the product tells it.
---
--- **Errors.** A folder with several scenes; what `palsar.open_rtc` and `sentinel1.open_stack` refuse.
---
--- ```lua
--- local raster, water = require "raster", require "water"
--- raster.constant(raster.grid { rows = 2, cols = 2 }, 0.1):rename("VV"):set_unit("power"):write "image.tif"
--- assert(water.open("."):stats().VV.count == 4)
--- ```
---@param path string
---@param options? water.OpenOptions
---@return Raster
function M.open(path, options)
  local o = library.options("water.open", options)
  local image = opened(path, o.unit)
  if image.properties.scene then return image end
  local name = image.properties.tile or fs.basename(path)
  return image:set("scene", name ~= "" and name or path)
end

---@class water.DenoiseOptions
---@field weight? number Of the data against smoothness. Above 0. Default 0.35.

--- Denoises backscatter: powers clipped to 0…1, those below 1e-5 raised to it, in dB, by total variation. The whole image is one problem, so that there are no seams.
---
--- **Errors.** Bands in another unit than power, amplitude or dB.
---
--- **Nodata.** Masked pixels stay masked.
---
--- **Source.** As `filter.tv_bregman`; the weight is that of OPERA-Cal-Val/dl-with-alos-dswe.
---
--- ```lua
--- local raster, water = require "raster", require "water"
--- local speckle = raster.random(raster.grid { rows = 60, cols = 60 }, { distribution = "speckle", looks = 4, name = "VV", unit = "power" }) * 0.05
--- local before, after = speckle:to_db():stats().VV.std, water.denoise(speckle):stats().VV.std
--- assert(after < 0.7 * before)
--- ```
---@param image Raster
---@param options? water.DenoiseOptions
---@return Raster dB
function M.denoise(image, options)
  local o = library.options("water.denoise", options)
  return filter.tv_bregman(image:to_power():clamp(1e-5, 1):to_db(), { weight = o.weight })
end

-- Width and height of a pixel, of longitude and latitude in metres in the middle of the image, and the y there.
local function pixel_size(grid)
  local dx, dy = grid.resolution[1], grid.resolution[2]
  if not grid.is_geographic then return dx, dy end
  local x, y = grid:to_map(grid.rows / 2, grid.cols / 2)
  local function metres(to_x, to_y) return geometry.line({ { x, y }, { to_x, to_y } }, grid.wkt):length() end
  return metres(x + dx, y), metres(x, y + dy), y
end

local function pixel_area(grid)
  local width, height = pixel_size(grid)
  return math.abs(width * height)
end

--- Slope of the ground in degrees, from differences of the neighbours on both sides, weighted 1, 2, 1.
---
--- In longitude and latitude the size of a pixel on the ground is that at the middle of the image, narrowed with the cosine of the latitude.
---
--- **Nodata.** Masked where one of the eight neighbours is, and at the edges of the image.
---
--- **Source.** Horn 1981, doi:10.1109/PROC.1981.11918.
---
--- ```lua
--- local raster, water = require "raster", require "water"
--- local grid = raster.grid { crs = 32632, origin = { 500000, 5000000 }, resolution = 20, rows = 5, cols = 5 }
--- local plane = raster.coordinates(grid).x * 0.5
--- assert(math.abs(water.slope(plane):read():get(2, 2) - math.deg(math.atan(0.5))) < 1e-3)
--- ```
---@param dem Raster Heights in metres, of one band.
---@return Raster slope in degrees
function M.slope(dem)
  local grid = dem.grid
  local height = dem:cast("float32"):set_unit ""
  local function at(col, row) return height:shift { cols = -col, rows = -row } end
  local function rise(east)
    local sum
    for k = -1, 1 do
      local ahead, behind = at(east and 1 or k, east and k or 1), at(east and -1 or k, east and k or -1)
      local part = (ahead - behind) * (k == 0 and 2 or 1)
      sum = sum and sum + part or part
    end
    return sum / 8
  end
  local per_col, per_row = rise(true), rise(false)
  if grid.is_geographic then
    local width, height_m, y = pixel_size(grid)
    local narrowed = (raster.coordinates(grid).y:set_unit "" * (math.pi / 180)):cos() * (width / math.cos(math.rad(y)))
    per_col, per_row = per_col / narrowed, per_row / height_m
  else
    local width, height_m = pixel_size(grid)
    per_col, per_row = per_col / width, per_row / height_m
  end
  return (per_col * per_col + per_row * per_row):sqrt():atan():set_unit("rad"):to_degrees():rename "slope"
end

---@class water.TileOptions
---@field tile? integer Pixels on a side of a tile; a tile has four sub-tiles. Even, at least 4. Default 100.
---@field tiles? integer How many tiles at most. At least 1. Default 5.
---@field hand? Raster Height above the nearest drainage in metres: tiles of high ground hold no water.
---@field hand_limit? number Metres above the drainage that water reaches at most. At least 0. Default 15.
---@field hand_share? number Share of a tile that lies below the limit at least. From 0 to 1. Default 0.8.

-- The image in blocks: means of blocks of `size` pixels, whole blocks only.
local function blocks(image, size, rows, cols)
  local t = image.grid.transform
  local target = raster.grid {
    crs = image.grid.wkt, rows = rows, cols = cols, transform = { t[1], t[2] * size, t[3] * size, t[4], t[5] * size, t[6] * size },
  }
  return image:align(target, { resampling = "average" }):read():totable()
end

local function mean_and_std(values)
  local mean, squares = 0, 0
  for _, v in ipairs(values) do mean = mean + v / #values end
  for _, v in ipairs(values) do squares = squares + (v - mean) ^ 2 / #values end
  return mean, math.sqrt(squares)
end

local function percentile(values, p)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local rank = p / 100 * (#sorted - 1)
  local below = math.floor(rank)
  local low, high = sorted[below + 1], sorted[math.min(below + 2, #sorted)]
  return low + (high - low) * (rank - below)
end

--- Tiles that are likely to hold both water and land, the best first.
---
--- The power of a tile is averaged over its four sub-tiles. Candidates are darker than the median of all tiles (that lie low enough, where `hand` is given), and the coefficient of
--- variation of their sub-tiles is above a percentile of that of all: the 95th, lowered step by step to the 5th until there
--- are as many as wanted. Of the candidates those with the greatest standard deviation of the sub-tiles are taken.
---
--- A row of the result: `row` and `col` of the tile's first pixel, `mean` of its power, `variation`, `std`.
---
--- **Errors.** An image smaller than a tile; of several bands; in another unit than power, amplitude or dB.
---
--- **Nodata.** Tiles with a sub-tile less than half valid are left out.
---
--- **Source.** Martinis, Kersten and Twele 2015, doi:10.1016/j.isprsjprs.2014.07.014; Twele et al. 2016, doi:10.1080/01431161.2016.1192304; with
--- the medians and percentiles of HydroSAR (ASF, asf-tools).
---
--- ```lua
--- local raster, water = require "raster", require "water"
--- local grid = raster.grid { rows = 200, cols = 200 }
--- local speckle = raster.random(grid, { distribution = "speckle", looks = 10 })
--- local at = raster.coordinates(grid)
--- local vv = (raster.where(at.x:lt(70) & at.y:lt(30), 0.005, 0.1) * speckle):rename("VV"):set_unit "power"
--- local found = water.tiles(vv, { tile = 50 })
--- assert(found[1].row == 0 and found[1].col <= 50)
--- ```
---@param image Raster One band of backscatter, best before it is denoised.
---@param options? water.TileOptions
---@return Table
function M.tiles(image, options)
  local o = library.options("water.tiles", options)
  if #image.bands ~= 1 then fail(("water.tiles: one band is wanted, not %d: %s"):format(#image.bands, table.concat(image.bands, ", "))) end
  local size = o.tile
  local rows, cols = image.rows // size, image.cols // size
  if rows < 1 or cols < 1 then
    fail(("water.tiles: an image of %d × %d pixels (rows × cols) holds no tile of %d; take a smaller { tile = … }"):format(image.rows, image.cols, size))
  end
  local power = blocks(image:to_power():set_unit "", size // 2, 2 * rows, 2 * cols)
  local low = o.hand and blocks(o.hand:set_unit(""):lt(o.hand_limit):cast "float32", size, rows, cols)
  local all, means, variations, low_means = {}, {}, {}, {}
  for i = 1, rows do
    for j = 1, cols do
      local parts = { power[2 * i - 1][2 * j - 1], power[2 * i - 1][2 * j], power[2 * i][2 * j - 1], power[2 * i][2 * j] }
      local mean, std = mean_and_std(parts)
      -- NaN where a sub-tile has too few valid pixels.
      if mean == mean and mean > 0 then
        local tile = { row = (i - 1) * size, col = (j - 1) * size, mean = mean, std = std, variation = std / mean }
        tile.is_low = not low or low[i][j] >= o.hand_share
        all[#all + 1], means[#means + 1], variations[#variations + 1] = tile, mean, tile.variation
        if tile.is_low then low_means[#low_means + 1] = mean end
      end
    end
  end
  local found = {}
  if #low_means > 0 then
    -- Of a single tile, or tiles that are all alike, none is darker than the median.
    local dark = #low_means > 1 and percentile(low_means, 50) or math.huge
    for p = 95, 5, -5 do
      local least = percentile(variations, p)
      found = {}
      for _, tile in ipairs(all) do
        if tile.is_low and tile.mean < dark and (tile.variation > least or #all == 1) then found[#found + 1] = tile end
      end
      if #found >= o.tiles then break end
    end
  end
  table.sort(found, function(a, b)
    if a.std ~= b.std then return a.std > b.std end
    return a.row < b.row or a.row == b.row and a.col < b.col
  end)
  local chosen = {}
  for i = 1, math.min(o.tiles, #found) do
    local tile = found[i]
    chosen[i] = { row = tile.row, col = tile.col, mean = tile.mean, variation = tile.variation, std = tile.std }
  end
  return tables.new(chosen, { columns = { "row", "col", "mean", "variation", "std" } })
end

---@class water.ThresholdOptions: water.TileOptions
---@field method? "minimum_error"|"otsu"|"expectation_maximization" How a tile's threshold is found, as by `Raster:threshold`; of expectation maximisation with three classes. Default `"minimum_error"`.
---@field minimum_separation? number A tile counts if Ashman's D of the two Gaussian classes that fit it (`Raster:mixture`) is at least this: a lake of wind and calm, or fields alone, are no two classes. At least 0. Default 2.
---@field minimum_share? number A tile counts if at least this share of it lies on either side of its threshold. From 0 to 0.5. Default 0.1.
---@field highest? number The highest threshold that is believed, in dB. Default that of `water.HIGHEST`, if the band is in it.

-- A band as messages call it.
local function called(image)
  local scene = image.properties.scene
  return scene and ("%s of %s"):format(image.bands[1], scene) or image.bands[1]
end

-- What reading the pixels fails with is an error; a histogram without a threshold is an answer.
local function try(db, o)
  local histogram = db:histogram()
  local ok, found = pcall(raster.threshold, histogram, {
    method = o.method, classes = o.method == "expectation_maximization" and 3 or nil,
  })
  if not ok then return nil, "no two classes" end
  local fits, mixture = pcall(raster.mixture, histogram)
  if not fits or mixture.separation < o.minimum_separation then return nil, "one mode", found, nil, fits and mixture.separation or nil end
  local share = db:lt(found):cast("float32"):rename("share"):stats().share.mean
  if share < o.minimum_share or share > 1 - o.minimum_share then return nil, "one class", found, share, mixture.separation end
  return found, "used", found, share, mixture.separation
end

--- The threshold of backscatter in dB below which it is taken for water: the median of those of tiles that hold both.
---
--- Tiles are found by `water.tiles` in the image as it was measured; their thresholds are those of the denoised one. Where no tile has one, tiles of half the size are tried, then the image as a whole, with a warning; with one also
--- where fewer than half of the tiles show two classes.
---
--- The second result has a row a tile: `row`, `col`, `size`, `threshold_dB`, `share` below it, `separation` (Ashman's D), and `status`: `used`, `no two classes` (no threshold),
--- `one mode` (too little separation) or `one class` (too small a share on one side).
---
--- **Errors.** No threshold anywhere: the image does not show two classes; those of `water.tiles`.
---
--- **Source.** As `water.tiles`; the separation as in Chini et al. 2017, doi:10.1109/TGRS.2017.2737664.
---
--- ```lua
--- local raster, water = require "raster", require "water"
--- local grid = raster.grid { rows = 200, cols = 200 }
--- local speckle = raster.random(grid, { distribution = "speckle", looks = 10 })
--- local at = raster.coordinates(grid)
--- local vv = (raster.where(at.x:lt(70) & at.y:lt(30), 0.005, 0.1) * speckle):rename("VV"):set_unit "power"
--- local threshold, tiles = water.threshold(vv, vv:to_db(), { tile = 50 })
--- assert(threshold > -21 and threshold < -14 and tiles[1].status == "used")
--- ```
---@param image Raster One band of backscatter as it was measured.
---@param denoised Raster The same, denoised, in dB.
---@param options? water.ThresholdOptions
---@return number threshold_dB
---@return Table tiles
function M.threshold(image, denoised, options)
  local o = library.options("water.threshold", options)
  local db = denoised:to_db()
  local rows, found = {}, {}
  local sizes = { o.tile, o.tile // 4 * 2 }
  for _, size in ipairs(sizes) do
    if size >= 4 and size <= math.min(db.rows, db.cols) then
      local tiles = M.tiles(image, { tile = size, tiles = o.tiles, hand = o.hand, hand_limit = o.hand_limit, hand_share = o.hand_share })
      for i = 1, #tiles do
        local tile = tiles[i]
        local value, status, seen, share, separation = try(db:crop { row = tile.row, col = tile.col, rows = size, cols = size }, o)
        rows[#rows + 1] = { row = tile.row, col = tile.col, size = size, threshold_dB = seen, share = share, separation = separation, status = status }
        if value then found[#found + 1] = value end
      end
    end
    if #found > 0 then
      local tried = 0
      for _, row in ipairs(rows) do tried = tried + (row.size == size and 1 or 0) end
      if 2 * #found < tried then
        log.warn("water.threshold: only %d of %d tiles of %s show two classes, which may be calm and rough water, or two kinds of land; look at the map", #found, tried, called(image))
      end
      break
    end
  end
  if #found == 0 then
    local value, status = try(db, o)
    if not value then
      fail(("water.threshold: %s does not show two classes: none of %d tiles has a threshold, and the image as a whole has %s; give { threshold = … } in dB, another "
        .. "{ tile = … } or a band in which water and land differ more"):format(called(image), #rows, status))
    end
    log.warn("water.threshold: no tile of %s has a threshold; %.2f dB is that of the whole image", called(image), value)
    found = { value }
  end
  local threshold = percentile(found, 50)
  local highest = o.highest or M.HIGHEST[image.bands[1]]
  if highest and threshold > highest then
    log.warn("water.threshold: %.2f dB of %s is too high for water; %.2f dB is taken", threshold, called(image), highest)
    threshold = highest
  end
  return threshold, tables.new(rows, { columns = { "row", "col", "size", "threshold_dB", "share", "separation", "status" } })
end

---@class water.ClassifyOptions: water.ThresholdOptions
---@field bands? string[] Bands to classify; water is what any of them says. Default the first that there is of VH, VV, HV, HH.
---@field denoise? boolean By `water.denoise`; else the image is taken as it is. Default true.
---@field weight? number Of `water.denoise`. Above 0. Default 0.35.
---@field threshold? number In dB, in place of that of the tiles.
---@field growth? number What touches water is water, too, up to so many dB above the threshold. At least 0. Default 1.
---@field reach? integer Pixels that water grows at most. From 0 to 50. Default 5.
---@field minimum_area? number Patches of water, and of land within it, that are smaller go into what surrounds them (`Raster:sieve`). In m², of images without a CRS in pixels. At least 0. Default 0.
---@field slope? Raster Slope in degrees, as `water.slope` gives it.
---@field slope_limit? number Degrees beyond which nothing is water. From 0 to 90. Default 15.

local PREFERRED = { "VH", "VV", "HV", "HH" }

local function bands_of(image, wanted)
  if wanted then return wanted end
  for _, name in ipairs(PREFERRED) do
    for _, band in ipairs(image.bands) do
      if band == name then return { name } end
    end
  end
  fail(("water.classify: the image has none of the bands %s but %s; say which with { bands = { … } }")
    :format(table.concat(PREFERRED, ", "), table.concat(image.bands, ", ")))
end

-- What is connected to `seeds` within `where` by so many steps to one of eight neighbours.
local function grown(seeds, where, steps)
  for _ = 1, steps do
    seeds = filter.focal_max(seeds:cast "float32", { radius = 1, shape = "square" }):gt(0) & where
  end
  return seeds
end

--- Maps open water on a calibrated scene: class 1 is water, 0 is not.
---
--- Denoises, finds the threshold from tiles that hold both (`water.threshold`), grows water into what is little brighter, takes off what lies too high above
--- the drainage or too steep, and what is too small. The threshold is found at once; the rest is lazy.
---
--- Properties: `threshold_dB_VV` for each band, `tiles_VV` how many tiles it comes from. Colours and names of the classes are those of `water.CLASSES`; the image
--- and the files that it is written to carry them.
---
--- **Errors.** Those of `water.threshold`; bands in another unit than power, amplitude or dB; `hand` or `slope` on another grid.
---
--- **Nodata.** Masked where one of the bands is. Where `hand` or `slope` is masked, it takes nothing off.
---
--- **Source.** The chain is that of Twele et al. 2016, doi:10.1080/01431161.2016.1192304, with masks in place of its fuzzy rules.
---
--- ```lua
--- local raster, water = require "raster", require "water"
--- local grid = raster.grid { rows = 200, cols = 200 }
--- local speckle = raster.random(grid, { distribution = "speckle", looks = 10 })
--- local at = raster.coordinates(grid)
--- local truth = at.x:lt(70) & at.y:lt(30)
--- local vv = (raster.where(truth, 0.005, 0.1) * speckle):rename("VV"):set_unit "power"
--- local map = water.classify(vv, { tile = 50 })
--- assert(map:ne(truth):cast("float32"):rename("wrong"):stats().wrong.mean < 0.01 and map.threshold_dB_VV < -14)
--- ```
---@param image Raster
---@param options? water.ClassifyOptions
---@return Raster classes uint8, one band `water`
function M.classify(image, options)
  local o = library.options("water.classify", options)
  local map, facts = nil, {}
  for _, name in ipairs(bands_of(image, o.bands)) do
    local band = image:select(name)
    local db = o.denoise and M.denoise(band, { weight = o.weight }) or band:to_db()
    local threshold = o.threshold
    if not threshold then
      local tiles
      threshold, tiles = M.threshold(band, db, {
        tile = o.tile, tiles = o.tiles, hand = o.hand, hand_limit = o.hand_limit, hand_share = o.hand_share, method = o.method,
        minimum_share = o.minimum_share, minimum_separation = o.minimum_separation, highest = o.highest,
      })
      facts[#facts + 1] = { "tiles_" .. name, #tiles:filter(function(row) return row.status == "used" end) }
    end
    facts[#facts + 1] = { "threshold_dB_" .. name, threshold }
    local level = db:set_unit ""
    local found = level:lt(threshold)
    if o.growth > 0 then found = grown(found, level:lt(threshold + o.growth), o.reach) end
    map = map and (map | found) or found
  end
  if o.hand then map = map & o.hand:set_unit(""):unmask(0):le(o.hand_limit) end
  if o.slope then map = map & o.slope:set_unit(""):unmask(0):le(o.slope_limit) end
  map = map:rename("water"):cast "uint8"
  local least = math.ceil(o.minimum_area / pixel_area(image.grid))
  if least > 1 then map = map:sieve { minimum_pixels = least } end
  map = map:set_classes(M.CLASSES)
  for _, fact in ipairs(facts) do map = map:set(fact[1], fact[2]) end
  return map
end

local RADAR = { HH = true, HV = true, VV = true, VH = true }
local OPTICAL = { red = true, NIR = true, SWIR1 = true, SWIR2 = true }
local ORDER = { "HH", "HV", "VV", "VH", "red", "NIR", "SWIR1", "SWIR2", "DEM", "HAND" }

--- The property, and the tag of files, that says how backscatter was denoised: `tv_bregman 0.35` or `none`.
M.DENOISED = "DENOISED"

---@class water.ChannelOptions
---@field bands? string[] The channels wanted, in this order. Default all that there are, in the order of the notebooks: backscatter, red, NIR, SWIR1, SWIR2, DEM, HAND.
---@field denoise? number Weight of the denoising by total variation, the scene as a whole; 0 leaves the backscatter as it is, in dB. At least 0. Default 0.35.
---@field unit? "power"|"dB"|"amplitude" Of the backscatter, where the files do not say it.
---@field optical? "gfc"|"scene"|"none" Landsat composites: of Global Forest Change, or the scene's own `optical.tif`. Default "gfc".
---@field product? "first"|"last" Composite of Global Forest Change. Default "last".
---@field gfc_version? string Version of Global Forest Change, such as GFC-2020-v1.8.
---@field gfc_base? string Another address, or a folder, of Global Forest Change.
---@field hand? "glo30"|"scene"|"none" Heights above the drainage: of GLO-30, or the scene's own `hand.tif`. Default "glo30".
---@field hand_base? string Another address, or a folder, of GLO-30 HAND.
---@field dem_base? string Another address, or a folder, of the GLO-30 DEM, which is taken where the scene has no heights.

local function find(image, name)
  for _, band in ipairs(image.bands) do
    if band == name then return true end
  end
  return false
end

-- A layer that lies beside the scene, on its grid.
local function beside(path, scene, file)
  local folder = fs.is_folder(path) and path or fs.dirname(path)
  local found = fs.join(folder, file)
  if not fs.exists(found) then
    fail(("water.channels: %s has no %s beside it; take the layer from its server, or none"):format(path, file))
  end
  return raster.open(found):align(scene, { resampling = "bilinear" }):cast "float32"
end

--- The channels that networks map water from, lazily and on the grid of a radar scene: backscatter in dB, denoised; red, NIR, SWIR1, SWIR2; DEM and HAND in metres.
---
--- The same function makes them for training and for mapping, so that a network sees what it was trained on. A scene is what `water.open` takes. What it has already under the name of a channel is taken as it is, and backscatter whose property
--- `DENOISED` says so is not denoised again: so the images that `water_training_data` writes are scenes, too.
---
--- **Errors.** A channel that the scene lacks and none of the layers gives; a layer that is not beside it; what the layers' servers refuse.
---
--- **Nodata.** A pixel is masked in all channels where it is in one.
---
--- ```lua
--- local raster, water = require "raster", require "water"
--- local grid = raster.grid { crs = "EPSG:32614", origin = { 500000, 4500000 }, resolution = 30, rows = 40, cols = 40 }
--- local speckle = raster.random(grid, { distribution = "speckle", looks = 4, name = "VV", unit = "power" })
--- speckle:add_bands(raster.constant(grid, 3):rename "HAND"):write "image.tif"
--- local image = water.channels("image.tif", { bands = { "VV", "HAND" } })
--- assert(image.bands[1] == "VV" and image.properties.DENOISED == "tv_bregman 0.35")
--- ```
---@param path string
---@param options? water.ChannelOptions
---@return Raster
function M.channels(path, options)
  local o = library.options("water.channels", options)
  local scene = M.open(path, { unit = o.unit })
  local wanted = {}
  for _, name in ipairs(o.bands or {}) do wanted[name] = true end
  local function wants(name) return not o.bands or wanted[name] end

  local radar = {}
  for _, name in ipairs(scene.bands) do
    if RADAR[name] and wants(name) then radar[#radar + 1] = name end
  end
  if #radar == 0 then
    fail(("water.channels: %s has no backscatter: its bands are %s"):format(path, table.concat(scene.bands, ", ")))
  end
  local before = scene.properties[M.DENOISED]
  local how = before or (o.denoise > 0 and ("tv_bregman %g"):format(o.denoise) or "none")
  local image = scene:select(table.unpack(radar))
  if not before then
    image = o.denoise > 0 and M.denoise(image, { weight = o.denoise }) or image:to_power():clamp(1e-5, 1):to_db()
  end

  local function add(layer) image = image:add_bands(layer) end
  local own = {}
  for _, name in ipairs(scene.bands) do
    own[name] = true
    local is_channel = OPTICAL[name] or name == "DEM" or name == "HAND"
    if is_channel and wants(name) then add(scene:select(name):cast "float32") end
  end
  local wants_optical = false
  for name in pairs(OPTICAL) do wants_optical = wants_optical or (wants(name) and not own[name]) end
  if wants_optical and o.optical ~= "none" then
    local layer = o.optical == "scene" and beside(path, scene, "optical.tif")
      or gfc.on(scene, { product = o.product, version = o.gfc_version, base = o.gfc_base }):cast "float32"
    local names = {}
    for _, name in ipairs(layer.bands) do
      if wants(name) and not own[name] then names[#names + 1] = name end
    end
    add(layer:select(table.unpack(names)))
  end
  if wanted.DEM and not own.DEM then add(hand.dem_on(scene, { base = o.dem_base })) end
  if wants "HAND" and not own.HAND and o.hand ~= "none" then
    add(o.hand == "scene" and beside(path, scene, "hand.tif"):rename "HAND" or hand.on(scene, { base = o.hand_base }))
  end

  local names = {}
  for _, name in ipairs(o.bands or ORDER) do
    if find(image, name) then
      names[#names + 1] = name
    elseif o.bands then
      fail(("water.channels: no channel %s for %s, which has %s"):format(name, path, table.concat(scene.bands, ", ")))
    end
  end
  image = image:select(table.unpack(names))
  local valid = image:select(1):is_valid()
  for i = 2, #image.bands do valid = valid & image:select(i):is_valid() end
  return image:mask(valid):set(M.DENOISED, how)
end

return M
