-- Opening a folder of Sentinel-1 files: which scenes it holds, which pass the filters, one image of each.
local raster, time, library = require "raster", require "time", require "library"
local names = require "sentinel1.names"

local fail = library.fail
local M = {}

local PASSES = { ASCENDING = "ASCENDING", DESCENDING = "DESCENDING", BOTH = false }

-- A date or moment in seconds, to compare.
local function ends(name, text)
  if text == nil or text == "" then return nil end
  local ok, first, last = pcall(time.ends, text)
  if ok then return time.seconds(first), time.seconds(last) end
  fail(("sentinel1.open_stack: %s must be a date such as \"2018-10-01\" or \"2018-10\", or a time such as \"2018-10-01T05:30:00Z\", got %s")
    :format(name, library.describe(text)))
end

-- What a set of images has of a property: "58 (120 images), 131 (98 images)".
local function census(images, value_of)
  local counts, order = {}, {}
  for _, image in ipairs(images) do
    local value = value_of(image)
    value = value == nil and "unknown" or tostring(value):gsub("^(%d%d%d%d%-%d%d%-%d%d)T.*$", "%1")
    if not counts[value] then order[#order + 1] = value end
    counts[value] = (counts[value] or 0) + 1
  end
  table.sort(order)
  local parts = {}
  for i, value in ipairs(order) do
    if i > 8 then
      parts[#parts + 1] = ("%d more"):format(#order - 8)
      break
    end
    parts[#parts + 1] = ("%s (%d image%s)"):format(value, counts[value], counts[value] == 1 and "" or "s")
  end
  return table.concat(parts, ", ")
end

-- Runs the filters one by one, so that an empty result can be explained.
local function select_images(images, filters, shown)
  for _, f in ipairs(filters) do
    local kept = {}
    for _, image in ipairs(images) do
      local value = f.value(image)
      if value == nil then
        fail(("sentinel1.open_stack: cannot filter by %s: neither the name nor a tag of %s tells it; leave the filter out, or, if you know it, give { properties = { %s = … } }")
          :format(f.text, image.name or image.properties.name, f.property))
      end
      if f.keep(value) then kept[#kept + 1] = image end
    end
    if #kept == 0 then
      fail(("sentinel1.open_stack: no image of the %d in %s is left: %s removed the last %d, which have %s")
        :format(shown.count, shown.folder, f.text, #images, census(images, f.value)))
    end
    images = kept
  end
  return images
end

-- What to keep, by property; each works on the names of scenes and on opened images.
local function filters_of(options)
  local filters = {}
  local function add(property, text, keep)
    filters[#filters + 1] = { property = property, text = text, keep = keep }
  end
  local function equals(property, wanted)
    if wanted == nil or wanted == "" or wanted == "both" then return end
    local wishes, shown = {}, {}
    for _, wish in ipairs(type(wanted) == "table" and wanted or { wanted }) do
      if type(wish) == "string" then wish = wish:upper() end
      wishes[wish] = true
      shown[#shown + 1] = tostring(wish)
    end
    if #shown == 0 then return end
    add(property, ("%s = %s"):format(property, table.concat(shown, ", ")), function(value) return wishes[value] end)
  end
  equals("mode", options.mode)
  equals("relative_orbit", options.relative_orbit)
  equals("platform", options.platform)
  equals("burst", options.burst)
  if options.pass then
    local pass = PASSES[options.pass:upper()]
    if pass == nil then
      fail(("sentinel1.open_stack: pass must be \"ASCENDING\" or \"DESCENDING\" or \"BOTH\", got %s"):format(library.describe(options.pass)))
    end
    equals("pass", pass or nil)
  end
  local start, _ = ends("start", options.start)
  local _, stop = ends("stop", options.stop)
  if start then add("time", "start = " .. options.start, function(value) return time.seconds(value) >= start end) end
  if stop then add("time", "stop = " .. options.stop, function(value) return time.seconds(value) <= stop end) end
  return filters
end

-- The filters whose property the names of all scenes tell, which spares opening the others; and the rest, for opened images.
local function share_out(filters, scenes)
  local by_name, by_image = {}, {}
  for _, f in ipairs(filters) do
    local known = true
    for _, scene in ipairs(scenes) do known = known and scene[f.property] ~= nil end
    local get = known and function(scene) return scene[f.property] end
      or function(image) if f.property == "time" then return image.time end return image.properties[f.property] end
    local list = known and by_name or by_image
    list[#list + 1] = { property = f.property, text = f.text, keep = f.keep, value = get }
  end
  return by_name, by_image
end

local function bounds_filter(bounds)
  if not bounds or #bounds == 0 then return nil end
  local west, south, east, north = table.unpack(bounds)
  if #bounds ~= 4 or not (west < east and south < north) then
    fail(("sentinel1.open_stack: bounds must be { west, south, east, north } in degrees, got { %s }")
      :format(table.concat(bounds, ", ")))
  end
  return {
    property = "bounds",
    text = ("bounds = %g, %g, %g, %g"):format(west, south, east, north),
    value = function(image)
      return ("%.3f, %.3f, %.3f, %.3f"):format(table.unpack(image.grid:bounds_in("EPSG:4326")))
    end,
    keep = function(text)
      local w, s, e, n = text:match "([^,]+), ([^,]+), ([^,]+), ([^,]+)"
      return tonumber(w) < east and tonumber(e) > west and tonumber(s) < north and tonumber(n) > south
    end,
  }
end

-- Tags that processors write for what no name carries.
local TAGS = {
  pass = { "ORBIT_PASS_DIRECTION", "ORBIT_DIRECTION", "orbitProperties_pass", "PASS", "orbit_direction", "flightDirection" },
  relative_orbit = { "TRACK_NUMBER", "relativeOrbitNumber_start", "RELATIVE_ORBIT", "relativeOrbitNumber" },
  platform = { "PLATFORM", "platform_number" },
}

local READ = {
  pass = function(text)
    local letter = text:sub(1, 1):upper()
    return letter == "A" and "ASCENDING" or letter == "D" and "DESCENDING" or nil
  end,
  relative_orbit = function(text) return math.tointeger(tonumber(text)) end,
  platform = function(text)
    local letter = text:upper():match "^SENTINEL%-?1([A-D])$" or text:upper():match "^S?1?([A-D])$"
    return letter and "S1" .. letter
  end,
}

-- What names or tags say, in one way of writing.
local function with_tags(image)
  local given = image.properties
  for property, tags in pairs(TAGS) do
    local value = given[property]
    for _, tag in ipairs(tags) do
      if value == nil then value = given[tag] end
    end
    local read = value ~= nil and READ[property](tostring(value))
    if read then image = image:set(property, read) end
  end
  return image
end

local function unit_of(scene, options, name)
  return options.unit or scene.unit
    or fail(("sentinel1.open_stack: %s does not say whether it is power or dB; give { unit = \"power\" } or { unit = \"dB\" }"):format(name))
end

local function open_polarisations(scene, options, static)
  local image
  for _, band in ipairs(options.bands) do
    local one = raster.open(scene.files[band], { names = { band } })
    if one.units[band] == "" then one = one:set_unit(unit_of(scene, options, scene.files[band])) end
    image = image and image:add_bands(one) or one
  end
  local angle = scene.files.angle
  if scene.burst and static[scene.burst] then angle = static[scene.burst][options.angle] or angle end
  if angle and options.angle ~= "none" then
    local degrees = raster.open(angle, { names = { "angle" } }):set_unit(scene.angle_unit or "deg"):to_degrees()
    image = image:add_bands(degrees)
  end
  return image
end

-- Decibels have negative values and powers have none: a look at the middle of one image tells them apart.
local function check_decibels(image, path)
  local rows, cols = math.min(image.rows, 256), math.min(image.cols, 256)
  local middle = image:crop { row = (image.rows - rows) // 2, col = (image.cols - cols) // 2, rows = rows, cols = cols }
  local stats = middle:stats()
  for _, band in ipairs(middle.bands) do
    local min = stats[band].min
    if min and min >= 0 then
      fail(("sentinel1.open_stack: %s has no negative value in the middle of %s, so it is hardly in dB; give { unit = \"power\" } or { unit = \"dB\" }")
        :format(path, band))
    end
  end
end

local function open_bands(scene, options, state)
  local file = raster.open(scene.path, options.names and { names = options.names } or nil)
  local image = file:select(options.bands)
  if image.units[options.bands[1]] == "" then
    local unit = options.unit or scene.unit
    if not unit then
      unit = "dB"
      if not state.checked then check_decibels(image, scene.path) end
      state.checked = true
    end
    image = image:set_unit(unit)
  end
  if options.angle ~= "none" then
    for _, band in ipairs(file.bands) do
      if band == "angle" then image = image:add_bands(file:select("angle"):set_unit("deg")) end
    end
  end
  return image
end

-- Which of the wanted polarisations a scene lacks. Files with all bands in one have to be opened to know.
local function missing_of(scene, options)
  local have
  if scene.path then
    have = options.names or raster.open(scene.path).bands
  else
    have = {}
    for layer in pairs(scene.files) do have[#have + 1] = layer end
    table.sort(have)
  end
  local missing, found = {}, {}
  for _, band in ipairs(have) do found[band] = true end
  for _, band in ipairs(options.bands) do
    if not found[band] then missing[#missing + 1] = band end
  end
  return missing, have
end

-- The scenes that have all wanted polarisations. Files that have none of them, a DEM or a map of layover, are no images.
local function complete_scenes(scenes, options, folder)
  local whole, first, count = {}, nil, 0
  for _, scene in ipairs(scenes) do
    local missing, have = missing_of(scene, options)
    if #missing == 0 then
      whole[#whole + 1] = scene
    else
      local part = #missing < #options.bands
      if part then count = count + 1 end
      if not first or (part and not first.part) then first = { scene = scene, missing = missing, have = have, part = part } end
    end
  end
  if #whole > 0 and count == 0 then return whole end
  local lacks = ("%s has %s but no %s"):format(
    first.scene.name, table.concat(first.have, ", "), table.concat(first.missing, " and no "))
  if #whole == 0 then
    local hint = first.scene.path and "; files whose bands have no names need { names = { \"VV\", \"VH\", … } }" or ""
    fail(("sentinel1.open_stack: no image in %s has the bands %s: %s%s"):format(folder, table.concat(options.bands, ", "), lacks, hint))
  end
  if options.incomplete ~= "skip" then
    fail(("sentinel1.open_stack: %d of %d images lack a polarisation: %s; complete them, or leave them out with { incomplete = \"skip\" }")
      :format(count, count + #whole, lacks))
  end
  return whole
end

local PROPERTIES = { "relative_orbit", "pass", "platform", "mode", "burst", "spacing" }

local function open_scene(scene, options, static, state)
  local image = scene.path and open_bands(scene, options, state) or open_polarisations(scene, options, static)
  if scene.time then image = image:set_time(scene.time) end
  for _, name in ipairs(PROPERTIES) do
    if scene[name] ~= nil then image = image:set(name, scene[name]) end
  end
  for name, value in pairs(scene.properties or {}) do image = image:set(name, value) end
  image = image:set("polarisations", table.concat(options.bands, " "))
    :set("name", (scene.path or scene.files[options.bands[1]]):match "[^/]*$")
  for name, value in pairs(options.properties or {}) do image = image:set(name, value) end
  return with_tags(image)
end

-- The images of a folder that pass, as a list.
function M.images(folder, o)
  local paths = raster.find(folder, { extensions = { "tif", "tiff", "vrt", "img" } })
  if #paths == 0 then fail(("sentinel1.open_stack: no raster files (.tif, .tiff, .vrt, .img) in %s"):format(folder)) end
  local scenes, static = names.scenes(paths, o)
  if #scenes == 0 then
    fail(("sentinel1.open_stack: none of the %d rasters in %s %s, such as %s"):format(#paths, folder,
      o.pattern and "fits the pattern " .. o.pattern or "is named like an image", paths[1]:match "[^/]*$"))
  end
  local shown = { folder = folder, count = #scenes }
  local by_name, by_image = share_out(filters_of(o), scenes)
  by_image[#by_image + 1] = bounds_filter(o.bounds)
  scenes = complete_scenes(select_images(scenes, by_name, shown), o, folder)
  local images, state = {}, {}
  for _, scene in ipairs(scenes) do images[#images + 1] = open_scene(scene, o, static, state) end
  images = select_images(images, by_image, shown)
  return images
end

return M
