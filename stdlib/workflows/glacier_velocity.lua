--- Surface velocities of a glacier from two images: offsets by autoRIFT, metres a year, still ground, figure, GeoTIFF, NetCDF.
---
--- Tracks the second image against the first, turns offsets into velocities on the ground, takes off what ground that is known
--- to be still seems to move, and writes velocities and their errors as GeoTIFF, on demand as a NetCDF granule in ITS_LIVE's
--- layout, with a map for a paper. Both images should come from one orbit, or be orthorectified well.
---
---     perilune run glacier_velocity --reference a.tif --secondary b.tif --reference-time 2020-03-01 --secondary-time 2020-04-02

local raster, fs, geometry, plot = require "raster", require "fs", require "geometry", require "plot"
local correlation, itslive, log = require "correlation", require "itslive", require "log"

local p = params {
  reference = { type = "path", required = true, help = "The earlier image." },
  secondary = { type = "path", required = true, help = "The later image. On other pixels, it is resampled onto the first." },
  band = { type = "string", help = "Band of both images, where they have several." },
  reference_time = { type = "date", help = "When the first was taken; where left out, what the file says." },
  secondary_time = { type = "date", help = "When the second was taken." },
  out = { "velocity.tif", type = "path", help = "Velocities and errors, m/yr. The other files are named after it." },

  -- Still ground
  glaciers = { type = "path", help = "Outlines of what moves (any vector file); everything else is taken as still." },
  stable = { type = "path", help = "Outlines of still ground." },

  -- Tracking
  chip = { 32, min = 4, max = 256, unit = "px", help = "Width of the smallest chip." },
  chip_max = { type = "integer", unit = "px", help = "Width of the largest chip; twice the smallest where left out." },
  spacing = { type = "integer", unit = "px", help = "Distance of the nodes; half the smallest chip where left out." },
  search = { 25, min = 1, max = 1000, unit = "px", help = "Half the search window: the largest offset that is found." },
  prefilter = {
    "high_pass", choices = { "high_pass", "wallis", "wallis_fill", "sobel", "log_laplacian", "db", "none" },
    help = "What brings out features; wallis_fill for Landsat 7 with gaps.",
  },

  -- What else
  max = { type = "number", unit = "m/yr", help = "Velocity of the last colour; the 98th percentile where left out." },
  netcdf = { false, help = "Also write a granule in ITS_LIVE's layout." },
  figures = { true, help = "Draw the map as PNG." },
}

--%% Open the pair

local function open(path, time)
  local image = raster.open(path)
  if p.band then image = image:select(p.band) end
  if #image.bands > 1 then
    error(("%s has the bands %s; choose one with --band"):format(path, table.concat(image.bands, ", ")), 0)
  end
  return time and image:set_time(time) or image
end

local reference, secondary = open(p.reference, p.reference_time), open(p.secondary, p.secondary_time)
if not reference.grid:matches(secondary.grid) then secondary = secondary:align(reference, { resampling = "cubic" }) end

--%% Track

local offsets = correlation.autorift(reference, secondary, {
  chip = p.chip, chip_max = p.chip_max or math.min(2 * p.chip, 256), spacing = p.spacing or p.chip // 2, search = p.search,
  prefilter = p.prefilter,
})

--%% Velocities, and what still ground says of them

local still
if p.stable and p.glaciers then
  error("give --stable or --glaciers, not both: the one is what the other leaves", 0)
elseif p.stable then
  still = geometry.read(p.stable):rasterize(offsets, { background = 0 }):gt(0)
elseif p.glaciers then
  still = geometry.read(p.glaciers):rasterize(offsets, { background = 0 }):eq(0)
end
local velocity = correlation.velocity(offsets, {
  reference_time = p.reference_time, secondary_time = p.secondary_time, stable = still,
})

--%% Write

fs.mkdir(fs.dirname(p.out))
local base = p.out:gsub("%.tiff?$", "")
local all = velocity:add_bands(offsets)
all:write(p.out)
local written = { p.out }
local function id(path) return fs.basename(path, "." .. fs.extension(path)) end
if p.netcdf then
  written[#written + 1] = itslive.write(velocity, offsets, {
    folder = fs.dirname(p.out), reference_id = id(p.reference), secondary_id = id(p.secondary),
  })
end

--%% Figure

if p.figures then
  local days = velocity:get "date_dt"
  local map = plot.map(velocity:select "v", {
    title = ("Surface velocity over %.0f days"):format(days), label = "Velocity (m/yr)", colormap = "viridis", min = 0,
    max = p.max, scale_bar = true, lonlat = true, dpi = 300,
  })
  local outlines = p.glaciers or p.stable
  if outlines then map[1]:features(geometry.read(outlines), { color = "white", halo = "black", line_width = 0.6 }) end
  written[#written + 1] = map:write(base .. ".png")
end

--%% Statistics

local stats = all:stats()
local nodes = offsets.rows * offsets.cols
print(("%d of %d nodes have a velocity (%.1f %%), %d of them interpolated"):format(
  stats.v.count, nodes, 100 * stats.v.count / nodes, math.floor(stats.v.count * (stats.interp_mask.mean or 0) + 0.5)))
if stats.v.count > 0 then
  local speed = velocity:select "v"
  print(("velocity: median %.1f m/yr, 95th percentile %.1f m/yr, largest %.1f m/yr"):format(
    speed:percentile(50), speed:percentile(95), stats.v.max))
  print(("error: mean %.1f m/yr in x, %.1f m/yr in y"):format(stats.vx_error.mean or 0 / 0, stats.vy_error.mean or 0 / 0))
else
  log.warn("no node has a velocity: the images share nothing that is followed by chips of %d px within %d px; band `reason` says why at each node; " ..
    "try another --chip, --search or --prefilter", p.chip, p.search)
end
if velocity:get("stable_count", false) then
  print(("still ground, %d nodes: shift %.1f and %.1f m/yr taken off, RMSE %.1f and %.1f m/yr"):format(
    velocity:get "stable_count", velocity:get "stable_shift_vx", velocity:get "stable_shift_vy",
    velocity:get "stable_rmse_vx", velocity:get "stable_rmse_vy"))
end
for _, path in ipairs(written) do print(path) end
