--- Makes a folder of Sentinel-1 scenes, named and tagged like OPERA RTC-S1 products, for trying things out.
---
--- A landscape in C band with realistic levels: a lake that wind roughens on some days, a river, fields whose crops grow
--- and are harvested, forest, a city with bright buildings, mountains whose slopes brighten towards the sensor. γ⁰ as
--- power, with speckle of the given number of looks, the noise floor that VH reaches over water, and slanted bursts that
--- are NaN outside. The same seed gives the same scenes on every machine.
---
---     perilune run make_s1_scenes --out scenes
---     perilune run s1_vv_vh --folder scenes --out vv_vh.tif

local raster, filter, geometry = require "raster", require "filter", require "geometry"
local fs, time = require "fs", require "time"

local p = params {
  out = { "scenes", type = "path", help = "Folder for the scenes; made where it is missing." },
  dates = { 8, min = 1, help = "Number of dates." },
  start = { "2023-01-05", type = "date", help = "First date." },
  interval = { 36, min = 1, unit = "d", help = "Days between dates; Sentinel-1 repeats every 12." },
  size = { 1200, min = 64, unit = "px", help = "Rows and columns of the landscape." },
  pixel = { 10, min = 1, max = 100, unit = "m", help = "Pixel size; OPERA's products have 30." },
  bursts = { 2, min = 1, max = 4, help = "Bursts, one above the other, that share a tenth of their height." },
  looks = { 4.4, min = 0.5, help = "Equivalent number of looks of the speckle: 4.4 in Sentinel-1's ground-range product." },
  near_angle = { 30.55, min = 20, max = 45, unit = "deg", help = "Incidence angle at the near edge." },
  orbit = { 117, min = 1, max = 175, help = "Relative orbit." },
  layout = {
    "opera", choices = { "opera", "earth_engine" },
    help = "A file for each polarisation as power, or one with VV, VH and angle in dB.",
  },
  seed = { 1, help = "Another seed, another landscape." },
}

--%% A grid, and places on it

local extent = p.size * p.pixel
local grid = raster.grid {
  crs = "EPSG:32632", origin = { 560000, 5290000 }, resolution = p.pixel, rows = p.size, cols = p.size,
}
local map = raster.coordinates(grid):set_unit ""
local east, south = map.x - 560000, 5290000 - map.y -- metres from the upper left corner
local u, v = east / extent, south / extent          -- the same as parts of the scene

-- A number from 0 to 1 for each pair of whole numbers, without a visible pattern.
local function hash(i, j, salt)
  return ((i * 12.9898 + j * 78.233 + (salt + p.seed) * 37.719):sin() * 43758.5453) % 1
end

-- Smooth noise from 0 to 1; `size` is that of its largest features, in metres.
local function noise(size, octaves, salt)
  return raster.random(grid, {
    distribution = "smooth", scale = size / p.pixel, octaves = octaves, seed = 1000 * p.seed + salt,
  })
end

local function length(x, y) return (x * x + y * y):sqrt() end

-- Coordinates turned by an angle.
local function turned(degrees)
  local c, s = math.cos(math.rad(degrees)), math.sin(math.rad(degrees))
  return east * c + south * s, south * c - east * s
end

--%% Mountains in the north, and the angle at which the radar sees their slopes

-- Noise folded at its middle has crests, as mountains do.
local function crests(size, octaves, salt)
  local sum, weights, weight = 0, 0, 1
  for octave = 1, octaves do
    sum = sum + weight * (1 - (2 * noise(size, 1, salt + octave) - 1):abs()) ^ 1.6
    weights, size, weight = weights + weight, size / 2, weight * 0.48
  end
  return sum / weights
end

local rise = ((0.5 - v - 0.3 * (u - 0.5)) * 2.4 + 0.9 * (noise(0.22 * extent, 4, 13) - 0.5)):clamp(0, 1)
local mountain = rise * rise * (3 - 2 * rise)
local height = extent * (0.075 * mountain * crests(0.2 * extent, 6, 300) + 0.0015 * noise(0.1 * extent, 4, 11))

