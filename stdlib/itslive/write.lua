-- Writing granules in the layout of version 2.
local raster, time = require "raster", require "time"
local library = require "library"
local scenes = require "itslive.scenes"

local fail = library.fail
local M = {}

local YEAR = "meter/year"

-- Times as the granules write them: 19841206T12:52:19.377
local function stamp(t)
  return time.format(t, "%Y%m%dT%H:%M:%S")
end

-- The record of both images.
local function pair_record(velocity, ids, percent)
  local first, second = velocity:get("reference_time", false), velocity:get("secondary_time", false)
  local record = {
    standard_name = "image_pair_information", date_dt = velocity:get "date_dt" * 1.0, roi_valid_percentage = percent * 1.0,
  }
  for i, id in ipairs(ids) do
    local scene = scenes.scene(id)
    local function put(name, value)
      if value ~= nil then record[("%s_img%d"):format(name, i)] = value end
    end
    put("id", id)
    for _, name in ipairs {
      "mission", "sensor", "satellite", "correction_level", "path", "row", "processing_date", "collection_number",
      "collection_category",
    } do
      put(name, scene[name])
    end
    put("time_standard", "UTC")
    local at = i == 1 and first or second
    if at then put("acquisition_date", stamp(at)) end
  end
  if first and second then
    record.date_center = stamp(time.add(first, { seconds = time.difference(second, first, "seconds") / 2 }))
  end
  local grid = velocity.grid
  local bounds = grid:bounds_in "EPSG:4326"
  record.longitude = math.floor(50 * (bounds[1] + bounds[3]) + 0.5) / 100
  record.latitude = math.floor(50 * (bounds[2] + bounds[4]) + 0.5) / 100
  return record
end

-- The attributes of vx or vy beside its name.
local function error_attributes(velocity, band, axis)
  local count = velocity:get("stable_count", false)
  local rmse, shift = velocity:get("stable_rmse_" .. band, false), velocity:get("stable_shift_" .. band, false)
  local modeled = velocity:select(band .. "_error"):stats()[band .. "_error"]
  local nan = 0 / 0
  local typical = rmse or modeled.mean or nan
  return {
    standard_name = ("land_ice_surface_%s_velocity"):format(axis),
    description = ("velocity component in %s direction"):format(axis),
    units = YEAR,
    error = typical * 1.0,
    error_description = ("best estimate of %s_velocity error: that of stationary ground where there is some, else the mean of the nodes' own"):format(axis),
    error_stationary = (rmse or nan) * 1.0,
    error_stationary_description = "RMSE over stable surfaces, identified from an external mask",
    error_modeled = (modeled.mean or nan) * 1.0,
    error_modeled_description = "mean 1-sigma error from the correlation of the chips and the sharpness of its peak",
    stable_shift = (shift or 0) * 1.0,
    stable_shift_flag = count and 1 or 0,
    stable_shift_flag_description = "flag for applying velocity bias correction: 0 = no correction; 1 = correction from stable surface mask",
    stable_shift_stationary = (shift or nan) * 1.0,
    stable_count_stationary = count or 0,
  }
end

function M.write(velocity, offsets, options)
  local grid = velocity.grid
  if not grid:matches(offsets.grid) then fail "itslive.write: the velocities and the offsets lie on different grids" end
  local found = velocity:select("v"):stats().v.count
  local percent = 100 * found / (grid.rows * grid.cols)
  local spacing = grid.resolution[1]
  local ids = { options.reference_id, options.secondary_id }
  local path = options.path
    or (options.folder or ".") .. "/" .. scenes.granule_name(ids[1], ids[2], spacing, percent)
  local width, height = math.abs(offsets:get "x_pixel_size"), math.abs(offsets:get "y_pixel_size")

  local function speed(band, attributes)
    return { name = band, image = velocity:select(band), dtype = "int16", fill = -32767, attributes = attributes }
  end
  local function chip(band, name, size, word)
    return {
      name = name, image = (offsets:select(band) * size):set_unit "m", dtype = "uint16", fill = 0,
      attributes = {
        standard_name = name, description = word .. " of search template (chip)", units = "m",
        chip_size_coordinates = "image projection geometry: width = x, height = y",
        [(word == "width" and "x" or "y") .. "_pixel_size"] = size * 1.0,
      },
    }
  end
  local attributes = {
    Conventions = "CF-1.8", GDAL_AREA_OR_POINT = "Area", title = "autoRIFT surface velocities",
    motion_detection_method = "feature", motion_coordinates = "map", scene_pair_type = "optical",
    references = "Gardner et al. 2018, https://doi.org/10.5194/tc-12-521-2018; Lei et al. 2021, https://doi.org/10.3390/rs13040749",
  }
  for name, value in pairs(options.attributes or {}) do attributes[name] = value end
  return raster.write_netcdf(path, {
    speed("vx", error_attributes(velocity, "vx", "x")),
    speed("vy", error_attributes(velocity, "vy", "y")),
    speed("v", { standard_name = "land_ice_surface_velocity", description = "velocity magnitude", units = YEAR }),
    speed("v_error", { standard_name = "velocity_error", description = "velocity magnitude error", units = YEAR }),
    chip("chip_size_x", "chip_size_width", width, "width"),
    chip("chip_size_y", "chip_size_height", height, "height"),
    {
      name = "interp_mask", image = offsets:select "interp_mask", dtype = "uint8", fill = 0,
      attributes = {
        standard_name = "interpolated_value_mask", description = "true where values have been interpolated",
        flag_meanings = "measured interpolated", flag_values = { 0, 1 },
      },
    },
  }, { attributes = attributes, records = { { name = "img_pair_info", attributes = pair_record(velocity, ids, percent) } } })
end

return M
