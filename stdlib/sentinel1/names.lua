-- What the names of Sentinel-1 files say, and which files make up one image. Opens nothing.
local raster = require "raster"

local names = {}

local POLARISATIONS = { VV = true, VH = true, HH = true, HV = true }
-- Tokens that mark a raster of incidence angles beside the polarisations.
local ANGLES = { angle = true, incidence = true, linci = true, inc = true, ia = true, lia = true }
-- Earth repeats its turn under the satellite after 175 orbits; the counts of the satellites started elsewhere.
local FIRST_ORBIT = { S1A = 73, S1B = 27, S1C = 172 }

-- "20211119" or "20211119T015855" as ISO 8601; nil for digits that are no date.
local function iso(text)
  local y, m, d, rest = text:match "^(%d%d%d%d)(%d%d)(%d%d)(.*)$"
  if not y or y < "1990" or y > "2099" or m < "01" or m > "12" or d < "01" or d > "31" then return nil end
  local h, min, s = rest:match "^T(%d%d)(%d%d)(%d%d)$"
  if h then return ("%s-%s-%sT%s:%s:%sZ"):format(y, m, d, h, min, s) end
  return ("%s-%s-%s"):format(y, m, d)
end

-- The first date of a name, with its time of day where there is one.
local function first_time(stem)
  for digits in stem:gmatch "%f[%d]%d%d%d%d%d%d%d%dT%d%d%d%d%d%d%f[%D]" do
    if iso(digits) then return iso(digits) end
  end
  for digits in stem:gmatch "%f[%d]%d%d%d%d%d%d%d%d%f[%D]" do
    if iso(digits) then return iso(digits) end
  end
  local y, m, d = stem:match "%f[%d](%d%d%d%d)%-(%d%d)%-(%d%d)%f[%D]"
  return y and iso(y .. m .. d)
end

function names.relative_orbit(absolute, platform)
  local first = FIRST_ORBIT[platform]
  return first and (absolute - first) % 175 + 1 or nil
end

local function opera(stem)
  local track, number, swath, time, processed, platform, spacing, layer = stem:match(
    "^OPERA_L2_RTC%-S1_T(%d+)%-(%d+)%-(%u%u%d)_(%d+T%d+)Z_(%d+T%d+)Z_(S1%u)_(%d+)_v[%d%.]+_(.+)$")
  if not track then return nil end
  local burst = ("T%s-%s-%s"):format(track, number, swath)
  return {
    kind = POLARISATIONS[layer] and "polarisation" or "other",
    layer = layer,
    scene = burst .. " " .. time,
    time = iso(time),
    processed = processed,
    platform = platform,
    mode = swath:sub(1, 2),
    relative_orbit = math.tointeger(tonumber(track)),
    burst = burst,
    spacing = math.tointeger(tonumber(spacing)),
    unit = "power",
  }
end

local function opera_static(stem)
  local track, number, swath, layer = stem:match(
    "^OPERA_L2_RTC%-S1%-STATIC_T(%d+)%-(%d+)%-(%u%u%d)_%d+_S1%u_%d+_v[%d%.]+_(.+)$")
  if not track then return nil end
  return { kind = "static", layer = layer, burst = ("T%s-%s-%s"):format(track, number, swath) }
end

local UNITS = { p = "power", a = "amplitude", d = "dB" }

-- What the names of other processors add: ASF's HyP3 (unit, an angle in radians) and pyroSAR (direction of flight).
local function processor(stem, entry)
  local unit = stem:match "_RTC%d+_%u_[gs]([pad])%l%l%l%l_%x%x%x%x"
  entry.unit = unit and UNITS[unit]
  entry.pass = stem:match "^S1%u__%u%u___([AD])_"
  if unit and stem:match "_inc_map$" then
    entry.angle_unit = "rad"
    return stem:gsub("_inc_map$", "_inc")
  end
  return stem
end