-- A satellite that flies north-north-west and looks to its right: the sensor is in the west.
local LOOK_EAST, LOOK_NORTH, DEGREES_PER_KM = 0.978, 0.208, 0.0675
local ground_range_km = extent / 1000 * (LOOK_EAST * u + LOOK_NORTH * (1 - v))
local incidence = p.near_angle + DEGREES_PER_KM * ground_range_km
local theta = incidence * (math.pi / 180)
local function gradient(step)
  local ahead = height:shift { cols = -step.cols, rows = -step.rows }
  local behind = height:shift(step)
  return ((ahead - behind) / (2 * p.pixel)):unmask(0)
end
local up_east, up_north = gradient { cols = 1, rows = 0 }, gradient { cols = 0, rows = -1 }
local steepness = (up_east * up_east + up_north * up_north + 1):sqrt()
local cos_local = (theta:sin() * (LOOK_EAST * up_east + LOOK_NORTH * up_north) + theta:cos()) / steepness
local local_incidence = raster.atan2((1 - cos_local * cos_local):clamp(0, 1):sqrt(), cos_local):set_unit "rad":to_degrees()
-- What terrain correction leaves: slopes that face the sensor stay brighter.
local relief = 18 * (cos_local / theta:cos()):clamp(0.12, 3):log10()

--%% Lake and river

local shore = length((u - 0.66) / 1.25 + 0.25 * (v - 0.7), (v - 0.7) / 0.8) + 0.24 * (noise(0.17 * extent, 6, 21) - 0.5)
local island = length(u - 0.715, v - 0.665) + 0.03 * (noise(0.05 * extent, 3, 22) - 0.5)
local lake = shore:lt(0.15) & island:gt(0.02)
local bend = 0.05 * (7.5 * v + 0.6):sin() + 0.02 * (23 * v + 1.9):sin() + 0.05 * (noise(0.11 * extent, 2, 24) - 0.5)
local bed = 0.3 + bend + 0.36 * ((v - 0.3) / 0.42):clamp(0, 1) ^ 1.6
local width = (0.0030 + 0.0048 * v) * (1 + 1.5 * (v - 0.3):clamp(0, 0.34))
local river = (u - bed):abs():lt(width) & v:lt(0.7) & shore:gt(0.149)
local water = lake | river

--%% Fields, forest, city

-- Strips of land, cut into parcels of different widths, some of them halved.
local STRIP = 500
local along, across = turned(17)
local strip = (across / STRIP):floor()
local parcel_width = 260 + 600 * hash(strip, 0, 1)
local position = along / parcel_width + hash(strip, 0, 2)
local cell, in_cell, in_strip = position:floor(), position % 1, (across / STRIP) % 1
local half = hash(cell, strip, 3):gt(0.55) * (2 * in_strip):floor()
local parcel = cell + 57 * half
local crop, tone, sowing = hash(parcel, strip, 4), hash(parcel, strip, 5), hash(parcel, strip, 6)
local function edge(part, size) return (0.5 - (part - 0.5):abs()) * size end
local hedge = edge(in_cell, parcel_width):lt(13) | edge(in_strip, STRIP):lt(13)
local meadow = mountain:gt(0.25)
local bare_rock = (4 * (mountain - 0.75)):clamp(0, 1)
local forest = (noise(0.12 * extent, 5, 31) + 0.55 * mountain):gt(0.665)

local from_centre = length((u - 0.27) / 1.25, v - 0.77) + 0.1 * (noise(0.09 * extent, 5, 41) - 0.5)
local density = ((0.165 - from_centre) / 0.13):clamp(0, 1)
local function quarter(degrees, block)
  local x, y = turned(degrees)
  x, y = x / block, y / (1.6 * block)
  return { street = (x % 1):lt(0.2) | (y % 1):lt(0.13), lot = hash(x:floor(), y:floor(), 7) }
end
local old, new = quarter(-9, 0.0095 * extent), quarter(23, 0.0125 * extent)
local is_old = noise(0.08 * extent, 1, 42):lt(0.5)
local lot = raster.where(is_old, old.lot, new.lot)
local avenue = (u - 0.27 - 0.16 * (v - 0.77)):abs():lt(0.0014) | (v - 0.775 + 0.21 * (u - 0.27)):abs():lt(0.0014)
local street = (raster.where(is_old, old.street, new.street) | avenue) & density:gt(0)
local town = density:gt(0) & lot:lt(1.35 * density + 0.02) & ~street
-- Corners of buildings send the wave straight back: few pixels, up to 15 dB brighter.
local corner = raster.random(grid, { seed = 1000 * p.seed + 51 }):gt(0.965)
  * (2 + 13 * raster.random(grid, { seed = 1000 * p.seed + 53 }))
