-- Every operation, as data and back. Prints the names of those that were met.
local raster, filter, correlation, geometry = require "raster", require "filter", require "correlation", require "geometry"
local json, fs = require "json", require "fs"
local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
local function random(seed, distribution) return raster.random(grid, { seed = seed, distribution = distribution }):rename "v" end
local a, b = random(1) - 0.3, random(2) - 0.4
local power = random(3) + 0.1
local mask = a:gt(0)
local slc = raster.complex(a, b):rename "z"
local whole = (a * 100):cast "int16"
local wide = (a * 1e6):cast "int64"
local square = geometry.features { geometry.polygon({ { 500050, 3999700 }, { 500400, 3999700 }, { 500250, 3999950 } }, "EPSG:32611") }
local holes = raster.from_table(grid, (function()
  local rows = {}
  for r = 1, 40 do
    rows[r] = {}
    for c = 1, 60 do rows[r][c] = (r * c) % 7 ~= 0 and r / c end
  end
  return rows
end)(), { name = "v" })
holes:write("holes.tif")
raster.bands(whole:rename "i", a:rename "f"):write("both.tif")
wide:write("wide.tif")

local graphs = {}
-- The name of each says what it is; its bands are compared, all of them.
local function graph(name, image)
  assert(not graphs[name], name)
  graphs[name] = image
end

graph("grow", a:gt(0.3):grow(a:gt(0)))
graph("sieve", a:gt(0.3):sieve { minimum_pixels = 3, connectivity = 8 })
for _, name in ipairs {
  "abs", "sqrt", "exp", "log", "log10", "round", "floor", "ceil", "sin", "cos", "tan", "atan", "is_valid", "to_db", "to_power", "to_radians",
} do
  local image = name == "to_power" and power:set_unit "dB" or power
  graph(name, image[name](image))
end
for _, name in ipairs { "add", "subtract", "multiply", "divide", "modulo", "gt", "ge", "lt", "le", "eq", "ne", "mask", "fill" } do
  graph(name, a[name](a, b))
  if name ~= "mask" and name ~= "fill" then graph(name .. " wide", wide[name](wide, (b * 1e6):cast "int64")) end
end
graph("negate", -a)
graph("power", power ^ 2.5)
graph("square", power ^ 2)
graph("minimum", raster.min(a, b))
graph("maximum", raster.max(a, b, 0.1))
graph("atan2", raster.atan2(a, b))
graph("logic", mask & b:gt(0) | ~mask)
graph("bits", (whole & 255) | (whole >> 3))
graph("shifts", wide:bits(2, 9) << 3)
graph("not of integers", ~whole)
graph("clamp", a:clamp(-math.huge, 0.2))
graph("mask_outside", a:mask_outside(-0.1, 0.2))
graph("unmask", holes:unmask(-1))
graph("where", mask:where(a, b))
graph("choice", raster.where(mask, wide, 5))
graph("chosen", raster.stack({ wide, (b * 1e6):cast "int64" }):first())
for _, dtype in ipairs { "uint8", "int16", "uint32", "float64", "int64" } do graph("cast " .. dtype, (a * 200):cast(dtype)) end
for _, name in ipairs { "abs", "phase", "real", "imag", "conj", "power" } do
  graph("complex " .. name, slc[name](slc))
end
graph("complex arithmetic", slc * slc:conj() + slc)
graph("constant", raster.constant(grid, 2.5))
graph("coordinates", raster.coordinates(grid))
graph("coordinates elsewhere", raster.coordinates(grid, { crs = "EPSG:4326", derivatives = true }))
graph("normal", raster.random(grid, { distribution = "normal", seed = 4 }))
graph("speckle", raster.random(grid, { distribution = "speckle", looks = 3 }))
graph("smooth", raster.random(grid, { distribution = "smooth", scale = 9 }))
graph("array", holes)
graph("crop", a:crop { row = 3, col = 4, rows = 20, cols = 30 })
graph("shift", a:shift { rows = 2, cols = -3 })
graph("cyclic", a:cyclic(-1, 1):resample(20, { resampling = "bilinear" }))
for _, method in ipairs { "nearest", "bilinear", "cubic", "average", "mode", "min", "max", "median" } do
  graph("align " .. method, a:reproject { crs = "EPSG:4326", resampling = method })
end
graph("rasterize", square:rasterize(grid, { background = 0 }))
graph("rasterize masked", square:rasterize(grid, { all_touched = true }))
for _, method in ipairs { "first", "last", "min", "max", "mean" } do
  graph("mosaic " .. method, raster.mosaic({ a, b:shift { cols = 20 } }, { method = method }))
