--- Compares two maps of water, or a map with labels: confusion matrix, IoU, F1, kappa with intervals, and a map of where they differ.
---
--- Both hold 1 for water and 0 for what is not; masked pixels of either do not count. The reference is brought onto the grid of the map by the nearest pixel. Intervals
--- come from blocks of the image that are drawn anew, since pixels near each other err together.
---
---     perilune run water_compare --map water.tif --reference truth.tif --out comparison

local raster, fs, plot = require "raster", require "fs", require "plot"
local learning = require "learning"

local p = params {
  map = { type = "path", required = true, help = "The map: 1 water, 0 not water." },
  reference = { type = "path", required = true, help = "The other map, or labels." },
  out = { "comparison", type = "path", help = "How the names of the results begin: _difference.tif, _classes.csv and figures." },
  map_name = { "map", help = "What the first is called in tables and figures." },
  reference_name = { "reference", help = "What the second is called." },
  blocks = { 4, min = 1, max = 32, help = "Blocks along a side of the image, for the intervals." },
  figures = { true, help = "Draw the difference and the confusion matrix." },
}

--%% Both on one grid

local function water(path)
  local image = raster.open(path):select(1)
  local codes = image:cast "float32"
  -- Other codes say nothing of water.
  return codes:mask(codes:eq(0) | codes:eq(1)):rename("water"):cast "uint8"
end
local map = water(p.map)
local reference = water(p.reference)
if not reference.grid:matches(map.grid) then reference = reference:align(map) end

--%% Measures

local CLASSES = { [0] = "not water", [1] = "water" }
local pairs_of_blocks = {}
local rows, cols = math.max(1, map.rows // p.blocks), math.max(1, map.cols // p.blocks)
for i = 1, math.min(p.blocks, map.rows) do
  for j = 1, math.min(p.blocks, map.cols) do
    local window = { row = (i - 1) * rows, col = (j - 1) * cols }
    -- The last blocks take what is left over.
    window.rows = i == p.blocks and map.rows - window.row or rows
    window.cols = j == p.blocks and map.cols - window.col or cols
    pairs_of_blocks[#pairs_of_blocks + 1] = {
      prediction = map:crop(window), labels = reference:crop(window), group = ("block %d, %d"):format(i, j),
    }
  end
end
local found = learning.evaluate(pairs_of_blocks, { classes = CLASSES })
print(found)
fs.mkdir(fs.dirname(p.out))
found.classes:write_csv(p.out .. "_classes.csv")
found.overall:write_csv(p.out .. "_overall.csv")
found.groups:write_csv(p.out .. "_blocks.csv")

--%% Where they differ

local KINDS = {
  { value = 0, name = "neither", color = "#efe9dc" },
  { value = 1, name = "both", color = "#2468a8" },
  { value = 2, name = "only " .. p.map_name, color = "#d1495b" },
  { value = 3, name = "only " .. p.reference_name, color = "#edae49" },
}
local m, r = map:cast "float32", reference:cast "float32"
local difference = raster.where(m:eq(1), raster.where(r:eq(1), 1, 2), raster.where(r:eq(1), 3, 0))
  :mask(m:is_valid() & r:is_valid()):rename("difference"):cast("uint8"):set_classes(KINDS)
print(difference:write(p.out .. "_difference.tif", { nodata = 255 }))

if p.figures then
  local georeferenced = map.crs ~= nil
  local figure = plot.classes(raster.open(p.out .. "_difference.tif"), {
    title = ("Water in %s and %s: IoU %.3f"):format(p.map_name, p.reference_name, found.classes[2].iou),
    lonlat = georeferenced, scale_bar = georeferenced and "lower right" or nil, dpi = 200, width = 5.5,
  })
  print(figure:write(p.out .. "_difference.png"))
  print(found:plot({ dpi = 200 }):write(p.out .. "_matrix.png"))
end
