-- Zarrs of versions 2 and 3 that zarr-python and xarray have written, and what xarray reads of them: tests/reference/zarrs.py makes both.
local raster = require "raster"
local fs = require "fs"
local json = require "json"
local tables = require "tables"

local folder = fixture "zarr" .. "/"

-- Values of `image` against a row of numbers, row 0 in the north.
local function assert_values(image, numbers, what)
  local array = image:read()
  local i = 0
  for r = 0, image.rows - 1 do
    for c = 0, image.cols - 1 do
      i = i + 1
      local want, got = tonumber(numbers[i]), array:get(r, c)
      local same = numbers[i] == "nan" and got ~= got or got == want
      assert(same, ("%s: %s in place of %s at (%d, %d)"):format(what, got, numbers[i], r, c))
    end
  end
  assert(i == #numbers, what)
end

for _, version in ipairs { 2, 3 } do
  test("every variable that xarray reads of version " .. version, function()
    local met = {}
    local expected = tables.read(folder .. "expected" .. version .. ".csv")
    for i = 1, #expected do
      local row = expected[i]
      local words = {}
      for word in row.numbers:gmatch "%S+" do words[#words + 1] = word end
      local zarr, variable, step, time = row.zarr, row.variable, row.step, (tostring(row.time):gsub("Z$", ""))
      local key = zarr .. " " .. variable
      met[key] = met[key] or raster.stack(folder .. zarr, { variables = variable })
      local image = met[key][tonumber(step)]
      assert(#image.bands == 1 and image.bands[1] == variable:match "[^/]+$", key)
      if time:find "T" then
        assert(image.time .. "T00:00:00" == time or (image.time:gsub("Z$", "")) == time, key .. ": " .. image.time .. " for " .. time)
      end
      assert_values(image, words, key .. " " .. step)
    end
    local count = 0
    for _, stack in pairs(met) do
      assert(#stack == 6)
      count = count + 1
    end
    assert(count == (version == 2 and 14 or 7), count)
  end)
end

test("where the pixels lie, and in what", function()
  local image = raster.stack(folder .. "codecs.zarr", { variables = "zlib" })[1]
  local bounds = image.grid.bounds
  assert(image.grid.crs:find "3031", image.grid.crs)
  assert(bounds[1] == -140060 and bounds[4] == -2299940 and bounds[3] == -138860 and bounds[2] == -2300780)
  assert(image.units.zlib == "meter/year" and image.dtypes.zlib == "int16")
  assert(raster.stack(folder .. "codecs.zarr", { variables = "filtered" })[1].dtypes.filtered == "float32")
  -- Rows that run north are turned.
  local up = raster.stack(folder .. "plain.zarr", { variables = "inner/big" })
  assert(up[1].grid.transform[6] == -120 and up[1].grid.bounds[4] == -2299940)
  -- Without leap days, day 60 of the year is in March; 30 days later the year goes on.
  assert(up[1].time == "2001-01-01" and up[3].time == "2001-03-02" and up[6].time == "2001-05-31", up[3].time)
end)

test("several variables are bands of one image, by default all with a time", function()
  local stack = raster.stack(folder .. "xarray.zarr")
  assert(#stack == 6 and table.concat(stack[1].bands, " ") == "n v", table.concat(stack[1].bands, " "))
  local two = raster.stack(folder .. "codecs.zarr", { variables = { "zlib", "gzip" } })
  assert(table.concat(two[6].bands, " ") == "zlib gzip" and two[6].time == two[1].time == false)
  assert_error(function() raster.stack(folder .. "codecs.zarr", { variables = "zlob" }) end, "no subdataset `zlob`; did you mean `zlib`")
  assert_error(function() raster.stack(folder .. "codecs.zarr", { variables = "zlib", subdataset = "gzip" }) end, "either by variables or by subdataset")
end)

test("an array opens as an image of all of its steps", function()
  local image = raster.open(folder .. "codecs.zarr", { subdataset = "zlib", bands = { 2, "b5" } })
  local stack = raster.stack(folder .. "codecs.zarr", { variables = "zlib" })
  assert(table.concat(image.bands, " ") == "b2 b5")
  assert(image.b5:read():get(2, 3) == stack[5]:read():get(2, 3))
  assert_error(function() raster.open(folder .. "codecs.zarr") end, "name one with { subdataset =")
end)

test("attributes of arrays and of the whole", function()
  local found = raster.read_attribute(folder .. "codecs.zarr", { "/zlib#units", "/zlib#missing_value", "#title", "/zlib#none", "/nowhere#units", "/mapping#spatial_epsg" })
  assert(found["/zlib#units"] == "meter/year" and found["/zlib#missing_value"] == -32767 and found["#title"] == "made by tests/reference/zarrs.py")
  assert(found["/mapping#spatial_epsg"] == 3031 and found["/zlib#none"] == nil and found["/nowhere#units"] == nil)
  assert(raster.read_attribute(folder .. "sharded.zarr", "/zstd#scale_factor") == 0.25)
end)

test("points over time", function()
  local stack = raster.stack(folder .. "codecs.zarr", { variables = { "zlib", "filtered" } })
  local rows = stack:sample { { -140000 + 3 * 120, -2300000 - 2 * 120 } }
  assert(#rows == 6)
  for i, row in ipairs(rows) do
    local array = stack[i].zlib:read():get(2, 3)
    assert(array ~= array and row.zlib == nil or row.zlib == array, i)
    assert(row.zlib == nil and row.filtered == nil or row.filtered == row.zlib * 0.5 + 10)
  end
end)

test("what a Zarr holds, and text that is asked for", function()
  local names = {}
  for _, array in ipairs(raster.arrays(folder .. "codecs.zarr")) do names[array.name] = array end
  assert(names["/granule_url"].dtype == "string" and names["/zlib"].dtype == "int16" and names["/x"].shape[1] == 10)
  local days = raster.read_array(folder .. "codecs.zarr", "/mid_date")
  assert(#days == 6 and days[2] == 18274.5)
  local cube = raster.read_array(folder .. "plain.zarr", "/inner/fortran")
  assert(#cube == 6 and #cube[1] == 7 and #cube[1][1] == 10)
  assert(cube[6][1][1] == -32767)
  local times = raster.read_array(folder .. "sharded.zarr", "/t")
  assert(times[2] - times[1] == 12 * 86400)
end)

-- A Zarr of version 2 that is written here.
local function made(path, array, attributes, axes)
  fs.mkdir(path .. "/v")
  fs.write(path .. "/.zgroup", '{"zarr_format": 2}')
  local zarray = { zarr_format = 2, shape = { 2, 2 }, chunks = { 2, 2 }, dtype = "<i2", compressor = json.null, fill_value = json.null, order = "C", filters = json.null }
  for key, value in pairs(array or {}) do zarray[key] = value end
  fs.write(path .. "/v/.zarray", json.encode(zarray))
  local zattrs = { _ARRAY_DIMENSIONS = { "y", "x" } }
  for key, value in pairs(attributes or {}) do zattrs[key] = value end
  fs.write(path .. "/v/.zattrs", json.encode(zattrs))
  fs.write(path .. "/v/0.0", string.pack("<i2i2i2i2", 1, 2, 3, 4))
  for name, values in pairs(axes or {}) do
    fs.mkdir(path .. "/" .. name)
    fs.write(path .. "/" .. name .. "/.zarray", json.encode { zarr_format = 2, shape = { #values }, chunks = { 9 }, dtype = "<f8", compressor = json.null, fill_value = json.null, order = "C", filters = json.null })
    fs.write(path .. "/" .. name .. "/.zattrs", json.encode { _ARRAY_DIMENSIONS = { name } })
    fs.write(path .. "/" .. name .. "/0", string.pack(("<" .. ("d"):rep(9)), table.unpack(table.move({ 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 1, 9 - #values, #values + 1, { table.unpack(values) }))))
  end
  return path
end

test("what is damaged or not known is said with its place", function()
  made "good.zarr"
  assert(raster.open("good.zarr"):read():get(1, 0) == 3)
  fs.write("good.zarr/v/0.0", "abc")
  assert_error(function() raster.open("good.zarr"):read() end, "good.zarr/v/0%.0: the chunk %(0, 0%) of v cannot be decoded: it holds 3 bytes in place of 8")
  assert_error(function() raster.open(made("codec.zarr", { compressor = { id = "lzma" } })) end, "v is written by the codec lzma, which is not known here")
  assert_error(function() raster.open(made("huge.zarr", { shape = { 200000, 200000 }, chunks = { 200000, 200000 } })) end, "a chunk of v .* needs %d+ MiB")
  assert_error(function() raster.open(made("odd.zarr", nil, nil, { y = { 2, 1 }, x = { 1, 1 } })) end, "axis x neither rise nor fall all the way: 1 comes after 1 at step 2")
  assert_error(function() raster.open(made("type.zarr", { dtype = "|O" })) end, "has no image bands")
  fs.write("good.zarr/v/.zarray", "{")
  assert_error(function() raster.open("good.zarr", { subdataset = "v" }) end, "v/.zarray is no JSON")
  made("filled.zarr", { shape = { 2, 4 }, fill_value = 9 })
  local array = raster.open("filled.zarr"):read()
  assert(array:get(0, 1) == 2 and array:get(0, 2) ~= array:get(0, 2))
  local zeros = made("zeros.zarr", { shape = { 2, 4 } })
  local image = raster.open(zeros):read()
  assert(image:get(1, 1) == 4 and image:get(1, 2) ~= image:get(1, 2))
end)

-- A cube of two steps, 1 × 2 pixels, whose time axis has this name and these attributes.
local function cube(path, name, axis, attributes)
  local function array(of, shape, axes, said, values)
    fs.mkdir(path .. "/" .. of)
    fs.write(path .. "/" .. of .. "/.zarray", json.encode { zarr_format = 2, shape = shape, chunks = shape, dtype = "<f8", compressor = json.null, fill_value = json.null, order = "C", filters = json.null })
    said._ARRAY_DIMENSIONS = axes
    fs.write(path .. "/" .. of .. "/.zattrs", json.encode(said))
    fs.write(path .. "/" .. of .. "/" .. (#shape == 1 and "0" or "0.0.0"), string.pack("<" .. ("d"):rep(#values), table.unpack(values)))
  end
  fs.mkdir(path)
  fs.write(path .. "/.zgroup", '{"zarr_format": 2}')
  array(name, { 2, 1, 2 }, { axis, "y", "x" }, {}, { 1, 2, 3, 4 })
  array(axis, { 2 }, { axis }, attributes, { 100, 500 })
  array("x", { 2 }, { "x" }, {}, { 5, 15 })
end

test("variables of other times are no images together", function()
  cube("mixed.zarr", "v", "time", { units = "days since 2000-01-01", calendar = "noleap" })
  cube("mixed.zarr", "w", "t", { units = "days since 2000-01-01", calendar = "standard" })
  assert(#raster.stack("mixed.zarr", { variables = "v" }) == 2)
  assert_error(function() raster.stack "mixed.zarr" end, "its images have different times: 2 steps of")
  cube("months.zarr", "v", "time", { units = "months since 2000-01-01" })
  assert_error(function() raster.stack "months.zarr" end, "the times of its axis time cannot be told")
end)

test("an image of a Zarr goes into a graph and comes back", function()
  local image = raster.stack(folder .. "sharded.zarr", { variables = "zstd" })[3]
  local again = raster.from_json((image * 2):to_json())
  for r = 0, 6 do
    local a, b = image:read():get(r, r), again:read():get(r, r)
    assert(a ~= a and b ~= b or b == 2 * a)
  end
end)
