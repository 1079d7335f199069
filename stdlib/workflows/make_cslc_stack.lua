--- Makes a stack of coregistered single-look complex images (CSLC-S1) whose offsets, coherence and reflectors are known.
---
--- Each date is one HDF5 file in the layout of the released products, in folders as the products are kept: burst/date/burst_date.h5.
--- The scene is a field of point scatterers (dry lake, fields, hills) seen through the impulse response of the radar; each date moves
--- by a shift of its own, exactly, and shares only a part of its speckle with the others. shifts.csv has the truth, reflectors.csv the
--- corner reflectors, static_layers_….h5 the line of sight.
---
---     perilune run make_cslc_stack --out cslc --dates 12 --coherence 0.8

local raster, filter, geometry, fs = require "raster", require "filter", require "geometry", require "fs"
local tables, time = require "tables", require "time"

local p = params {
  out = { "cslc", type = "path", help = "Folder to write into." },
  burst = { "t064_135523_iw2", help = "Burst, which the files are named after." },
  dates = { 10, min = 1, help = "Dates." },
  start = { "2014-12-21", type = "date", help = "First date." },
  interval = { 12, min = 1, unit = "days", help = "Between the dates." },
  rows = { 320, min = 160, help = "Rows, 10 m each." },
  cols = { 1280, min = 160, help = "Columns, 5 m each." },
  lon = { -118.059, unit = "deg", help = "Longitude of the middle." },
  lat = { 34.8015, unit = "deg", help = "Latitude of the middle." },
  coherence = { 0.8, min = 0, max = 1, help = "Between any two dates." },
  range_std = { 0.07, min = 0, unit = "m", help = "Standard deviation of the shifts in range (east)." },
  azimuth_std = { 0.25, min = 0, unit = "m", help = "Standard deviation of the shifts in azimuth (north)." },
  reflectors = { 4, min = 0, max = 8, help = "Corner reflectors." },
  reflector_db = { 32, unit = "dB", help = "Peak of a reflector over the mean power of the scene." },
  seed = { 1, help = "Another seed, another stack." },
  compress = { "none", choices = { "none", "deflate" }, help = "Of the pixels." },
}

local DX, DY, EPSG = 5, 10, 32611
-- Range is sampled barely finely enough, azimuth twice as finely as it needs: 5 m × 10 m of a 2.7 m (slant) × 22 m resolution.
local RESPONSE = { bandwidth = { 0.5, 0.9 }, window = { 0.75, 1 } }

--%% The grid, and what lies on it

local east, north = geometry.point(p.lon, p.lat):to_crs(EPSG):position()
local west, top = math.floor(east / DX) * DX - p.cols // 2 * DX, math.floor(north / DY) * DY + p.rows // 2 * DY
local grid = raster.grid { crs = EPSG, origin = { west, top }, resolution = { DX, DY }, rows = p.rows, cols = p.cols }
local at = raster.coordinates(grid)
local function seeded(n) return 10000 * p.seed + n end
local function smooth(scale, n) return raster.random(grid, { distribution = "smooth", scale = scale, seed = seeded(n) }) end
local function speckle(n)
  local function part(m) return raster.random(grid, { distribution = "normal", seed = seeded(m) }) end
  return raster.complex(part(2 * n), part(2 * n + 1)) / math.sqrt(2)
end

-- A dry lake 8 dB darker, parcels of different crops, and relief.
local lake = smooth(160, 1):lt(0.42)
local parcel = ((smooth(40, 2) * 12):floor() % 4) * 1.5
local level = -8 * lake + raster.where(lake, 0, parcel) + 5 * (smooth(25, 3) - 0.5)
local amplitude = 60 * 10 ^ (level / 20)
local mean_power = (amplitude ^ 2):stats()[amplitude.bands[1]].mean
local common = speckle(100)

--%% Corner reflectors: on a line, all at the same place within their pixel

local FRACTION = { y = 0.22, x = -0.31 }
local reflectors, points = {}, nil
for i = 1, p.reflectors do
  local col = math.floor(p.cols * i / (p.reflectors + 1))
  local row = math.floor(p.rows * (0.5 + 0.12 * ((i % 2) * 2 - 1)))
  local x, y = west + (col + 0.5 + FRACTION.x) * DX, top - (row + 0.5 + FRACTION.y) * DY
  local lon, lat = geometry.point(x, y, EPSG):to_crs(4326):position()
  reflectors[i] = {
    ["Corner reflector ID"] = ("%02d"):format(i), ["Latitude (deg)"] = lat, ["Longitude (deg)"] = lon,
    ["Height above ellipsoid (m)"] = 661, ["Azimuth (deg)"] = 170, ["Tilt / Elevation angle (deg)"] = 12,
    ["Side length (m)"] = 2.4384,
  }
  local one = (at.x - (west + (col + 0.5) * DX)):abs():lt(1) & (at.y - (top - (row + 0.5) * DY)):abs():lt(1)
  points = points and points | one or one
