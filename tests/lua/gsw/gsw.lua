local raster, gsw = require "raster", require "gsw"

local function layer(name)
  return raster.open(shared("labels/jrc_gsw/" .. name .. "-0000360000-0000480000.tif")):rename "codes"
end

local function counted(labels)
  local stats = labels:cast("float32"):stats().labels
  return stats.count, stats.count > 0 and math.floor(stats.mean * stats.count + 0.5) or 0
end

-- Counts of codes by numpy.unique of the files.
test("labels of the layers of one place are those of its codes", function()
  local known, water = counted(gsw.labels(layer "Aggregated_extent_extent", "extent"))
  assert(known == 16384 and water == 13979)
  known, water = counted(gsw.labels(layer "Aggregated_occurrence_occurrence", "occurrence"))
  assert(known == 16384 and water == 13516)
  -- What has water in the last year has it for a month or more: two layers say the same.
  local _, by_months = counted(gsw.labels(layer "Aggregated_seasonality_seasonality", "seasonality"))
  local _, by_transitions = counted(gsw.labels(layer "Aggregated_transitions_transitions", "transitions"))
  assert(by_months == 16384 - 2593 and by_transitions == by_months)
  known, water = counted(gsw.labels(layer "MonthlyHistory_1984_1984_04_1984_04", "monthly_history"))
  assert(known == 16384 - 1282 and water == 27)
  known, water = counted(gsw.labels(layer "YearlyClassification_yearlyClassification1984_yearlyClassification1984", "yearly_classification"))
  assert(known == 16384 - 2431 and water == 27)
end)

test("a layer without a rule is refused", function()
  local codes = raster.constant(raster.grid { rows = 1, cols = 1 }, 0)
  assert_error(function() gsw.labels(codes, "change") end, 'gsw%.lua:%d+: gsw%.labels: no rule says what of "change" %(string%) is water; it is one of: extent, ')
end)
