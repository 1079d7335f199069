--- Global layers that are kept as files of whole degrees: which tiles an area needs, which of them exist, and one image of them on a grid.
---@class tiles
local M = {}

local raster = require "raster"
local fs, library, log = require "fs", require "library", require "log"

local fail = library.fail

---@class tiles.Tile
---@field west integer Longitude of its western edge, −180 to 179.
---@field south integer Latitude of its southern edge.

-- Pixels of a tile begin up to half a pixel outside of it, and interpolation looks one further.
local MARGIN = 0.002

--- The tiles that an area needs, from north to south and west to east; over the antimeridian those of both sides.
---
--- **Errors.** An area without a CRS.
---
--- ```lua
--- local raster, tiles = require "raster", require "tiles"
--- local around_fiji = raster.grid { crs = "EPSG:4326", origin = { 179.5, -17.2 }, resolution = 0.01, rows = 10, cols = 100 }
--- local two = tiles.over(around_fiji, 1)
--- assert(#two == 2 and two[1].west == 179 and two[2].west == -180 and two[1].south == -18)
--- ```
---@param area Grid|Raster
---@param size integer Degrees on a side.
---@return tiles.Tile[]
function M.over(area, size)
  local grid = raster.grid { like = area }
  local b = grid:bounds_in "EPSG:4326"
  local west, south, east, north = b[1] - MARGIN, math.max(b[2] - MARGIN, -90), b[3] + MARGIN, math.min(b[4] + MARGIN, 90)
  if b[1] > b[3] then east = east + 360 end
  if east - west > 360 then west, east = -180, 180 end
  local found = {}
  local first, last = math.floor(west / size), math.ceil(east / size) - 1
  for row = math.ceil(north / size) - 1, math.floor(south / size), -1 do
    for col = first, math.min(last, first + 360 // size - 1) do
      found[#found + 1] = { west = math.tointeger((col * size + 180) % 360 - 180), south = math.tointeger(row * size) }
    end
  end
  return found
end

--- A degree as names of files have it: `N40`, `W110`, or by another pattern `40N`, `110W`.
---
--- ```lua
--- local tiles = require "tiles"
--- assert(tiles.name(-5, "lat") == "S05" and tiles.name(110, "lon") == "E110" and tiles.name(0, "lat", "%02d%s") == "00N")
--- ```
---@param degrees integer
---@param axis "lat"|"lon"
---@param pattern? string Of the number and the letter. Default the letter, then two digits, or three of longitudes.
---@return string
function M.name(degrees, axis, pattern)
  local letter = axis == "lat" and (degrees < 0 and "S" or "N") or (degrees < 0 and "W" or "E")
  if pattern then return pattern:format(math.abs(degrees), letter) end
  return letter .. (axis == "lat" and "%02d" or "%03d"):format(math.abs(degrees))
end

---@class tiles.OnOptions
---@field size integer Degrees on a side. At least 1.
---@field path fun(tile: tiles.Tile): string Address or path of a tile.
---@field name string What the layer is called in messages.
---@field prepare? fun(image: Raster): Raster Called with each tile once it is open.
---@field absent? number The value where a tile does not exist, as over the sea. Default masked.
---@field resampling? Resampling How values between pixel centres are found. Default `"nearest"`.

-- nil where the server or the disk says that the tile is not there; everything else that goes wrong is an error.
local function open(path)
  local ok, image = pcall(raster.open, path)
  if ok then return image end
  local message = tostring(image)
  if message:find "the server answers 404" or (not path:find "^%w+://" and not fs.exists(path)) then return nil end
  error(message, 0)
end

-- Where an absent tile would have its pixels, if it were like another.
local function moved(grid, from, to)
  local t = grid.transform
  return raster.grid {
    crs = grid.wkt, rows = grid.rows, cols = grid.cols, resolution = { t[2], -t[6] },
    origin = { t[1] + to.west - from.west, t[4] + to.south - from.south },
  }
end

--- The tiles of a layer, merged and lazily resampled to a grid. Tiles are merged on their own pixels before, so that interpolation sees no seams.
---
--- Those that do not exist are counted in a warning, and in the properties `tiles` and `tiles_absent` of the result.
---
--- **Errors.** No tile exists: the address may be wrong, so that this is never taken for sea; a tile that cannot be opened for another reason than that it does not exist.
---
--- **Nodata.** Masked where the tiles are, and where one does not exist unless `absent` is given.
---
--- ```lua
--- local raster, tiles = require "raster", require "tiles"
--- raster.constant(raster.grid { crs = 4326, bounds = { 10, 45, 11, 46 }, resolution = 0.1 }, 7):write("N45E010.tif")
--- local grid = raster.grid { crs = 4326, bounds = { 10.5, 45.5, 11.5, 45.8 }, resolution = 0.05 }
--- local image = tiles.on(grid, { size = 1, name = "heights", absent = 0, path = function(tile)
---   return tiles.name(tile.south, "lat") .. tiles.name(tile.west, "lon") .. ".tif"
--- end })
--- local row = image:read():totable()[1]
--- assert(row[1] == 7 and row[20] == 0 and image.tiles == 2 and image.tiles_absent == 1)
--- ```
---@param grid Grid|Raster
---@param options tiles.OnOptions
---@return Raster
function M.on(grid, options)
  local o = library.options("tiles.on", options)
  grid = raster.grid { like = grid }
  local wanted = M.over(grid, o.size)
  local there, absent = {}, {}
  for _, tile in ipairs(wanted) do
    local image = open(o.path(tile))
    if image then
      there[#there + 1] = { tile = tile, image = o.prepare and o.prepare(image) or image }
    else
      absent[#absent + 1] = tile
    end
  end
  local function told(image) return image:set("tiles", #wanted):set("tiles_absent", #absent) end
  if #there == 0 then
    fail(("%s: none of the %d tiles over the grid exists; the first would be %s; if there is only sea, take raster.constant")
      :format(o.name, #wanted, o.path(wanted[1])))
  end

  if #absent > 0 then
    local names = {}
    for i = 1, math.min(3, #absent) do names[i] = fs.basename(o.path(absent[i])) end
    local what = o.absent and ("their pixels are %g"):format(o.absent) or "their pixels are masked"
    log.warn("%s: %d of %d tiles do not exist (%s%s); %s", o.name, #absent, #wanted, table.concat(names, ", "),
      #absent > 3 and ", …" or "", what)
  end

  -- Tiles of one pixel size share a lattice. Towards the poles pixels of some layers are wider.
  local groups, order = {}, {}
  local function add(image)
    local t = image.grid.transform
    local key = ("%.9g %.9g"):format(t[2], t[6])
    if not groups[key] then
      groups[key] = {}
      order[#order + 1] = key
    end
    table.insert(groups[key], image)
  end
  for _, entry in ipairs(there) do add(entry.image) end
  if o.absent then
    for _, tile in ipairs(absent) do
      local like = there[1]
      for _, entry in ipairs(there) do
        if entry.tile.south == tile.south then like = entry end
      end
      local first = like.image
      local filling = raster.constant(moved(first.grid, like.tile, tile), o.absent):cast(first.dtypes[first.bands[1]])
      local all = filling
      for _ = 2, #first.bands do all = all:add_bands(filling) end
      add(all:rename(table.unpack(first.bands)))
    end
  end
  local images = {}
  for i, key in ipairs(order) do
    images[i] = raster.mosaic(groups[key]):align(grid, { resampling = o.resampling or "nearest" })
  end
  return told(#images == 1 and images[1] or raster.mosaic(images))
end

return M
