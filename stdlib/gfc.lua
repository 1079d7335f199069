--- Global Forest Change of Hansen et al.: cloud-free Landsat composites, tree cover and its changes, as tiles of 10° that are read where they lie.
---@class gfc
local M = {}

local tiles, library = require "tiles", require "library"

local fail = library.fail

--- The server of the layers.
M.BASE = "https://storage.googleapis.com/earthenginepartners-hansen"
--- The version that is used unless another is asked for: that of the notebooks that this module goes back to.
M.VERSION = "GFC-2020-v1.8"

--- The layers of a version. `first` and `last` are composites of four bands, red, NIR, SWIR1 and SWIR2 (Landsat bands 3, 4, 5 and 7), top-of-atmosphere
--- reflectance scaled to bytes; `treecover2000` is in percent, `gain` 0 or 1, `lossyear` years since 2000 (0: none), `datamask` 0 no data, 1 land,
--- 2 permanent water.
M.PRODUCTS = { "first", "last", "treecover2000", "gain", "lossyear", "datamask" }

local COMPOSITE = { first = true, last = true }

---@class gfc.Options
---@field product? "first"|"last"|"treecover2000"|"gain"|"lossyear"|"datamask" Which layer. Default `"last"`.
---@field version? string `GFC-2020-v1.8`, or another. Default that.
---@field base? string Address or folder that has a folder of the version. Default that of the publisher.
---@field resampling? Resampling Default `"bilinear"` for the composites, else `"nearest"`.

--- Addresses of the tiles over an area.
---
--- The name has the latitude of the northern edge and the longitude of the western one.
---
--- **Errors.** An area without a CRS, or beyond 80° N and 60° S, where there are none.
---
--- ```lua
--- local raster, gfc = require "raster", require "gfc"
--- local grid = raster.grid { crs = 4326, bounds = { -91, 39, -89, 41 }, resolution = 0.1 }
--- local urls = gfc.tiles(grid, { product = "last" })
--- assert(#urls == 4)
--- assert(urls[1] == "https://storage.googleapis.com/earthenginepartners-hansen/GFC-2020-v1.8/Hansen_GFC-2020-v1.8_last_50N_100W.tif")
--- ```
---@param area Grid|Raster
---@param options? gfc.Options
---@return string[]
function M.tiles(area, options)
  local o = library.options("gfc.tiles", options)
  local urls = {}
  for _, tile in ipairs(tiles.over(area, 10)) do urls[#urls + 1] = M.path(tile, o) end
  if #urls == 0 then fail "gfc.tiles: no tile lies between 80° N and 60° S over the area" end
  return urls
end

--- The address of one tile.
---
--- ```lua
--- local gfc = require "gfc"
--- local url = gfc.path({ west = 0, south = -10 }, { base = "mirror", version = "GFC-2023-v1.11", product = "lossyear" })
--- assert(url == "mirror/GFC-2023-v1.11/Hansen_GFC-2023-v1.11_lossyear_00N_000E.tif")
--- ```
---@param tile tiles.Tile
---@param options? gfc.Options
---@return string
function M.path(tile, options)
  local o = library.options("gfc.path", options)
  local version = o.version or M.VERSION
  return ("%s/%s/Hansen_%s_%s_%s_%s.tif"):format(
    o.base or M.BASE, version, version, o.product or "last",
    tiles.name(tile.south + 10, "lat", "%02d%s"), tiles.name(tile.west, "lon", "%03d%s"))
end

--- A layer on a grid: its tiles opened where they lie, merged, and resampled lazily. Only what is computed is read, by windows.
---
--- The composites have the bands `red`, `NIR`, `SWIR1` and `SWIR2`; the others one band with the product's name.
---
--- **Errors.** Those of `tiles.on`.
---
--- **Nodata.** 0 of the composites, in all four bands, and of `datamask` is no data; in the others 0 is a value.
---
--- **Source.** Hansen et al. 2013, doi:10.1126/science.1244693.
---
--- ```lua
--- local raster, gfc, fs = require "raster", require "gfc", require "fs"
--- local world = raster.grid { crs = 4326, bounds = { -100, 40, -90, 50 }, resolution = 0.5 }
--- local band = raster.constant(world, 40):cast "uint8"
--- fs.mkdir "mirror/GFC-2020-v1.8"
--- raster.bands(band:rename "a", band:rename "b", band:rename "c", band:rename "d"):write("mirror/GFC-2020-v1.8/Hansen_GFC-2020-v1.8_last_50N_100W.tif")
--- local grid = raster.grid { crs = 32615, origin = { 500000, 4800000 }, resolution = 1000, rows = 5, cols = 5 }
--- local optical = gfc.on(grid, { base = "mirror" })
--- assert(optical:stats().NIR.mean == 40)
--- ```
---@param grid Grid|Raster
---@param options? gfc.Options
---@return Raster
function M.on(grid, options)
  local o = library.options("gfc.on", options)
  local product = o.product or "last"
  return tiles.on(grid, {
    size = 10, name = "gfc.on: " .. product,
    path = function(tile) return M.path(tile, { product = product, version = o.version, base = o.base }) end,
    prepare = function(image)
      if COMPOSITE[product] then
        if #image.bands ~= 4 then fail(("gfc.on: a tile of %s has %d bands, not 4"):format(product, #image.bands)) end
        image = image:rename("red", "NIR", "SWIR1", "SWIR2")
        return image:mask(image.red:gt(0) | image.NIR:gt(0) | image.SWIR1:gt(0) | image.SWIR2:gt(0))
      end
      image = image:rename(product)
      return product == "datamask" and image:mask(image:gt(0)) or image
    end,
    resampling = o.resampling or (COMPOSITE[product] and "bilinear" or "nearest"),
  })
end

return M
