local raster = require "raster"

test("what is written is read back", function()
  local grid = raster.grid { rows = 70, cols = 50 }
  local real, imaginary = raster.random(grid, { distribution = "normal" }), raster.random(grid, { seed = 2 })
  raster.write_hdf5("a.h5", {
    ["/data/VV"] = raster.complex(real, imaginary),
    ["/data/height"] = real:cast "float64",
    ["/data/mask"] = real:gt(0):cast "float32",
    ["/data/x"] = { 0.5, 1.5, 2.5 }, ["/data/shape"] = { 3, 4 }, ["/data/projection"] = 32611, ["/data/spacing"] = -10.5,
    ["/about/name"] = "t064_135523_iw2", ["/about/names"] = { "VV", "VHX" }, ["/about/good"] = true, ["/about/empty"] = "",
    ["/about/deep/er/umlaut"] = "Größe",
  }, { chunk = { 32, 16 } })
  local found = raster.read_array("a.h5", {
    "/data/x", "/data/shape", "/data/projection", "/data/spacing", "/about/name", "/about/names", "/about/empty",
    "/about/deep/er/umlaut", "/nothing", "/about/none", "/none/none",
  })
  assert(#found["/data/x"] == 3 and found["/data/x"][3] == 2.5)
  assert(math.type(found["/data/shape"][2]) == "integer" and found["/data/shape"][2] == 4)
  assert(found["/data/projection"] == 32611 and found["/data/spacing"] == -10.5)
  assert(found["/about/name"] == "t064_135523_iw2" and found["/about/empty"] == "" and found["/about/deep/er/umlaut"] == "Größe")
  assert(found["/about/names"][1] == "VV" and found["/about/names"][2] == "VHX")
  assert(found["/nothing"] == nil and found["/about/none"] == nil and found["/none/none"] == nil)

  local slc = raster.open("a.h5", { subdataset = "/data/VV" })
  assert(slc.dtypes.VV == "complex64" and slc.rows == 70 and slc.cols == 50)
  assert((slc:real() - real):abs():stats().VV.max == 0 and (slc:imag() - imaginary):abs():stats().VV.max == 0)
  local height = raster.open("a.h5", { subdataset = "data/height" })
  assert(height.dtypes.height == "float64" and (height - real):abs():stats().height.max == 0)
end)

test("uncompressed, and in one chunk, the pixels are the same", function()
  local image = raster.random(raster.grid { rows = 33, cols = 129 })
  for i, options in ipairs { { compress = "none" }, { chunk = { 500, 500 } }, { level = 9, chunk = { 1, 129 } } } do
    local path = raster.write_hdf5("b" .. i .. ".h5", { ["/image"] = image }, options)
    local back = raster.open(path, { subdataset = "/image" })
    assert((back - image):abs():stats().image.max == 0)
  end
end)

test("masked pixels come back masked", function()
  local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1, false, 3 } })
  raster.write_hdf5("m.h5", { ["/image"] = image })
  assert(raster.open("m.h5", { subdataset = "/image" }):stats().image.count == 2)
end)

