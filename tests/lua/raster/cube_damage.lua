-- A tour of cubes that are damaged, lie, or do not fit together: each is told with its place and the way out, and nothing is lost or made up.
local raster = require "raster"
local fs = require "fs"
local json = require "json"
local geometry = require "geometry"

-- A copy of a fixture, one array of it, which may be damaged: file by file, since a Zarr is a folder.
local function copied(zarr, array, to)
  local from = fixture "zarr" .. "/" .. zarr
  local function copy(inside)
    local folder = (to .. "/" .. inside):match "^(.*)/"
    if not fs.exists(folder) then fs.mkdir(folder) end
    pcall(fs.copy, from .. "/" .. inside, to .. "/" .. inside)
  end
  for _, name in ipairs { ".zgroup", ".zattrs", ".zmetadata", "zarr.json" } do copy(name) end
  for _, name in ipairs { array, "x", "y", "t", "mid_date", "mapping" } do
    for _, said in ipairs { ".zarray", ".zattrs", "zarr.json" } do copy(name .. "/" .. said) end
    for i = 0, 2 do
      if name ~= array then
        copy(name .. "/" .. i)
        copy(name .. "/c/" .. i)
      else
        for j = 0, 2 do
          for k = 0, 2 do
            copy(("%s/%d.%d.%d"):format(name, i, j, k))
            copy(("%s/c/%d/%d/%d"):format(name, i, j, k))
          end
        end
      end
    end
  end
  return to
end

local function read_all(path, variable)
  local count = 0
  for _, image in ipairs(raster.stack(path, { variables = variable })) do count = count + image:stats()[variable].count end
  return count
end

local CODECS = { "blosc_zlib", "blosc_lz4", "blosc_zstd", "blosc_blosclz", "zlib", "gzip", "zstd", "lz4" }

