--- Global Surface Water of the JRC: 38 years of Landsat as codes, tiles of 10° that are read where they lie.
---@class gsw
local M = {}

local tiles, library = require "tiles", require "library"

local fail = library.fail

--- The server of the layers.
M.BASE = "https://storage.googleapis.com/global-surface-water"
--- The version that is used unless another is asked for: 1984 to 2021.
M.VERSION = "v1_4_2021"

--- The codes of `transitions` between the first and the last year.
M.TRANSITIONS = {
  [0] = "not water", [1] = "permanent", [2] = "new permanent", [3] = "lost permanent", [4] = "seasonal", [5] = "new seasonal",
  [6] = "lost seasonal", [7] = "seasonal to permanent", [8] = "permanent to seasonal", [9] = "ephemeral permanent",
  [10] = "ephemeral seasonal", [255] = "no data",
}
--- The codes of `monthly_history`.
M.MONTHLY = { [0] = "no data", [1] = "not water", [2] = "water" }
--- The codes of `yearly_classification`.
M.YEARLY = { [0] = "no data", [1] = "not water", [2] = "seasonal water", [3] = "permanent water" }

---@class gsw.Options
---@field product? "occurrence"|"change"|"seasonality"|"recurrence"|"transitions"|"extent" Which layer. Default `"occurrence"`.
---@field version? string `v1_4_2021`, or another. Default that.
---@field base? string Address or folder that has a folder `downloads2021`. Default that of the publisher.

--- The address of one tile, which is named by its western and northern edges.
---
--- ```lua
--- local gsw = require "gsw"
--- assert(gsw.path({ west = 100, south = 40 }, { base = "b" }) == "b/downloads2021/occurrence/occurrence_100E_50Nv1_4_2021.tif")
--- ```
---@param tile tiles.Tile
---@param options? gsw.Options
---@return string
function M.path(tile, options)
  local o = library.options("gsw.path", options)
  local product, version = o.product or "occurrence", o.version or M.VERSION
  return ("%s/downloads%s/%s/%s_%s_%s%s.tif"):format(
    o.base or M.BASE, version:match "%d+$" or "", product, product,
    tiles.name(tile.west, "lon", "%d%s"), tiles.name(tile.south + 10, "lat", "%d%s"), version)
end

--- A layer on a grid, as its codes: the tiles opened where they lie, merged, and brought onto the grid by the nearest pixel, lazily.
---
--- `occurrence` and `recurrence` are in percent, `seasonality` in months, `change` is 100 + the change in percent (253 not water, 254 not to be
--- told), `extent` 0 or 1; for `transitions` see `gsw.TRANSITIONS`.
---
--- **Errors.** Those of `tiles.on`.
---
--- **Nodata.** 255 is no data.
---
--- **Source.** Pekel et al. 2016, doi:10.1038/nature20584; JRC, Global Surface Water data users guide, version 4.
---
--- ```lua
--- local raster, gsw, fs = require "raster", require "gsw", require "fs"
--- fs.mkdir "downloads2021/occurrence"
--- local world = raster.grid { crs = 4326, bounds = { 10, 40, 20, 50 }, resolution = 0.5 }
--- raster.constant(world, 80):cast("uint8"):write "downloads2021/occurrence/occurrence_10E_50Nv1_4_2021.tif"
--- local grid = raster.grid { crs = 32633, origin = { 500000, 5000000 }, resolution = 1000, rows = 5, cols = 5 }
--- assert(gsw.on(grid, { base = "." }):stats().occurrence.mean == 80)
--- ```
---@param grid Grid|Raster
---@param options? gsw.Options
---@return Raster
function M.on(grid, options)
  local o = library.options("gsw.on", options)
  local product = o.product or "occurrence"
  return tiles.on(grid, {
    size = 10, name = "gsw.on: " .. product,
    path = function(tile) return M.path(tile, { product = product, version = o.version, base = o.base }) end,
    prepare = function(image)
      image = image:rename(product)
      return image:mask(image:ne(255))
    end,
  })
end

---@class gsw.LabelOptions
---@field least? number Of `occurrence` and `recurrence`: the percentage from which a pixel is water. From 0 to 100. Default 50.

-- What of a layer's codes is water, and what is known.
local RULES = {
  occurrence = function(v, least) return v:ge(least), v:le(100) end,
  recurrence = function(v, least) return v:ge(least), v:le(100) end,
  extent = function(v) return v:eq(1), v:le(1) end,
  seasonality = function(v) return v:ge(1), v:le(12) end,
  transitions = function(v) return v:eq(1) | v:eq(2) | v:eq(4) | v:eq(5) | v:eq(7) | v:eq(8), v:le(10) end,
  monthly_history = function(v) return v:eq(2), v:eq(1) | v:eq(2) end,
  yearly_classification = function(v) return v:eq(2) | v:eq(3), v:ge(1) & v:le(3) end,
}

--- Labels of water, 1, and of what is not, 0, from the codes of a layer.
---
--- Water is: `occurrence` and `recurrence` from `least` percent on, 50 by default; `extent` 1; `seasonality` of a month or more; of `transitions` what is
--- permanent or seasonal in the last year; `monthly_history` 2; `yearly_classification` 2 and 3.
---
--- **Errors.** A layer that has no such rule, as `change`; an image of several bands.
---
--- **Nodata.** Masked where the codes are, and where they say that nothing is known.
---
--- ```lua
--- local raster, gsw = require "raster", require "gsw"
--- local codes = raster.from_table(raster.grid { rows = 1, cols = 4 }, { { 0, 49, 50, 255 } })
--- local row = gsw.labels(codes, "occurrence"):read():totable()[1]
--- assert(row[1] == 0 and row[2] == 0 and row[3] == 1 and row[4] ~= row[4])
--- ```
---@param codes Raster
---@param product "occurrence"|"recurrence"|"extent"|"seasonality"|"transitions"|"monthly_history"|"yearly_classification"
---@param options? gsw.LabelOptions
---@return Raster labels uint8
function M.labels(codes, product, options)
  local o = library.options("gsw.labels", options)
  local rule = RULES[product]
  if not rule then
    local names = {}
    for name in pairs(RULES) do names[#names + 1] = name end
    table.sort(names)
    fail(("gsw.labels: no rule says what of %s is water; it is one of: %s"):format(library.describe(product), table.concat(names, ", ")))
  end
  local water, known = rule(codes, o.least)
  return water:mask(known):rename("labels"):cast("uint8"):set_unit "class"
end

return M
