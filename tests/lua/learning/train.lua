local learning, raster, fs, json = require "learning", require "raster", require "fs", require "json"

local CLASSES = { [0] = "low", [1] = "high" }

local function dataset(o)
  local scenes = {}
  for i = 1, 4 do
    local grid = raster.grid { crs = "EPSG:32611", origin = { 400000 + 4000 * i, 3860000 }, resolution = 10, rows = 64, cols = 64 }
    local image = raster.random(grid, { distribution = "smooth", scale = 30, seed = i, name = "HH" }):set_unit("dB")
    local labels = image:gt(0.5)
    if o and o.classes == 3 then labels = labels + image:gt(0.6) end
    if o and o.bands == 2 then image = image:add_bands(image:rename("HV")) end
    scenes[i] = { image = image, labels = labels, group = "scene " .. i }
  end
  local classes = o and o.classes == 3 and { [0] = "low", [1] = "high", [2] = "highest" } or CLASSES
  return learning.dataset { scenes = scenes, classes = classes, chip = o and o.chip or 32, split = { validation = { "scene 4" }, test = 0 } }
end

local function options(folder, o)
  local all = { checkpoint = folder, model = folder .. ".onnx", epochs = 3, batch = 4, learning_rate = 1e-3, augment = { flips = true, turns = true }, seed = 5 }
  for k, v in pairs(o or {}) do all[k] = v end
  return all
end

test("a network learns, and goes on bit for bit where it was ended", function()
  local ds = dataset()
  local whole = learning.train(ds, options("whole", { epochs = 6 }))
  assert(whole.epochs == 6 and #whole.history == 6 and whole.best >= 1)
  -- Chance is a third, one class everywhere a quarter to a half.
  assert(whole.mean_iou > 0.6, tostring(whole))
  assert(whole.waited >= 0 and whole.waited <= 1)
  assert(tostring(whole):match("U%-Net with resnet18, 1 channels, 2 classes: 6 epochs"), tostring(whole))
  learning.train(ds, options("parts", { epochs = 2 }))
  local parts = learning.train(ds, options("parts", { epochs = 6 }))
  for i, row in ipairs(whole.history) do
    assert(row.training_loss == parts.history[i].training_loss, i .. ": " .. row.training_loss .. " " .. parts.history[i].training_loss)
    assert(row.validation_loss == parts.history[i].validation_loss)
  end
  -- Over already: nothing is computed, and the model is there again.
  fs.remove("parts.onnx")
  local again = learning.train(ds, options("parts", { epochs = 6 }))
  assert(again.epochs == 6 and fs.exists("parts.onnx"))
  whole:plot():write("history.png")
end)

test("what cannot be trained is an error with the way out", function()
  local ds = dataset()
  local function fails(o, pattern)
    local ok, why = pcall(learning.train, ds, options("bad", o))
    assert(not ok and why:match(pattern), tostring(why))
  end
  fails({ encoder = "resnet101" }, "resnet18")
  fails({ class_weights = { 1 } }, "class_weights must be 2 numbers")
  fails({ loss = "dice", class_weights = { 1, 1 } }, "cross_entropy")
  fails({ learning_rate = 0 }, "learning_rate")
  fails({ device = "tpu" }, "device")
  fails({ weights = "absent.pth" }, "absent.pth")
  fails({ checkpoint = "/elsewhere" }, "outside the working folder")
  local ok, why = pcall(learning.train, dataset { chip = 16 }, options("bad"))
  assert(not ok and why:match("multiple of 32"), why)
  learning.train(ds, options("one", { epochs = 1 }))
  ok, why = pcall(learning.train, ds, options("one", { encoder = "resnet34" }))
  assert(not ok and why:match("resnet18.*there.*resnet34.*here"), why)
  -- Other bands, and other classes.
  ok, why = pcall(learning.train, dataset { bands = 2 }, options("one"))
  assert(not ok and why:match("one/last%.safetensors: is a checkpoint of another training: .*1 channels, 2 classes there, .*2 channels, 2 classes here, bands HH there, HH, HV here; choose another folder"), why)
  ok, why = pcall(learning.train, dataset { classes = 3 }, options("one"))
  assert(not ok and why:match("1 channels, 2 classes there, .*1 channels, 3 classes here"), why)
  -- A network of two bands is no start of one with one, and a state of training no weights.
  ok, why = pcall(learning.train, dataset { bands = 2 }, options("two", { weights = "one/best.safetensors" }))
  assert(not ok and why:match("of another shape: encoder%.conv1%.weight %[64, 1, 7, 7%] where the network has %[64, 2, 7, 7%]"), why)
  ok, why = pcall(learning.train, ds, options("two", { weights = "one/last.safetensors" }))
  assert(not ok and why:match("is the state of a training.*best%.safetensors"), why)
  ok, why = pcall(learning.train, ds, options("two", { augment = { flip = true } }))
  assert(not ok and why:match("unknown option `augment%.flip`; did you mean `augment%.flips`%?"), why)
  ok, why = pcall(learning.train, ds, options("two", { augment = { drop = { bands = { "HH" }, draw = 2 } } }))
  assert(not ok and why:match("unknown option `augment%.drop%.draw`; did you mean `augment%.drop%.draws`%?"), why)
end)

-- The number in place of another, in the bytes of a file of safetensors: its header says where each tensor lies.
local function with_number(path, name, value)
  local text = fs.read(path)
  local length = ("<I8"):unpack(text)
  local header = json.decode(text:sub(9, 8 + length))
  local at = 9 + length + header[name].data_offsets[1] + 40
  fs.write(path, text:sub(1, at - 1) .. ("<f"):pack(value) .. text:sub(at + 4))
end

test("weights that are no numbers are refused where they are read", function()
  local ds = dataset()
  learning.train(ds, options("nan", { epochs = 1 }))
  local name = "encoder.layer2.0.conv1.weight"
  local function refused(folder, o, pattern)
    local ok, why = pcall(learning.train, ds, options(folder, o))
    assert(not ok and why:match(pattern), tostring(why))
  end
  with_number("nan/best.safetensors", name, 0 / 0)
  refused("new", { weights = "nan/best.safetensors" }, "nan/best%.safetensors: encoder%.layer2%.0%.conv1%.weight holds NaN, which no network")
  refused("new", { encoder_weights = "nan/best.safetensors" }, "nan/best%.safetensors: encoder%.layer2%.0%.conv1%.weight holds NaN, which no network")
  with_number("nan/last.safetensors", "weights/" .. name, -1 / 0)
  refused("nan", { epochs = 2 }, "nan/last%.safetensors: encoder%.layer2%.0%.conv1%.weight holds %-inf, .*remove it to start anew")
end)

test("weights of a training are the start of another", function()
  local ds = dataset()
  learning.train(ds, options("first", { epochs = 1 }))
  local t = learning.train(ds, options("second", { epochs = 1, weights = "first/best.safetensors" }))
  assert(t.epochs == 1)
  t = learning.train(ds, options("third", { epochs = 1, loss = "focal", optimiser = "adamw", weight_decay = 0.01, encoder_weights = "first/best.safetensors" }))
  assert(t.epochs == 1)
end)

test("the engine says what it is", function()
  local engine = learning.engine()
  assert(engine.name == "libtorch" and engine.device:match "^c[pu][ud]a?" and engine.threads >= 1)
  assert(learning.engine({ device = "cpu" }).device == "cpu" and learning.engine({ device = "auto" }).device == engine.device)
  local ok, why = pcall(learning.engine, { device = "gpu" })
  assert(not ok and why:match('"cuda"'), why)
end)