end
-- A single scatterer of amplitude 1 has the response's own peak, which the spectral gain sets above or below 1.
local zero = raster.constant(grid, 0)
local function reflected(shift)
  local strength = math.sqrt(mean_power * 10 ^ (p.reflector_db / 10) / 0.36)
  local scatterer = raster.complex((points:cast "float32") * strength, zero)
  return filter.impulse_response(scatterer, {
    bandwidth = RESPONSE.bandwidth, window = RESPONSE.window, shift = { shift[1] + FRACTION.y, shift[2] + FRACTION.x },
  })
end

--%% Write the dates

local folder = fs.join(p.out, p.burst)
fs.mkdir(folder)
local x_coordinates, y_coordinates = {}, {}
for i = 1, p.cols do x_coordinates[i] = west + (i - 0.5) * DX end
for i = 1, p.rows do y_coordinates[i] = top - (i - 0.5) * DY end
local corners = {}
for i, corner in ipairs { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 }, { 0, 0 } } do
  local x, y = west + corner[1] * p.cols * DX, top - corner[2] * p.rows * DY
  corners[i] = ("%.10f %.10f"):format(geometry.point(x, y, EPSG):to_crs(4326):position())
end
local coordinates = {
  ["/data/x_coordinates"] = x_coordinates, ["/data/y_coordinates"] = y_coordinates, ["/data/x_spacing"] = DX + 0.0,
  ["/data/y_spacing"] = -DY + 0.0, ["/data/projection"] = EPSG, ["/identification/burst_id"] = p.burst,
  ["/identification/bounding_polygon"] = "POLYGON ((" .. table.concat(corners, ", ") .. "))",
  ["/identification/orbit_pass_direction"] = "Ascending", ["/identification/look_direction"] = "Right",
  ["/identification/track_number"] = math.tointeger(tonumber(p.burst:match "^t(%d+)" or 64)),
  ["/identification/mission_id"] = "S1A",
}
local BURST = "/metadata/processing_information/input_burst_metadata/"

math.randomseed(p.seed)
local function normal() return math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random()) end
local truth = {}
for i = 1, p.dates do
  local moment = time.add(p.start .. "T01:52:24.441193Z", { days = (i - 1) * p.interval })
  local date = time.format(moment, "%Y%m%d")
  local east_m, north_m = p.range_std * normal(), p.azimuth_std * normal()
  -- To larger columns is eastward, to larger rows southward.
  local shift = { -north_m / DY, east_m / DX }
  local shared, own = math.sqrt(p.coherence), math.sqrt(1 - p.coherence)
  local scatterers = (common * shared + speckle(200 + i) * own) * amplitude
  local slc = filter.impulse_response(scatterers, {
    bandwidth = RESPONSE.bandwidth, window = RESPONSE.window, shift = shift,
  })
  if points then slc = slc + reflected(shift) end
  local contents = {
    ["/data/VV"] = slc,
    [BURST .. "sensing_start"] = (moment:gsub("T", " "):gsub("Z$", "")),
    [BURST .. "sensing_stop"] = (time.add(moment, { seconds = 3 }):gsub("T", " "):gsub("Z$", "")),
    [BURST .. "shape"] = { 1508, 24860 }, [BURST .. "platform_id"] = "S1A", [BURST .. "polarization"] = "VV",
    [BURST .. "wavelength"] = 0.05546576, [BURST .. "range_pixel_spacing"] = 2.329562114715323,
    [BURST .. "azimuth_time_interval"] = 0.0020555563, [BURST .. "starting_range"] = 845585.6893994146,
    [BURST .. "range_bandwidth"] = 48300000.0,
    ["/identification/product_type"] = "CSLC-S1", ["/identification/product_version"] = "simulated",
    ["/identification/processing_date_time"] = (time.add(moment, 1):gsub("T", " "):gsub("Z$", "")),
    ["/identification/absolute_orbit_number"] = 3800 + 175 * (i - 1),
  }
  for name, value in pairs(coordinates) do contents[name] = value end
  local path = fs.join(folder, date)
  fs.mkdir(path)
  raster.write_hdf5(fs.join(path, ("%s_%s.h5"):format(p.burst, date)), contents, { compress = p.compress })
  truth[i] = { date = date, dx_px = shift[2], dy_px = shift[1], dx_m = east_m, dy_m = north_m }
end

--%% The truth, and what goes with the stack

tables.new(truth, { columns = { "date", "dx_px", "dy_px", "dx_m", "dy_m" } }):write_csv(fs.join(p.out, "shifts.csv"))
if #reflectors > 0 then
  tables.new(reflectors, {
    columns = {
      "Corner reflector ID", "Latitude (deg)", "Longitude (deg)", "Height above ellipsoid (m)", "Azimuth (deg)",
      "Tilt / Elevation angle (deg)", "Side length (m)",
    },
  }):write_csv(fs.join(p.out, "reflectors.csv"))
end
local static = {
  ["/data/los_east"] = raster.constant(grid, -0.5852):cast "float32", ["/data/los_north"] = raster.constant(grid, -0.1078):cast "float32",
}
for name, value in pairs(coordinates) do static[name] = value end
raster.write_hdf5(fs.join(p.out, ("static_layers_%s.h5"):format(p.burst)), static)

print(("%d dates of burst %s in %s, %d × %d (rows × cols) pixels of %d m × %d m, coherence %.2f"):format(
  p.dates, p.burst, p.out, p.rows, p.cols, DX, DY, p.coherence))
