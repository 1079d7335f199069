--- Makes the files that both sides read: speckle over smooth terrain, uncompressed tiles.
local raster = require "raster"
local p = params { folder = "bench-data", what = "all" }

local function grid(size)
  return raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = size, cols = size }
end

-- Backscatter in power: fields between -20 and -5 dB, under speckle of 4.4 looks.
local function scene(size, seed, offset_db)
  local terrain = raster.random(grid(size), { distribution = "smooth", scale = 80, octaves = 4, seed = 7 })
  local level = (terrain * 15 - 20 + offset_db):set_unit("dB"):to_power()
  local speckle = raster.random(grid(size), { distribution = "speckle", looks = 4.4, seed = seed })
  return level * speckle
end

local plain = { compress = "none", statistics = false }
if p.what == "all" or p.what == "small" then
  scene(2048, 1, 0):write(p.folder .. "/power2048.tif", plain)
  scene(2048, 1, 0):to_db():write(p.folder .. "/db2048.tif", plain)
  scene(2048, 1, 0):shift({ cols = 3, rows = -2 }):write(p.folder .. "/shifted2048.tif", plain)
end
if p.what == "all" or p.what == "slc" then
  -- Complex speckle of one look, and the same moved by whole pixels.
  local function noise(seed) return raster.random(grid(1024), { distribution = "normal", seed = seed }) end
  local slc = raster.complex(noise(1), noise(2))
  slc:write(p.folder .. "/slc1024.tif", plain)
  slc:shift({ cols = 1, rows = -2 }):write(p.folder .. "/slc1024_moved.tif", plain)
end
if p.what == "all" or p.what == "large" then
  scene(8192, 2, 0):write(p.folder .. "/a8192.tif", plain)
  scene(8192, 3, -6):write(p.folder .. "/b8192.tif", plain)
end
if p.what == "all" or p.what == "deflated" then
  -- With as few digits as measured values have, by differences of bytes.
  (((scene(8192, 2, 0) * 256):floor()) / 256):write(p.folder .. "/deflated8192.tif", { statistics = false })
end
if p.what == "all" or p.what == "classes" then
  -- Three classes of smooth noise, one pixel in fifty another one.
  for _, size in ipairs { 1024, 8192, 30000 } do
    local noise = raster.random(grid(size), { distribution = "smooth", scale = 64, octaves = 5, seed = 7 })
    local other = raster.random(grid(size), { seed = 8 })
    local classes = noise:gt(0.45) + noise:gt(0.55) + 1
    classes = raster.where(other:lt(0.02), (other * 150):floor() + 1, classes)
    classes:write(("%s/classes%d.tif"):format(p.folder, size), { dtype = "uint8", statistics = false })
  end
end
if p.what == "all" or p.what == "series" then
  for date = 1, 500 do
    local name = ("%s/series_%03d.tif"):format(p.folder, date)
    scene(1024, date, 0):write(name, { statistics = false })
  end
end
if p.what == "all" or p.what == "stack" then
  for date = 1, 20 do
    for i, pol in ipairs { "VV", "VH" } do
      local name = ("%s/stack_%s_202301%02d.tif"):format(p.folder, pol, date)
      scene(2048, date * 2 + i, i == 1 and 0 or -7):write(name, plain)
    end
  end
end
