--- OPERA's coregistered single-look complex images of Sentinel-1 (CSLC-S1): reading HDF5 products of both layouts.
---
--- A product is one burst of one date, on a map grid that all dates of the burst share. Released products hold their images in
--- `/data`; those that COMPASS wrote before May 2023 in `/science/SENTINEL1/CSLC/grids`. Both are read alike.
---@class opera
local M = {}

local raster, time, geometry, fs = require "raster", require "time", require "geometry", require "fs"
local library = require "library"

local fail = library.fail

-- Where the two layouts keep what.
local LAYOUTS = {
  {
    name = "released", data = "/data/", burst = "/metadata/processing_information/input_burst_metadata/",
    identification = "/identification/", orbit = "/metadata/orbit/",
  },
  {
    name = "2022", data = "/science/SENTINEL1/CSLC/grids/",
    burst = "/science/SENTINEL1/CSLC/metadata/processing_information/s1_burst_metadata/",
    identification = "/science/SENTINEL1/identification/", orbit = "/science/SENTINEL1/CSLC/metadata/orbit/",
  },
}

-- Name here → group of the layout and name there.
local FIELDS = {
  x_coordinates = { "data", "x_coordinates" }, y_coordinates = { "data", "y_coordinates" },
  x_spacing = { "data", "x_spacing" }, y_spacing = { "data", "y_spacing" }, epsg = { "data", "projection" },
  sensing_start = { "burst", "sensing_start" }, sensing_stop = { "burst", "sensing_stop" }, shape = { "burst", "shape" },
  platform = { "burst", "platform_id" }, wavelength = { "burst", "wavelength" },
  range_pixel_spacing = { "burst", "range_pixel_spacing" }, starting_range = { "burst", "starting_range" },
  azimuth_time_interval = { "burst", "azimuth_time_interval" }, range_bandwidth = { "burst", "range_bandwidth" },
  burst_id_of_burst = { "burst", "burst_id" }, burst_id = { "identification", "burst_id" },
  bounding_polygon = { "identification", "bounding_polygon" }, mission = { "identification", "mission_id" },
  orbit_pass_direction = { "identification", "orbit_pass_direction" },
  track = { "identification", "track_number" }, absolute_orbit = { "identification", "absolute_orbit_number" },
  processed = { "identification", "processing_date_time" }, product_version = { "identification", "product_version" },
  look_direction = { "identification", "look_direction" }, orbit_direction = { "orbit", "orbit_direction" },
}

-- "2022-12-28 16:16:51.013157" and its like, in UTC, as times are written here.
local function moment(text)
  if not text or text == "" then return nil end
  local iso = text:gsub(" ", "T", 1)
  if not iso:find "[Zz]$" and not iso:find "[+-]%d%d:?%d%d$" then iso = iso .. "Z" end
  local ok, parsed = pcall(time.parse, iso)
  return ok and parsed or nil
end

-- "T064-135523-IW2", "t064_135523_iw2": the same burst.
local function normal(burst) return (burst:lower():gsub("%-", "_")) end

-- Fixed-length text may be padded, and h5py's older writers wrote text in lists of one.
local function text_of(value)
  if type(value) == "table" then value = value[1] end
  if type(value) ~= "string" then return nil end
  local trimmed = value:gsub("[%z%s]+$", "")
  return trimmed ~= "" and trimmed or nil
end

local function number_of(value)
  if type(value) == "table" then value = value[1] end
  return type(value) == "number" and value or nil
end

-- Spacing of evenly spaced coordinates; uneven ones are no grid.
local function spacing(path, name, list, stated)
  local n = #list
  local step = n > 1 and (list[n] - list[1]) / (n - 1) or stated
  if not step or step == 0 then
    fail(("%s: %s has %d coordinate%s and no spacing, so the pixels have no size"):format(path, name, n, n == 1 and "" or "s"))
  end
  for i = 2, n do
    if math.abs(list[i] - list[i - 1] - step) > 1e-3 * math.abs(step) then
      fail(("%s: %s is not evenly spaced: %.6g then %.6g at entry %d, where the step is %.6g"):format(
        path, name, list[i - 1], list[i], i, step))
    end
  end
  return step
