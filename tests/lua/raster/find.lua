local raster = require "raster"

local grid = raster.grid { rows = 1, cols = 1 }
local function make(name) raster.constant(grid, 1):write(name) end

test("rasters are found in folders below, in order, named from the folder as it was written", function()
  make "b.tif"
  make "a.TIF"
  make "notes.png"
  local found = raster.find(".")
  assert(#found == 3 and found[1] == "./a.TIF" and found[2] == "./b.tif" and found[3] == "./notes.png", table.concat(found, " "))
  local tif = raster.find(folder, { extensions = { ".tif" } })
  assert(#tif == 2 and tif[1] == folder .. "/a.TIF", table.concat(tif, " "))
  assert(#raster.find(".", { pattern = "{name}.tif" }) == 1)
end)

test("real folders are searched in depth unless asked otherwise", function()
  local path = shared "sentinel1/opera_rtc_10SGD_T137/raw"
  assert(#raster.find(path) == 126)
  assert(#raster.find(path, { recursive = false }) == 0)
  local vv = raster.find(path, { pattern = "OPERA_*_S1B_*_VV.tif" })
  assert(#vv == 9, #vv)
end)

test("what is no folder is named", function()
  assert_error(function() raster.find "nowhere" end, "raster%.find: nowhere: no such folder %(looked in .*%)")
  make "file.tif"
  assert_error(function() raster.find "file.tif" end, "raster%.find: file%.tif: is a file, not a folder")
  assert_error(function() raster.find(".", { extension = "tif" }) end, "unknown option `extension`; did you mean `extensions`")
  assert_error(function() raster.find(".", { pattern = "{x" }) end, "a `{` is not closed")
end)

test("names give up their parts", function()
  local parts = raster.match_name("data/S1A_VV_20200103.tif", "{platform}_{polarisation}_{date:yyyymmdd}.tif")
  assert(parts.platform == "S1A" and parts.polarisation == "VV" and parts.date == "20200103")
  assert(parts.time == "2020-01-03", parts.time)
  assert(raster.match_name("other.tif", "{platform}_{date:yyyymmdd}.tif") == nil)
  local timed = raster.match_name("x_20200103T162408.tif", "*_{start:yyyymmddThhmmss}.tif")
  assert(timed.time == "2020-01-03T16:24:08Z")
end)
