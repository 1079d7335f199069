--- Landsat Dynamic Surface Water Extent (DSWE) of USGS, Collection 2 level 3: search, class codes, and how much of a scene is water.
---
--- The layer used here is INWAM, the interpreted classes with all masks applied.
---@class dswe
local M = {}

local catalog, geometry, raster = require "catalog", require "geometry", require "raster"
local library, time = require "library", require "time"

local fail = library.fail

--- USGS's STAC service.
M.STAC = "https://landsatlook.usgs.gov/stac-server"
--- The collection of DSWE.
M.COLLECTION = "landsat-c2l3-dswe"

--- The codes of INWAM: 0 not water, 1 and 2 open water of high and moderate confidence, 3 potential wetland, 4 water or wetland of low
--- confidence, 9 cloud, shadow or snow, 255 fill.
M.CLASSES = {
  [0] = "not water", [1] = "water, high confidence", [2] = "water, moderate confidence", [3] = "potential wetland",
  [4] = "water or wetland, low confidence", [9] = "cloud, shadow or snow", [255] = "fill",
}

---@class dswe.SearchOptions
---@field within? integer Days before and after each item's day. Default 1.
---@field cloud_cover? number Only tiles with less, in percent. Default 30.
---@field url? string Another STAC service than USGS's.
---@field collection? string
---@field folder? string Keep the answers here, and read them from here the next time.
---@field report? fun(month: string, found: Items) Called after each month's search.

