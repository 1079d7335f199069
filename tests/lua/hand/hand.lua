local raster, hand, fs = require "raster", require "hand", require "fs"

test("tiles are named by their lower left corner", function()
  assert(hand.path { west = -111, south = 39 }
    == "https://glo-30-hand.s3.us-west-2.amazonaws.com/v1/2021/Copernicus_DSM_COG_10_N39_00_W111_00_HAND.tif")
  assert(hand.dem_path { west = 5, south = -1 } == "https://copernicus-dem-30m.s3.amazonaws.com/"
    .. "Copernicus_DSM_COG_10_S01_00_E005_00_DEM/Copernicus_DSM_COG_10_S01_00_E005_00_DEM.tif")
end)

test("the sea is 0 m, another height, or masked", function()
  local land = raster.grid { crs = 4326, bounds = { 12, 45, 13, 46 }, resolution = 0.05 }
  raster.constant(land, 3):write(fs.basename(hand.path { west = 12, south = 45 }))
  local grid = raster.grid { crs = 4326, bounds = { 12.5, 45.4, 13.5, 45.6 }, resolution = 0.05 }
  local image = hand.on(grid, { base = ".", resampling = "nearest" })
  local row = image:read():totable()[1]
  assert(row[1] == 3 and row[20] == 0 and image.units.HAND == "m" and image.tiles_absent == 1)
  assert(hand.on(grid, { base = ".", sea = -1 }):read():totable()[1][20] == -1)
  assert(hand.on(grid, { base = ".", sea = "mask", resampling = "nearest" }):stats().HAND.count == 4 * 10)
  assert_error(function() hand.on(grid, { base = ".", sea = "none" }) end, "hand%.on: .*sea must be")
end)
