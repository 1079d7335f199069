-- What an image takes is told from its graph, and building the graph reads nothing.
local raster, filter, correlation = require "raster", require "filter", require "correlation"
local fs = require "fs"

local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 1200, cols = 800 }

test("files, shares, tiles, memory and the result", function()
  raster.random(grid, { seed = 3 }):rename("v"):write("v.tif", { compress = "none" })
  local image = raster.open "v.tif"
  local part = image:crop { row = 0, col = 0, rows = 600, cols = 800 }
  local plan = (part * 2 + part):plan()
  assert(#plan.files == 1 and plan.files[1].share == 0.5)
  assert_close(plan.files[1].size_mib, fs.size "v.tif" / 1048576, 0.06)
  assert_close(plan.read_mib, plan.files[1].size_mib / 2, 0.06)
  assert(plan.tiles >= 2 and plan.tile_rows <= 600 and plan.seconds == nil and #plan.before == 0)
  assert(plan.tiles == math.ceil(600 / plan.tile_rows) * math.ceil(800 / plan.tile_cols))
  -- 600 × 800 pixels of 4 bytes.
  assert_close(plan.result_mib, 600 * 800 * 4 / 1048576, 0.06)
  assert(tostring(plan):match "^reads +%d+%.?%d* MiB of 1 file\ncomputes +%d+ tiles of")
  assert_error(function() return plan.second end, "did you mean `seconds`")
  assert_error(function() image:plan { mesure = true } end, "did you mean `measure`")
end)

test("what comes before the tiles reads all of its inputs", function()
  local image = raster.open "v.tif"
  local part = filter.tv_bregman(image, { weight = 3 }):crop { row = 0, col = 0, rows = 10, cols = 10 }
  local plan = part:plan()
  assert(#plan.before == 1 and plan.before[1]:match "tv_bregman" and plan.files[1].share == 1)
  plan = filter.lee_sigma(image, { size = 5, looks = 4 }):plan()
  assert(#plan.before == 1 and plan.before[1]:match "percentile")
end)

test("one tile that is tried tells the time", function()
  local plan = filter.focal_median(raster.open "v.tif", { radius = 4 }):plan { measure = true }
  assert(plan.seconds > 0 and tostring(plan):match "time +about")
end)

test("building a graph reads no pixel", function()
  raster.bands((raster.random(grid, { seed = 3 }) + 0.1):rename "a", (raster.random(grid, { seed = 4 }) + 0.1):rename "b"):write "before.tif"
  local image = raster.open "before.tif"
  local a, b = image.a, image.b
  -- From now on a read of it is an error.
  raster.constant(grid, 1):write "before.tif"
  local built = {
    filter.lee_sigma(a, { size = 5, looks = 4 }), filter.tv_bregman(a, { weight = 2 }), filter.refined_lee(a),
    filter.focal_percentile(a, { radius = 2, percentile = 40 }), filter.quegan({ a, a }, { size = 5 })[1],
    a:reproject { crs = "EPSG:4326" }, a:resample(20, { resampling = "average" }), raster.mosaic { a, a:shift { cols = 5 } },
    raster.stack({ a, a, a }):median(), raster.stack({ a, a, a }):mean(), raster.where(a:gt(b), a, b):to_db(),
    correlation.ampcor(a, b, { window = 32, search = 4, skip = 64 }), correlation.ncc(a, b, { window = 32, search = 4, skip = 64 }),
    correlation.autorift(a, b, { chip = 16, chip_max = 16, spacing = 64, search = 4 }),
    correlation.velocity(correlation.autorift(a, b, { chip = 16, chip_max = 16, spacing = 64, search = 4 }), { days = 12 }),
    correlation.ncc(a, b, { window = 32, search = 4, skip = 64, gross = raster.bands(a:rename "dx_px", b:rename "dy_px") }),
  }
  local offsets = correlation.ncc(a, b, { window = 32, search = 4, skip = 64 })
  built[#built + 1] = correlation.velocity(offsets, { days = 12, stable = offsets.correlation:gt(0.5) })
  for i, made in ipairs(built) do
    local band = made.bands[1]
    assert(#made:identity(band) == 64 and made:plan() and made:explain() and raster.bands(made) and #made.bands > 0, i)
    assert_error(function() made:crop({ row = 0, col = 0, rows = 2, cols = 2 }):read() end, "has changed on disk since it was opened")
  end
end)