local function generic(stem, folder)
  local entry = { kind = "bands", time = first_time(stem), scene = folder .. "/" .. stem }
  local kept = {}
  stem = processor(stem, entry)
  for token in stem:gmatch "[^_%.%s]+" do
    local upper, lower = token:upper(), token:lower()
    if POLARISATIONS[upper] then
      entry.kind, entry.layer = "polarisation", upper
    elseif ANGLES[lower] then
      entry.kind, entry.layer = "polarisation", "angle"
    else
      kept[#kept + 1] = token
    end
    if upper:match "^S1[A-D]$" then entry.platform = upper end
    if upper:match "^[IE]W%d?$" or upper:match "^S[1-6]$" then entry.mode = upper:match "^S%d" and "SM" or upper:sub(1, 2) end
    if lower == "db" then entry.unit = "dB" end
  end
  if entry.kind == "polarisation" then entry.scene = folder .. "/" .. table.concat(kept, "_") end
  -- S1A_IW_GRDH_1SDV_20200103T162408_20200103T162433_030638_0382BF_5F5E: the absolute orbit follows the times.
  local orbit = stem:match "_%d+T%d+_%d+T%d+_(%d%d%d%d%d%d)_%x+"
  if orbit and entry.platform then
    entry.relative_orbit = names.relative_orbit(math.tointeger(tonumber(orbit)), entry.platform)
  end
  return entry
end

local FIELDS = { platform = true, pass = true, burst = true, mode = true, relative_orbit = true, polarisation = true }

local function by_pattern(name, folder, pattern)
  local parts = raster.match_name(name, pattern)
  if not parts then return { kind = "other" } end
  local entry = { kind = "bands", time = parts.time, properties = {} }
  local scene = { folder }
  for key, value in pairs(parts) do
    if key == "polarisation" then
      local upper = value:upper()
      entry.kind = "polarisation"
      entry.layer = POLARISATIONS[upper] and upper or ANGLES[value:lower()] and "angle" or value
    else
      scene[#scene + 1] = key .. "=" .. value
      if key == "relative_orbit" then value = math.tointeger(tonumber(value)) or value end
      if FIELDS[key] then entry[key] = value elseif key ~= "time" then entry.properties[key] = value end
    end
  end
  table.sort(scene)
  entry.scene = table.concat(scene, " ")
  return entry
end

-- What one path says. `kind` is "polarisation" (one band of several files), "bands" (one file with all bands), "static" (an
-- angle that belongs to a burst) or "other".
function names.parse(path, pattern)
  local folder, name = path:match "^(.*)/([^/]*)$"
  folder, name = folder or ".", name or path
  local stem = name:gsub("%.[^%.]*$", "")
  local entry = pattern and by_pattern(name, folder, pattern)
    or opera(stem) or opera_static(stem) or generic(stem, folder)
  local direction = entry.pass and entry.pass:sub(1, 1):upper()
  entry.pass = direction == "A" and "ASCENDING" or direction == "D" and "DESCENDING" or entry.pass
  entry.path, entry.name = path, name
  return entry
end

-- Scenes out of files: `{ time, platform, …, files = { VV = path, … } }`, or `path` for one file with all bands.
-- Of a burst that was processed more than once the latest product counts. Also the static layers by burst.
function names.scenes(paths, options)
  local scenes, by_key, static = {}, {}, {}
  for _, path in ipairs(paths) do
    local entry = names.parse(path, options.pattern)
    if entry.kind == "static" then
      static[entry.burst] = static[entry.burst] or {}
      static[entry.burst][entry.layer] = path
    elseif entry.kind ~= "other" then
      local scene = by_key[entry.scene]
      if not scene then
        scene = { files = {}, dates = {} }
        by_key[entry.scene] = scene
        scenes[#scenes + 1] = scene
      end
      for key, value in pairs(entry) do
        -- A file of angles stands beside its image and does not speak for it.
        if (scene[key] == nil or scene.layer == "angle") and key ~= "path" and key ~= "angle_unit" then scene[key] = value end
      end
      scene.angle_unit = scene.angle_unit or entry.angle_unit
      if entry.kind == "bands" then
        scene.path = path
      else
        local other = scene.dates[entry.layer]
        if not scene.files[entry.layer] or (entry.processed and entry.processed > other) then
          scene.files[entry.layer] = path
          scene.dates[entry.layer] = entry.processed or ""
        end
      end
    end
  end
  return scenes, static
end

return names
