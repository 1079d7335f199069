local catalog = require "catalog"

local function requests(options)
  return catalog.asf(options):request().requests
end

local function has(request, name, value)
  for _, pair in ipairs(request) do
    if pair[1] == name and pair[2] == value then return true end
  end
  return false
end

test("options become requests", function()
  local found = requests { platform = "ALOS", processingLevel = "RTC_HI_RES", beamMode = "FBD", relativeOrbit = { 215, "220-222" }, frame = 680 }
  assert(#found == 2)
  for _, request in ipairs(found) do
    assert(has(request, "shortName", "ALOS_PSR_RTC_HIGH") and has(request, "attribute[]", "string,BEAM_MODE,FBD"))
    assert(has(request, "attribute[]", "int,FRAME_NUMBER,680"))
  end
  assert(has(found[1], "attribute[]", "int,PATH_NUMBER,215") and has(found[2], "attribute[]", "int,PATH_NUMBER,220,222"))
end)

test("a level narrows the collections of a data set", function()
  -- As `get_keyword_short_names` of asf_search 14.1.0 does.
  local found = requests { dataset = "OPERA-S1", processingLevel = "RTC" }
  assert(#found == 1 and has(found[1], "shortName", "OPERA_L2_RTC-S1_V1"))
  for _, pair in ipairs(found[1]) do
    assert(pair[1] ~= "attribute[]" and (pair[1] ~= "shortName" or pair[2] == "OPERA_L2_RTC-S1_V1"), pair[2])
  end
  assert_error(function() catalog.asf { dataset = "SLC-BURST", processingLevel = "RTC" } end, "processingLevel must be one of SLC%-BURST: BURST, got `RTC`")
  assert_error(function() catalog.asf { dataset = "SENTINEL-2" } end, "no data set of ASF `SENTINEL%-2`; did you mean `SENTINEL%-1`")
end)

test("a date as an end means the whole day", function()
  local request = requests { platform = "ALOS", start = "2007-01-01", ["end"] = "2007-01-31" }[1]
  assert(has(request, "temporal", "2007-01-01T00:00:00Z,2007-01-31T23:59:59.999Z,"))
  request = requests { platform = "ALOS", start = "2007-01-01", ["end"] = "2007-01-31T06:00Z" }[1]
  assert(has(request, "temporal", "2007-01-01T00:00:00Z,2007-01-31T06:00:00Z,"))
end)

test("wrong options are named", function()
  assert_error(function() catalog.asf { plattform = "ALOS" } end, "unknown option `plattform`; did you mean `platform`")
  assert_error(function() catalog.asf { relativeOrbit = "x" } end, 'relativeOrbit must be a whole number, or a range such as "80%-90"')
  assert_error(function() catalog.asf { start = "2007-02-01", ["end"] = "2007-01-01" } end, "end must be a time after the start")
  assert_error(function() catalog.asf { intersectsWith = "POLYGON((0 0, 1 0, 1" } end, "intersectsWith: ")
  assert_error(function() catalog.asf { page = 5000 } end, "page must be an integer from 1 to 2000")
  assert_error(function() catalog.asf { url = "ftp://host" } end, "url must be a web address")
  assert_error(function() catalog.asf { season = { 0, 400 } } end, "season must be two days of the year")
end)

test("a search that is not asked says so", function()
  local text = tostring(catalog.asf { platform = "ALOS", url = "https://me:secret@host/granules?token=abc" })
  assert(text:find("not asked yet") and not text:find("secret") and not text:find("abc"), text)
end)

test("no server is an error, never an empty list", function()
  local search = catalog.asf { platform = "ALOS", url = "http://127.0.0.1:9/granules" }
  assert_error(function() search:all() end, "127%.0%.0%.1:9/granules: no connection")
  assert_error(function() for _ in search:items() do end end, "no connection")
  assert_error(function() catalog.snapshot("a.json", search) end, "no connection")
end)
