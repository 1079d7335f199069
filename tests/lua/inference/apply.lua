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

-- A convolution of 3 x 3 from two bands to two classes: of each class and band the weight of the middle, and what its neighbours have.
local function model(metadata, around)
  local values = {}
  for _, middle in ipairs { 1, 2, 3, 4 } do
    for i = 1, 9 do values[#values + 1] = i == 5 and middle or around end
  end
  local weights = string.pack(("<" .. ("f"):rep(#values)), table.unpack(values))
  local node = bytes(1, "image") .. bytes(1, "w") .. bytes(2, "scores") .. bytes(3, "conv") .. bytes(4, "Conv")
  node = node .. bytes(5, bytes(1, "kernel_shape") .. number(8, 3) .. number(8, 3) .. number(20, 7))
  node = node .. bytes(5, bytes(1, "pads") .. number(8, 1) .. number(8, 1) .. number(8, 1) .. number(8, 1) .. number(20, 7))
  local w = number(1, 2) .. number(1, 2) .. number(1, 3) .. number(1, 3) .. number(2, 1) .. bytes(8, "w") .. bytes(9, weights)
  local graph = bytes(1, node) .. bytes(2, "g") .. bytes(5, w)
  graph = graph .. bytes(11, port("image", { "n", 2, "h", "w" })) .. bytes(12, port("scores", { "n", 2, "h", "w" }))
  local out = number(1, 8) .. bytes(2, "hand") .. bytes(7, graph) .. bytes(8, bytes(1, "") .. number(2, 17))
  return out .. bytes(14, bytes(1, "perilune") .. bytes(2, metadata))
end

local KNOWN = [[{"version":1,"bands":[{"name":"VV","unit":"dB","mean":-10.0,"std":5.0},{"name":"VH","unit":"dB"}],
"classes":[{"value":3,"name":"land"},{"value":1,"name":"water"}],"nodata":9,"stride":1,"receptive_field":3}]]

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 37, cols = 50 }
local vv = raster.random(grid, { seed = 1, distribution = "normal" }):rename "VV":set_unit "dB"
local vh = (raster.random(grid, { seed = 2, distribution = "normal" }) - 1):rename "VH":set_unit "dB"
local function opened(around)
  fs.write("water.onnx", model(KNOWN, around or 0))
  return inference.open("water.onnx")
end

test("the numbers of a network are those of a slow loop, whatever the windows", function()
  local m = opened(0.25)
  local x, y = ((vv + 10) / 5):read(), vh:read()
  for _, blend in ipairs { "crop", "hann" } do
    -- Its receptive field is 3 pixels; hann is exact only where windows are not cut: one window.
    local tile, overlap = blend == "crop" and 16 or 64, blend == "crop" and 4 or 0
    local made = m:apply(raster.bands(vv, vh), { output = "logits", blend = blend, tile = tile, overlap = overlap })
    assert(table.concat(made.bands, " ") == "land water")
    local land, water = made:select("land"):read(), made:select("water"):read()
    for r = 0, 36 do
      for c = 0, 49 do
        local a, b, around = x:get(r, c), y:get(r, c), 0
        for i = -1, 1 do
          for j = -1, 1 do
            local inside = r + i >= 0 and r + i < 37 and c + j >= 0 and c + j < 50
            if inside and (i ~= 0 or j ~= 0) then around = around + 0.25 * (x:get(r + i, c + j) + y:get(r + i, c + j)) end
          end
        end
        assert(math.abs(land:get(r, c) - (a + 2 * b + around)) < 1e-4, blend)
        assert(math.abs(water:get(r, c) - (3 * a + 4 * b + around)) < 1e-4, blend)
      end
    end
  end
end)

test("classes have the values, names and nodata of the model", function()
  local made = opened():apply(raster.bands(vv, vh:mask(vv:lt(1))), { output = { "classes", "confidence", "probabilities" }, tile = { 16, 32 } })
  assert(table.concat(made.bands, " ") == "class confidence land water")
  made:write("water.tif")
  local file = raster.open("water.tif")
  local raw, x, y = vv:read(), ((vv + 10) / 5):read(), vh:read()
  local class, confidence, water = file:select("class"):read(), file:select("confidence"):read(), made:select("water"):read()
  for r = 0, 36 do
    for c = 0, 49 do
      local a, b = x:get(r, c), y:get(r, c)
      if raw:get(r, c) >= 1 then
        assert(class:get(r, c) ~= class:get(r, c), ("%d %d %s %s"):format(r, c, raw:get(r, c), class:get(r, c)))
      else
        local p = 1 / (1 + math.exp(-(2 * a + 2 * b)))
        assert(math.abs(water:get(r, c) - p) < 1e-5)
        assert(class:get(r, c) == (p > 0.5 and 1 or 3) and math.abs(confidence:get(r, c) - math.max(p, 1 - p)) < 1e-5)
      end
    end
  end
  local classes = made.classes.class
  assert(#classes == 2 and classes[1].value == 3 and classes[1].name == "land" and classes[2].value == 1 and classes[2].name == "water")
end)

test("bands are found by name and converted, and wrong ones name both sides", function()
  local m = opened()
  local right = m:apply(raster.bands(vv, vh), { output = "logits" })
  -- Another order, and power in place of decibels.
  local power = m:apply(raster.bands(vh:to_power(), vv:to_power()), { output = "logits" })
  assert((right - power):select("land"):stats().land.max < 1e-4)
  local function refused(image, ...)
    local ok, why = pcall(m.apply, m, image, {})
    assert(not ok)
    for _, part in ipairs { ... } do assert(why:find(part, 1, true), why) end
  end
  refused(vv, "VV [dB], VH [dB]", "1 (VV)")
  refused(raster.bands(vv, vh:rename "HV"), "VV [dB], VH [dB]", "2 (VV, HV)")
  refused(raster.bands(vv, vh:set_unit "m"), "`VH` is in m", "takes dB")
  refused({ vv, vh }, "one, for `image`")
  local ok, why = pcall(m.apply, m, raster.bands(vv, vh), { tile = 16, overlap = 16 })
  assert(not ok and why:find("at least 1 pixels smaller than the tile", 1, true), why)
end)

test("a graph opens the model again and checks that it is the same", function()
  local made = opened(0.5):apply(raster.bands(vv, vh), { output = "logits", augment = "dihedral" })
  local text = made:to_json()
  local again = raster.from_json(text)
  assert(again:to_json() == text and (again - made):select("water"):stats().water.max == 0)
  fs.write("water.onnx", model(KNOWN, 0.75))
  local ok, why = pcall(raster.from_json, text)
  assert(not ok and why:find("the model has changed since the graph was described", 1, true), why)
end)
