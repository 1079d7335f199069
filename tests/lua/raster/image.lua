local raster = require "raster"

local grid = raster.grid { rows = 2, cols = 2 }
local vv = raster.constant(grid, 1):rename "VV"
local vh = raster.constant(grid, 2):rename "VH"
local image = raster.bands(vv, vh)

local function names(found)
  return table.concat(found.bands, " ")
end

test("bands are fields", function()
  assert(names(image) == "VV VH" and names(image.VH) == "VH" and names(image["VV"]) == "VV")
  assert(image.VH:stats().VH.mean == 2)
  assert_error(function() return image.vv end, "a Raster has no field or method `vv`; did you mean `VV`%?")
  assert_error(function() return image.angle end, "a Raster has no field or method `angle`")
  assert_error(function() image.VV = 1 end, "fields of a Raster cannot be set")
end)

test("methods win over bands and select reaches all", function()
  local hidden = vv:rename "mask"
  assert(type(hidden.mask) == "function" and names(hidden:select "mask") == "mask")
  assert(vv:rename("b 1")["b 1"])
end)

test("select, rename, add", function()
  assert(names(image:select("VH", "VV")) == "VH VV")
  assert(names(image:select { "VH" }) == "VH" and names(image:select(2, 1)) == "VH VV")
  assert(names(image:rename("a", "b")) == "a b" and names(image:rename { "a", "b" }) == "a b")
  assert(names(image:rename { VH = "cross" }) == "VV cross")
  assert(names(image:add_bands(vv:rename "x", vv:rename "y")) == "VV VH x y")
  assert(names(raster.bands { vv, vh }) == "VV VH")
  assert_error(function() image:select "VW" end, "Raster:select: no band `VW`; did you mean `VV`%?")
  assert_error(function() image:select(3) end, "band must be from 1 to 2, or a name, got 3")
  assert_error(function() image:select() end, "bands must be at least one of: VV, VH, got none")
  assert_error(function() image:select(true) end, "band must be a name or a position, got true")
  assert_error(function() image:rename "a" end, "names must be one per band %(2: VV, VH%), got 1")
  assert_error(function() image:rename { VW = "x" } end, "no band `VW`")
  assert_error(function() image:rename("a", "a") end, "band names must be unique; give them other names first: `:rename%(…%)`, got `a` twice")
  assert_error(function() raster.bands(vv, vv) end, "raster%.bands: band names must be unique")
  assert_error(function() raster.bands() end, "needs at least one image")
  assert_error(function() image:add_bands(5) end, "other must be a Raster, got 5")
end)

test("map_bands", function()
  local mapped = image:map_bands(function(band, name)
    return (band * 10):rename(name .. "x")
  end)
  assert(names(mapped) == "VVx VHx" and mapped:stats().VHx.mean == 20)
  assert_error(function() image:map_bands(function() end) end, "what fn returns must be a Raster, got nil")
end)

test("units", function()
  assert(image:set_unit("power").units.VH == "power")
  local mixed = image:set_unit { VH = "dB" }
  assert(mixed.units.VV == "" and mixed.units.VH == "dB")
  assert(image:set_unit("DB").units.VV == "dB" and image:set_unit("m/yr").units.VV == "m/yr")
  assert_error(function() image:set_unit { VX = "dB" } end, "no band `VX`")
  assert_error(function() image:set_unit(5) end, 'unit must be a unit such as "dB", got 5')
end)

test("time and properties", function()
  local item = image:set_time("2024-03-17T01:58:25Z"):set("orbit", 137):set { pass = "ASCENDING", good = true, angle = 30.5 }
  assert(item.time == "2024-03-17T01:58:25Z" and item.orbit == 137 and item.pass == "ASCENDING" and item.good == true)
  assert(math.type(item.orbit) == "integer" and item.properties.angle == 30.5 and image.time == nil)
  assert((item.VV + 1).orbit == 137 and (1 - item).time == item.time and item:to_db().pass == "ASCENDING")
  assert(item:set({ time = "2024-01-01" }).time == "2024-01-01")
  assert(item:set_time(86400).time == "1970-01-02")
  assert(item:get("orbit") == 137 and item:get("missing", 5) == 5)
  assert(pcall(item:set("orbit").get, item:set("orbit"), "orbit") == false)
  assert_error(function() item:get("orbti") end, "Raster:get: no property `orbti`; did you mean `orbit`%?")
  assert_error(function() item:set_time("17.3.2024") end, 'time must be a time: "2024%-03%-17", .*got "17.3.2024"')
  assert_error(function() item:set("x", {}) end, "x must be a string, a number, or true or false, got an empty table")
end)

