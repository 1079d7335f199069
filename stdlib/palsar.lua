--- PALSAR: global mosaics of JAXA, HH and HV digital numbers as γ⁰, and the terrain corrected scenes of ASF, with incidence angle and masks.
---@class palsar
local M = {}

local raster, library = require "raster", require "library"

local fail = library.fail

-- γ⁰ [dB] = 10·log10(DN²) − 83.
local CALIBRATION_DB = -83

---@class palsar.OpenOptions
---@field tile? string Tile by its upper left corner, such as `N23W161`, where the folder holds several.
---@field year? integer Year, where the folder holds several.

local LAYERS = { "HH", "HV", "linci", "mask", "date" }

-- N23W161_20_sl_HH_F02DAR.tif: tile, year, layer. `sl_` stands before the polarisations.
local function parse(path)
  local name = path:match "[^/]*$"
  local tile, year, layer = name:match "^([NS]%d%d[EW]%d%d%d)_(%d%d)_(.+)$"
  if not tile then return nil end
  layer = layer:gsub("^sl_", "")
  for _, known in ipairs(LAYERS) do
    if layer:match("^" .. known .. "_") or layer:match("^" .. known .. "%.") then
      return { tile = tile, year = 2000 + math.tointeger(tonumber(year)), layer = known, path = path }
    end
  end
end