test("arrays are listed with shape and type", function()
  local grid = raster.grid { rows = 4, cols = 5 }
  raster.write_hdf5("l.h5", { ["/data/VV"] = raster.complex(raster.constant(grid, 1), raster.constant(grid, 2)), ["/n"] = 3 })
  local by_name = {}
  for _, array in ipairs(raster.arrays("l.h5")) do by_name[array.name] = array end
  assert(by_name["/data/VV"].dtype == "complex64" and by_name["/data/VV"].shape[1] == 4 and by_name["/data/VV"].shape[2] == 5)
  assert(by_name["/n"].dtype == "int64" and #by_name["/n"].shape == 0)
end)

test("arrays of more dimensions are lists of lists", function()
  local value = raster.read_array(shared "slc/isce3_real/REE_RSLC_out17.h5",
    "/science/LSAR/SLC/metadata/geolocationGrid/coordinateX")
  assert(#value == 20 and #value[1] == 2 and #value[20][2] == 2 and math.type(value[1][1][1]) == "float")
end)

test("wrong names, files and contents are told", function()
  raster.write_hdf5("w.h5", { ["/data/spacing"] = 5 })
  assert_error(function() raster.read_array("w.h5", "/data/spacings") end, "no array `/data/spacings`.*`/data/spacing`")
  assert_error(function() raster.read_array("none.h5", "/a") end, "no such file: none.h5")
  assert_error(function() raster.arrays("none.h5") end, "no such file: none.h5")
  local grid = raster.grid { rows = 2, cols = 2 }
  local two = raster.constant(grid, 1):add_bands(raster.constant(grid, 2):rename "b")
  assert_error(function() raster.write_hdf5("x.h5", { ["/a"] = two }) end, "band")
  assert_error(function() raster.write_hdf5("x.h5", { ["/a"] = raster.constant(grid, 1):cast "int16" }) end,
    "float32, float64 or complex64; change it with :cast")
  assert_error(function() raster.write_hdf5("x.h5", { ["/a//b"] = 1 }) end, "full name such as")
  assert_error(function() raster.write_hdf5("x.h5", { ["/a"] = { 1, "b" } }) end, "must be a number, a string")
  assert_error(function() raster.write_hdf5("x.h5", { ["/a"] = 1, ["/a/b"] = 1 }) end, "x.h5")
  assert_error(function() raster.write_hdf5("x.h5", { ["/a"] = 1 }, { chunk = { 0, 4 } }) end, "chunk%[1%] must be")
  assert_error(function() raster.write_hdf5("x.h5", { ["/a"] = 1 }, { attributes = { ["/b"] = { c = "d" } } }) end, "no dataset `b`")
  -- Nothing is left of what failed.
  assert(not require("fs").exists "x.h5")
  raster.write_hdf5("c.h5", { ["/z"] = raster.complex(raster.constant(grid, 1), raster.constant(grid, 2)) })
  assert_error(function() raster.read_array("c.h5", "/z") end, "complex64, which cannot be read as numbers.*subdataset")
end)

test("a grid can be given to files that carry none", function()
  local pixels = raster.grid { rows = 2, cols = 3 }
  raster.write_hdf5("g.h5", { ["/image"] = raster.constant(pixels, 1) })
  local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3800000 }, resolution = { 5, 10 }, rows = 2, cols = 3 }
  assert(raster.open("g.h5", { subdataset = "/image", grid = grid }).grid == grid)
  local other = raster.grid { rows = 3, cols = 3 }
  assert_error(function() raster.open("g.h5", { subdataset = "/image", grid = other }) end, "grid must be a grid of 2 × 3")
end)

test("attributes are read by the names of their arrays, those without dimensions too", function()
  local grid = raster.grid { crs = 32633, origin = { 500000, 5000000 }, resolution = 10, rows = 3, cols = 4 }
  raster.write_netcdf("attributes.nc", {
    { name = "v", image = raster.constant(grid, 3), dtype = "int16", fill = -1, attributes = { units = "m/yr", error = 2.5, count = 7 } },
  }, { attributes = { title = "here" }, records = { { name = "pair", attributes = { days = 16.0, first = "20150101" } } } })
  local names = { "#title", "/v#units", "v#error", "/v#count", "/pair#days", "/pair#first", "/pair#none", "/none#none", "/none/v#units", "#none" }
  local found = raster.read_attribute("attributes.nc", names)
  assert(found["#title"] == "here" and found["/v#units"] == "m/yr" and found["v#error"] == 2.5 and found["/v#count"] == 7)
  assert(found["/pair#days"] == 16 and found["/pair#first"] == "20150101")
  for i = 7, 10 do assert(found[names[i]] == nil, names[i]) end
  assert(raster.read_attribute("attributes.nc", "/v#error") == 2.5)
  assert_error(function() raster.read_attribute("attributes.nc", "/v#nothing") end, "has no attribute /v#nothing")
  assert_error(function() raster.read_attribute("attributes.nc", "v") end, "an array's name, `#` and an attribute's")
  assert_error(function() raster.read_attribute("missing.nc", "#title") end, "missing.nc")
end)
