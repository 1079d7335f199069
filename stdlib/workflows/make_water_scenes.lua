--- Makes radar scenes of rivers and lakes on terrain whose water is known, for trying, training and testing maps of water.
---
--- Each scene is a landscape of its own: a river that meanders through a plain, lakes that wind roughens, fields, forest, dark sand, hills that brighten towards
--- the sensor, and steep ridges that cast shadows as dark as water. γ⁰ as power with speckle of the given number of looks and the sensor's
--- noise floor. Heights, heights above the nearest drainage (HAND), incidence angles, an optical composite, and labels as Landsat's DSWE would have them, with
--- clouds and gaps, lie beside it, and the truth. The same seed gives the same scenes on every machine.
---
---     perilune run make_water_scenes --out scenes
---     perilune run water_threshold --scene scenes/AP_10001_FBD_F0010_RT1 --out water.tif
---
--- The folder of a scene has the names of ASF's ALOS PALSAR products, or `image.tif` for Sentinel-1; `truth.tif` is 1 where water is. `scenes.csv` lists all.

local raster, fs, tables = require "raster", require "fs", require "tables"

local p = params {
  out = { "scenes", type = "path", help = "Folder for the scenes; made where it is missing." },
  sensor = { "palsar", choices = { "palsar", "sentinel1" }, help = "L band, HH and HV in ASF's layout, or C band, VV and VH." },
  scenes = { 3, min = 1, max = 50, help = "Number of scenes." },
  size = { 1000, min = 128, unit = "px", help = "Rows and columns of a scene." },
  pixel = { 12.5, min = 5, max = 100, unit = "m", help = "Pixel size." },
  looks = { 4.4, min = 0.5, help = "Equivalent number of looks of the speckle." },
  wind = { 0.5, min = 0, max = 1, help = "How rough the lakes are, from calm to as bright as sand." },
  cloud = { 0.15, min = 0, max = 0.9, help = "Share of the labels that clouds hide." },
  seed = { 1, help = "Another seed, other landscapes." },
}

-- Backscatter in dB of the two polarisations by cover, and the noise floor. Water is calm; wind adds to it.
local LEVELS = {
  palsar = { names = { "HH", "HV" }, water = { -22, -31 }, wind = { 5, 2 }, field = { -12.5, -20.5 }, forest = { -7.8, -13 },
    sand = { -18, -27 }, floor = -32, angle = { 36, 41 } },
  sentinel1 = { names = { "VV", "VH" }, water = { -21, -28 }, wind = { 7, 2 }, field = { -11, -18 }, forest = { -8, -14 },
    sand = { -16, -24 }, floor = -30, angle = { 36, 43 } },
}
local levels = LEVELS[p.sensor]
local extent = p.size * p.pixel

--%% One landscape

