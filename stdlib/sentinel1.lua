--- Sentinel-1 backscatter: folders of products as stacks, incidence-angle masks, ratios of polarisations.
---@class sentinel1
local M = {}

local raster, filter, tables, time = require "raster", require "filter", require "tables", require "time"
local library = require "library"
local names, opening = require "sentinel1.names", require "sentinel1.open"

local fail = library.fail

---@class sentinel1.OpenOptions
---@field bands? string[] Polarisations that every image must have, in this order. Default `{ "VV", "VH" }`.
---@field mode? string Instrument mode: `IW`, `EW` or `SM`.
---@field relative_orbit? integer|integer[] Relative orbits (tracks). From 1 to 175.
---@field pass? string `ASCENDING` or `DESCENDING`.
---@field platform? string `S1A`, `S1B`, `S1C`… or `both`, which is every one.
---@field burst? string Burst, such as `T137-292318-IW2`.
---@field start? string First day, month, year or moment, ISO 8601 in UTC: `2018-10-01`.
---@field stop? string Last day, month, year or moment, itself included (Earth Engine's `filterDate` leaves it out).
---@field bounds? number[] `{ west, south, east, north }`, degrees: images that touch it stay, whole.
---@field angle? "incidence_angle"|"local_incidence_angle"|"none" Layer that becomes the band `angle`; `"incidence_angle"` is against the ellipsoid. Default `"incidence_angle"`.
---@field unit? string Unit of the files where they do not say it: `power`, `dB` or `amplitude`.
---@field names? string[] Band names of files with all bands in one, where the files do not say them.
---@field pattern? string Pattern of the file names, see `raster.match_name`; its parts `polarisation`, `platform`, `pass`, `mode`, `burst`, `relative_orbit` and the first time are understood.
---@field properties? table<string, string|number|boolean> Properties that the files do not carry and you know, such as `{ pass = "DESCENDING" }`.
---@field incomplete? "error"|"skip" What to do with an image that lacks one of `bands`. Default `"error"`.
---@field mosaic? boolean Join the bursts of each pass into one image, see `sentinel1.mosaic_passes`. Default false.

--- Opens a folder of Sentinel-1 images, and the folders in it, as a stack in order of time.
---
--- Three layouts are understood by their names. OPERA RTC-S1 products: one GeoTIFF a polarisation, γ⁰ as power; an
--- incidence angle of the RTC-S1-STATIC product of a burst becomes its band `angle`. Earth-Engine-style exports: one file
--- with bands named VV, VH and perhaps angle, in dB unless the file or `unit` says otherwise. Generic pairs: files whose names
--- differ in `VV` and `VH` (and perhaps `angle`) only and hold a date. Others are described with `pattern`.
---
--- Each image has the bands asked for, their unit, its time, and the properties `relative_orbit`, `pass`, `platform`, `mode`,
--- `burst`, `spacing`, `polarisations` and `name` as far as name and tags tell them. The relative orbit comes from
--- OPERA's track or from the absolute orbit in the names of ESA's products; the pass from a tag of the file
--- (`ORBIT_PASS_DIRECTION` and the like): no name carries it. Of a burst processed twice the later product counts.
--- Images keep their own grids: see `sentinel1.mosaic_passes` and `Stack:align`.
---
--- **Errors.** A folder that is missing or without rasters; filters that leave nothing, with what was there; a filter by
--- something unknown; images without one of the polarisations (unless `incomplete = "skip"`); files that do not say whether
--- they are power or dB.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 8, cols = 8 }
--- for i, day in ipairs { "20230105", "20230117" } do
---   raster.constant(grid, 0.1 * i):write("S1A_" .. day .. "_VV.tif")
---   raster.constant(grid, 0.02):write("S1A_" .. day .. "_VH.tif")
--- end
--- local stack = s1.open_stack(".", { platform = "S1A", start = "2023-01-10", unit = "power" })
--- assert(#stack == 1 and stack[1].time == "2023-01-17" and stack[1].VH.units.VH == "power")
--- ```
---@param folder string
---@param options? sentinel1.OpenOptions
---@return Stack stack
function M.open_stack(folder, options)
  local o = library.options("sentinel1.open_stack", options)
  local stack = raster.stack(opening.images(folder, o)):sort()
  return o.mosaic and M.mosaic_passes(stack) or stack
end

---@class sentinel1.MosaicOptions
---@field grid? Grid Grid of the mosaics. Default: the images' own pixels over the area of all, where they share them.
---@field method? "first"|"last"|"min"|"max"|"mean" Which image wins where bursts overlap. Default `"first"`.
---@field resampling? Resampling How pixels come onto a `grid` that is not theirs. Default `"nearest"`.

-- Whether pixels of the one grid are pixels of the other, perhaps beyond its edges.
local function share_pixels(a, b)
  if a.wkt ~= b.wkt then return false end
  local ta, tb = a.transform, b.transform
  local dx, dy = ta[2], ta[6]
  if math.abs(tb[2] - dx) > 1e-9 * math.abs(dx) or math.abs(tb[6] - dy) > 1e-9 * math.abs(dy) then return false end
  local function whole(d) return math.abs(d - math.floor(d + 0.5)) < 1e-3 end
  return whole((ta[1] - tb[1]) / dx) and whole((ta[4] - tb[4]) / dy)
end

local function check_pixels(images, where, way_out)
  for _, image in ipairs(images) do
    if not share_pixels(images[1].grid, image.grid) then
      fail(("%s: %s and %s do not share their pixels: %s and %s; %s"):format(where, images[1].properties.name or "the first image",
        image.properties.name or "another", images[1].grid, image.grid, way_out))
    end
  end
end

local PAUSE_BETWEEN_PASSES_S = 1800

-- Images of one overflight, in order of time: bursts follow each other within minutes, and the next pass over the
-- same track comes a day or more later.
local function passes_of(stack)
  local passes, open = {}, {}
  for _, image in ipairs(M.images(stack)) do
    local key = tostring(image.properties.relative_orbit) .. " " .. tostring(image.properties.platform)
    local seconds = image.time and time.seconds(image.time)
    local pass = open[key]
    if not (pass and seconds and pass.last) or seconds - pass.last > PAUSE_BETWEEN_PASSES_S then
      pass = { images = {} }
      open[key], passes[#passes + 1] = pass, pass
    end
    pass.last = seconds
    pass.images[#pass.images + 1] = image
  end
  return passes
end

--- The images of a stack as a list, in order of time.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack { raster.constant(grid, 1):set_time("2023-02-01"), raster.constant(grid, 2):set_time("2023-01-01") }
--- assert(s1.images(stack)[1].time < s1.images(stack)[2].time)
--- ```
---@param stack Stack
---@return Raster[] images
function M.images(stack)
  local list = {}
  local sorted = stack:sort()
  for i = 1, #sorted do list[i] = sorted[i] end
  return list
end

--- What a file name says of an image: `time`, `platform`, `mode`, `relative_orbit`, `burst`, `pass`, `spacing`, `unit`, as far as
--- the name tells them, and `layer`, the polarisation or `angle` where the file is one of several. No file is opened.
---
--- Names of OPERA RTC-S1 and RTC-S1-STATIC products, of ESA's products as Earth Engine keeps them, of ASF's HyP3 and of pyroSAR are
--- known; of others the first date, `S1A` and its like, `IW` and its like, and the polarisation are read.
---
--- ```lua
--- local s1 = require "sentinel1"
--- local said = s1.parse_name("S1A_IW_GRDH_1SDV_20180408T043025_20180408T043053_021371_024C9B_1B70.tif")
--- assert(said.relative_orbit == 124 and said.time == "2018-04-08T04:30:25Z")
--- ```
---@param name string A file name or path.
---@param pattern? string A pattern as in `raster.match_name`, for names made otherwise.
---@return table said
function M.parse_name(name, pattern)
  local said = names.parse(name, pattern)
  local result = {}
  for _, key in ipairs { "layer", "time", "platform", "mode", "relative_orbit", "burst", "pass", "spacing", "unit" } do
    result[key] = said[key]
  end
  return result
end

--- What a stack holds, as a table with a row for each relative orbit and burst: number of images, first and last time, pass,
--- platforms, pixel size, and whether there are incidence angles.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local image = raster.constant(raster.grid { rows = 2, cols = 2 }, 1):rename("VV"):set_time("2023-02-01")
--- assert(s1.summary(raster.stack { image:set("relative_orbit", 117) })[1].images == 1)
--- ```
---@param stack Stack
---@return Table summary
function M.summary(stack)
  local rows, order = {}, {}
  for _, image in ipairs(M.images(stack)) do
    local orbit, burst = image.properties.relative_orbit, image.properties.burst
    local key = ("%s %s"):format(orbit, burst)
    local day = image.time and image.time:sub(1, 10)
    local row = rows[key]
    if not row then
      row = {
        orbit = orbit, burst = burst, pass = image.properties.pass, first = day, images = 0, platforms = "",
        pixel = image.grid.resolution[1], angle = M.has_band(image, "angle"),
      }
      rows[key], order[#order + 1] = row, row
    end
    row.images, row.last = row.images + 1, day
    local platform = image.properties.platform
    if platform and not row.platforms:find(platform, 1, true) then
      row.platforms = row.platforms .. (row.platforms == "" and "" or " ") .. platform
    end
  end
  return tables.new(order, { columns = { "orbit", "burst", "pass", "platforms", "images", "first", "last", "pixel", "angle" } })
end

--- Joins the bursts of each overflight into one image, all on one grid.
---
--- Images of the same relative orbit and platform that follow each other within half an hour are one pass. Its time and
--- properties are those of its first burst; `burst` lists them all. Where the images share their pixels, as OPERA's do inside a UTM
--- zone, nothing is resampled.
---
--- **Errors.** Images that do not share their pixels, unless a `grid` is given.
---
--- **Nodata.** A pixel is masked where no burst has a value.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local left = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 8, cols = 8 }
--- local right = raster.grid { crs = "EPSG:32633", origin = { 500060, 5000000 }, resolution = 10, rows = 8, cols = 8 }
--- local stack = raster.stack {
---   raster.constant(left, 1):set_time("2023-01-05T05:26:01Z"),
---   raster.constant(right, 2):set_time("2023-01-05T05:26:04Z"),
--- }
--- local passes = s1.mosaic_passes(stack)
--- assert(#passes == 1 and passes[1].cols == 14)
--- ```
---@param stack Stack
---@param options? sentinel1.MosaicOptions
---@return Stack passes
function M.mosaic_passes(stack, options)
  local o = library.options("sentinel1.mosaic_passes", options)
  local images = M.images(stack)
  if not o.grid then
    check_pixels(images, "sentinel1.mosaic_passes", "give a { grid = raster.grid{ … } } to resample them onto")
  end
  local grid = o.grid or raster.mosaic(images).grid
  local mosaics = {}
  for _, pass in ipairs(passes_of(stack)) do
    local bursts = {}
    for _, image in ipairs(pass.images) do bursts[#bursts + 1] = image.properties.burst end
    local mosaic = pass.images[1]
    if #pass.images > 1 or not mosaic.grid:matches(grid) then
      mosaic = raster.mosaic(pass.images, { grid = grid, method = o.method, resampling = o.resampling })
    end
    if #bursts > 1 then mosaic = mosaic:set("burst", table.concat(bursts, " ")) end
    mosaics[#mosaics + 1] = mosaic
  end
  return raster.stack(mosaics)
end

---@class sentinel1.TracksOptions
---@field bursts? "mosaic"|"each" `"mosaic"`: the bursts of a pass become one image; `"each"`: every burst is a track of its own. Default `"mosaic"`.
---@field bounds? number[] `{ west, south, east, north }`, degrees: the area of the images, instead of all that they cover.
---@field crs? string|integer CRS of the images, where it is to be another.
---@field scale? number Pixel size in units of the CRS, where it is to be another. Above 0.
---@field resampling? Resampling How pixels come onto another grid, of powers. Default `"bilinear"`.

---@class sentinel1.Track
---@field label string `T137`, or `T137-292318-IW2`; `all` where the relative orbit is unknown.
---@field stack Stack The images of the track, on one grid.

-- Images apart by track, and perhaps by burst, in order of their labels.
local function apart(stack, each)
  local groups, order = {}, {}
  for _, image in ipairs(M.images(stack)) do
    local orbit = image.properties.relative_orbit
    local label = each and image.properties.burst or orbit and ("T%03d"):format(orbit) or "all"
    if not groups[label] then
      groups[label] = {}
      order[#order + 1] = label
    end
    table.insert(groups[label], image)
  end
  table.sort(order)
  return groups, order
end

-- The grid that the options ask for, or nil where the images' own will do.
local function target_grid(images, o)
  if not (o.bounds or o.crs or o.scale) then return nil end
  local union = raster.mosaic(images).grid
  local crs = o.crs
  if crs and raster.grid({ crs = crs, bounds = { 0, 0, 1, 1 }, rows = 1, cols = 1 }).wkt == union.wkt then crs = nil end
  local like = raster.grid { like = union, crs = crs, resolution = o.scale }
  if not o.bounds then return like end
  local area = raster.grid { crs = "EPSG:4326", bounds = o.bounds, rows = 1, cols = 1 }
  return raster.grid { like = like, bounds = area:bounds_in(like.wkt) }
end

-- Resampling averages pixels, and only powers can be averaged.
local function in_power(image)
  local result
  for _, band in ipairs(image.bands) do
    local one = image:select(band)
    if one.units[band] == "dB" then one = one:to_power() end
    result = result and result:add_bands(one) or one
  end
  return result
end

--- Sorts images by relative orbit and brings those of each onto one grid, ready to be reduced.
---
--- The bursts of each pass are joined (see `sentinel1.mosaic_passes`), or kept apart as tracks of their own with
--- `bursts = "each"`. Without `crs` and `scale` the images keep their pixels: nothing is resampled. With them all are resampled onto
--- one grid, decibels as power.
---
--- **Errors.** Images that do not share their pixels, without `crs` or `scale`.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local left = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 8, cols = 8 }
--- local right = raster.grid { crs = "EPSG:32633", origin = { 500060, 5000000 }, resolution = 10, rows = 8, cols = 8 }
--- local stack = raster.stack {
---   raster.constant(left, 1):set_time("2023-01-05T05:26:01Z"),
---   raster.constant(right, 2):set_time("2023-01-05T05:26:04Z"),
--- }
--- for _, track in ipairs(s1.tracks(stack)) do
---   assert(track.label == "all" and #track.stack == 1)
--- end
--- ```
---@param stack Stack
---@param options? sentinel1.TracksOptions
---@return sentinel1.Track[] tracks
function M.tracks(stack, options)
  local o = library.options("sentinel1.tracks", options)
  local groups, order = apart(stack, o.bursts == "each")
  local tracks = {}
  for _, label in ipairs(order) do
    local images = groups[label]
    local grid = target_grid(images, o)
    if o.crs or o.scale then
      for i, image in ipairs(images) do images[i] = in_power(image) end
    else
      check_pixels(images, "sentinel1.tracks", "say { scale = … } or { crs = … } to resample them")
    end
    local joined = M.mosaic_passes(raster.stack(images), { grid = grid, resampling = o.resampling })
    tracks[#tracks + 1] = { label = label, stack = joined }
  end
  return tracks
end

--- Masks pixels whose incidence angle, in the band `angle`, lies outside `min` < angle < `max`.
---
--- The notebook that this module goes back to keeps 30.63993° to 45.53993°, the angles at which Sentinel-1's IW swaths are
--- free of the edges' noise.
---
--- **Errors.** An image without a band `angle`.
---
--- **Nodata.** A pixel without an angle is masked.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local vv, angle = raster.constant(grid, 0.1):rename("VV"), raster.constant(grid, 29):rename("angle")
--- local masked = s1.mask_angle(raster.bands(vv, angle), 30.63993, 45.53993)
--- assert(masked:stats().VV.count == 0)
--- ```
---@param image Raster
---@param min number degrees
---@param max number degrees
---@return Raster masked
function M.mask_angle(image, min, max)
  if not M.has_band(image, "angle") then
    fail(("sentinel1.mask_angle: the image has no band `angle`; it has: %s"):format(table.concat(image.bands, ", ")))
  end
  return image:mask(image.angle:gt(min) & image.angle:lt(max))
end

--- Whether an image has a band of this name.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local image = raster.constant(raster.grid { rows = 1, cols = 1 }, 1):rename "VV"
--- assert(s1.has_band(image, "VV") and not s1.has_band(image, "VH"))
--- ```
---@param image Raster
---@param name string
---@return boolean has
function M.has_band(image, name)
  for _, band in ipairs(image.bands) do
    if band == name then return true end
  end
  return false
end

---@class sentinel1.DespeckleOptions
---@field method? "focal"|"refined_lee"|"none" `"focal"` is the median of a disk. Default `"focal"`.
---@field radius? number Radius of the disk in metres. At least 0. Default 100.

--- Filters speckle as the VV/VH notebook does: a focal median of a disk, or the Refined Lee filter.
---
--- Refined Lee is defined on powers: decibels are converted and the result converted back. The median is taken of the values
--- as they are; a median of decibels is the decibel of the median wherever the disk holds an odd number of valid pixels.
---
--- **Nodata.** A masked pixel stays masked; Refined Lee also masks the two pixels beside borders and gaps.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 40, cols = 40 }
--- local speckle = raster.random(grid, { distribution = "speckle", looks = 4.4 }):set_unit("power"):rename "VV"
--- local smooth = s1.despeckle(speckle, { method = "focal", radius = 50 })
--- assert(smooth:stats().VV.std < speckle:stats().VV.std)
--- ```
---@param image Raster
---@param options? sentinel1.DespeckleOptions
---@return Raster filtered
function M.despeckle(image, options)
  local o = library.options("sentinel1.despeckle", options)
  if o.method == "none" then return image end
  if o.method == "focal" then
    return filter.focal_median(image, { radius = o.radius, unit = "m", shape = "circle" })
  end
  if image.units[image.bands[1]] == "dB" then return filter.refined_lee(image:to_power()):to_db() end
  return filter.refined_lee(image)
end

---@class sentinel1.RatioOptions
---@field quantity? "ratio_db"|"ratio"|"difference"|"notebook" Which of the four. Default `"ratio_db"`.
---@field bands? string[] Numerator and denominator. Default `{ "VV", "VH" }`.

-- The name of the band that holds a quantity of two polarisations.
local BAND_NAMES = { ratio_db = "%sd%s_dB", ratio = "%sd%s", difference = "%smin%s", notebook = "%sd%s" }

--- The ratio of two polarisations, in one of four ways.
---
--- `ratio_db` is 10·log10(VV / VH), the ratio of the powers in decibels, and with it the difference of the decibels,
--- VV − VH in dB; unit dB, about 6 to 8 dB over vegetation and 10 to 15 dB over open water. `ratio` is VV / VH of the powers, unit 1:
--- 10^(`ratio_db` / 10). `difference` is VV − VH of the powers, unit power. `notebook` divides the decibels by each other, as
--- the original notebook did: a ratio of logarithms, 1 where both are equal, without a physical meaning of its own and
--- without bound where VH nears 0 dB. It is there to reproduce earlier results.
---
--- Bands in dB or power are both taken, and converted as the quantity needs.
---
--- **Errors.** Bands that are neither power nor dB.
---
--- **Nodata.** Masked where either band is, and where the result is not finite.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local function band(name, v) return raster.constant(grid, v):rename(name):set_unit("power") end
--- local image = raster.bands(band("VV", 0.1), band("VH", 0.01))
--- local ratio = s1.ratio(image)
--- assert(math.abs(ratio:stats().VVdVH_dB.mean - 10) < 1e-5)
--- assert(math.abs(s1.ratio(image, { quantity = "notebook" }):stats().VVdVH.mean - 0.5) < 1e-6)
--- ```
---@param image Raster
---@param options? sentinel1.RatioOptions
---@return Raster ratio one band: `VVdVH_dB`, `VVdVH` or `VVminVH`
function M.ratio(image, options)
  local o = library.options("sentinel1.ratio", options)
  local quantity, a, b = o.quantity, table.unpack(o.bands)
  local both = image:select(a, b)
  for _, band in ipairs(both.bands) do
    local unit = both.units[band]
    if unit ~= "dB" and unit ~= "power" and unit ~= "amplitude" then
      fail(("sentinel1.ratio: band %s is in %s, not in power, amplitude or dB; say what it is with `:set_unit(\"power\")` or `:set_unit(\"dB\")`")
        :format(band, unit == "" and "no known unit" or unit))
    end
  end
  local result
  if quantity == "ratio_db" then
    local db = both:to_db()
    result = db[a] - db[b]
  elseif quantity == "notebook" then
    local db = both:to_db()
    result = db[a]:divide(db[b], { force = true })
  else
    local power = both:to_power()
    result = quantity == "ratio" and power[a] / power[b] or power[a] - power[b]
  end
  return result:rename(BAND_NAMES[quantity]:format(a, b))
end

--- The difference of two polarisations in the unit that they have: of decibels it is the ratio of the powers, in dB.
---
--- So `s1.difference(image:to_db())` is `s1.ratio(image)`, and `s1.difference(image:to_power())` is
--- `s1.ratio(image, { quantity = "difference" })`.
---
--- **Nodata.** Masked where either band is.
---
--- ```lua
--- local raster, s1 = require "raster", require "sentinel1"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local function band(name, v) return raster.constant(grid, v):rename(name):set_unit("dB") end
--- assert(s1.difference(raster.bands(band("VV", -10), band("VH", -16))):stats().VVminVH.mean == 6)
--- ```
---@param image Raster
---@param bands? string[] What is subtracted from what. Default `{ "VV", "VH" }`.
---@return Raster difference one band, `VVminVH`
function M.difference(image, bands)
  local a, b = table.unpack(bands or { "VV", "VH" })
  return (image:select(a) - image:select(b)):rename(BAND_NAMES.difference:format(a, b))
end

return M
