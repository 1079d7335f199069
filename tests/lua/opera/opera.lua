local raster, opera, fs = require "raster", require "opera", require "fs"

local BURST = "/metadata/processing_information/input_burst_metadata/"
local grid = raster.grid { rows = 4, cols = 6 }

-- A product with the least that one must have; `change` adds to it, or takes away with false.
local place = "."
local function write(path, change)
  local contents = {
    ["/data/VV"] = raster.complex(raster.random(grid), raster.random(grid, { seed = 2 })),
    ["/data/x_coordinates"] = { 2.5, 7.5, 12.5, 17.5, 22.5, 27.5 }, ["/data/y_coordinates"] = { 95, 85, 75, 65 },
    ["/data/projection"] = 32611, ["/identification/burst_id"] = "t064_135523_iw2",
    [BURST .. "sensing_start"] = "2022-12-28 16:16:51.013157",
  }
  for name, value in pairs(change or {}) do contents[name] = value or nil end
  return raster.write_hdf5(place .. "/" .. path, contents)
end

local real = "slc/OPERA_L2_CSLC-S1_T087-185683-IW2_20221228T161651Z_20240504T181714Z_S1A_VV_v1.1.h5"

test("a released product tells all about itself", function()
  local said = opera.metadata(shared(real))
  assert(said.layout == "released" and said.burst == "t087_185683_iw2" and said.date == "20221228")
  assert(said.sensing_start == "2022-12-28T16:16:51.013157Z" and said.sensing_stop == "2022-12-28T16:16:54.098547Z")
  assert(said.pass == "DESCENDING" and said.look == "RIGHT" and said.platform == "S1A" and said.track == 87)
  assert(said.absolute_orbit == 46534 and said.epsg == 32605 and said.x_spacing == 5 and said.y_spacing == -10)
  assert_close(said.wavelength, 0.05546576)
  -- h5py: x_coordinates[0] = 157322.5, y_coordinates[0] = 2172295, 4917 × 20622: centres of pixels.
  assert(said.grid.rows == 4917 and said.grid.cols == 20622)
  assert_close(said.grid.bounds[1], 157320)
  assert_close(said.grid.bounds[4], 2172300)
  assert_close(said.grid.bounds[2], 2172300 - 49170)
end)

test("a released product opens as a complex image on its grid", function()
  local slc = opera.open(shared(real))
  assert(slc.dtypes.VV == "complex64" and slc.grid.crs == "EPSG:32605" and slc.time == "2022-12-28T16:16:51.013157Z")
  assert(slc.relative_orbit == 87 and slc.burst == "t087_185683_iw2")
  local west, south, east, north = table.unpack(opera.outline(slc):bounds())
  assert_close(west, -156.2107284005985, 1e-9)
  assert_close(north, 19.56328715962459, 1e-9)
  -- The burst's outline lies inside its grid.
  local b = slc.grid:bounds_in "EPSG:4326"
  assert(b[1] <= west and b[2] <= south and b[3] >= east and b[4] >= north)
  assert_error(function() opera.open(shared(real), { polarisation = "VH" }) end, "has no polarisation VH; it has VV")
  assert(table.concat(opera.open_static(shared(real)).bands, " ") == "azimuth_carrier_phase flattening_phase")
end)

test("a truncated file says so", function()
  place = "cut"
  fs.mkdir(place)
  local bytes = fs.read(write "whole.h5")
  fs.write("cut/cut.h5", bytes:sub(1, #bytes // 2))
  for _, read in ipairs { opera.open, opera.metadata, opera.open_static } do
    assert_error(function() read "cut/cut.h5" end, "cut.h5: is truncated: " .. #bytes // 2 .. " bytes of the " .. #bytes)
  end
  assert_error(function() opera.open_stack "cut" end, "is truncated")
end)

test("what is no product, or lacks something, is told", function()
  place = "."
  raster.write_hdf5("other.h5", { ["/a"] = 1 })
  assert_error(function() opera.open "other.h5" end, "opera%.lua:%d+: opera.open: other.h5 is no CSLC product")
  write("a.h5", { ["/data/projection"] = false })
  assert_error(function() opera.open "a.h5" end, "the product has no /data/projection")
  write("a.h5", { ["/data/x_coordinates"] = { 2.5, 7.5, 12.5, 17.5, 22.5, 29 } })
  assert_error(function() opera.open "a.h5" end, "x_coordinates is not evenly spaced")
  write("a.h5", { ["/data/VV"] = raster.random(grid) })
  assert_error(function() opera.open "a.h5" end, "VV of a.h5 is float32, not complex")
  write("a.h5", { ["/data/y_coordinates"] = { 95, 85, 75 } })
  assert_error(function() opera.open "a.h5" end, "grid must be a grid of 4 × 6")
  assert_error(function() opera.open("a.h5", { polarization = "VV" }) end, "unknown option `polarization`; did you mean `polarisation`")
  assert_error(function() opera.open_static(write "b.h5") end, "has no real layer of 4 × 6")
end)

test("a folder becomes a stack of one burst", function()
  place = "stack"
  fs.mkdir "stack/t064_135523_iw2/20230109"
  write("t064_135523_iw2/20230109/t064_135523_iw2_20230109.h5", { [BURST .. "sensing_start"] = "2023-01-09 16:16:50" })
  write "t064_135523_iw2_20221228.h5"
  local stack = opera.open_stack "stack"
  assert(#stack == 2 and stack[1].date == "20221228" and stack[2].date == "20230109")
  assert(#opera.open_stack("stack", { start = "2023-01-01" }) == 1)
  assert_error(function() opera.open_stack("stack", { start = "2024-01-01" }) end, "none of the 2 dates .* 20221228 to 20230109")
  write("t064_135524_iw2_20221228.h5", { ["/identification/burst_id"] = "t064_135524_iw2" })
  assert_error(function() opera.open_stack "stack" end, "several bursts.*t064_135523_iw2, t064_135524_iw2")
  assert(#opera.open_stack("stack", { burst = "T064-135523-IW2" }) == 2)
  assert_error(function() opera.open_stack("stack", { burst = "t001_000001_iw1" }) end,
    "no CSLC product of burst t001_000001_iw1 in stack; there are those of t064_135523_iw2, t064_135524_iw2")
end)

test("dates doubled, missing or of another grid are told", function()
  place = "doubles"
  fs.mkdir(place)
  write "t064_135523_iw2_20221228.h5"
  write("t064_135523_iw2_20221228_b.h5", { ["/identification/processing_date_time"] = "2024-01-01 00:00:00" })
  assert_error(function() opera.open_stack "doubles" end, "are both of 20221228, and do not tell which was processed later")
  write("t064_135523_iw2_20221228.h5", { ["/identification/processing_date_time"] = "2025-01-01 00:00:00" })
  local stack = opera.open_stack "doubles"
  assert(#stack == 1 and stack[1].path == "doubles/t064_135523_iw2_20221228.h5", stack[1].path)
  write("t064_135523_iw2_20221228_b.h5", { [BURST .. "sensing_start"] = false })
  assert_error(function() opera.open_stack "doubles" end, "_b.h5 has no sensing_start")
  write("t064_135523_iw2_20221228_b.h5",
    { [BURST .. "sensing_start"] = "2023-01-09 16:16:50", ["/data/y_coordinates"] = { 195, 185, 175, 165 } })
  assert_error(function() opera.open_stack "doubles" end, "lie on different grids")
  fs.mkdir "empty"
  assert_error(function() opera.open_stack "empty" end, "no CSLC product in empty")
end)