local function landscape(number)
  -- Scenes lie in degrees of their own, so that each has tiles of its own.
  local x, y = 420000 + 120000 * ((number - 1) % 3), 3300000 + 120000 * ((number - 1) // 3)
  local grid = raster.grid { crs = "EPSG:32615", origin = { x, y }, resolution = p.pixel, rows = p.size, cols = p.size }
  local base = 100000 * p.seed + 1000 * number
  local at = raster.coordinates(grid):set_unit ""
  local u, v = (at.x - x) / extent, (y - at.y) / extent
  local function noise(size, octaves, salt)
    return raster.random(grid, { distribution = "smooth", scale = size * extent / p.pixel, octaves = octaves, seed = base + salt })
  end
  math.randomseed(p.seed, number)
  local side, phase, second = 0.3 + 0.2 * math.random(), 6.3 * math.random(), 6.3 * math.random()

  --%% Water and the ground around it

  local bend = 0.07 * (7 * v + phase):sin() + 0.025 * (19 * v + second):sin() + 0.08 * (noise(0.15, 2, 1) - 0.5)
  local from_bed = (u - side - bend):abs()
  local river = from_bed:lt(0.006 + 0.01 * v)
  -- Hollows of the plain: the deeper, the smaller the number.
  local hollow = noise(0.22, 5, 2) + 1.2 * (from_bed - 0.3):clamp(0, 1)
  local LEVEL = 0.37
  local lake = hollow:lt(LEVEL)
  local water = river | lake
  -- 0 at the water, 1 in the hills.
  local away = ((from_bed - 0.012) / 0.35):clamp(0, 1)
  local shore = ((hollow - LEVEL) / 0.2):clamp(0, 1)
  -- Noise folded at its middle has crests, as mountains do; several mixed hide the lattice that it is made on.
  local crest, size, weight = nil, 0.31, 1
  for octave = 1, 5 do
    local folded = weight * (1 - (2 * noise(size, 2, 30 + octave) - 1):abs()) ^ 2.5
    crest = crest and crest + folded or folded
    size, weight = size / 1.7, weight * 0.62
  end
  local hills = (away - 0.45):clamp(0, 1) ^ 1.2
  local hand = raster.where(water, 0, (6 * away * shore + 2 * (noise(0.05, 3, 5) - 0.4):clamp(0, 1) * shore * away)
    + 0.075 * extent * hills * crest * shore)
  -- The river falls from north to south.
  local dem = hand + 40 + 12 * (1 - v)

  --%% What the radar sees of it

  -- It looks to the east.
  local incidence = levels.angle[1] + (levels.angle[2] - levels.angle[1]) * u
  local theta = incidence * (math.pi / 180)
  local function shifted(cols, rows) return dem:shift { cols = cols, rows = rows } end
  local east = ((shifted(-1, 0) - shifted(1, 0)) / (2 * p.pixel)):unmask(0)
  local north = ((shifted(0, 1) - shifted(0, -1)) / (2 * p.pixel)):unmask(0)
  local cos_local = (theta:cos() - theta:sin() * -east) / (east * east + north * north + 1):sqrt()
  local local_incidence = raster.atan2((1 - cos_local * cos_local):clamp(0, 1):sqrt(), cos_local)
  -- A ridge hides what lies below the ray over it.
  local cot = theta:cos() / theta:sin()
  local behind
  for step = 1, 40 do
    local over = (shifted(step, 0) - dem):unmask(-1e6) - step * p.pixel * cot
    behind = behind and raster.max(behind, over) or over
  end
  local shadow = behind:gt(0)
  local relief = 15 * (cos_local / theta:cos()):clamp(0.15, 2.5):log10()

  local wood = (noise(0.12, 4, 6) + 0.5 * hills):gt(0.56)
  local beach = ~water & noise(0.1, 3, 7):gt(0.6) & hollow:lt(LEVEL + 0.05)
  local strip = ((u * 37 + v * 11):floor() * 12.9898 + (v * 29 - u * 7):floor() * 78.233 + 0.37 * number)
  local tone = 3.5 * ((strip:sin() * 43758.5453) % 1 - 0.5)
  local gusts = p.wind * noise(0.3, 3, 8) * raster.where(lake, 1, 0.4)
  local bands
  for i, name in ipairs(levels.names) do
    local db = raster.where(wood, levels.forest[i] + 2 * (noise(0.02, 2, 9) - 0.5), levels.field[i] + tone)
    db = raster.where(beach, levels.sand[i], db) + relief
    db = raster.where(water, levels.water[i] + levels.wind[i] * gusts, db)
    local speckle = raster.random(grid, { distribution = "speckle", looks = p.looks, seed = base + 100 + i })
    local power = (raster.where(shadow, 0, 10 ^ (db / 10)) + 10 ^ (levels.floor / 10)) * speckle
    local band = power:cast("float32"):rename(name):set_unit "power"
    bands = bands and bands:add_bands(band) or band
  end

  --%% What Landsat sees of it

  local coarse = raster.grid { like = grid, resolution = math.max(30, p.pixel) }
  local function seen(image) return image:cast("float32"):align(coarse, { resampling = "average" }) end
  local share = seen(water)
  local hidden = seen(noise(0.25, 3, 10))
  -- The share of clouds is that of the noise above its own percentile.
  local clouds = p.cloud > 0 and hidden:gt(hidden:rename("b"):percentile(100 * (1 - p.cloud))) or hidden:gt(2)
  local marsh = seen(hollow):lt(LEVEL + 0.02) & share:lt(0.5)
  local codes = raster.where(share:ge(0.75), 1, raster.where(share:ge(0.5), 2, raster.where(marsh, 3, 0)))
  codes = raster.where(clouds, 9, codes):rename("INWAM"):cast "uint8"

  local function optical(name, of_water, of_field, of_forest, of_sand)
    local value = raster.where(water, of_water, raster.where(beach, of_sand, raster.where(wood, of_forest, of_field + 3 * tone)))
    return (value + 4 * raster.random(grid, { distribution = "normal", seed = base + 200 + of_field })):clamp(1, 255):rename(name):cast "uint8"
  end
  local composite = raster.bands(optical("red", 22, 48, 25, 95), optical("NIR", 14, 105, 84, 110), optical("SWIR1", 8, 82, 52, 128),
    optical("SWIR2", 5, 50, 24, 105))

  return {
    bands = bands, dem = dem:cast("float32"):rename("DEM"):set_unit "m", hand = hand:cast("float32"):rename("HAND"):set_unit "m",
    angle = local_incidence:cast("float32"):rename "angle",
    layover_shadow = raster.where(shadow, 17, 1):rename("ls_map"):cast "uint8",
    codes = codes, optical = composite, truth = water:rename("water"):cast "uint8",
  }
end

--%% Write them

local rows = {}
for number = 1, p.scenes do
  local scene = landscape(number)
  local name, jobs = nil, {}
  local function add(image, path, options) jobs[#jobs + 1] = { image, path, options or {} } end
  if p.sensor == "palsar" then
    name = ("AP_%05d_FBD_F%04d_RT1"):format(10000 + number, 10 * number)
    local stem = p.out .. "/" .. name .. "/" .. name
    for _, band in ipairs(levels.names) do add(scene.bands:select(band), stem .. "_" .. band .. ".tif") end
    add(scene.dem, stem .. ".dem.tif")
    add(scene.angle:set_unit "rad", stem .. ".inc_map.tif")
    add(scene.layover_shadow, stem .. ".ls_map.tif")
  else
    name = ("S1_%02d"):format(number)
    local folder = p.out .. "/" .. name
    add(scene.bands, folder .. "/image.tif")
    add(scene.dem, folder .. "/dem.tif")
    add(scene.angle:set_unit("rad"):to_degrees(), folder .. "/angle.tif")
  end
  local folder = p.out .. "/" .. name
  fs.mkdir(folder .. "/usgs_dswe")
  add(scene.hand, folder .. "/hand.tif")
  add(scene.optical, folder .. "/optical.tif", { nodata = 0 })
  add(scene.truth, folder .. "/truth.tif", { nodata = 255 })
  raster.write_all(jobs)
  scene.codes:write(("%s/usgs_dswe/LT05_CU_0100%02d_20080301_20210421_02_INWAM.TIF"):format(folder, number), { nodata = 255 })
  local share = raster.open(folder .. "/truth.tif"):cast("float32"):stats().water.mean
  rows[number] = { scene = name, truth = name .. "/truth.tif", water_share = share }
end
tables.new(rows, { columns = { "scene", "truth", "water_share" } }):write_csv(p.out .. "/scenes.csv")

print(("%d scenes of %s in %s, %d × %d pixels of %g m"):format(p.scenes, p.sensor, p.out, p.size, p.size, p.pixel))
for _, row in ipairs(rows) do print(("%s/%s  %.1f %% water"):format(p.out, row.scene, 100 * row.water_share)) end
