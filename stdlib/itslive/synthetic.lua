-- Granules of a glacier whose velocities are known: a trunk that turns, with a season, a trend, noise, gaps and outliers.
local raster, geometry, time, fs, tables = require "raster", require "geometry", require "time", require "fs", require "tables"
local library = require "library"
local rotate = require "itslive.rotate"

local fail = library.fail
local M = {}

local YEAR_DAYS = 365.25
local MAIN, OTHER = "EPSG:3413", "EPSG:32622"
local MISSING = -32767

-- The grid of a projection around the middle of the scene, its corner a multiple of the pixels.
local function grid_of(crs, o, spacing, size)
  local x, y = geometry.point(o.lon, o.lat):to_crs(crs):position()
  local half = size * spacing / 2
  local west, north = math.floor((x - half) / spacing) * spacing, math.floor((y + half) / spacing) * spacing
  return raster.grid { crs = crs, origin = { west, north }, resolution = spacing, rows = size, cols = size }
end

-- Speed at the start (m/yr), the part of it that comes and goes with the seasons, and the direction along the axes of the main projection.
local function field(grid, o, extent)
  local at = raster.coordinates(grid, { crs = MAIN }):cast "float64":set_unit "1"
  local x0, y0 = geometry.point(o.lon, o.lat):to_crs(MAIN):position()
  local u, v = (at.x - x0) / extent, (at.y - y0) / extent
  local middle, slope = (u * 1.5):sin() * 0.25, (u * 1.5):cos() * 0.375
  local across = (v - middle) / 0.35
  local shape = (-(across * across)):exp()
  -- From 0 inland to 1 at the front, in the west.
  local front = 1 / ((u * 4):exp() + 1)
  local speed = shape * (front * 0.65 + 0.35) * (o.speed - 60) + 60
  local length = (slope * slope + 1):sqrt()
  return { speed = speed, season = front * o.amplitude, ux = -1 / length, uy = -slope / length }
end

-- What a pair sees: the mean over its span.
local function factor(f, o, start, mid, days)
  local half = math.pi * days / YEAR_DAYS
  local season = math.sin(half) / half * math.cos(2 * math.pi * (mid - o.phase) / YEAR_DAYS)
  return f.season * season + (1 + o.trend * (mid - start) / YEAR_DAYS)
end

local function day_of(date) return (date:gsub("%-", ""):sub(1, 8)) end

local function scene(date, version, processed)
  return ("LC08_L1TP_009011_%s_%s_%s_T1"):format(day_of(date), processed, version == 1 and "01" or "02")
end

local function pair_record(version, ids, dates, days, valid)
  local mid = time.add(dates[1], { seconds = days * 43200 })
  local record = { standard_name = "image_pair_information", date_dt = days * 1.0, roi_valid_percentage = valid * 1.0 }
  for i, id in ipairs(ids) do
    local function put(name, value) record[("%s_img%d"):format(name, i)] = value end
    put("mission", "L"); put("sensor", "C"); put("correction_level", "L1TP"); put("path", 9.0); put("row", 11.0)
    put("satellite", version == 1 and 8.0 or "8")
    -- Version 1 spells so, and has the later image first.
    if version == 1 then
      put("aquisition_date", day_of(dates[3 - i])); put("collection_catagory", "T1"); put("collection_number", 1.0)
    else
      put("id", id); put("acquisition_date", day_of(dates[i]) .. "T15:12:10"); put("time_standard", "UTC")
      put("collection_category", "T1"); put("collection_number", 2.0)
    end
  end
  record.date_center = time.format(mid, version == 1 and "%Y%m%d" or "%Y%m%dT%H:%M:%S")
  return record
end