end
for _, reducer in ipairs { "median", "mean", "std", "min", "max", "sum", "count", "first", "last", "p90" } do
  graph("reduce " .. reducer, raster.stack({ a, holes, b, power }):reduce { reducer })
end
do
  local images, wides = {}, {}
  for i = 1, 20 do
    images[i] = random(100 + i):mask(random(200 + i):gt(0.2)):set_time(("2020-%02d-01"):format(1 + i % 12))
    wides[i] = (images[i] * 1e6):cast "int64"
  end
  graph("fold", raster.stack(images):reduce { "mean", "std", "min", "max", "sum", "count", "first", "last" })
  graph("line", raster.stack(images):linear_fit())
  graph("places", raster.stack(images):reduce { "argmin", "argmax" })
  graph("mode", raster.stack(images):mode())
  graph("date of the largest", raster.stack(images):date_of_max())
  graph("geometric median", raster.stack(images):geomedian { tolerance = 1e-3 })
  local pairs = {}
  for i = 1, 20 do pairs[i] = { raster.bands(images[i], (images[i] ^ 2 + 0.1):rename "e"), days = i } end
  graph("weighted mean", raster.stack(pairs):weighted_mean { error = "e" })
  graph("weighted mean by days", raster.stack(pairs):weighted_mean { error = "e", weights = "days" })
  graph("weighted median", raster.stack(pairs):weighted_median { error = "e", weights = "days" })
  local powers = {}
  for i = 1, 4 do powers[i] = (images[i] + 0.1):set_unit("power"):set_time(("2020-%02d-01"):format(i)) end
  local changes, each = raster.stack(powers):omnibus { looks = 4 }
  graph("changes", changes)
  graph("each change", each[3])
  for i = 1, 20 do images[i] = images[i]:set_time(("20%02d-%02d-01"):format(10 + i % 4, 1 + i * 5 % 12)) end
  graph("harmonics", raster.stack(images):harmonics { periods = { 1 } })
  graph("Mann–Kendall", raster.stack(images):mann_kendall())
  graph("Theil–Sen", raster.stack(images):theil_sen())
  graph("cumulative sums", raster.stack(images):cusum { permutations = 20 })
  local dated = {}
  for i = 1, 5 do dated[i] = images[i]:set_time(("2020-01-%02d"):format(i * i)) end
  graph("interpolate", raster.stack(dated):interpolate { max_gap_days = 6 }[3])
  graph("chosen of many", raster.stack(wides):max())
end
for _, name in ipairs { "focal_median", "focal_mean", "focal_min", "focal_max", "focal_std" } do
  graph(name, filter[name](holes, { radius = 2.5 }))
end
graph("focal_mode", filter.focal_mode(whole, { radius = 2, shape = "square" }))
graph("focal_percentile", filter.focal_percentile(a, { radius = 2, percentile = 30 }))
graph("boxcar", filter.boxcar(a, { size = 3 }))
graph("refined_lee", filter.refined_lee(power))
for _, name in ipairs { "lee", "kuan", "gamma_map" } do graph(name, filter[name](power, { size = 5, looks = 4 })) end
graph("frost", filter.frost(power, { size = 5, damping = 2 }))
graph("lee_sigma", filter.lee_sigma(power, { size = 7, looks = 4 }))
graph("lee_sigma stated", filter.lee_sigma(power, { size = 7, looks = 4, strong_power = 0.5 }))
graph("tv_bregman", filter.tv_bregman(power, { weight = 5 }))
graph("quegan", filter.quegan({ power, power * 2 }, { size = 5 })[2])
graph("impulse_response", filter.impulse_response(slc, { bandwidth = 0.8 }))
local shifted = power:shift { rows = 1, cols = 2 }
for _, name in ipairs { "ampcor", "ncc", "phase" } do
  graph(name, correlation[name](power, shifted, { window = 16, search = 4, skip = 4 }))