test("an image tells what it is", function()
  assert(tostring(image:set_unit { VV = "dB" }) == "Raster 2 × 2 (rows × cols): VV (float32, dB), VH (float32)")
  local grid = raster.grid { bounds = { 0, 0, 20, 20 }, rows = 2, cols = 2 }
  local placed = raster.constant(grid, 1):set_crs("EPSG:32611")
  assert(placed.crs == "EPSG:32611" and placed.rows == 2 and placed.cols == 2 and image.crs == nil)
  assert_error(function() image:set_crs("EPSG:32611") end, "lies in pixel coordinates, which would be taken for those of EPSG:32611; .*raster.grid { crs = ")
  assert(tostring(placed):find "EPSG:32611")
end)

test("explain shows shared work once", function()
  local noise = raster.random(grid)
  local text = raster.bands((noise + 1):rename "a", (noise * 2):rename "b"):explain()
  assert(text:find "1 tile of 2 × 2" and text:find "a: %+ of 1" and text:find "random%(uniform, seed 1%)", text)
end)

test("explain keeps stacks and long names short", function()
  local images = {}
  for i = 1, 9 do
    images[i] = raster.random(grid, { seed = i })
  end
  local text = raster.stack(images):median():explain()
  local _, count = text:gsub("random%(", "")
  assert(count == 2 and text:find "and 7 more", text)
  local name = ("x"):rep(200) .. ".tif"
  images[1]:write(name)
  local line = raster.open(name):explain():match "…x+%.tif band 1"
  assert(line and utf8.len(line) == 60)
end)

test("coordinates are shown to the digits that matter", function()
  local seconds = raster.grid { crs = 4326, origin = { -160 - 223 / 300, 22 + 11 / 90 }, resolution = 1 / 4500, rows = 550, cols = 3115 }
  assert(tostring(seconds) == "Grid 550 × 3115 (rows × cols), EPSG:4326, pixel 0.0002222222222, x -160.743333333..-160.051111111, y 22..22.122222222", tostring(seconds))
  assert(tostring(raster.grid { origin = { 0.5, 3 }, resolution = 1.5, rows = 2, cols = 1 }):find "pixel 1.5, x 0.5..2, y 0..3")
end)

test("complex images", function()
  local z = raster.complex(vv * 3, vv * -4)
  assert(z.dtypes.VV == "complex64")
  local re, im = z:read():get(0, 0)
  assert(re == 3 and im == -4)
  assert(z:abs():read():get(0, 0) == 5 and z:power():read():get(0, 0) == 25)
  assert_close(z:phase():read():get(0, 0), math.atan(-4, 3), 1e-6)
  local product = z * z:conj()
  assert(product:real():read():get(1, 1) == 25 and product:imag():read():get(1, 1) == 0)
  assert(z:abs().units.VV == "amplitude" and z:power().units.VV == "power")
  assert_error(function() z:gt(1) end, "operands must be real bands; take a real part of it first: `:abs%(%)`, `:power%(%)` or `:phase%(%)`")
  assert_error(function() z:log() end, "band must be real")
  assert_error(function() vv:phase() end, "Raster:phase: image must be complex, got real bands %(VV%)")
  assert_error(function() vv:power() end, "exponent is missing; only complex images have a power without one")
  assert_error(function() z:read():totable() end, "band must be real; read `image:real%(%)`")
  z:write("z.tif")
  local back = raster.open("z.tif")
  assert(back.dtypes.VV == "complex64" and back:imag():stats().VV.mean == -4)
end)

test("random images are the same whatever is read", function()
  local g = raster.grid { rows = 40, cols = 50 }
  local noise = raster.random(g, { distribution = "normal", seed = 7 })
  local all = noise:read()
  local part = noise:read { row = 30, col = 20, rows = 3, cols = 4 }
  assert(part:get(2, 3) == all:get(32, 23))
  assert(raster.random(g, { seed = 8 }):read():get(0, 0) ~= raster.random(g, { seed = 9 }):read():get(0, 0))
  assert_error(function() raster.random(g, { distribution = "gauss" }) end, 'distribution must be "uniform" or "normal"')
end)

test("arguments are named", function()
  assert_error(function() raster.constant(5, 1) end, "raster%.constant: grid must be a Grid or a Raster, got 5")
  assert_error(function() raster.constant(grid) end, "value is missing: it must be a number")
  assert_error(function() raster.from_table(grid, { { 1 } }) end, "rows must be 2 lists of 2 numbers, as the grid, got 1 lists")
  assert_error(function() raster.from_table(grid, { { 1, 2 }, { 3 } }) end, "rows must be 2 lists of 2 numbers, as the grid, got 1 in rows%[2%]")
  assert_error(function() raster.from_table(grid, { { 1, 2 }, { 3, "x" } }) end, 'rows%[2%]%[2%] must be a number, or false for a masked pixel, got "x"')
  assert_error(function() raster.from_table(grid, { { 1, 2 }, { 3, 4 } }, { type = "x" }) end, "unknown option `type`; did you mean `dtype`%?")
  assert(raster.from_table(grid, { { 1, 2 }, { 3, false } }, { dtype = "uint8" }).dtypes.b1 == "uint8")
  assert_error(function() raster.where(true, 1, 2) end, "condition must be a Raster, got true")
end)
