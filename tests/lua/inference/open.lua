local fs, inference = require "fs", require "inference"

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
  assert_error(open { bands = { { nam = "a" }, "b" } }, "unknown option `nam`; the options are: .*name")
  assert_error(open { bands = { 1, 2 } }, "bands%[1%] must be the name of a band or a table")
  assert_error(open { classes = { "a", "b", "c" } }, "is of 2 classes, and its metadata name 3")
  assert_error(open { classes = { "a", { name = "b", color = "blue" } } }, "must be as #1f78b4")
  assert_error(open { device = "gpu" }, "device must be \"auto\", \"cpu\", \"cuda\" or \"cuda:1\"")
  assert_error(open { activation = "sigmoid" }, "activation must be .*logits")
  assert_error(open { nodata = 300 }, "nodata must be .*255")
  assert_error(function() inference.open("none.onnx") end, "inference%.open: no such file: none%.onnx")
  assert_error(function() inference.open("/etc/hostname") end, "inference%.open")
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