end
local offsets = correlation.autorift(power, shifted, { chip = 8, chip_max = 8, spacing = 8, search = 4 })
graph("autorift", offsets)
graph("velocity", correlation.velocity(offsets, { days = 12 }))
local lattice = correlation.ncc(power, shifted, { window = 16, search = 4, skip = 4 })
graph("velocity calibrated", correlation.velocity(lattice, { days = 12, stable = lattice.dx_px:is_valid(), min_stable = 1 }))
graph("ncc with gross offsets", correlation.ncc(power, shifted, { window = 16, search = 4, skip = 8, gross = lattice:select("dx_px", "dy_px") }))
graph("file", raster.open "holes.tif")
graph("file of two bands", raster.open "both.tif")
graph("file of 64-bit integers", raster.open "wide.tif")
raster.stack({ { wide:rename "v", time = "2024-01-05" }, { whole:rename "v", time = "2024-02-05" } }):write("steps.zarr", { dtype = "int32", chunks = { 1, 16, 16 } })
graph("step of a Zarr", raster.stack("steps.zarr")[2])
graph("file of power", raster.open("holes.tif", { unit = "" }):to_db())
for _, name in ipairs { "spline.vrt", "rpc.vrt", "swath.nc", "gaussian.nc" } do
  local image = raster.open("located/" .. name)
  graph("located " .. name, image)
  if name ~= "gaussian.nc" then graph("reprojected " .. name, image:reproject { crs = "EPSG:32632", resolution = 500 }) end
end

-- A model: a convolution of 3 x 3 from one band to two classes. Numbers of fields as in onnx.proto3.
do
  local function varint(n) return n > 127 and string.char(n % 128 + 128) .. string.char(n // 128) or string.char(n) end
  local function number(field, n) return varint(field << 3) .. varint(n) end
  local function bytes(field, text) return varint(field << 3 | 2) .. varint(#text) .. text end
  local function port(name, channels)
    local shape = ""
    for _, axis in ipairs { bytes(2, "n"), number(1, channels), bytes(2, "h"), bytes(2, "w") } do shape = shape .. bytes(1, axis) end
    return bytes(1, name) .. bytes(2, bytes(1, number(1, 1) .. bytes(2, shape)))
  end
  local weights = {}
  for i = 1, 18 do weights[i] = (i * 7 % 5 - 2) / 4 end
  local node = bytes(1, "image") .. bytes(1, "w") .. bytes(2, "scores") .. bytes(3, "conv") .. bytes(4, "Conv")
  node = node .. bytes(5, bytes(1, "kernel_shape") .. number(8, 3) .. number(8, 3) .. number(20, 7))
  node = node .. bytes(5, bytes(1, "pads") .. number(8, 1):rep(4) .. number(20, 7))
  local shape = number(1, 2) .. number(1, 1) .. number(1, 3) .. number(1, 3)
  local w = shape .. number(2, 1) .. bytes(8, "w") .. bytes(9, string.pack(("<" .. ("f"):rep(18)), table.unpack(weights)))
  local whole = bytes(1, node) .. bytes(2, "g") .. bytes(5, w) .. bytes(11, port("image", 1)) .. bytes(12, port("scores", 2))
  fs.write("model.onnx", number(1, 8) .. bytes(2, "hand") .. bytes(7, whole) .. bytes(8, bytes(1, "") .. number(2, 17)))
  local model = require("inference").open("model.onnx", { stride = 1, bands = { "v" }, classes = { "land", "water" } })
  graph("model", model:apply(a, { tile = 16, overlap = 5, output = { "classes", "logits" } }))
end

local met, identities = {}, {}
local function same(name, one, other)
  for _, band in ipairs(one.bands) do
    local x, y = one:select(band):read(), other:select(band):read()
    for r = 0, one.rows - 1 do
      for c = 0, one.cols - 1 do
        local p, q = x:get(r, c), y:get(r, c)
        assert(p == q or p ~= p and q ~= q, ("%s: %s at %d, %d: %s and %s"):format(name, band, r, c, p, q))
      end
    end
  end
end
for name, image in pairs(graphs) do
  local text = image:to_json()
  fs.write("described/" .. name .. ".json", text)
  local data = json.decode(text)
  for _, node in ipairs(data.graph.nodes) do
    -- Of elementwise ones, which.
    local which = node.operation == "raster.element" and json.encode(node.parameters):gsub("[^%a_]+", " "):gsub(" $", "") or ""
    met[node.operation .. which] = true
  end
  for _, crs in ipairs(data.graph.crs) do
    if crs.pixels then met[crs.pixels.operation] = true end
  end
  local again = raster.from_json(text)
  assert(again:to_json() == text, name .. ": another description")
  assert(tostring(again) == tostring(image), name)
  for _, band in ipairs(image.bands) do
    local identity = image:identity(band)
    assert(again:identity(band) == identity, name .. ": another identity")
    assert(#identity == 64 and (identities[identity] or name) == name, ("%s is taken for %s"):format(name, identities[identity]))
    identities[identity] = name
  end
  same(name, image, again)
end
local list = {}
for name in pairs(met) do list[#list + 1] = name end
table.sort(list)
print(table.concat(list, "\n"))