local roofs = 8 * (noise(32, 2, 52) - 0.5) + 3.5 * (lot - 0.5) + 2.5 * (density - 0.5)

--%% Backscatter of a day, in dB

local patches, canopy = noise(50, 2, 61) - 0.5, 4 * (noise(40, 2, 62) - 0.5)

-- `year` counts years, `rain` and `wind` are those of the day in standard deviations.
local function levels(day, year, rain, wind)
  local growth = (0.5 + 0.5 * (2 * math.pi * (year - 0.42 - 0.22 * sowing)):cos()) ^ 2
  local wet = rain * (1 - 0.7 * growth)
  local broad_leaved = crop:lt(0.5)
  local vv = -12.3 + 3 * (tone - 0.5) + growth * raster.where(broad_leaved, 2.6, -1.6) + wet + 1.2 * patches
  local vh = -19.6 + 2 * (tone - 0.5) + growth * raster.where(broad_leaved, 5.0, 2.3) + 0.8 * wet + 1.2 * patches
  local waves = noise(0.35 * extent, 3, 700 + day) * raster.where(lake, wind, 0.35 * wind)
  local summer = math.cos(2 * math.pi * (year - 0.5))
  local covers = {
    { hedge, -10.2, -16.6 },
    { meadow, -11.2 + 3 * patches + 1.8 * bare_rock + 0.5 * rain, -18.2 + 3 * patches - 0.8 * bare_rock + 0.4 * rain },
    { forest, -7.8 + canopy + 0.25 * rain, -13.6 + canopy + 0.3 * rain + 0.6 * summer },
    { street, -13, -21 },
    { town, -4.5 + roofs + corner, -12.5 + 0.8 * roofs + 0.75 * corner },
  }
  for _, cover in ipairs(covers) do
    vv, vh = raster.where(cover[1], cover[2], vv), raster.where(cover[1], cover[3], vh)
  end
  return raster.where(water, -20.5 + 4.5 * waves, vv + relief), raster.where(water, -30 + 1.6 * waves, vh + 0.9 * relief)
end

-- The sensor's own noise adds to the power, and speckle multiplies both.
local NOISE_FLOOR = 10 ^ -3.1
local function measured(db, name, seed)
  local speckle = raster.random(grid, { distribution = "speckle", looks = p.looks, seed = 1000 * p.seed + seed })
  return ((10 ^ (db / 10) + NOISE_FLOOR) * speckle):rename(name):set_unit "power":cast "float32"
end

--%% Bursts: slanted parts of the scene, each on its own grid

local SLANT = LOOK_NORTH / LOOK_EAST
local along_track, across_track = south + SLANT * east, east - SLANT * south
local seen = across_track:gt(-0.12 * extent) & across_track:lt(0.93 * extent)
local burst_height = 1.05 * extent / (p.bursts - 0.1 * (p.bursts - 1))
local bursts = {}
for i = 1, p.bursts do
  local first = 0.08 * extent + 0.9 * burst_height * (i - 1)
  local last = first + burst_height
  local top = math.max(0, math.floor((first - SLANT * extent) / p.pixel))
  local bottom = math.min(p.size, math.ceil(last / p.pixel))
  bursts[i] = {
    id = ("T%03d-%06d-IW2"):format(p.orbit, 249420 + i),
    window = { row = top, col = 0, rows = bottom - top, cols = p.size },
    footprint = seen & along_track:gt(first) & along_track:lt(last),
    delay = math.floor(2.76 * (i - 1)),
  }
end

--%% Write them

fs.mkdir(p.out)
local written = {}

local function tags(burst)
  return {
    ORBIT_PASS_DIRECTION = "ascending", TRACK_NUMBER = p.orbit, BURST_ID = burst.id, PLATFORM = "Sentinel-1A",
    PRODUCT = "simulated by perilune",
  }
end

local days = {}
for i = 1, p.dates do
  local passed = (i - 1) * p.interval
  math.randomseed(p.seed, i)
  local function deviation() return math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random()) end
  local moment = time.add(p.start .. "T17:06:24Z", { days = passed })
  local year = time.parts(moment).day_of_year / 365.25
  local vv, vh = levels(i, year, 0.9 * deviation(), math.abs(deviation()))
  days[i] = { number = i, moment = moment, vv = measured(vv, "VV", 2 * i), vh = measured(vh, "VH", 2 * i + 1) }
