-- Vectors along the axes of one projection, along those of another.
local raster = require "raster"

local M = {}

-- Cosine and sine of the angle between the axes of `crs` and those of the grid, at each pixel. The derivatives of the one's coordinates by
-- the other's hold a turn and a scale (and, where a projection is not conformal, a shear): the turn is the rotation nearest to them.
local function turn(grid, crs)
  local d = raster.coordinates(grid, { crs = crs, derivatives = true })
  local along = (d.dx_dx + d.dy_dy):rename "turn"
  local across = (d.dy_dx - d.dx_dy):rename "turn"
  local length = (along * along + across * across):sqrt()
  return along / length, across / length
end

-- Components `vx` and `vy` that lie on the grid already, but along the axes of `crs`.
function M.components(vx, vy, crs)
  local c, s = turn(vx.grid, crs)
  local x = (vx * c + vy * s):cast "float32":rename "vx"
  local y = (vy * c - vx * s):cast "float32":rename "vy"
  return x, y
end

-- How pixels come from one grid onto another: means of those that are covered where they grow, values between the centres else.
local function resampling(from, to)
  if from.crs == to.crs then return to.resolution[1] > 1.5 * from.resolution[1] and "average" or "bilinear" end
  local here = from:reproject { crs = to.wkt }
  return to.resolution[1] > 1.5 * here.resolution[1] and "average" or "bilinear"
end

-- The grid itself, or that of an image.
function M.grid_of(where)
  local is_image, grid = pcall(function() return where.grid end)
  return is_image and grid or where
end

-- Whether pixels of the one grid are pixels of the other, perhaps beyond its edges.
function M.share_pixels(a, b)
  if a.crs ~= b.crs then return false end
  local ta, tb = a.transform, b.transform
  local dx, dy = ta[2], ta[6]
  if math.abs(tb[2] - dx) > 1e-9 * math.abs(dx) or math.abs(tb[6] - dy) > 1e-9 * math.abs(dy) then return false end
  local function whole(d) return math.abs(d - math.floor(d + 0.5)) < 1e-3 end
  return whole((ta[1] - tb[1]) / dx) and whole((ta[4] - tb[4]) / dy)
end

-- An image with vx and vy, and perhaps v and others, on a grid: moved by whole pixels, resampled, or resampled and turned.
function M.onto(image, grid)
  if M.share_pixels(image.grid, grid) then return image:align(grid) end
  local moved = image:align(grid, { resampling = resampling(image.grid, grid) })
  local vx, vy = moved:select "vx", moved:select "vy"
  if image.crs ~= grid.crs then vx, vy = M.components(vx, vy, image.grid.wkt) end
  moved = moved:map_bands(function(band, name)
    if name == "vx" then return vx end
    if name == "vy" then return vy end
    -- The length of what is between two vectors is less than what is between their lengths.
    if name == "v" then return ((vx * vx + vy * vy):sqrt()):rename "v" end
    return band
  end)
  return moved:set_unit "m/yr"
end

return M