-- Consecutive months are not asked for as one: a month without scenes costs nothing, and each answer stays small.
local function by_month(items)
  local months, order = {}, {}
  for _, item in ipairs(items) do
    local month = item.datetime:sub(1, 7)
    if not months[month] then
      months[month] = {}
      order[#order + 1] = month
    end
    table.insert(months[month], item)
  end
  table.sort(order)
  return months, order
end

--- All DSWE tiles near in time to some of the items, over the area of all: one search a month that has items, in place of one search an
--- item. `catalog.join` then finds those of each item.
---
--- **Errors.** Items without a time or a footprint; those of the search.
---
--- ```lua
--- local catalog, dswe = require "catalog", require "dswe"
--- assert(#dswe.search(catalog.items {}) == 0)
--- ```
---@param items Items
---@param options? dswe.SearchOptions
---@return Items
function M.search(items, options)
  local o = library.options("dswe.search", options, { "within", "cloud_cover", "url", "collection", "folder", "report" })
  local all = catalog.items {}
  if #items == 0 then return all end
  local stac = catalog.stac(o.url or M.STAC)
  local days = o.within or 1
  local months, order = by_month(items)
  for _, month in ipairs(order) do
    local first, last, west, south, east, north
    for _, item in ipairs(months[month]) do
      local b = item.bounds or fail(("dswe.search: the item %s has no footprint"):format(item.id))
      local start, stop = item.datetime:sub(1, 10), (item.end_datetime or item.datetime):sub(1, 10)
      first, last = math.min(first or time.seconds(start), time.seconds(start)), math.max(last or time.seconds(stop), time.seconds(stop))
      -- An item over the antimeridian is asked for all around; the join looks closer.
      if b[1] > b[3] then b = { -180, b[2], 180, b[4] } end
      west, south = math.min(west or b[1], b[1]), math.min(south or b[2], b[2])
      east, north = math.max(east or b[3], b[3]), math.max(north or b[4], b[4])
    end
    local day = function(seconds) return time.add("1970-01-01", ("%ds"):format(math.tointeger(seconds))):sub(1, 10) end
    local search = stac:search {
      collections = { o.collection or M.COLLECTION },
      bbox = { west, south, east, north },
      datetime = day(first - days * 86400) .. "/" .. day(last + days * 86400),
      query = { ["eo:cloud_cover"] = { lt = o.cloud_cover or 30 } },
    }
    local found = o.folder and catalog.snapshot(("%s/dswe_%s.json"):format(o.folder, month), search) or search:all()
    if o.report then o.report(month, found) end
    all = all:append(found)
  end
  return all
end

--- The item of a tile's file: `LT05_CU_010008_20080301_20210421_02_INWAM.TIF` belongs to `LT05_CU_010008_20080301_20210421_02_DSWE`.
---
--- **Errors.** A name that ends otherwise.
---
--- ```lua
--- local dswe = require "dswe"
--- assert(dswe.item_id "LT05_CU_010008_20080301_20210421_02_INWAM.TIF" == "LT05_CU_010008_20080301_20210421_02_DSWE")
--- ```
---@param file string
---@return string
function M.item_id(file)
  local name = file:match "[^/]*$"
  local stem = name:match "^(L[A-Z]%d%d_%u+_%d+_%d+_%d+_%d+)_%w+%.[Tt][Ii][Ff]$"
  return (stem or fail(("dswe.item_id: %q is no file of DSWE; they are called LT05_CU_010008_20080301_20210421_02_INWAM.TIF"):format(name))) .. "_DSWE"
end

---@class dswe.Screening
---@field valid_share number Share of the area that is neither fill nor cloud, shadow or snow, 0 to 1.
---@field water_share number Share of the area that is water of high or moderate confidence (classes 1 and 2), 0 to 1.
---@field pixels integer Pixels of the area.

--- How much of an area the INWAM tiles of one day see, and how much of it is water.
---
--- The tiles are merged, the first valid one counting, and read only where the area lies. Both shares are of all pixels
--- of the area, those that no tile covers included.
---
--- **Errors.** No tile; tiles that are no images; an area outside the projection of the tiles.
---
--- **Nodata.** 255, or what the files say, and what no tile covers, is not valid.
---
--- ```lua
--- local raster, geometry, dswe = require "raster", require "geometry", require "dswe"
--- local grid = raster.grid { crs = "EPSG:5070", origin = { 0, 2000000 }, resolution = 30, rows = 2, cols = 4 }
--- raster.from_table(grid, { { 1, 2, 0, 9 }, { 0, 0, 255, 3 } }):cast("uint8"):write("inwam.tif", { nodata = 255 })
--- local found = dswe.screen({ "inwam.tif" }, geometry.bbox(0, 1999940, 120, 2000000, "EPSG:5070"))
--- assert(found.pixels == 8 and found.valid_share == 6 / 8 and found.water_share == 2 / 8)
--- ```
---@param tiles string[]
---@param area Geometry
---@return dswe.Screening
function M.screen(tiles, area)
  if #tiles == 0 then fail("dswe.screen: there is no tile") end
  local images = {}
  for i, path in ipairs(tiles) do
    -- Fill is no class, whether the file says so or not.
    local image = raster.open(path)
    images[i] = image:mask(image:ne(255))
  end
  local image = raster.mosaic(images)
  local grid = image.grid
  local shape = area:to_crs(grid.crs or grid.wkt)
  local features = geometry.features { shape }
  -- The tiles may not reach to the end of the area: the pixels of all of it are counted on a grid of its own.
  local b = shape:bounds()
  local dx, dy = grid.transform[2], -grid.transform[6]
  local col, row = math.floor((b[1] - grid.transform[1]) / dx), math.floor((grid.transform[4] - b[4]) / dy)
  local whole = raster.grid {
    crs = grid.wkt, resolution = { dx, dy }, origin = { grid.transform[1] + col * dx, grid.transform[4] - row * dy },
    cols = math.max(1, math.ceil((b[3] - grid.transform[1]) / dx) - col), rows = math.max(1, math.ceil((grid.transform[4] - b[2]) / dy) - row),
  }
  local pixels = raster.constant(whole, 1):zonal(features, { statistics = "count" })[1].count
  if pixels == 0 then fail("dswe.screen: the area is smaller than a pixel") end
  local counts = raster.mosaic(images, { grid = whole }):zonal(features, { statistics = "count", classes = true })[1]
  local function of(class) return counts["class_" .. class] or 0 end
  return {
    valid_share = (counts.count - of(9)) / pixels,
    water_share = (of(1) + of(2)) / pixels,
    pixels = math.tointeger(pixels) or pixels,
  }
end

return M
