--- Landsat Dynamic Surface Water Extent (DSWE) of USGS, Collection 2 level 3: search, class codes, and how much of a scene is water.
---
--- The layer used here is INWAM, the interpreted classes with all masks applied.
---@class dswe
local M = {}

local catalog, geometry, raster = require "catalog", require "geometry", require "raster"
local fs, library, tables, time = require "fs", require "library", require "tables", require "time"

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
---@field within? integer Days before and after each item's day. At least 0. Default 1.
---@field cloud_cover? number Only tiles with less, in percent. From 0 to 100. Default 30.
---@field url? string Another STAC service than USGS's.
---@field collection? string Another collection than that of Landsat's provisional tiles.
---@field folder? string Keep the answers here, and read them from here the next time.
---@field report? fun(month: string, found: Items) Called after each month's search.

-- Consecutive months are not asked for as one: a month without scenes costs nothing, and each answer stays small.
local function by_month(items)
  local months, order = {}, {}
  for _, item in ipairs(items) do
    local start = item.datetime or fail(("dswe.search: the item %s has no time"):format(item.id))
    local month = start:sub(1, 7)
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
  local o = library.options("dswe.search", options)
  local all = catalog.items {}
  if #items == 0 then return all end
  local days = o.within
  local months, order = by_month(items)
  local stac = catalog.stac(o.url or M.STAC)
  for _, month in ipairs(order) do
    local first, last, west, south, east, north
    for _, item in ipairs(months[month]) do
      local b = item.bounds or fail(("dswe.search: the item %s has no footprint"):format(item.id))
      local start, stop = item.datetime:sub(1, 10), (item.end_datetime or item.datetime):sub(1, 10)
      if not first or start < first then first = start end
      if not last or stop > last then last = stop end
      -- An item over the antimeridian is asked for all around; the join looks closer.
      if b[1] > b[3] then b = { -180, b[2], 180, b[4] } end
      west, south = math.min(west or b[1], b[1]), math.min(south or b[2], b[2])
      east, north = math.max(east or b[3], b[3]), math.max(north or b[4], b[4])
    end
    local search = stac:search {
      collections = { o.collection or M.COLLECTION },
      bbox = { west, south, east, north },
      datetime = time.add(first, -days) .. "/" .. time.add(last, days),
      query = { ["eo:cloud_cover"] = { lt = o.cloud_cover } },
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

--- The codes of INWAM, with names and colours; `dswe.on` gives images that carry them.
---@type raster.Class[]
M.CLASSES = {
  { value = 0, name = "not water", color = "#d9cfb8" },
  { value = 1, name = "water, high confidence", color = "#0b3c8c" },
  { value = 2, name = "water, moderate confidence", color = "#4a90d9" },
  { value = 3, name = "potential wetland", color = "#4fa36b" },
  { value = 4, name = "water or wetland, low confidence", color = "#a8d5a2" },
  { value = 9, name = "cloud, shadow or snow", color = "#bfbfbf" },
}

--- The INWAM tiles over a grid, as their codes: merged, the first valid one counting, and brought onto the grid by the nearest pixel, lazily.
---
--- **Errors.** No tile; tiles that are no images.
---
--- **Nodata.** 255, or what the files say, and what no tile covers, is masked; cloud, shadow and snow (9) is a code.
---
--- ```lua
--- local raster, dswe = require "raster", require "dswe"
--- local function tile(x, code)
---   local grid = raster.grid { crs = 5070, origin = { x, 2000000 }, resolution = 30, rows = 4, cols = 4 }
---   raster.constant(grid, code):cast("uint8"):write(x .. ".tif", { nodata = 255 })
---   return x .. ".tif"
--- end
--- local grid = raster.grid { crs = 5070, origin = { 60, 2000000 }, resolution = 15, rows = 4, cols = 8 }
--- local row = dswe.on(grid, { tile(0, 1), tile(120, 0) }):read():totable()[1]
--- assert(row[4] == 1 and row[5] == 0)
--- ```
---@param grid Grid|Raster
---@param tiles string[]
---@return Raster `INWAM`
function M.on(grid, tiles)
  if #tiles == 0 then fail("dswe.on: there is no tile") end
  local images = {}
  for i, path in ipairs(tiles) do
    local image = raster.open(path)
    images[i] = image:mask(image:ne(255))
  end
  -- Each from its own pixels: tiles of neighbouring projections need no common one between.
  return raster.mosaic(images, { grid = grid }):rename("INWAM"):cast("uint8"):set_classes(M.CLASSES)
end

--- Labels of water, 1, and of what is not, 0, from the codes of INWAM: classes 1 and 2 are water, 0 is not; of the others nothing is sure.
---
--- **Nodata.** All other codes are masked: potential wetland, low confidence, cloud, shadow, snow and fill.
---
--- ```lua
--- local raster, dswe = require "raster", require "dswe"
--- local codes = raster.from_table(raster.grid { rows = 1, cols = 5 }, { { 0, 1, 2, 3, 9 } })
--- local row = dswe.labels(codes):read():totable()[1]
--- assert(row[1] == 0 and row[2] == 1 and row[3] == 1 and row[4] ~= row[4] and row[5] ~= row[5])
--- ```
---@param codes Raster
---@return Raster labels uint8
function M.labels(codes)
  return (codes:eq(1) | codes:eq(2)):mask(codes:le(2)):rename("labels"):cast("uint8"):set_unit "class"
end

---@class dswe.Pair
---@field item Item The scene of ALOS PALSAR.
---@field matches Items The tiles of DSWE for it, of one day.

---@class dswe.DownloadOptions
---@field folder string Where the scenes go, each into a folder of its own, its tiles into `usgs_dswe` there.
---@field work? string For zips and tiles that are on their way. Default `folder .. "/.incoming"`.
---@field valid_share? number Keep scenes whose tiles see at least this share of them; without shares nothing is screened. From 0 to 1.
---@field water_share? number Keep scenes of which at least this share is water. From 0 to 1.
---@field screening? string CSV of the screened scenes; what is in it is not screened again.
---@field parallel? integer Downloads at a time from one server. At least 1. Default 4.
---@field report? fun(text: string) Called with a line on each scene.

local BATCH = 20
local TILES = "usgs_dswe"

--- The name of a scene: that of its zip, without the ending.
---
--- **Errors.** An item without a file.
---
--- ```lua
--- local catalog, dswe = require "catalog", require "dswe"
--- local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "ALPSRP111041130-RTC_HI_RES", links = {},
---   properties = { datetime = "2008-02-24T07:13:21Z" }, assets = { data = { href = "https://host/AP_11104_FBD_F1130_RT1.zip" } } } }
--- assert(dswe.scene_name(items[1]) == "AP_11104_FBD_F1130_RT1")
--- ```
---@param item Item
---@return string
function M.scene_name(item)
  return (fs.basename(item:asset().href):gsub("%.%w+$", ""))
end

--- The files of the tiles that belong to a pair.
local function tile_files(pair)
  local names = {}
  for i, tile in ipairs(pair.matches) do names[i] = fs.basename(tile:asset("inwam").href) end
  return names
end

--- Reads what was screened before: scene → row.
local function read_screening(path)
  local done = {}
  if path and fs.exists(path) then
    local t = tables.read_csv(path, { types = { scene = "string" } })
    for i = 1, #t do done[t[i].scene] = t[i] end
  end
  return done
end

local function write_screening(path, done)
  local rows = {}
  for _, row in pairs(done) do rows[#rows + 1] = row end
  if not path or #rows == 0 then return end
  table.sort(rows, function(a, b) return a.scene < b.scene end)
  tables.new(rows, { columns = { "scene", "valid_share", "water_share", "pixels" } }):write_csv(path)
end

-- A scene's tiles come under their folder's name together or not at all, so the folder says that the scene is complete.
local function place(scene, tiles, work)
  local part = scene .. "/." .. TILES
  fs.remove(part, { recursive = true })
  fs.mkdir(part)
  for _, name in ipairs(tiles) do fs.copy(work .. "/tiles/" .. name, part .. "/" .. name) end
  fs.rename(part, scene .. "/" .. TILES)
end

-- Zips of ASF hold one folder with the scene's name; others get one.
local function unpack(zip, folder, name)
  local inside = true
  for _, member in ipairs(catalog.zip_members(zip)) do inside = inside and member.name:sub(1, #name + 1) == name .. "/" end
  catalog.unzip(zip, { into = inside and folder or folder .. "/" .. name, delete = true })
end

--- Downloads scenes with their tiles: tiles first, screened if asked to, then the scenes that are kept.
---
--- Tiles, screening and scenes go in groups of twenty. A run that stops at any point goes on there: files resume at the byte, screened scenes are not
--- screened again, complete ones are passed over. One that fails does not stop the others. Tiles that no scene needs
--- any more are removed.
---
--- Returns a row for each pair: `scene`, `status` (`complete`, `rejected` or `failed`), `valid_share`, `water_share`, `error`.
---
--- **Errors.** Folders that cannot be written. What fails for one scene stands in its row.
---
--- ```lua
--- local dswe = require "dswe"
--- assert(#dswe.download_pairs({}, { folder = "scenes" }) == 0)
--- ```
---@param list dswe.Pair[]
---@param options dswe.DownloadOptions
---@return Table
function M.download_pairs(list, options)
  local o = library.options("dswe.download_pairs", options)
  local folder = o.folder
  local work = o.work or folder .. "/.incoming"
  local report = o.report or function() end
  local screened = read_screening(o.screening)
  local rows, uses, open = {}, {}, {}

  for i, pair in ipairs(list) do
    local name = M.scene_name(pair.item)
    local row = { scene = name, status = "failed" }
    local seen = screened[name]
    rows[i] = row
    if seen then row.valid_share, row.water_share = seen.valid_share, seen.water_share end
    if fs.is_folder(fs.join(folder, name, TILES)) then
      row.status = "complete"
    else
      local files = tile_files(pair)
      open[#open + 1] = { pair = pair, row = row, name = name, tiles = files }
      for _, tile in ipairs(files) do uses[tile] = (uses[tile] or 0) + 1 end
    end
  end

  local function kept(row)
    return (not o.valid_share or row.valid_share >= o.valid_share) and (not o.water_share or row.water_share >= o.water_share)
  end

  local function settle(job, status, reason)
    job.row.status, job.row.error = status, reason
    report(("%s: %s%s"):format(job.name, status, reason and ", " .. reason or ""))
    for _, tile in ipairs(job.tiles) do
      uses[tile] = uses[tile] - 1
      if uses[tile] == 0 and status ~= "failed" then fs.remove(work .. "/tiles/" .. tile) end
    end
  end

  local function fetch(files, kind, assets)
    local failed = {}
    if #files > 0 then
      local got = catalog.download(files, { dir = work .. "/" .. kind, assets = assets, parallel = o.parallel, on_error = "report" })
      for i = 1, #got do
        if got[i].status == "failed" then failed[got[i].name] = got[i].error end
      end
    end
    return failed
  end

  -- What one scene lacks, as the reason why it fails.
  local function guarded(job, step)
    local ok, message = pcall(step)
    if not ok then
      if tostring(message):find "interrupted" then error(message, 0) end
      settle(job, "failed", tostring(message))
    end
    return ok
  end

  for first = 1, #open, BATCH do
    local wanted, jobs, seen = {}, {}, {}
    for i = first, math.min(first + BATCH - 1, #open) do
      local job = open[i]
      local row = job.row
      if row.valid_share and not kept(row) then
        settle(job, "rejected", ("%.0f %% valid, %.1f %% water"):format(100 * row.valid_share, 100 * row.water_share))
      else
        jobs[#jobs + 1] = job
        for _, tile in ipairs(job.pair.matches) do
          if not seen[tile.id] then
            seen[tile.id] = true
            wanted[#wanted + 1] = tile
          end
        end
      end
    end

    local missing = fetch(wanted, "tiles", { "inwam" })
    local scenes = {}
    for _, job in ipairs(jobs) do
      local lacking
      for _, tile in ipairs(job.tiles) do lacking = lacking or missing[tile] end
      if lacking then
        settle(job, "failed", lacking)
      else
        local keep = true
        if (o.valid_share or o.water_share) and not job.row.valid_share then
          keep = guarded(job, function()
            local paths = {}
            for i, tile in ipairs(job.tiles) do paths[i] = work .. "/tiles/" .. tile end
            local found = M.screen(paths, job.pair.item:footprint())
            job.row.valid_share, job.row.water_share = found.valid_share, found.water_share
            screened[job.name] = { scene = job.name, valid_share = found.valid_share, water_share = found.water_share, pixels = found.pixels }
          end)
        end
        if keep and (o.valid_share or o.water_share) and not kept(job.row) then
          settle(job, "rejected", ("%.0f %% valid, %.1f %% water"):format(100 * job.row.valid_share, 100 * job.row.water_share))
        elseif keep then
          scenes[#scenes + 1] = job
        end
      end
    end
    write_screening(o.screening, screened)

    local zips = {}
    for i, job in ipairs(scenes) do zips[i] = job.pair.item end
    missing = fetch(zips, "zips")
    for _, job in ipairs(scenes) do
      local zip = fs.basename(job.pair.item:asset().href)
      if missing[zip] then
        settle(job, "failed", missing[zip])
      elseif guarded(job, function()
        unpack(work .. "/zips/" .. zip, folder, job.name)
        place(fs.join(folder, job.name), job.tiles, work)
      end) then
        settle(job, "complete")
      end
    end
  end
  return tables.new(rows, { columns = { "scene", "status", "valid_share", "water_share", "error" } })
end

--- Writes the list of the scenes in a folder with their tiles: `ALOS_scene`, and `DSWE_tiles` separated by blanks. Scenes that are
--- not complete are not in it.
---
--- **Errors.** A folder that is not there or cannot be written.
---
--- ```lua
--- local dswe, fs = require "dswe", require "fs"
--- fs.mkdir("scenes/AP_11104_FBD_F1130_RT1/usgs_dswe")
--- fs.write("scenes/AP_11104_FBD_F1130_RT1/usgs_dswe/LT05_CU_010008_20080223_20210421_02_INWAM.TIF", "")
--- assert(dswe.write_database("scenes", "alos_dswe_database.csv")[1].ALOS_scene == "AP_11104_FBD_F1130_RT1")
--- ```
---@param folder string
---@param path string
---@return Table
function M.write_database(folder, path)
  local rows = {}
  for _, tiles in ipairs(fs.glob(folder .. "/*/" .. TILES)) do
    local names = {}
    for _, file in ipairs(fs.glob(tiles .. "/*INWAM*")) do names[#names + 1] = fs.basename(file) end
    table.sort(names)
    rows[#rows + 1] = { ALOS_scene = fs.basename(fs.dirname(tiles)), DSWE_tiles = table.concat(names, " ") }
  end
  table.sort(rows, function(a, b) return a.ALOS_scene < b.ALOS_scene end)
  local database = tables.new(rows, { columns = { "ALOS_scene", "DSWE_tiles" } })
  database:write_csv(path)
  return database
end

return M
