--- Quality bands by name: the bits of Landsat's QA_PIXEL and QA_RADSAT and of Sentinel-2's QA60, the classes of Sentinel-2's SCL.
---
--- Names give masks, which `&`, `|` and `~` combine; fields of two bits (`cloud_confidence`) give their number, 0 none to 3 high.
--- Any other band of bits goes by number: `qa:bits(3) | qa:bits(4)`.
---@class quality
local M = {}

local library = require "library"
local fail = library.fail

--- First and last bit of each name.
---
--- Source: USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide (LSDS-1619), QA_PIXEL and QA_RADSAT; Landsat 4-7
--- (LSDS-1618) the same, without cirrus.
local LANDSAT = {
  fill = { 0 }, dilated_cloud = { 1 }, cirrus = { 2 }, cloud = { 3 }, cloud_shadow = { 4 }, snow = { 5 }, clear = { 6 }, water = { 7 },
  cloud_confidence = { 8, 9 }, cloud_shadow_confidence = { 10, 11 }, snow_confidence = { 12, 13 }, cirrus_confidence = { 14, 15 },
}
local LANDSAT_SATURATION = {
  band_1 = { 0 }, band_2 = { 1 }, band_3 = { 2 }, band_4 = { 3 }, band_5 = { 4 }, band_6 = { 5 }, band_7 = { 6 }, band_9 = { 8 },
  terrain_occlusion = { 11 },
}
-- Source: ESA, Sentinel-2 Products Specification Document, cloud masks, as Earth Engine's QA60 packs them.
local SENTINEL2 = { opaque_cloud = { 10 }, cirrus = { 11 } }
-- Source: ESA, Sentinel-2 Level-2A Algorithm Theoretical Basis Document (Sen2Cor), scene classification.
local SCL = {
  no_data = 0, saturated = 1, dark = 2, cloud_shadow = 3, vegetation = 4, bare = 5, water = 6, unclassified = 7,
  cloud_medium_probability = 8, cloud_high_probability = 9, cirrus = 10, snow = 11,
}

local function named(where, known, name)
  if known[name] then return known[name] end
  local names = {}
  for each in pairs(known) do names[#names + 1] = each end
  table.sort(names)
  fail(("%s: no flag %s; there are: %s"):format(where, library.describe(name), table.concat(names, ", ")))
end

-- Of one name what `one` makes of it; of several the masks of all, any of which is enough.
local function any(where, known, one, names)
  if #names == 0 then fail(where .. ": names at least one flag") end
  local found
  for _, name in ipairs(names) do
    local flag = one(named(where, known, name))
    found = found and found | flag or flag
  end
  return found
end

local function bits(where, known, qa, names)
  if #names > 1 then
    for _, name in ipairs(names) do
      if #named(where, known, name) > 1 then
        fail(("%s: %s is a number from 0 to 3, not a mask; compare it by itself, as `:eq(3)` does"):format(where, name))
      end
    end
  end
  return any(where, known, function(range) return qa:bits(range[1], range[2]) end, names)
end

--- Flags of Landsat's QA_PIXEL (Collection 2): a mask that is 1 where one of the names holds, or the number of a field of two bits.
---
--- Names: `fill`, `dilated_cloud`, `cirrus` (Landsat 8 and 9), `cloud`, `cloud_shadow`, `snow`, `clear`, `water`; numbers from 0 (not
--- determined) over 1 (low) and 2 (medium) to 3 (high): `cloud_confidence`, `cloud_shadow_confidence`, `snow_confidence`,
--- `cirrus_confidence`.
---
--- **Errors.** A name that is not there; several names of which one is a number; bands that are not of integers.
---
--- **Nodata.** Masked pixels stay masked.
---
--- **Source.** USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide (LSDS-1619), table of QA_PIXEL.
---
--- ```lua
--- local raster, quality = require "raster", require "quality"
--- local qa = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 21824, 22280, 23888 } }, { dtype = "uint16" })
--- local clouds = quality.landsat(qa, "cloud", "cloud_shadow")
--- assert(clouds:read():sum() == 2 and (~clouds):read():get(0, 0) == 1)
--- assert(quality.landsat(qa, "cloud_confidence"):read():get(0, 1) == 3)
--- ```
---@param qa Raster
---@param ... string
---@return Raster
function M.landsat(qa, ...)
  return bits("quality.landsat", LANDSAT, qa, { ... })
end

--- Flags of Landsat's QA_RADSAT (Collection 2): a mask that is 1 where one of the names holds.
---
--- Names: `band_1` to `band_7` and `band_9` (saturated), `terrain_occlusion`.
---
--- **Errors.** A name that is not there; bands that are not of integers.
---
--- **Source.** USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide (LSDS-1619), table of QA_RADSAT.
---
--- ```lua
--- local raster, quality = require "raster", require "quality"
--- local qa = raster.from_table(raster.grid { rows = 1, cols = 2 }, { { 0, 8 } }, { dtype = "uint16" })
--- assert(quality.landsat_saturation(qa, "band_4"):read():get(0, 1) == 1)
--- ```
---@param qa Raster
---@param ... string
---@return Raster
function M.landsat_saturation(qa, ...)
  return bits("quality.landsat_saturation", LANDSAT_SATURATION, qa, { ... })
end

--- Flags of Sentinel-2's QA60: a mask that is 1 where one of the names holds: `opaque_cloud`, `cirrus`.
---
--- **Errors.** A name that is not there; bands that are not of integers.
---
--- **Source.** ESA, Sentinel-2 Products Specification Document; bits 10 and 11, as Earth Engine packs the cloud masks.
---
--- ```lua
--- local raster, quality = require "raster", require "quality"
--- local qa = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 0, 1024, 2048 } }, { dtype = "uint16" })
--- assert(quality.sentinel2(qa, "opaque_cloud", "cirrus"):read():sum() == 2)
--- ```
---@param qa60 Raster
---@param ... string
---@return Raster
function M.sentinel2(qa60, ...)
  return bits("quality.sentinel2", SENTINEL2, qa60, { ... })
end

--- Classes of Sentinel-2's scene classification (SCL, Level 2A): a mask that is 1 where the pixel is of one of the names.
---
--- Names: `no_data`, `saturated`, `dark`, `cloud_shadow`, `vegetation`, `bare`, `water`, `unclassified`,
--- `cloud_medium_probability`, `cloud_high_probability`, `cirrus`, `snow`.
---
--- **Errors.** A name that is not there.
---
--- **Source.** ESA, Sentinel-2 Level-2A Algorithm Theoretical Basis Document, scene classification.
---
--- ```lua
--- local raster, quality = require "raster", require "quality"
--- local scl = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 4, 8, 9 } }, { dtype = "uint8" })
--- local clouds = quality.scl(scl, "cloud_medium_probability", "cloud_high_probability")
--- assert(clouds:read():sum() == 2)
--- ```
---@param scl Raster
---@param ... string
---@return Raster
function M.scl(scl, ...)
  return any("quality.scl", SCL, function(class) return scl:eq(class) end, { ... })
end

return M