end

-- One pass for each burst: what all dates share, terrain and land cover, is computed once.
for _, burst in ipairs(bursts) do
  local function part(image) return image:mask(burst.footprint):crop(burst.window) end
  local jobs = {}
  local function add(image, name, unit_tags)
    jobs[#jobs + 1] = { image, p.out .. "/" .. name, { tags = unit_tags } }
  end
  for _, day in ipairs(days) do
    local start = time.add(day.moment, { seconds = burst.delay })
    local stamp = time.format(start, "%Y%m%dT%H%M%SZ")
    if p.layout == "opera" then
      local processed = time.format(time.add(start, { days = 1 }), "%Y%m%dT%H%M%SZ")
      local name = ("OPERA_L2_RTC-S1_%s_%s_%s_S1A_%d_v1.0_"):format(burst.id, stamp, processed, p.pixel)
      add(part(day.vv), name .. "VV.tif", tags(burst))
      add(part(day.vh), name .. "VH.tif", tags(burst))
    else
      -- The absolute orbit whose relative orbit is the one asked for; 175 orbits make a cycle of 12 days.
      local orbit = 46000 + (p.orbit + 72 - 46000) % 175 + 175 * math.floor((day.number - 1) * p.interval / 12)
      local name = ("S1A_IW_GRDH_1SDV_%s_%s_%06d_0595E1_%04X.tif"):format(
        stamp:sub(1, -2), time.format(time.add(start, { seconds = 3 }), "%Y%m%dT%H%M%S"), orbit, 4096 + #jobs)
      local image = raster.bands(day.vv, day.vh):to_db():add_bands(incidence:rename("angle"):set_unit "deg":cast "float32")
      add(part(image), name, tags(burst))
    end
  end
  if p.layout == "opera" then
    local name = ("OPERA_L2_RTC-S1-STATIC_%s_20140403_S1A_%d_v1.0_"):format(burst.id, p.pixel)
    for layer, angle in pairs { incidence_angle = incidence, local_incidence_angle = local_incidence } do
      add(part(angle:rename(layer):set_unit "deg":cast "float32"), name .. layer .. ".tif", tags(burst))
    end
  end
  for _, path in ipairs(raster.write_all(jobs)) do written[#written + 1] = path end
end

--%% Name a place of each kind

-- Of the places on a coarse grid that have only one kind around them, the one nearest to where one expects it.
local kinds = {
  { "lake", lake, 0.68, 0.74 },
  { "city", town, 0.27, 0.77 },
  { "forest", forest & ~water, 0.2, 0.25 },
  { "field", ~(hedge | meadow | forest | street | town | water), 0.8, 0.42 },
}
local imaged = bursts[1].footprint
for i = 2, #bursts do imaged = imaged | bursts[i].footprint end
local reach, around = math.max(1, 50 / p.pixel), nil
for _, kind in ipairs(kinds) do
  local name, cover = kind[1], (kind[2] & imaged):cast "float32"
  -- Streets run through a city, so most of it will do.
  local pure = filter.focal_mean(cover, { radius = reach }):gt(name == "city" and 0.6 or 0.99):rename(name)
  around = around and around:add_bands(pure) or pure
end
local candidates = {}
for i = 1, 24 do
  for j = 1, 24 do candidates[#candidates + 1] = { 560000 + i / 25 * extent, 5290000 - j / 25 * extent, u = i / 25, v = j / 25 } end
end
local found, places = around:sample(candidates), {}
for _, kind in ipairs(kinds) do
  local name, _, want_u, want_v = table.unpack(kind)
  local best, nearest = nil, math.huge
  for _, at in ipairs(found) do
    local away = (at.u - want_u) ^ 2 + (at.v - want_v) ^ 2
    if at[name] == 1 and away < nearest then best, nearest = at, away end
  end
  if best then
    places[#places + 1] = { geometry = geometry.point(best.x, best.y, 32632), properties = { name = name } }
  end
end
if #places > 0 then geometry.features(places):write(p.out .. "/places.geojson") end

print(("%d files in %s: %d dates from %s, %d bursts of track %d, %d m pixels"):format(
  #written, p.out, p.dates, p.start, p.bursts, p.orbit, p.pixel))