--- Opens one tile of a global PALSAR or PALSAR-2 mosaic: a folder with `N23W161_20_sl_HH_F02DAR.tif` and its fellows.
---
--- The result has the bands `HH` and `HV`, γ⁰ as power; `angle`, the local incidence angle in degrees, and `mask` (0 no data,
--- 50 water, 100 layover, 150 shadow, 255 land), where the folder has them. Properties: `tile`, `year`. Ratios and angle masks are those of
--- `sentinel1`: `s1.ratio(image, { bands = { "HH", "HV" } })`.
---
--- **Errors.** A folder without such a tile, or with several of which none is chosen.
---
--- **Nodata.** Digital number 0, or the file's nodata value (1).
---
--- **Source.** Shimada et al. 2009, doi:10.1109/TGRS.2009.2023909; JAXA EORC, Global PALSAR-2/PALSAR mosaic, data format
--- description: γ⁰ = 10·log10(DN²) − 83 dB.
---
--- ```lua
--- local raster, palsar, s1 = require "raster", require "palsar", require "sentinel1"
--- local grid = raster.grid { crs = "EPSG:4326", origin = { -160, 22 }, resolution = 0.0002, rows = 4, cols = 4 }
--- for name, value in pairs { sl_HH = 4000, sl_HV = 1500, linci = 38, mask = 255 } do
---   raster.constant(grid, value):cast("uint16"):write("N23W161_20_" .. name .. "_F02DAR.tif")
--- end
--- local image = s1.mask_angle(palsar.mask_layover(palsar.open(".")), 30.6, 45.5)
--- local ratio = s1.ratio(image, { bands = { "HH", "HV" } })
--- assert(math.abs(ratio:stats().HHdHV_dB.mean - 20 * math.log(4000 / 1500, 10)) < 1e-4)
--- ```
---@param folder string
---@param options? palsar.OpenOptions
---@return Raster image
function M.open(folder, options)
  local o = library.options("palsar.open", options)
  local tiles, order = {}, {}
  for _, path in ipairs(raster.find(folder, { extensions = { "tif", "tiff" } })) do
    local entry = parse(path)
    if entry and (not o.tile or o.tile == entry.tile) and (not o.year or o.year == entry.year) then
      local key = ("%s of %d"):format(entry.tile, entry.year)
      if not tiles[key] then
        tiles[key] = { tile = entry.tile, year = entry.year }
        order[#order + 1] = key
      end
      tiles[key][entry.layer] = entry.path
    end
  end
  local wanted = o.tile and " of tile " .. o.tile or ""
  if #order == 0 then
    fail(("palsar.open: no mosaic files%s in %s; they are named like N23W161_20_sl_HH_F02DAR.tif"):format(wanted, folder))
  end
  if #order > 1 then
    fail(("palsar.open: %s holds %d tiles: %s; choose one with { tile = …, year = … }")
      :format(folder, #order, table.concat(order, ", ")))
  end
  local tile = tiles[order[1]]
  local image
  for _, band in ipairs { "HH", "HV" } do
    if not tile[band] then fail(("palsar.open: tile %s in %s has no %s"):format(order[1], folder, band)) end
    local power = M.gamma0(raster.open(tile[band], { names = { band } }))
    image = image and image:add_bands(power) or power
  end
  if tile.linci then image = image:add_bands(raster.open(tile.linci, { names = { "angle" } }):set_unit("deg")) end
  if tile.mask then image = image:add_bands(raster.open(tile.mask, { names = { "mask" } }):set_unit("class")) end
  return image:set("tile", tile.tile):set("year", tile.year)
end

--- γ⁰ as power, of the digital numbers of a mosaic.
---
--- **Nodata.** Digital number 0 is no measurement and is masked.
---
--- **Source.** As `palsar.open`.
---
--- ```lua
--- local raster, palsar = require "raster", require "palsar"
--- local dn = raster.constant(raster.grid { rows = 1, cols = 1 }, 4467):rename "HH"
--- assert(math.abs(palsar.gamma0(dn):to_db():stats().HH.mean + 10) < 0.01)
--- ```
---@param dn Raster
---@return Raster power
function M.gamma0(dn)
  local number = dn:cast("float32")
  return (number:mask(number:gt(0)) ^ 2 * 10 ^ (CALIBRATION_DB / 10)):set_unit("power")
end

--- Masks layover and shadow, by the band `mask` of a mosaic or `ls_map` of a scene.
---
--- **Errors.** An image without such a band.
---
--- ```lua
--- local raster, palsar = require "raster", require "palsar"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.from_table(grid, { { 1, 2 } }, { name = "HH" }), raster.from_table(grid, { { 255, 100 } }, { name = "mask" }))
--- assert(palsar.mask_layover(image):stats().HH.count == 1)
--- ```
---@param image Raster
---@return Raster masked
function M.mask_layover(image)
  for _, band in ipairs(image.bands) do
    if band == "mask" then
      local class = image:select "mask" -- `image.mask` is the method
      return image:mask(class:eq(255) | class:eq(50))
    elseif band == "ls_map" then
      return image:mask(image.ls_map:le(1))
    end
  end
  fail(("palsar.mask_layover: the image has no band `mask` or `ls_map`; it has: %s"):format(table.concat(image.bands, ", ")))
end

---@class palsar.RtcOptions
---@field scene? string Name of the scene, such as `AP_11104_FBD_F1130_RT1`, where the folder holds several.
---@field angle_unit? "rad"|"deg" Of the file of incidence angles. Default `"rad"`.

-- AP_11104_FBD_F1130_RT1_HH.tif, AP_11104_FBD_F1130_RT1.inc_map.tif: scene, layer.
local RTC_LAYERS = { HH = "HH", HV = "HV", VH = "VH", VV = "VV", dem = "DEM", inc_map = "angle", ls_map = "ls_map" }

local function parse_rtc(path)
  local scene, layer = path:match "([^/]*_RT%d)[_.]([%a_]+)%.tiff?$"
  if scene and RTC_LAYERS[layer] then return scene, RTC_LAYERS[layer] end
end

--- Opens a radiometrically terrain corrected scene of ALOS PALSAR as ASF's zips hold it: a folder with
--- `AP_11104_FBD_F1130_RT1_HH.tif` and its fellows. `catalog.unzip` unpacks the zip.
---
--- The result has the bands `HH`, `HV` (and `VH`, `VV` of quad-polarised scenes), γ⁰ as power, and where the folder has them `DEM` in metres, `angle`, the
--- local incidence angle in degrees, and `ls_map`, GAMMA's map of layover and shadow (bits: 1 neither, 2 and 4 layover, 8 and 16 shadow).
--- Property: `scene`.
---
--- **Errors.** A folder without such a scene, or with several of which none is chosen; files of one scene that lie on different grids.
---
--- **Nodata.** Power 0 is no measurement; where no polarisation has one, the other bands are masked too.
---
--- **Source.** ASF, ALOS PALSAR Radiometric Terrain Correction project.
---
--- ```lua
--- local raster, palsar = require "raster", require "palsar"
--- local grid = raster.grid { crs = "EPSG:32615", origin = { 500000, 3400000 }, resolution = 12.5, rows = 2, cols = 2 }
--- for layer, value in pairs { _HH = 0.1, _HV = 0.02, [".dem"] = 31, [".inc_map"] = 0.68 } do
---   raster.constant(grid, value):write("AP_11104_FBD_F1130_RT1" .. layer .. ".tif")
--- end
--- local image = palsar.open_rtc "."
--- assert(table.concat(image.bands, " ") == "HH HV DEM angle" and image.scene == "AP_11104_FBD_F1130_RT1")
--- assert(math.abs(image:stats().angle.mean - math.deg(0.68)) < 1e-4)
--- ```
---@param folder string
---@param options? palsar.RtcOptions
---@return Raster image
function M.open_rtc(folder, options)
  local o = library.options("palsar.open_rtc", options)
  local scenes, order = {}, {}
  for _, path in ipairs(raster.find(folder, { extensions = { "tif", "tiff" } })) do
    local scene, layer = parse_rtc(path)
    if scene and (not o.scene or o.scene == scene) then
      if not scenes[scene] then
        scenes[scene] = {}
        order[#order + 1] = scene
      end
      scenes[scene][layer] = path
    end
  end
  if #order == 0 then
    fail(("palsar.open_rtc: no scene%s in %s; its files are named like AP_11104_FBD_F1130_RT1_HH.tif (of a zip: catalog.unzip)")
      :format(o.scene and " " .. o.scene or "", folder))
  end
  if #order > 1 then
    fail(("palsar.open_rtc: %s holds %d scenes: %s; choose one with { scene = … }"):format(folder, #order, table.concat(order, ", ")))
  end
  local scene, image, measured = scenes[order[1]], nil, nil
  local function add(band) image = image and image:add_bands(band) or band end
  for _, name in ipairs { "HH", "HV", "VH", "VV" } do
    if scene[name] then
      local band = raster.open(scene[name], { names = { name } })
      band = band:mask(band:gt(0)):set_unit "power"
      local valid = band:is_valid()
      measured = measured and (measured | valid) or valid
      add(band)
    end
  end
  if not image then fail(("palsar.open_rtc: the scene %s in %s has no polarisation"):format(order[1], folder)) end
  local function beside(name) return raster.open(scene[name], { names = { name } }):mask(measured) end
  if scene.DEM then add(beside("DEM"):set_unit "m") end
  if scene.angle then
    local angle = beside "angle"
    add(o.angle_unit == "deg" and angle:set_unit "deg" or angle:cast("float32"):set_unit("rad"):to_degrees())
  end
  if scene.ls_map then add(beside("ls_map"):set_unit "class") end
  return image:set("scene", order[1])
end

--- The granule that a scene of ASF's radiometrically terrain corrected products belongs to, as ASF's search knows it.
---
--- **Errors.** A name of another form.
---
--- ```lua
--- local palsar = require "palsar"
--- assert(palsar.granule "AP_11104_FBD_F1130_RT1" == "ALPSRP111041130")
--- ```
---@param scene string Name of the scene, its folder or its zip file: `AP_11104_FBD_F1130_RT1`.
---@return string
function M.granule(scene)
  local orbit, frame = scene:match "AP_(%d%d%d%d%d)_%u+_F(%d%d%d%d)"
  if not orbit then
    fail(("palsar.granule: %q is no scene of ALOS PALSAR; they are called like AP_11104_FBD_F1130_RT1"):format(scene))
  end
  return "ALPSRP" .. orbit .. frame
end

return M
