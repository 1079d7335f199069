-- What a granule says of itself, by its name and its attributes, without a pixel.
local raster, time, catalog = require "raster", require "time", require "catalog"
local library = require "library"

local fail = library.fail
local M = {}

local WHERE = "itslive.open_granules"
local PAIR = "/img_pair_info#"

local ASKED = {
  "/vx#units", "/vy#units", "/v#units", "/v_error#units",
  "/vx#error", "/vy#error", "/vx#stable_rmse", "/vy#stable_rmse", "/vx#map_scale_corrected",
  PAIR .. "date_dt", PAIR .. "roi_valid_percentage",
}
-- Version 1 spells acquisition so.
for i = 1, 2 do
  for _, name in ipairs { "acquisition_date_img", "aquisition_date_img", "id_img", "mission_img", "sensor_img", "satellite_img" } do
    ASKED[#ASKED + 1] = PAIR .. name .. i
  end
end

-- All that are metres a year. Days or degrees are not, and are refused.
local YEARLY = {}
for _, unit in ipairs {
  "m/y", "m/yr", "m/a", "m/year", "meter/year", "meters/year", "metre/year", "metres/year", "m yr-1", "m a-1", "m y-1", "m year-1",
  "m/yr.", "m.yr-1",
} do YEARLY[unit] = true end

function M.check_unit(where, path, band, unit)
  if not YEARLY[unit or ""] then
    fail(("%s: %s in %s is in %s; ITS_LIVE has metres a year (m/y, meter/year)"):format(where, band, path, unit or "no unit"))
  end
end

-- 19841206T12:52:19.377, 19841206, 1984-12-06T12:52:19Z
local function seconds_of(text)
  if type(text) ~= "string" then return nil end
  local year, month, day, rest = text:match "^(%d%d%d%d)%-?(%d%d)%-?(%d%d)(.*)$"
  if not year then return nil end
  local date = ("%s-%s-%s"):format(year, month, day)
  local clock = rest:match "^[T ](%d%d:%d%d:%d%d%.?%d*)"
  local ok, seconds = pcall(time.seconds, clock and date .. "T" .. clock .. "Z" or date)
  return ok and seconds or nil
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- When the file was made, 31-Mar-2020 01:45:13; 0 where it does not say it.
function M.created(path)
  local text = raster.read_attribute(path, { "#date_created" })["#date_created"]
  local day, month, year, clock = tostring(text):match "^(%d%d?)%-(%a%a%a)%-(%d%d%d%d)[ T]?(.*)$"
  if not MONTHS[month] then return seconds_of(text) or 0 end
  return seconds_of(("%s-%02d-%02d%s"):format(year, MONTHS[month], tonumber(day), clock ~= "" and "T" .. clock or "")) or 0
end

local function number(value)
  local n = tonumber(value)
  return n and n == n and n or nil
end

local function error_of(said, name)
  local x, y = number(said["/vx#" .. name]), number(said["/vy#" .. name])
  if x and y and x > 0 and y > 0 then return math.sqrt((x * x + y * y) / 2) end
end

-- LC08 and the like; nil where nothing is told.
function M.platform(mission, sensor, satellite)
  if mission == "L" and tonumber(satellite) then return ("L%s%02d"):format(sensor or "", math.floor(tonumber(satellite))) end
  return mission and satellite and ("%s%s"):format(mission, satellite) or nil
end

-- Of both images, the earlier one first.
local function platforms_of(granule, said)
  local found = {}
  for i = 1, 2 do
    local scene = granule and granule.scenes[i]
    found[i] = scene and scene.platform
      or M.platform(said[PAIR .. "mission_img" .. i], said[PAIR .. "sensor_img" .. i], said[PAIR .. "satellite_img" .. i])
  end
  return found
end

-- A granule of the same images: places and days of both, whichever stands first, without the day of processing.
local function pair_of(granule, name)
  if not granule then return name end
  local keys = {}
  for i, scene in ipairs(granule.scenes) do
    local place = scene.path and ("%d/%d"):format(scene.path, scene.row or 0) or scene.tile or scene.burst or scene.absolute_orbit or ""
    keys[i] = ("%s %s %s"):format(scene.platform, place, scene.datetime)
  end
  table.sort(keys)
  return table.concat(keys, " × ")
end

-- The head of a granule; an error where the file is none.
function M.read(path)
  local name = path:gsub("[?#].*$", ""):match "[^/]*$"
  local variables, names = {}, {}
  for _, array in ipairs(raster.arrays(path)) do
    local sub = array.name:gsub("^/", "")
    if #array.shape > 1 then variables[sub], names[#names + 1] = true, sub end
  end
  if not (variables.vx and variables.vy) then
    fail(("%s: %s is no granule of ITS_LIVE: it has no vx and vy; %s"):format(
      WHERE, path, #names > 0 and "its images are " .. table.concat(names, ", ") or "it holds no images of several variables"))
  end
  local said = raster.read_attribute(path, ASKED)
  for _, band in ipairs { "vx", "vy", "v", "v_error" } do
    if variables[band] then M.check_unit(WHERE, path, band, said["/" .. band .. "#units"]) end
  end

  local known, granule = pcall(catalog.itslive_granule, name)
  granule = known and granule or nil
  local first = seconds_of(said[PAIR .. "acquisition_date_img1"]) or seconds_of(said[PAIR .. "aquisition_date_img1"])
  local last = seconds_of(said[PAIR .. "acquisition_date_img2"]) or seconds_of(said[PAIR .. "aquisition_date_img2"])
  if first and last and first > last then first, last = last, first end
  if not (first and last) then
    if not granule then
      fail(("%s: neither the name nor img_pair_info of %s tells when its images were taken"):format(WHERE, path))
    end
    first, last = time.seconds(granule.start), time.seconds(granule["end"])
  end

  local version = granule and math.tointeger(tonumber(granule.version)) or (variables.v_error and 2 or 1)
  local corrected = number(said["/vx#map_scale_corrected"])
  return {
    path = path, name = name, pair = pair_of(granule, name), variables = variables, first = first, last = last,
    mid = first + (last - first) / 2, separation = (last - first) / 86400, platforms = platforms_of(granule, said),
    valid = number(said[PAIR .. "roi_valid_percentage"]) or granule and granule.percent_valid_pixels, version = version,
    error = error_of(said, "error") or error_of(said, "stable_rmse"),
    map_scale = corrected == 0,
  }
end

return M
