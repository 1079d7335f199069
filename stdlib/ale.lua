--- Absolute location error (ALE) of radar images: where corner reflectors appear, against where they were surveyed.
---
--- The reflectors' table is read, brought into the CRS of the image and into pixels; each is found and measured in the image
--- (`correlation.point_target`); the differences in east and north become errors in ground range and azimuth by the line of sight.
---@class ale
local M = {}

local raster, geometry, tables, correlation = require "raster", require "geometry", require "tables", require "correlation"
local library = require "library"

local fail = library.fail

-- Names of the columns in the tables of the field: JPL's reflector networks, OPERA's notebooks.
local COLUMNS = {
  id = { "Corner reflector ID", "Corner ID", "ID", "id" },
  lat = { "Latitude (deg)", "lat", "latitude" }, lon = { "Longitude (deg)", "lon", "longitude" },
  height_m = { "Height above ellipsoid (m)", "hgt", "height_m" },
  azimuth_deg = { "Azimuth (deg)", "azm", "azimuth_deg" },
  tilt_deg = { "Tilt / Elevation angle (deg)", "tilt", "tilt_deg" },
  side_m = { "Side length (m)", "slen", "side_m" },
}

--- A table of corner reflectors, with the columns id, lat, lon, height_m, azimuth_deg, tilt_deg and side_m as far as the file has them.
---
--- The column names of JPL's reflector networks (`Corner reflector ID`, `Latitude (deg)`…) and those of OPERA's notebooks (`ID`,
--- `lat`, `lon`, `hgt`, `azm`, `tilt`, `slen`) are understood.
---
--- **Errors.** A file without identifiers, latitudes and longitudes; places that are none.
---
--- ```lua
--- local ale, fs = require "ale", require "fs"
--- fs.write("crs.csv", "ID,lat,lon,hgt,azm,tilt,slen\n1,34.799849,-118.086989,661.0348,170.5,8.72,2.4\n")
--- assert(ale.read_reflectors("crs.csv")[1].side_m == 2.4)
--- ```
---@param path string
---@return Table reflectors
function M.read_reflectors(path)
  local file = tables.read_csv(path)
  local there, order, names = {}, {}, {}
  for _, name in ipairs(file.names) do there[(name:gsub("^%s+", ""):gsub("%s+$", ""))] = name end
  for _, ours in ipairs { "id", "lat", "lon", "height_m", "azimuth_deg", "tilt_deg", "side_m" } do
    for _, theirs in ipairs(COLUMNS[ours]) do
      if there[theirs] and not names[ours] then
        names[ours] = there[theirs]
        order[#order + 1] = ours
      end
    end
  end
  for _, needed in ipairs { "id", "lat", "lon" } do
    if not names[needed] then
      fail(("ale.read_reflectors: %s has no column for %s (such as \"%s\"); it has %s"):format(path, needed, COLUMNS[needed][1],
        table.concat(file.names, ", ")))
    end
  end
  local rows = {}
  for i = 1, #file do
    local row, from = {}, file[i]
    for ours, theirs in pairs(names) do row[ours] = from[theirs] end
    if type(row.lat) ~= "number" or type(row.lon) ~= "number" or math.abs(row.lat) > 90 or math.abs(row.lon) > 360 then
      fail(("ale.read_reflectors: %s: row %d has no place: lat %s, lon %s"):format(path, i, library.describe(row.lat), library.describe(row.lon)))
    end
    rows[i] = row
  end
  return tables.new(rows, { columns = order })
end

--- Where reflectors lie in an image: adds map_x and map_y in its CRS, and x and y in pixels, whole numbers being centres of pixels.
---
--- ```lua
--- local ale, raster, tables = require "ale", require "raster", require "tables"
--- local grid = raster.grid { crs = 32611, origin = { 392250, 3882360 }, resolution = { 5, 10 }, rows = 4000, cols = 4000 }
--- local placed = ale.locate(tables.new { { id = 1, lat = 34.799849, lon = -118.086989 } }, grid)
--- assert(math.abs(placed[1].x - 1662.994) < 0.01)
--- ```
---@param reflectors Table With the columns lat and lon.
---@param grid Grid|Raster
---@return Table placed
function M.locate(reflectors, grid)
  grid = raster.grid { like = grid }
  local x, y, map_x, map_y = {}, {}, {}, {}
  for i = 1, #reflectors do
    local row = reflectors[i]
    map_x[i], map_y[i] = geometry.point(row.lon, row.lat, 4326):to_crs(grid.wkt):position()
    local r, c = grid:to_pixel(map_x[i], map_y[i])
    -- Places in pixels count from the corner of the first, those here from its centre.
    x[i], y[i] = c - 0.5, r - 0.5
  end
  return reflectors:with_column("map_x", map_x):with_column("map_y", map_y):with_column("x", x):with_column("y", y)
end

--- Errors in east and north as errors in ground range and azimuth.
---
--- With the unit vector to the sensor (e, n, u) and h = √(e² + n²): range = (E·e + N·n)/h, azimuth = (E·n − N·e)/h of a radar that
--- looks to the right, and the negative azimuth of one that looks to the left.
---
--- ```lua
--- local range, azimuth = require("ale").to_radar(0.801797, -0.51701, -0.584671, -0.107736)
--- assert(math.abs(range + 0.694831) < 1e-5 and math.abs(azimuth + 0.653749) < 1e-5)
--- ```
---@param east number m
---@param north number m
---@param los_east number
---@param los_north number
---@param look? "right"|"left" Default right.
---@return number range m
---@return number azimuth m
function M.to_radar(east, north, los_east, los_north, look)
  if look and look ~= "right" and look ~= "left" then
    fail("ale.to_radar: look must be \"right\" or \"left\", got " .. library.describe(look))
  end
  local h = math.sqrt(los_east ^ 2 + los_north ^ 2)
  local sign = look == "left" and -1 or 1
  return (east * los_east + north * los_north) / h, sign * (east * los_north - north * los_east) / h
end

---@class ale.Corrections
---@field east? number|number[] m by which reflectors lay east of their surveyed place (solid earth tide, plate motion): one for all, or one each.
---@field north? number|number[] m
---@field range? number|number[] m of ground range that is known to be wrong (troposphere, ionosphere); subtracted from the error.
---@field azimuth? number|number[] m

---@class ale.MeasureOptions
---@field los? Raster Bands `los_east` and `los_north`, as `opera.open_static` gives them; without them there are no errors in range and azimuth.
---@field look? "right"|"left" Default: what the image says, else right.
---@field corrections? ale.Corrections
---@field search? integer As `correlation.point_target`.
---@field chip? integer
---@field oversampling? integer
---@field min_scr_db? number Reflectors that stand out less have the reason `low_scr`: speckle alone reaches 10 dB. Default 13.

local function correction(list, name, i, count)
  local value = list and list[name]
  if value == nil then return 0 end
  if type(value) == "number" then return value end
  if type(value) ~= "table" or #value ~= count or type(value[i]) ~= "number" then
    fail(("ale.measure: corrections.%s must be a number, or a list of one for each of the %d reflectors"):format(name, count))
  end
  return value[i]
end

--- Finds reflectors in an image and says how far they are from where they were surveyed.
---
--- The table has a row for each reflector whose place is inside the image: id, x and y expected and x_peak and y_peak found (pixels),
--- scr_db, width_x, width_y (pixels), pslr_x_db, pslr_y_db, east_m and north_m (found minus expected), range_m and azimuth_m where there is a line of
--- sight, and reason, `ok` where all is well. What could not be measured is NaN.
---
--- **Errors.** No reflector inside the image; corrections of another number than reflectors.
---
--- **Source.** OPERA CSLC validation (OPERA-Cal-Val/calval-CSLC): errors as found minus surveyed place.
---
--- ```lua
--- local ale, raster, filter, tables = require "ale", require "raster", require "filter", require "tables"
--- local grid = raster.grid { crs = 32611, origin = { 400000, 3852000 }, resolution = { 5, 10 }, rows = 120, cols = 240 }
--- local at = raster.coordinates(grid)
--- local point = (at.x:eq(400567.5) & at.y:eq(3851385)):cast "float32"
--- local noise = raster.complex(raster.random(grid), raster.random(grid, { seed = 2 })) * 1e-4
--- local slc = filter.impulse_response(raster.complex(point, raster.constant(grid, 0))) + noise
--- local found = ale.measure(slc, tables.new { { id = 1, lat = 34.799849, lon = -118.086989 } })
--- assert(math.abs(found[1].east_m) < 0.2 and math.abs(found[1].north_m) < 2 and found[1].reason == "ok")
--- ```
---@param slc Raster One complex band, in the CRS of a map.
---@param reflectors Table With the columns id, lat and lon.
---@param options? ale.MeasureOptions
---@return Table errors
function M.measure(slc, reflectors, options)
  local o = library.options("ale.measure", options)
  local placed, count = M.locate(reflectors, slc.grid), #reflectors
  local look = o.look or slc.properties.look and slc.properties.look:lower() or "right"
  local rows, dx, dy = {}, slc.grid.transform[2], slc.grid.transform[6]
  for i = 1, count do
    local at = placed[i]
    if at.x > -0.5 and at.y > -0.5 and at.x < slc.cols - 0.5 and at.y < slc.rows - 0.5 then
      local east, north = correction(o.corrections, "east", i, count), correction(o.corrections, "north", i, count)
      local x, y = at.x + east / dx, at.y + north / dy
      local target = correlation.point_target(slc, x, y, { search = o.search, chip = o.chip, oversampling = o.oversampling })
      local row = {
        id = at.id, x = x, y = y, x_peak = target.x, y_peak = target.y, scr_db = target.scr_db, width_x = target.width_x,
        width_y = target.width_y, pslr_x_db = target.pslr_x_db, pslr_y_db = target.pslr_y_db, reason = target.reason,
        east_m = (target.x - x) * dx, north_m = (target.y - y) * dy, range_m = 0 / 0, azimuth_m = 0 / 0,
      }
      if row.reason == "ok" and row.scr_db < o.min_scr_db then row.reason = "low_scr" end
      if o.los then
        local los = o.los:sample({ { at.map_x, at.map_y } })[1]
        -- Masked where the product has no line of sight.
        local range, azimuth = M.to_radar(row.east_m, row.north_m, los.los_east or 0 / 0, los.los_north or 0 / 0, look)
        row.range_m = range - correction(o.corrections, "range", i, count)
        row.azimuth_m = azimuth - correction(o.corrections, "azimuth", i, count)
      end
      rows[#rows + 1] = row
    end
  end
  if #rows == 0 then
    fail(("ale.measure: none of the %d reflectors lies inside the image (%s)"):format(count, slc.grid))
  end
  return tables.new(rows, {
    columns = {
      "id", "x", "y", "x_peak", "y_peak", "scr_db", "width_x", "width_y", "pslr_x_db", "pslr_y_db", "east_m", "north_m", "range_m",
      "azimuth_m", "reason",
    },
  })
end

return M
