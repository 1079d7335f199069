-- What ids of scenes tell, and names of granules made of them.
local time = require "time"

local M = {}

function M.granule_name(reference, secondary, spacing, percent)
  return ("%s_X_%s_G%04dV02_P%03d.nc"):format(reference, secondary, math.floor(spacing + 0.5), math.floor(percent))
end

function M.scene(id)
  local sensor, satellite, level, path, row, date, processed, number, category =
    id:match "^L(%a)(%d%d)_(%w+)_(%d%d%d)(%d%d%d)_(%d%d%d%d%d%d%d%d)_(%d%d%d%d%d%d%d%d)_(%d%d)_(%w+)"
  if not sensor then return { id = id } end
  return {
    id = id, mission = "L", sensor = sensor, satellite = tostring(tonumber(satellite)), correction_level = level,
    path = tonumber(path) * 1.0, row = tonumber(row) * 1.0, date = time.parse(date), processing_date = processed,
    collection_number = tonumber(number) * 1.0, collection_category = category,
  }
end

return M
