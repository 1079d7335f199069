-- Opening the archive's Zarr cubes: which of them, which of their layers, one image of each.
local raster, time, catalog = require "raster", require "time", require "catalog"
local library = require "library"
local heads, opening = require "itslive.head", require "itslive.open"

local fail = library.fail
local M = {}

local WHERE = "itslive.open_cubes"

--%% Which cubes

local function is_place(source)
  return type(source) == "table" and #source == 2 and type(source[1]) == "number" and type(source[2]) == "number"
end

local function is_area(source)
  if type(source) ~= "userdata" then return false end
  return (pcall(function() return source:to_crs "EPSG:4326" end))
end

-- Addresses of those that the catalogue has at a place or in an area, and the area.
local function found_in(source, o)
  local cubes = catalog.itslive_cubes(o.catalogue)
  local rows, what
  if is_place(source) then
    rows, what = cubes:at(source[1], source[2]), ("%g, %g"):format(source[1], source[2])
  else
    rows, what = cubes:intersecting(source:to_crs "EPSG:4326"), "the area"
  end
  local paths = {}
  for i = 1, #rows do
    if rows[i].exists ~= false then paths[#paths + 1] = rows[i].zarr_url end
  end
  if #paths == 0 then
    fail(("%s: the catalogue has no cube at %s; it has those of land ice, and places are { longitude, latitude }"):format(WHERE, what))
  end
  return paths
end

local function paths_of(source, o)
  if type(source) == "string" then return { source } end
  if is_place(source) or is_area(source) then return found_in(source, o) end
  if type(source) ~= "table" or #source == 0 then
    fail(("%s: source must be the path or address of a cube, a list of them, { longitude, latitude }, or an area, got %s"):format(
      WHERE, library.describe(source)))
  end
  for i, path in ipairs(source) do
    if type(path) ~= "string" then
      fail(("%s: source[%d] must be the path or address of a cube, got %s"):format(WHERE, i, library.describe(path)))
    end
  end
  return source
end

--%% What a cube says of its layers

-- Of each layer, so small beside the pixels that they are read at once. The names of granules are not: each takes 4 KiB.
local TOLD = { "date_dt", "vx_error", "vy_error", "roi_valid_percentage" }
for i = 1, 2 do
  for _, name in ipairs { "acquisition_date_img", "mission_img", "sensor_img", "satellite_img" } do TOLD[#TOLD + 1] = name .. i end
end

local SECONDS = { day = 86400, hour = 3600, minute = 60, second = 1 }

-- Seconds of a number of days (or others) since some day.
local function clock(path, name, units)
  local unit, origin = tostring(units):match "^(%a-)s? since (.+)$"
  if not SECONDS[unit] then
    fail(("%s: %s of %s is in %s, which is no time such as \"days since 1970-01-01\""):format(WHERE, name, path, units or "no unit"))
  end
  local first = time.seconds((origin:gsub(" ", "T", 1)))
  return function(value) return value and value == value and first + value * SECONDS[unit] or nil end
end

-- A text without what fills it up; numbers as they are.
local function word(value)
  if type(value) ~= "string" then return value end
  value = value:gsub("%z+$", ""):gsub("%s+$", "")
  return value ~= "" and value or nil
end

local function number(value) return value and value == value and value or nil end

local function error_of(x, y)
  x, y = number(x), number(y)
  if x and y and x > 0 and y > 0 then return math.sqrt((x * x + y * y) / 2) end
end

-- The layers of a cube with their images, as the archive has them.
local function layers_of(path, o)
  local variables, told = {}, {}
  for _, array in ipairs(raster.arrays(path)) do
    local name = array.name:gsub("^/", "")
    if #array.shape == 3 then variables[name] = true end
    if #array.shape == 1 then told[name] = true end
  end
  if not (variables.vx and variables.vy) then
    fail(("%s: %s is no cube of ITS_LIVE: it has no vx and vy over time"):format(WHERE, path))
  end
  local names, asked = {}, { "/vx#units", "/vy#units" }
  for _, name in ipairs(TOLD) do
    if told[name] then names[#names + 1] = "/" .. name end
    if told[name] and name:match "^acquisition" then asked[#asked + 1] = "/" .. name .. "#units" end
  end
  local said = raster.read_attribute(path, asked)
  for _, name in ipairs { "vx", "vy" } do heads.check_unit(WHERE, path, name, said["/" .. name .. "#units"]) end
  local lists = raster.read_array(path, names)
  local clocks = {}
  for i = 1, 2 do
    local name = "acquisition_date_img" .. i
    if told[name] then clocks[i] = clock(path, name, said["/" .. name .. "#units"]) end
  end
  local function of(name, i) return lists["/" .. name] and lists["/" .. name][i] end

  local stack = raster.stack(path, { variables = opening.wanted(variables, o) })
  local name, layers = path:gsub("/+$", ""):match "[^/]*$", {}
  for i = 1, #stack do
    local first, last = clocks[1] and clocks[1](of("acquisition_date_img1", i)), clocks[2] and clocks[2](of("acquisition_date_img2", i))
    if first and last and first > last then first, last = last, first end
    local image = stack[i]
    if not (first and last) then
      local mid, days = image.time and time.seconds(image.time), number(of("date_dt", i))
      if not (mid and days) then
        fail(("%s: neither acquisition_date_img1 and _img2 nor mid_date and date_dt of %s tell when layer %d was taken"):format(WHERE, path, i))
      end
      first, last = mid - days * 43200, mid + days * 43200
    end
    local platforms = {}
    for k = 1, 2 do
      platforms[k] = heads.platform(word(of("mission_img" .. k, i)), word(of("sensor_img" .. k, i)), word(of("satellite_img" .. k, i)))
    end
    layers[i] = {
      path = path, name = ("%s[%d]"):format(name, i), variables = variables, first = first, last = last, mid = first + (last - first) / 2,
      separation = (last - first) / 86400, platforms = platforms, valid = number(of("roi_valid_percentage", i)), version = 2,
      error = error_of(of("vx_error", i), of("vy_error", i)), file = image,
    }
  end
  return layers
end

--%% Layers of one pair in several cubes

local function pair_of(layer)
  return ("%.0f %.0f %s"):format(layer.first, layer.last, table.concat(layer.platforms, " "))
end

-- One image of each pair that several cubes hold, where it is one layer of each; in the order of their first layers.
local function joined(layers, images)
  local by, order = {}, {}
  for i, layer in ipairs(layers) do
    local pair = pair_of(layer)
    local entry = by[pair]
    if not entry then
      entry = { numbers = {}, cubes = {}, alone = true }
      by[pair], order[#order + 1] = entry, entry
    end
    -- Two of one cube are two pairs of the same days and satellites: which belongs to which of another cube nobody knows.
    if entry.cubes[layer.path] then entry.alone = false end
    entry.cubes[layer.path] = true
    entry.numbers[#entry.numbers + 1] = i
  end
  local made = {}
  for _, entry in ipairs(order) do
    if entry.alone and #entry.numbers > 1 then
      local parts = {}
      for k, i in ipairs(entry.numbers) do parts[k] = images[i] end
      made[#made + 1] = raster.mosaic(parts, { grid = parts[1].grid })
    else
      for _, i in ipairs(entry.numbers) do made[#made + 1] = images[i] end
    end
  end
  return made
end

-- The stack, and what became of the layers.
function M.cubes(source, o)
  local paths = paths_of(source, o)
  if is_area(source) and not o.polygon then o.polygon = source end
  local found, report = {}, opening.report()
  for _, path in ipairs(paths) do
    for _, layer in ipairs(layers_of(path, o)) do found[#found + 1] = layer end
  end
  report.found = #found
  found = opening.passing(WHERE, found, o, report)
  for _, layer in ipairs(found) do
    layer.image = opening.image(WHERE, layer.file, layer, o)
    layer.file = nil
  end
  return opening.on_one_grid(WHERE, found, o, report, #paths > 1 and joined or nil)
end

return M