end

-- The layout of a file, and the values of `FIELDS` that it holds.
local function read_fields(path, owner)
  for _, layout in ipairs(LAYOUTS) do
    local names, by_name = {}, {}
    for field, where in pairs(FIELDS) do
      local full = layout[where[1]] .. where[2]
      names[#names + 1], by_name[full] = full, field
    end
    local found, values = raster.read_array(path, names), {}
    for full, value in pairs(found) do values[by_name[full]] = value end
    if values.x_coordinates or values.epsg then return layout, values end
  end
  fail(("opera.%s: %s is no CSLC product: it holds neither /data/x_coordinates nor /science/SENTINEL1/CSLC/grids/x_coordinates")
    :format(owner, path))
end

local function need(path, values, layout, field)
  local value = values[field]
  if value == nil then
    fail(("%s: the product has no %s%s"):format(path, layout[FIELDS[field][1]], FIELDS[field][2]))
  end
  return value
end

---@class opera.Metadata
---@field layout string `released`, or `2022` for products of before May 2023.
---@field burst? string `t064_135523_iw2`.
---@field date? string Day of sensing as files are named by it: `20221228`.
---@field sensing_start? string First azimuth time of the burst, ISO 8601 in UTC.
---@field sensing_stop? string
---@field processed? string
---@field platform? string `S1A`, `S1B`…
---@field pass? string `ASCENDING` or `DESCENDING`.
---@field look? string `LEFT` or `RIGHT`.
---@field track? integer Relative orbit.
---@field absolute_orbit? integer
---@field epsg integer
---@field x_spacing number m, eastward.
---@field y_spacing number m, negative: rows go south.
---@field bounding_polygon? string WKT, longitude and latitude.
---@field shape? integer[] Lines and samples of the burst in radar geometry.
---@field wavelength? number m
---@field starting_range? number m
---@field range_pixel_spacing? number m
---@field range_bandwidth? number Hz
---@field azimuth_time_interval? number s
---@field product_version? string
---@field grid Grid Of the images.

local function metadata(path, owner)
  local layout, values = read_fields(path, owner)
  local x, y = need(path, values, layout, "x_coordinates"), need(path, values, layout, "y_coordinates")
  local epsg = number_of(need(path, values, layout, "epsg"))
  if not epsg or epsg ~= math.floor(epsg) then
    fail(("%s: %sprojection must be an EPSG code, got %s"):format(path, layout.data, library.describe(values.epsg)))
  end
  local dx = spacing(path, "x_coordinates", x, number_of(values.x_spacing))
  local dy = spacing(path, "y_coordinates", y, number_of(values.y_spacing))
  local start = moment(text_of(values.sensing_start))
  local pass = text_of(values.orbit_pass_direction) or text_of(values.orbit_direction)
  local look = text_of(values.look_direction)
  local burst = text_of(values.burst_id) or text_of(values.burst_id_of_burst) or fs.basename(path):match "[tT]%d+[_-]%d+[_-][iI][wW]%d"
  return {
    layout = layout.name, burst = burst and normal(burst), date = start and time.format(start, "%Y%m%d"),
    sensing_start = start, sensing_stop = moment(text_of(values.sensing_stop)), processed = moment(text_of(values.processed)),
    platform = text_of(values.platform) or text_of(values.mission), pass = pass and pass:upper(), look = look and look:upper(),
    track = number_of(values.track), absolute_orbit = number_of(values.absolute_orbit), epsg = math.tointeger(epsg),
    x_spacing = dx, y_spacing = dy, bounding_polygon = text_of(values.bounding_polygon), shape = values.shape,
    wavelength = number_of(values.wavelength), starting_range = number_of(values.starting_range),
    range_pixel_spacing = number_of(values.range_pixel_spacing), range_bandwidth = number_of(values.range_bandwidth),
    azimuth_time_interval = number_of(values.azimuth_time_interval), product_version = text_of(values.product_version),
    -- Coordinates are those of the pixels' centres.
    grid = raster.grid { crs = epsg, transform = { x[1] - dx / 2, dx, 0, y[1] - dy / 2, 0, dy }, rows = #y, cols = #x },
  }, layout
end

--- What a product says of itself. No pixel is read.
---
--- **Errors.** A file that is missing, truncated or no CSLC product; coordinates that are no grid.
---
--- ```lua
--- local raster, opera = require "raster", require "opera"
--- raster.write_hdf5("t064_135523_iw2_20221228.h5", {
---   ["/data/x_coordinates"] = { 2.5, 7.5, 12.5 }, ["/data/y_coordinates"] = { 95, 85 }, ["/data/projection"] = 32611,
---   ["/metadata/processing_information/input_burst_metadata/sensing_start"] = "2022-12-28 16:16:51.013157",
--- })
--- local said = opera.metadata("t064_135523_iw2_20221228.h5")
--- assert(said.burst == "t064_135523_iw2" and said.date == "20221228" and said.grid.bounds[1] == 0)
--- ```
---@param path string A file, or a URL (`https://`, `s3://`).
---@return opera.Metadata
function M.metadata(path)
  return (metadata(path, "metadata"))
end

-- The images of a product: arrays of the grid's size in the group of the data.
local function layers_of(path, layout, grid)
  local layers = {}
  for _, array in ipairs(raster.arrays(path)) do
    local name = array.name:sub(1, #layout.data) == layout.data and array.name:sub(#layout.data + 1)
    if name and #array.shape == 2 and array.shape[1] == grid.rows and array.shape[2] == grid.cols then
      layers[#layers + 1] = { name = name, dtype = array.dtype }
    end
  end
  return layers
end

-- Properties are text and numbers; lists and the grid stay behind.
local function describe(image, said, path)
  for _, key in ipairs {
    "layout", "burst", "date", "sensing_start", "sensing_stop", "processed", "platform", "pass", "look", "absolute_orbit", "epsg",
    "x_spacing", "y_spacing", "bounding_polygon", "wavelength", "starting_range", "range_pixel_spacing", "range_bandwidth",
    "azimuth_time_interval", "product_version",
  } do
    if said[key] ~= nil then image = image:set(key, said[key]) end
  end
  if said.track then image = image:set("relative_orbit", said.track) end
  image = image:set("path", path)
  return said.sensing_start and image:set_time(said.sensing_start) or image
end

---@class opera.OpenOptions
---@field polarisation? string `"VV"`, `"VH"`, `"HH"` or `"HV"`. Default `"VV"`.

--- Opens the complex image of a product, lazily: of a remote file too only the windows that are needed are read.
---
--- The image has one band, named by its polarisation, complex64. Its time is the start of sensing; properties are `burst`, `date`,
--- `pass`, `platform`, `relative_orbit`, `bounding_polygon` and what else `opera.metadata` gives as text or number.
---
--- **Errors.** As `opera.metadata`; a polarisation that is not there, with those that are; an image that is not complex.
---
--- **Nodata.** Pixels that are NaN; products have them outside the burst.
---
--- ```lua
--- local raster, opera = require "raster", require "opera"
--- local grid = raster.grid { rows = 2, cols = 3 }
--- raster.write_hdf5("a.h5", {
---   ["/data/VV"] = raster.complex(raster.constant(grid, 3), raster.constant(grid, 4)),
---   ["/data/x_coordinates"] = { 2.5, 7.5, 12.5 }, ["/data/y_coordinates"] = { 95, 85 }, ["/data/projection"] = 32611,
--- })
--- local slc = opera.open("a.h5")
--- assert(slc.grid.crs == "EPSG:32611" and slc.VV:abs():stats().VV.mean == 5)
--- ```
---@param path string A file, or a URL (`https://`, `s3://`).
---@param options? opera.OpenOptions
---@return Raster slc
function M.open(path, options)
  local o = library.options("opera.open", options)
  local said, layout = metadata(path, "open")
  local polarisation = o.polarisation
  local ok, image = pcall(raster.open, path, { subdataset = layout.data .. polarisation, grid = said.grid })
  if not ok then
    local there = {}
    for _, array in ipairs(raster.arrays(path)) do
      if array.name == layout.data .. polarisation then error(image, 0) end
      local name = array.name:sub(1, #layout.data) == layout.data and array.name:sub(#layout.data + 1)
      if name and array.dtype:find "complex" then there[#there + 1] = name end
    end
    fail(("opera.open: %s has no polarisation %s; it has %s"):format(path, polarisation,
      #there > 0 and table.concat(there, ", ") or "no complex image"))
  end
  local band = image.bands[1]
  if not image.dtypes[band]:find "complex" then
    fail(("opera.open: %s of %s is %s, not complex"):format(polarisation, path, image.dtypes[band]))
  end
  return describe(image:rename(polarisation), said, path)
end

--- Opens the real layers of a product: of a CSLC-S1-STATIC product the line-of-sight vector, the incidence angle and the masks; of a
--- CSLC-S1 product the phases that were removed.
---
--- Bands are called as in the file: `los_east`, `los_north`, `local_incidence_angle`, `layover_shadow_mask`, `x`, `y`, `z`…
---
--- **Errors.** As `opera.metadata`; a product without such layers.
---
--- ```lua
--- local raster, opera = require "raster", require "opera"
--- local grid = raster.grid { rows = 2, cols = 3 }
--- raster.write_hdf5("static_layers_t064_135523_iw2.h5", {
---   ["/data/los_east"] = raster.constant(grid, 0.6), ["/data/los_north"] = raster.constant(grid, -0.1),
---   ["/data/x_coordinates"] = { 2.5, 7.5, 12.5 }, ["/data/y_coordinates"] = { 95, 85 }, ["/data/projection"] = 32611,
--- })
--- local static = opera.open_static("static_layers_t064_135523_iw2.h5")
--- assert(#static.bands == 2 and static.burst == "t064_135523_iw2")
--- ```
---@param path string A file, or a URL (`https://`, `s3://`).
---@return Raster layers
function M.open_static(path)
  local said, layout = metadata(path, "open_static")
  local image
  for _, layer in ipairs(layers_of(path, layout, said.grid)) do
    if not layer.dtype:find "complex" then
      local one = raster.open(path, { subdataset = layout.data .. layer.name, grid = said.grid }):rename(layer.name)
      image = image and image:add_bands(one) or one
    end
  end
  if not image then
    fail(("opera.open_static: %s has no real layer of %d × %d (rows × cols) in %s"):format(
      path, said.grid.rows, said.grid.cols, layout.data))
  end
  return describe(image, said, path)
end

--- The outline of a burst, in longitude and latitude: the polygon of the product, else the edge of its grid.
---
--- ```lua
--- local raster, opera = require "raster", require "opera"
--- local image = raster.constant(raster.grid { crs = 32611, bounds = { 4e5, 3.8e6, 4.1e5, 3.81e6 }, resolution = 100 }, 1)
--- assert(math.abs(opera.outline(image):centroid():bounds()[1] + 118.04) < 0.01)
--- ```
---@param image Raster As `opera.open` gives it.
---@return Geometry polygon
function M.outline(image)
  local polygon = image.properties.bounding_polygon
  if polygon then return geometry.from_wkt(polygon, "EPSG:4326") end
  local b = image.grid.bounds
  return geometry.bbox(b[1], b[2], b[3], b[4], image.grid.wkt):to_crs "EPSG:4326"
end

---@class opera.StackOptions
---@field burst? string Burst, such as `t064_135523_iw2` or `T064-135523-IW2`; needed where the folder holds several.
---@field polarisation? string As of `opera.open`. Default `"VV"`.
---@field start? string First day, month, year or moment, ISO 8601 in UTC: `2018-10-01`.
---@field stop? string Last day, month, year or moment, itself included.

-- Of one date processed twice the later product counts; which is later must be told.
local function without_doubles(images)
  local kept, at = {}, {}
  for _, image in ipairs(images) do
    local other = at[image.properties.date]
    if not other then
      kept[#kept + 1] = image
      at[image.properties.date] = #kept
    else
      local a, b = kept[other].properties, image.properties
      if not a.processed or not b.processed or a.processed == b.processed then
        fail(("opera.open_stack: %s and %s are both of %s, and do not tell which was processed later; remove one"):format(
          a.path, b.path, b.date))
      end
      if b.processed > a.processed then kept[other] = image end
    end
  end
  return kept
end

--- Opens a folder of products, and the folders in it, as a stack of the complex images of one burst in order of time.
---
--- Static layers and files of other bursts are passed over. Of a date processed twice the later product counts.
---
--- **Errors.** A folder without products, or of several bursts where `burst` is not given, with those that are there; dates doubled by
--- products that do not tell which is later; products without a sensing time; images on different grids; a file that is truncated.
---
--- ```lua
--- local raster, opera = require "raster", require "opera"
--- local grid = raster.grid { rows = 2, cols = 3 }
--- for _, day in ipairs { "2022-12-28", "2023-01-09" } do
---   raster.write_hdf5("t064_135523_iw2_" .. day:gsub("-", "") .. ".h5", {
---     ["/data/VV"] = raster.complex(raster.constant(grid, 3), raster.constant(grid, 4)),
---     ["/data/x_coordinates"] = { 2.5, 7.5, 12.5 }, ["/data/y_coordinates"] = { 95, 85 }, ["/data/projection"] = 32611,
---     ["/metadata/processing_information/input_burst_metadata/sensing_start"] = day .. " 16:16:51",
---   })
--- end
--- local stack = opera.open_stack(".", { burst = "T064-135523-IW2" })
--- assert(#stack == 2 and stack[1].date == "20221228")
--- ```
---@param folder string
---@param options? opera.StackOptions
---@return Stack stack
function M.open_stack(folder, options)
  local o = library.options("opera.open_stack", options)
  local burst = o.burst and normal(o.burst)
  local paths = raster.find(folder, { extensions = { "h5" } })
  local images, bursts, order = {}, {}, {}
  for _, path in ipairs(paths) do
    local name = fs.basename(path)
    local named = name:match "[tT]%d+[_-]%d+[_-][iI][wW]%d"
    -- The name spares opening the files of other bursts.
    if not name:lower():find "static" and not (burst and named and normal(named) ~= burst) then
      local image = M.open(path, { polarisation = o.polarisation })
      local of = image.properties.burst or "unknown"
      if not bursts[of] then order[#order + 1] = of end
      bursts[of] = true
      if not burst or of == burst then images[#images + 1] = image end
    elseif named and not name:lower():find "static" then
      named = normal(named)
      if not bursts[named] then order[#order + 1] = named end
      bursts[named] = true
    end
  end
  table.sort(order)
  if #images == 0 then
    fail(("opera.open_stack: no CSLC product %sin %s%s"):format(burst and "of burst " .. burst .. " " or "", folder,
      #order > 0 and "; there are those of " .. table.concat(order, ", ") or " (files *.h5)"))
  end
  if not burst and #order > 1 then
    fail(("opera.open_stack: %s holds several bursts; name one with { burst = … }: %s"):format(folder, table.concat(order, ", ")))
  end
  for _, image in ipairs(images) do
    if not image.time then fail(("opera.open_stack: %s has no sensing_start, so it has no date"):format(image.properties.path)) end
    if not image.grid:matches(images[1].grid) then
      fail(("opera.open_stack: %s and %s lie on different grids:\n  %s\n  %s"):format(images[1].properties.path,
        image.properties.path, images[1].grid, image.grid))
    end
  end
  local stack = raster.stack(without_doubles(images)):sort()
  if o.start or o.stop then
    local between = stack:between(o.start or "1900-01-01", o.stop or "2200-01-01")
    if #between == 0 then
      fail(("opera.open_stack: none of the %d dates in %s, %s to %s, lies in %s … %s"):format(#stack, folder,
        stack[1].properties.date, stack[#stack].properties.date, o.start or "", o.stop or ""))
    end
    stack = between
  end
  return stack
end

return M
