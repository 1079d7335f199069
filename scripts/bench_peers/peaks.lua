--- Makes the files of scripts/peaks, deflated, and with as few digits as measured values have: speckle over smooth terrain in power, one
--- terrain at all dates; and the same terrain moved, for offsets.
local raster = require "raster"
local p = params { folder = "peaks", what = "dates", dates = 96 }

local function grid(size)
  return raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = size, cols = size }
end

local function scene(size, seed)
  local terrain = raster.random(grid(size), { distribution = "smooth", scale = 80, octaves = 4, seed = 7 })
  local speckle = raster.random(grid(size), { distribution = "speckle", looks = 4.4, seed = seed })
  return (((terrain * 15 - 20):set_unit("dB"):to_power() * speckle * 4096):floor() / 4096):set_unit("power"):rename("VV")
end

local function write(image, name)
  image:write(("%s/%s.tif"):format(p.folder, name), { statistics = false, level = 1 })
end

if p.what == "dates" then
  for date = 1, p.dates do write(scene(4096, date), ("date_%02d"):format(date)) end
elseif p.what == "pair" then
  local before = scene(8192, 2)
  write(before, "before")
  write(before:shift { cols = 3, rows = -2 }, "after")
elseif p.what == "large" then
  write(scene(16384, 5), "large")
end