for _, codec in ipairs(CODECS) do
  test("a frame of " .. codec .. " that is cut short, empty, or of something else", function()
    local path = copied("codecs.zarr", codec, codec .. ".zarr")
    local file = path .. "/" .. codec .. "/0.0.0"
    local whole = fs.read(file)
    local sound = read_all(path, codec)
    assert(sound > 0)
    local damages = {
      half = whole:sub(1, #whole // 2),
      ["but one byte"] = whole:sub(1, -2),
      empty = "",
      ["one byte"] = whole:sub(1, 1),
      ["of ones"] = ("\255"):rep(#whole),
      ["of nothing"] = ("\0"):rep(#whole),
      ["with another head"] = ("\255"):rep(16) .. whole:sub(17),
      text = "<Error><Code>SlowDown</Code></Error>",
    }
    for what, bytes in pairs(damages) do
      fs.write(file, bytes)
      local message = assert_error(function() read_all(path, codec) end, codec .. "/0%.0%.0: the chunk %(0, 0, 0%) of " .. codec .. " cannot be decoded")
      assert(not message:find "panic", what .. ": " .. message)
      -- What is written of it is whole or not there.
      assert_error(function() raster.stack(path, { variables = codec }):mean():write "mean.tif" end, "cannot be decoded")
      assert(not fs.exists "mean.tif", what)
    end
    -- One that was never written is masked where nothing else is said.
    fs.remove(file)
    assert(read_all(path, codec) < sound)
    fs.write(file, whole)
    assert(read_all(path, codec) == sound)
  end)
end

test("a shard that is cut short, or whose index lies", function()
  local path = copied("sharded.zarr", "zstd", "sharded.zarr")
  local file = path .. "/zstd/c/0/0/0"
  local whole = fs.read(file)
  local sound = read_all(path, "zstd")
  for what, bytes in pairs {
    half = whole:sub(1, #whole // 2), short = whole:sub(1, 10), empty = "",
    ["index of ones but its sum"] = whole:sub(1, -20) .. ("\1"):rep(16) .. whole:sub(-3),
    ["sum"] = whole:sub(1, -2) .. string.char((whole:byte(-1) + 1) % 256),
  } do
    fs.write(file, bytes)
    local message = assert_error(function() read_all(path, "zstd") end, "zstd/c/0/0/0")
    assert(not message:find "panic", what .. ": " .. message)
  end
  fs.write(file, whole)
  assert(read_all(path, "zstd") == sound)
end)

-- What a Zarr of version 2 says of its one array.
local function saying(path, said)
  fs.mkdir(path .. "/v")
  fs.write(path .. "/.zgroup", '{"zarr_format": 2}')
  local array = { zarr_format = 2, shape = { 2, 2, 2 }, chunks = { 1, 2, 2 }, dtype = "<i2", compressor = json.null, fill_value = 0, order = "C", filters = json.null }
  for key, value in pairs(said) do array[key] = value end
  fs.write(path .. "/v/.zarray", json.encode(array))
  fs.write(path .. "/v/.zattrs", json.encode { _ARRAY_DIMENSIONS = { "time", "y", "x" } })
  return path
end

test("shapes, chunks and types that no file has are told before memory is taken", function()
  local n = 0
  local function refused(pattern, said)
    n = n + 1
    local path = saying("absurd" .. n .. ".zarr", said)
    local message = assert_error(function() raster.stack(path, { variables = "v" }):mean():stats() end, pattern)
    assert(message:find("absurd" .. n .. ".zarr", 1, true), message)
  end
  refused("a chunk of v .* needs %d+ MiB", { shape = { 200000, 200000, 2 }, chunks = { 200000, 200000, 1 } })
  refused("no list of whole numbers", { shape = { 2, 2, 2 }, chunks = { 0, 2, 2 } })
  refused("no list of whole numbers", { shape = { 2, -2, 2 } })
  refused("no list of whole numbers", { shape = { 2, 2.5, 2 } })
  refused("no list of whole numbers", { shape = "many" })
  refused("differ in length", { shape = { 2, 2, 2 }, chunks = { 2, 2 } })
  refused("more than can be counted", { shape = { 1 << 40, 1 << 40, 1 << 40 }, chunks = { 1, 1, 1 } })
  refused("more than can be counted", { shape = { 1 << 40, 2, 2 }, chunks = { 1 << 40, 1 << 40, 1 << 40 } })
  refused("the list of the %d+ images", { shape = { 1 << 40, 2, 2 }, chunks = { 1, 2, 2 } })
  refused("MiB", { dtype = "<f8", shape = { 2, 1 << 45, 1 }, chunks = { 1, 1 << 45, 1 } })
  refused("written by the codec lzma, which is not known here", { compressor = { id = "lzma" } })
  refused("written by the codec zfp, which is not known here", { filters = { { id = "zfp" } } })
end)

test("a bomb of zeros is no chunk", function()
  local path = saying("bomb.zarr", { compressor = { id = "zlib", level = 9 } })
  -- A megabyte of zeros, deflated by zlib, of which eight bytes are wanted.
  local bomb = "\x78\xda" .. "\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7\x4f\x6d\x0e\x37\xa0" .. ("\0"):rep(1000)
  fs.write(path .. "/v/0.0.0", bomb)
  assert_error(function() raster.stack(path, { variables = "v" })[1]:stats() end, "bomb.zarr/v/0.0.0: the chunk %(0, 0, 0%) of v cannot be decoded")
end)

test("files that count their days by different calendars are no one stack", function()
  local std, noleap = shared "awkward/std.nc", shared "awkward/noleap.nc"
  local message = assert_error(function() raster.stack { std, noleap } end, "count their days differently: .*std.nc by the calendar that of every day, .*noleap.nc by the calendar `noleap`")
  assert(message:find("make a stack of each kind", 1, true))
  local a, b = raster.stack(std), raster.stack(noleap)
  assert(b[1]:get "calendar" == "noleap" and a[1].properties.calendar == nil)
  -- Whoever knows better says so.
  assert(#raster.stack { a[1], b[1] } == 2 and #raster.stack { noleap, noleap } == 6)
end)

-- The coordinates of columns as they lie in the file, replaced by others.
local function with_columns(name, columns, others)
  local bytes = fs.read(name)
  local function doubles(list) return string.pack("<" .. ("d"):rep(#list), table.unpack(list)) end
  local from, to = bytes:find(doubles(columns), 1, true)
  assert(from, "the columns are doubles, one after the other")
  fs.write("changed.nc", bytes:sub(1, from - 1) .. doubles(others) .. bytes:sub(to + 1))
  return "changed.nc"
end

test("coordinates that run back and forth place no image", function()
  local grid = raster.grid { crs = 32633, origin = { 500000, 5000000 }, resolution = 10, rows = 6, cols = 8 }
  local image = raster.random(grid, { seed = 1 }):rename "v"
  raster.stack { image:set_time "2020-01-01", image:set_time "2020-02-01" }:write "sound.nc"
  local columns = {}
  for i = 1, 8 do columns[i] = 499995 + 10 * i end
  local function changed(i, v)
    local others = table.move(columns, 1, 8, 1, {})
    others[i] = v
    return with_columns("sound.nc", columns, others)
  end
  for _, case in ipairs {
    { 4, 500025, "500025%.?0* is followed by 500025%.?0* %(steps 3 and 4 of 8%)" },
    { 3, 500036, "500036%.?0* is followed by 500035%.?0* %(steps 3 and 4 of 8%)" },
    { 6, 0 / 0, "500045%.?0* is followed by [Nn]a[Nn] %(steps 5 and 6 of 8%)" },
    { 2, 9.969209968386869e36, "is followed by 500025%.?0* %(steps 2 and 3 of 8%)" },
  } do
    local path = changed(case[1], case[2])
    local message = assert_error(function() return raster.stack(path) end, "the coordinates of its axis x neither rise nor fall all along: .*" .. case[3])
    assert(message:find("grid = raster.grid", 1, true), message)
    assert_error(function() return raster.open(path) end, "neither rise nor fall")
    -- Whoever knows better says so.
    local told = raster.open(path, { grid = grid })
    assert(told.grid == grid and told:stats()[told.bands[1]].count == 48)
  end
  -- Steps that differ are uneven, not wrong.
  assert(raster.open(changed(8, 500200)).grid.crs ~= nil)
end)

test("longitudes go on across the antimeridian", function()
  local degrees = raster.grid { crs = 4326, origin = { 176, 10 }, resolution = 1, rows = 6, cols = 8 }
  local image = raster.random(degrees, { seed = 1 }):rename "v"
  raster.stack { image:set_time "2020-01-01", image:set_time "2020-02-01" }:write "sound.nc"
  local columns, wrapped = {}, {}
  for i = 1, 8 do
    columns[i] = 175.5 + i
    wrapped[i] = columns[i] > 180 and columns[i] - 360 or columns[i]
  end
  local path = with_columns("sound.nc", columns, wrapped)
  local found = raster.stack(path)[1]
  local west = raster.grid { crs = 4326, origin = { 176 - 360, 10 }, resolution = 1, rows = 6, cols = 8 }
  assert(found.grid == degrees or found.grid == west, tostring(found.grid))
  local a, b = found:read(), image:read()
  for row = 0, 5 do for col = 0, 7 do assert_close(a:get(row, col), b:get(row, col), 1e-6) end end
end)

test("files without times are one image each, which no cube is made of", function()
  local grid = raster.grid { crs = 32633, origin = { 500000, 5000000 }, resolution = 10, rows = 3, cols = 4 }
  raster.write_netcdf("still.nc", { { image = raster.constant(grid, 1):rename "v" } })
  local stack = raster.stack "still.nc"
  assert(#stack == 1 and stack[1].time == nil)
  for _, path in ipairs { "cube.nc", "cube.zarr" } do
    assert_error(function() stack:write(path) end, "image 1 has no time")
    assert(not fs.exists(path))
  end
  assert_error(function() stack:resample("month", "mean") end, "image 1 has no time")
end)

test("points and polygons beside the data", function()
  local path = fixture "zarr/codecs.zarr"
  local stack = raster.stack(path, { variables = "zlib" })
  assert_error(function() return stack:sample { { 0, 0 } } end, "at least one of them in the image %(x %-140060..%-138860")
  local rows = stack:sample { { 0, 0 }, { -140000, -2300000 } }
  assert(#rows == 12)
  for _, row in ipairs(rows) do assert(row.x ~= 0 or row.zlib == nil) end
  local beside = geometry.bbox(0, 0, 1000, 1000, "EPSG:3031")
  assert_error(function() return stack[1]:clip(beside) end, "overlap")
end)