local function write(path, version, crs, bands, record, sigma)
  local unit = version == 1 and "m/y" or "meter/year"
  local function velocity(name, image, standard)
    local attributes = { units = unit, standard_name = standard }
    if version == 1 then
      attributes.missing_value, attributes.map_scale_corrected = MISSING * 1.0, 1
      attributes.stable_rmse, attributes.stable_count = sigma, 1000.0
    else
      attributes.description, attributes.error, attributes.error_modeled = "velocity", sigma, sigma
    end
    return { name = name, image = image, dtype = "int16", fill = MISSING, attributes = attributes }
  end
  local function chip(name)
    return { name = name, image = (bands.vx * 0 + 480):unmask(0):set_unit "m", dtype = "uint16", fill = 0, attributes = { units = "m" } }
  end
  local variables = {
    velocity("vx", bands.vx, version == 1 and "x_velocity" or "land_ice_surface_x_velocity"),
    velocity("vy", bands.vy, version == 1 and "y_velocity" or "land_ice_surface_y_velocity"),
    velocity("v", bands.v, version == 1 and "velocity" or "land_ice_surface_velocity"),
  }
  if version == 2 then variables[4] = velocity("v_error", bands.error, "velocity_error") end
  variables[#variables + 1] = chip "chip_size_width"
  variables[#variables + 1] = chip "chip_size_height"
  variables[#variables + 1] = {
    name = "interp_mask", image = bands.interpolated, dtype = "uint8", fill = 0,
    attributes = { standard_name = "interpolated_value_mask", flag_values = { 0, 1 }, flag_meanings = "measured interpolated" },
  }
  local mapping = version == 2 and "mapping" or crs == MAIN and "Polar_Stereographic" or "UTM_Projection"
  return raster.write_netcdf(path, variables, {
    mapping = mapping, records = { { name = "img_pair_info", attributes = record } },
    attributes = {
      Conventions = version == 1 and "CF-1.6" or "CF-1.8", title = "autoRIFT surface velocities", motion_coordinates = "map",
      motion_detection_method = "feature", scene_pair_type = "optical", institution = "made by perilune, no observation",
      date_created = version == 1 and "31-Mar-2020 01:45:13" or "12-Jan-2023 05:22:37",
    },
  })
end

function M.make(where, folder, o)
  if o.separations[1] == nil then fail(("%s: separations must hold a number of days at least"):format(where)) end
  fs.mkdir(folder)
  local start = time.difference(o.start, "2000-01-01")
  local extent = o.size * o.spacing / 2
  local rows = {}
  local fields = {}
  local function field_on(grid, key)
    fields[key] = fields[key] or field(grid, o, extent)
    return fields[key]
  end
  for i = 1, o.count do
    local days = o.separations[(i - 1) % #o.separations + 1]
    local first = time.add(o.start, o.interval * (i - 1)):sub(1, 10)
    local last = time.add(first, days):sub(1, 10)
    local version = o.version == "both" and (i % 3 == 0 and 1 or 2) or tonumber(o.version)
    local crs = o.other_projection > 0 and i % o.other_projection == 0 and OTHER or MAIN
    -- Version 1 has pixels twice as large.
    local spacing, size = o.spacing, o.size
    if version == 1 then spacing, size = 2 * spacing, (size + 1) // 2 end
    local grid = grid_of(crs, o, spacing, size)
    local f = field_on(grid, crs .. spacing)
    local mid = time.difference(first, "2000-01-01") + days / 2
    local v = f.speed * factor(f, o, start, mid, days)
    local vx, vy = (v * f.ux):rename "vx", (v * f.uy):rename "vy"
    if crs ~= MAIN then
      vx, vy = rotate.components(vx, vy, MAIN)
    end

    local seed = o.seed * 100000 + i * 10
    local sigma = o.noise * YEAR_DAYS / days
    local function random(k, distribution, scale)
      return raster.random(grid, { distribution = distribution, scale = scale, seed = seed + k })
    end
    vx, vy = vx + random(1, "normal") * sigma, vy + random(2, "normal") * sigma
    if o.outliers > 0 then
      local wrong = random(3):lt(o.outliers)
      vx = raster.where(wrong, vx + (random(4) - 0.5) * 8000, vx)
      vy = raster.where(wrong, vy + (random(5) - 0.5) * 8000, vy)
    end
    local valid
    if o.gaps > 0 then
      local holes = random(6, "smooth", size / 3)
      valid = holes:ge(holes:percentile(100 * o.gaps))
      vx, vy = vx:mask(valid), vy:mask(valid)
    end
    vx, vy = vx:clamp(-32000, 32000):round():rename "vx":set_unit "m/yr", vy:clamp(-32000, 32000):round():rename "vy":set_unit "m/yr"
    local share = vx:is_valid():stats().vx.mean * 100
    local bands = {
      vx = vx, vy = vy, v = (vx * vx + vy * vy):sqrt():clamp(0, 32000):set_unit "m/yr",
      error = (vx * 0 + math.max(1, math.floor(sigma + 0.5))):set_unit "m/yr",
      interpolated = random(7):gt(0.97) & vx:is_valid(),
    }
    local processed = version == 1 and "20170101" or "20200918"
    local a, b = scene(first, version, processed), scene(last, version, processed)
    if version == 1 then a, b = b, a end
    local name = ("%s_X_%s_G%04dV%02d_P%03d.nc"):format(a, b, spacing, version, math.floor(share))
    -- No granule is without an error.
    write(fs.join(folder, name), version, crs, bands, pair_record(version, { a, b }, { first, last }, days, share), math.max(sigma, 1))
    rows[i] = {
      file = name, reference = first, secondary = last, date_dt = days, crs = crs, version = version, error = sigma, valid_percent = share,
    }
    collectgarbage()
  end

  local f = field_on(grid_of(MAIN, o, o.spacing, o.size), MAIN .. o.spacing)
  local function float(band, name, unit) return band:cast "float32":set_unit(unit):rename(name) end
  local truth = raster.bands(
    float(f.speed, "speed", "m/yr"), float(f.speed * f.season, "annual_amplitude", "m/yr"), float(f.speed * o.trend, "slope", "m/yr/yr"),
    float(f.ux, "ux", "1"), float(f.uy, "uy", "1"))
  truth:set { start = o.start, phase = o.phase }:write(fs.join(folder, "truth.tif"))
  local made = tables.new(rows, {
    columns = { "file", "reference", "secondary", "date_dt", "crs", "version", "error", "valid_percent" },
  })
  made:write_csv(fs.join(folder, "granules.csv"))
  return made
end

return M
