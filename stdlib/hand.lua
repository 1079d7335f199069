--- Heights of the ground (Copernicus GLO-30) and above the nearest drainage (HAND, from the same heights): tiles of 1° of two public buckets, read where they lie.
---@class hand
local M = {}

local tiles, library = require "tiles", require "library"

--- The bucket of heights above the nearest drainage: ASF's.
M.BASE = "https://glo-30-hand.s3.us-west-2.amazonaws.com/v1/2021"
--- The bucket of heights.
M.DEM_BASE = "https://copernicus-dem-30m.s3.amazonaws.com"

---@class hand.Options
---@field base? string Address or folder of the tiles. Default the public bucket.
---@field sea? number|"mask" The height where a tile does not exist: over the sea. `"mask"` masks it. Default 0.
---@field resampling? Resampling How values between pixel centres are found. Default `"bilinear"`.

--- The address of one tile of heights above the nearest drainage, which is named by its lower left corner.
---
--- ```lua
--- local hand = require "hand"
--- assert(hand.path({ west = -91, south = 30 }):match "[^/]*$" == "Copernicus_DSM_COG_10_N30_00_W091_00_HAND.tif")
--- ```
---@param tile tiles.Tile
---@param options? hand.Options
---@return string
function M.path(tile, options)
  local o = library.options("hand.path", options)
  return ("%s/Copernicus_DSM_COG_10_%s_00_%s_00_HAND.tif"):format(o.base or M.BASE, tiles.name(tile.south, "lat"), tiles.name(tile.west, "lon"))
end

--- The address of one tile of heights, which lies in a folder of its own name.
---
--- ```lua
--- local hand = require "hand"
--- local url = hand.dem_path({ west = 12, south = -1 }, { base = "dem" })
--- assert(url == "dem/Copernicus_DSM_COG_10_S01_00_E012_00_DEM/Copernicus_DSM_COG_10_S01_00_E012_00_DEM.tif")
--- ```
---@param tile tiles.Tile
---@param options? hand.Options
---@return string
function M.dem_path(tile, options)
  local o = library.options("hand.dem_path", options)
  local name = ("Copernicus_DSM_COG_10_%s_00_%s_00_DEM"):format(tiles.name(tile.south, "lat"), tiles.name(tile.west, "lon"))
  return ("%s/%s/%s.tif"):format(o.base or M.DEM_BASE, name, name)
end

local function on(grid, o, owner, band, path)
  local sea = o.sea or 0
  return tiles.on(grid, {
    size = 1, name = owner,
    path = function(tile) return path(tile, { base = o.base }) end,
    prepare = function(image) return image:select(1):rename(band):cast("float32"):set_unit "m" end,
    absent = sea ~= "mask" and sea or nil,
    resampling = o.resampling or "bilinear",
  }):rename(band):set_unit "m"
end

--- Height above the nearest drainage in metres, on a grid: the tiles opened where they lie, merged, and resampled lazily.
---
--- Both layers have no tile where there is only sea; those are counted in a warning and in the property `tiles_absent`.
---
--- **Errors.** Those of `tiles.on`.
---
--- **Nodata.** As in the tiles. Where one does not exist, the height is 0 m unless `sea` says otherwise.
---
--- **Source.** Nobre et al. 2011, doi:10.1016/j.jhydrol.2011.03.051; ASF, GLO-30 HAND, version 1 of 2021.
---
--- ```lua
--- local raster, hand = require "raster", require "hand"
--- local function tile(name, value)
---   raster.constant(raster.grid { crs = 4326, bounds = { 8, 46, 9, 47 }, resolution = 0.02 }, value):write("Copernicus_DSM_COG_10_" .. name)
--- end
--- tile("N46_00_E008_00_HAND.tif", 12)
--- local grid = raster.grid { crs = 32632, origin = { 480000, 5140000 }, resolution = 100, rows = 10, cols = 10 }
--- assert(hand.on(grid, { base = "." }):stats().HAND.max == 12)
--- ```
---@param grid Grid|Raster
---@param options? hand.Options
---@return Raster `HAND`
function M.on(grid, options)
  return on(grid, library.options("hand.on", options), "hand.on", "HAND", M.path)
end

--- Height in metres above the geoid EGM2008, on a grid: that of the surface, with what stands on it.
---
--- As `hand.on`.
---
--- **Errors.** Those of `tiles.on`.
---
--- **Source.** Copernicus DEM GLO-30, doi:10.5270/ESA-c5d3d65.
---
--- ```lua
--- local raster, hand, fs = require "raster", require "hand", require "fs"
--- local grid = raster.grid { crs = 4326, bounds = { 8, 46, 9, 47 }, resolution = 0.02 }
--- local path = hand.dem_path({ west = 8, south = 46 }, { base = "." })
--- fs.mkdir(fs.dirname(path))
--- raster.constant(grid, 800):write(path)
--- assert(hand.dem_on(grid:crop { row = 10, rows = 5, col = 10, cols = 5 }, { base = "." }):stats().DEM.mean == 800)
--- ```
---@param grid Grid|Raster
---@param options? hand.Options
---@return Raster `DEM`
function M.dem_on(grid, options)
  return on(grid, library.options("hand.dem_on", options), "hand.dem_on", "DEM", M.dem_path)
end

return M
