local fs, inference, raster = require "fs", require "inference", require "raster"

-- A writer of ONNX files: protobuf by hand. Numbers of fields as in onnx.proto3.
local function varint(n)
  local bytes = {}
  while n > 127 do
    bytes[#bytes + 1] = string.char(n % 128 + 128)
    n = n // 128
  end
  return table.concat(bytes) .. string.char(n)
end
local function number(field, n) return varint(field << 3) .. varint(n) end
local function bytes(field, text) return varint(field << 3 | 2) .. varint(#text) .. text end
local function port(name, axes)
  local shape = ""
  for _, axis in ipairs(axes) do
    shape = shape .. bytes(1, type(axis) == "string" and bytes(2, axis) or number(1, axis))
  end
  return bytes(1, name) .. bytes(2, bytes(1, number(1, 1) .. bytes(2, shape)))
end

-- A convolution of 1 x 1 from two bands to two classes.
local function model(metadata, weight)
  local weights = string.pack("<ffff", 1, 2, weight or 3, 4)
  local node = bytes(1, "image") .. bytes(1, "w") .. bytes(2, "scores") .. bytes(3, "conv") .. bytes(4, "Conv")
  node = node .. bytes(5, bytes(1, "kernel_shape") .. number(8, 1) .. number(8, 1) .. number(20, 7))
  local w = number(1, 2) .. number(1, 2) .. number(1, 1) .. number(1, 1) .. number(2, 1) .. bytes(8, "w") .. bytes(9, weights)
  local graph = bytes(1, node) .. bytes(2, "g") .. bytes(5, w)
  graph = graph .. bytes(11, port("image", { "n", 2, "h", "w" })) .. bytes(12, port("scores", { "n", 2, "h", "w" }))
  local out = number(1, 8) .. bytes(2, "hand") .. bytes(7, graph) .. bytes(8, bytes(1, "") .. number(2, 17))
  if metadata then out = out .. bytes(14, bytes(1, "perilune") .. bytes(2, metadata)) end
  return out
end

local KNOWN = [[{"version":1,"bands":[{"name":"HH","unit":"dB","mean":-8.0,"std":4.0},{"name":"angle"}],
"classes":[{"value":0,"name":"land"},{"value":1,"name":"water","color":"#1f78b4"}],"nodata":255,"stride":32,
"licence":"CC-BY-4.0","training":{"epochs":12}}]]

test("a model says what it takes and gives", function()
  fs.write("m.onnx", model(KNOWN))
  local m = inference.open("m.onnx")
  assert(m.path:match("m%.onnx$") and m.opset == 17 and m.device:match("^%l+"))
  local input, output = m.inputs[1], m.outputs[1]
  assert(#m.inputs == 1 and input.name == "image" and input.type == "float32")
  assert(table.concat(input.shape, " ") == "0 2 0 0" and output.name == "scores")
  assert(m.bands[1].name == "HH" and m.bands[1].unit == "dB" and m.bands[1].std == 4 and m.bands[2].unit == nil)
  assert(m.classes[2].name == "water" and m.classes[2].value == 1 and m.classes[2].color == "#1f78b4")
  assert(m.metadata.nodata == 255 and m.metadata.stride == 32 and m.metadata.training.epochs == 12)
  local text = tostring(m)
  for _, line in ipairs {
    "^model .*m%.onnx %(.* kB, 4 weights%)\n",
    "\n  input     image float32 %(n, 2, h, w%)\n",
    "\n  bands     HH %(dB%), angle\n",
    "\n  classes   0 land, 1 water\n",
    "\n  ONNX      opset 17, by hand\n",
    "\n  licence   CC%-BY%-4%.0\n",
    "\n  training  epochs 12$",
  } do
    assert(text:find(line), line .. " is not in\n" .. text)
  end
end)

test("what a file does not say is given by options", function()
  fs.write("m.onnx", model())
  local m = inference.open("m.onnx")
  assert(#m.bands == 0 and #m.classes == 0 and tostring(m):find("bands     not known"))
  m = inference.open("m.onnx", {
    device = "cpu",
    bands = { { name = "HH", unit = "dB", clip = { -50, 10 }, scale = 0.1, offset = 1 }, "angle" },
    classes = { "land", { name = "water", value = 7, color = "#1f78b4" } },
    activation = "probabilities",
    nodata = 255,
  })
  assert(m.bands[1].clip[2] == 10 and m.bands[2].name == "angle")
  assert(m.classes[1].value == 0 and m.classes[2].value == 7 and m.metadata.activation == "probabilities")
  assert(tostring(m):find("classes   0 land, 7 water; probabilities"))
end)

test("what cannot be is an error that names it", function()
  fs.write("m.onnx", model())
  local function open(options)
    return function() inference.open("m.onnx", options) end
  end
  assert_error(open { bands = { "HH" } }, "m%.onnx: its input `image` takes 2 bands, and its metadata name 1: HH")
  assert_error(open { bands = { "HH", "HH" } }, "bands%[2%]%.name %(of `HH`%) comes twice")
  assert_error(open { bands = { { name = "a", mean = 1, scale = 2 }, "b" } }, "in two ways")
  assert_error(open { bands = { { nam = "a" }, "b" } }, "unknown option `bands%[1%]%.nam`; did you mean `bands%[1%]%.name`%?")
  assert_error(open { bands = { { name = "a", unti = "dB" }, "b" } }, "unknown option `bands%[1%]%.unti`; did you mean `bands%[1%]%.unit`%?")
  assert_error(open { classes = { "a", { name = "b", colour = "#1f78b4" } } }, "unknown option `classes%[2%]%.colour`; did you mean `classes%[2%]%.color`%?")
  assert_error(open { bands = { 1, 2 } }, "bands%[1%] must be the name of a band or a table")
  assert_error(open { classes = { "a", "b", "c" } }, "is of 2 classes, and its metadata name 3")
  assert_error(open { classes = { "a", { name = "b", color = "blue" } } }, "must be as #1f78b4")
  assert_error(open { device = "gpu" }, "device must be \"auto\", \"cpu\", \"cuda\" or \"cuda:1\"")
  assert_error(open { activation = "sigmoid" }, "activation must be .*logits")
  assert_error(open { nodata = 300 }, "nodata must be .*255")
  assert_error(function() inference.open("none.onnx") end, "inference%.open: no such file: none%.onnx")
  assert_error(function() inference.open("/etc/hostname") end, "inference%.open")
end)

-- A graph of one step with these attributes: opset, operator, axes of what comes in and goes out.
local function step(opset, operator, taken, given, attributes)
  local node = bytes(1, "x") .. bytes(2, "y") .. bytes(3, "step") .. bytes(4, operator) .. (attributes or "")
  local graph = bytes(1, node) .. bytes(2, "g") .. bytes(11, port("x", taken)) .. bytes(12, port("y", given))
  return number(1, 8) .. bytes(2, "hand") .. bytes(7, graph) .. bytes(8, bytes(1, "") .. number(2, opset))
end

test("what nothing here computes is named, with the way out", function()
  local image = { "n", 2, "h", "w" }
  fs.write("a.onnx", step(17, "Frobnicate", image, image))
  local why = assert_error(function() inference.open("a.onnx") end, "a%.onnx: .*Frobnicate")
  assert(why:find("export it from ONNX's own operators", 1, true) or why:find("perilune setup onnxruntime", 1, true), why)
  fs.write("a.onnx", step(999, "Relu", image, image))
  assert_error(function() inference.open("a.onnx") end, "a%.onnx: is of ONNX's opset 999, and up to 28 is computed here; export it with an earlier one")
  -- Weights in a file beside it that is not there.
  local outside = bytes(13, bytes(1, "location") .. bytes(2, "a.data")) .. number(14, 1)
  local w = number(1, 2) .. number(2, 1) .. bytes(8, "w") .. outside
  local node = bytes(1, "x") .. bytes(1, "w") .. bytes(2, "y") .. bytes(4, "Add")
  local graph = bytes(1, node) .. bytes(5, w) .. bytes(11, port("x", { 1, 2 })) .. bytes(12, port("y", { 1, 2 }))
  fs.write("a.onnx", number(1, 8) .. bytes(7, graph) .. bytes(8, bytes(1, "") .. number(2, 17)))
  assert_error(function() inference.open("a.onnx") end, "its weights lie in another file, a%.data, which is not beside it; put both into one folder")
end)

test("what goes in and comes out of a model must be images", function()
  local grid = raster.grid { crs = "EPSG:32633", origin = { 0, 0 }, resolution = 10, rows = 40, cols = 40 }
  local band = raster.random(grid, { seed = 1 })
  local two = raster.bands(band:rename "a", band:rename "b")
  local function refused(model, image, pattern, options)
    fs.write("a.onnx", model)
    local m = inference.open("a.onnx", { device = "cpu" })
    assert_error(function() m:apply(image, options or { output = "values" }) end, pattern)
  end
  local image = { "n", 2, "h", "w" }
  refused(step(17, "Relu", image, image), band, "bands for `x` must be 2, which the network takes, got 1")
  refused(step(17, "Relu", image, image), two:add_bands(band:rename "c"), "bands for `x` must be 2, which the network takes, got 3")
  refused(step(17, "Relu", { "n", 2 }, { "n", 2 }), two, "input `x` of the model has 2 axes; images go in as batch × bands × rows × cols")
  refused(step(17, "Relu", { 1, 2, "h", "w" }, { 1, 2, "h", "w" }), two, "batch must be 1, which is all", { output = "values", batch = 4, tile = 32, overlap = 0 })
  -- Of five axes: a step before the first.
  local axes = bytes(5, bytes(1, "axes") .. number(8, 0) .. number(20, 7))
  refused(step(11, "Unsqueeze", image, { 1, "n", 2, "h", "w" }, axes), two,
    "the output `y` of the model has the shape 1 × 1 × 2 × %d+ × %d+ for one window of .*: an image is made of batch × classes × rows × cols")
end)

test("a file that is no model, or not whole, is refused", function()
  fs.write("a.onnx", "nothing of the kind")
  assert_error(function() inference.open("a.onnx") end, "a%.onnx: is no model in ONNX")
  fs.write("a.onnx", model():sub(1, -30))
  assert_error(function() inference.open("a.onnx") end, "a%.onnx: .*cut short")
  fs.write("a.onnx", model(nil, 0 / 0))
  assert_error(function() inference.open("a.onnx") end, "the weights `w` hold numbers that are NaN")
  fs.write("a.onnx", model('{"version":1,"bandz":[]}'))
  assert_error(function() inference.open("a.onnx") end, "unknown key `bandz`; did you mean `bands`%?")
  fs.write("a.onnx", model('{"version":7}'))
  assert_error(function() inference.open("a.onnx") end, "perilune%.version is 7")
end)
