--- VV/VH ratio of a stack of Sentinel-1 images: its median and standard deviation over time, for each relative orbit.
---
--- Opens a folder of images (OPERA RTC-S1 products, Earth-Engine-style exports, or pairs of VV and VH files), keeps those
--- asked for, masks the edges of the swath by incidence angle, filters speckle in every image, takes the ratio, and reduces
--- the ratios over time. Writes cloud-optimised GeoTIFFs of median, standard deviation and number of dates, of the
--- median backscatter, and pictures of them; on demand the ratio of every image, and a time series at points.
---
---     perilune run s1_vv_vh --folder scenes --out vv_vh.tif --orbit 117 --start 2023-01-01 --points "9.86,47.70;9.90,47.68"

local raster, fs, geometry, plot = require "raster", require "fs", require "geometry", require "plot"
local s1 = require "sentinel1"

local p = params {
  folder = { type = "path", required = true, help = "Folder of the images; folders in it are searched too." },
  out = { "vv_vh.tif", type = "path", help = "The median. `_std`, `_count` and the other files are named after it." },

  -- Which images
  start = { type = "date", help = "First date." },
  stop = { type = "date", help = "Last date." },
  orbit = { type = "list", of = "integer", help = "Relative orbits; all where left out. Each gives files of its own." },
  pass = { "both", choices = { "both", "ASCENDING", "DESCENDING" }, help = "Direction of flight, where the files tell it." },
  platform = { "both", choices = { "both", "S1A", "S1B", "S1C", "S1D" }, help = "Satellite; both is any." },
  mode = { type = "string", help = "Instrument mode, such as IW." },
  burst = { type = "string", help = "One burst, such as T137-292318-IW2." },
  bounds = { type = "list", of = "number", unit = "deg", help = "West, south, east, north of the area." },
  pattern = { type = "string", help = "Pattern of file names, such as S1_{date:yyyymmdd}_{polarisation}.tif." },
  unit = { type = "string", choices = { "power", "dB", "amplitude" }, help = "Unit of the files, where they do not say it." },
  incomplete = { "error", choices = { "error", "skip" }, help = "What to do with images that lack VV or VH." },

  -- Where
  bursts = { "mosaic", choices = { "mosaic", "each" }, help = "Join the bursts of a pass, or composite each by itself." },
  scale = { type = "number", help = "Pixel size in units of the CRS; that of the images where left out." },
  crs = { type = "string", help = "CRS of the result, such as EPSG:4326; that of the images where left out." },
  resampling = { "bilinear", help = "How pixels come onto another scale or CRS." },

  -- How
  angle_min = { 30.63993, unit = "deg", help = "Smallest incidence angle kept, where images have angles." },
  angle_max = { 45.53993, unit = "deg", help = "Largest incidence angle kept." },
  speckle = { "focal", choices = { "focal", "refined_lee", "none" }, help = "Speckle filter." },
  radius = { 100, min = 0, unit = "m", help = "Radius of the focal median." },
  quantity = {
    "ratio_db", choices = { "ratio_db", "ratio", "difference", "notebook" },
    help = "VV/VH in dB, VV/VH of powers, VV - VH of powers, or the original notebook's ratio of decibels.",
  },
  min = { type = "number", help = "Smaller or equal values are masked in every image; notebook: -5." },
  max = { type = "number", help = "Larger or equal values are masked in every image; notebook: 5." },

  -- What else
  points = { type = "string", help = "Points of a time series: lon,lat;lon,lat or a file of points (GeoJSON, CSV with lon and lat, …)." },
  per_image = { false, help = "Also write the ratio of every image." },
  prefix = { "VVdVH", help = "What the files of single images are called: prefix_yyyymmdd_10m.tif." },
  names = { type = "list", of = "string", help = "Names for the files of single images, in place of dates." },
  first = { 1, min = 1, help = "First image to write by itself." },
  max_images = { type = "integer", min = 1, help = "Most images to write by themselves." },
  figures = { true, help = "Draw maps and series as PNG." },
}

--%% Open the images

local stack = s1.open_stack(p.folder, {
  start = p.start, stop = p.stop, relative_orbit = p.orbit, pass = p.pass, platform = p.platform, mode = p.mode,
  burst = p.burst, bounds = p.bounds, pattern = p.pattern, unit = p.unit, incomplete = p.incomplete,
})
print(s1.summary(stack):render())

--%% Points of the time series

-- "lon,lat;lon,lat", or the points of a file.
local function read_points(text)
  local points = {}
  for x, y in text:gmatch "(-?[%d.]+)%s*,%s*(-?[%d.]+)" do
    points[#points + 1] = { tonumber(x), tonumber(y), point = #points + 1 }
  end
  local rest = text:gsub("-?[%d.]+%s*,%s*-?[%d.]+", ""):gsub("[;%s]", "")
  if #points > 0 and rest == "" then return points end
  points = {}
  for i, feature in ipairs(geometry.read(text):to_crs "EPSG:4326") do
    local x, y = feature.geometry:position()
    points[i] = { x, y, point = feature.properties.name or i }
  end
  return points
end

local points = p.points and read_points(p.points) or {}
--%% Sort the images by orbit, each orbit on one grid

local tracks = s1.tracks(stack, {
  bursts = p.bursts, bounds = p.bounds, crs = p.crs, scale = p.scale, resampling = p.resampling,
})

--%% Mask, filter, and take the ratio of one image

local notebook = p.quantity == "notebook"
local low, high = p.min or notebook and -5 or -math.huge, p.max or notebook and 5 or math.huge
local titles = {
  ratio_db = "VV/VH (dB)", ratio = "VV/VH (power)", difference = "VV − VH (power)", notebook = "VV (dB) / VH (dB)",
}
local title = titles[p.quantity]

local function vv_vh(image)
  if s1.has_band(image, "angle") then image = s1.mask_angle(image, p.angle_min, p.angle_max) end
  local bands = image:select("VV", "VH")
  -- Speckle multiplies power, so power is filtered; the notebook filtered decibels.
  bands = notebook and bands:to_db() or bands:to_power()
  local smooth = s1.despeckle(bands, { method = p.speckle, radius = p.radius })
  local ratio = s1.ratio(smooth, { quantity = p.quantity })
  return ratio:mask(ratio:gt(low) & ratio:lt(high)):add_bands(smooth:to_db())
end

--%% Median and standard deviation over time

local base = p.out:gsub("%.tiff?$", "")
fs.mkdir(fs.dirname(p.out))
local results = {}
for _, track in ipairs(tracks) do
  local name = #tracks == 1 and base or base .. "_" .. track.label
  local images = track.stack:map(vv_vh)
  local band = images[1].bands[1]
  local over_time = images:select(band):reduce { "median", "std", "count" }
  local function composite(reducer) return over_time:select(band .. "_" .. reducer):rename(band) end
  local result = {
    label = track.label, name = name, band = band, images = images,
    median = #tracks == 1 and p.out or name .. ".tif",
    std = name .. "_std.tif",
    count = name .. "_count.tif",
    backscatter = name .. "_backscatter.tif",
  }
  local cog = { format = "COG" }
  -- In one pass: every image is read and filtered once for all four files.
  raster.write_all {
    { composite "median", result.median, cog },
    { composite "std", result.std, cog },
    { composite "count", result.count, cog },
    { images:select("VV", "VH"):median(), result.backscatter, cog },
  }
  results[#results + 1] = result
end

--%% Every image by itself, where that is wanted

local written = {}
local function note(result, what, path)
  written[#written + 1] = { track = result.label, what = what, file = path }
end

for _, result in ipairs(results) do
  note(result, title .. ", median", result.median)
  note(result, title .. ", standard deviation", result.std)
  note(result, "dates with a value", result.count)
  note(result, "VV and VH in dB, median", result.backscatter)
  if p.per_image then
    local folder = result.name .. "_images"
    fs.mkdir(folder)
    local paths = result.images:select(result.band):export {
      folder = folder, prefix = p.prefix, names = p.names, first = p.first, max = p.max_images, format = "COG",
    }
    note(result, ("%d images"):format(#paths), folder)
  end
end

--%% Time series at points

for _, result in ipairs(#points > 0 and results or {}) do
  result.series = result.images:sample(points, { crs = "EPSG:4326" })
    :select("time", "point", "x", "y", result.band, "VV", "VH"):rename("x", "lon"):rename("y", "lat")
  result.series:write_csv(result.name .. "_series.csv")
  note(result, "values at the points", result.name .. "_series.csv")
end

--%% Figures

local function draw_maps(result)
  local median, std = raster.open(result.median), raster.open(result.std)
  local backscatter = raster.open(result.backscatter)
  local first, last = result.images[1].time, result.images[#result.images].time
  local when = ("%s, %s to %s"):format(result.label, first and first:sub(1, 10) or "?", last and last:sub(1, 10) or "?")
  local function write(figure, part, what)
    note(result, what, figure:write(result.name .. part .. ".png"))
  end
  local map = plot.map(median, {
    title = "Median of " .. title .. "\n" .. when, label = title, colormap = "viridis", scale_bar = true, lonlat = true, dpi = 200,
  })
  for _, point in ipairs(points) do
    map[1]:scatter({ point[1] }, { point[2] }, { crs = "EPSG:4326", color = "black", outline = "white", marker_size = 6 })
      :text(point[1], point[2], "  " .. point.point, { crs = "EPSG:4326", halo = "white" })
  end
  write(map, "", "map of the median")
  write(plot.map(std, {
    title = "Standard deviation of " .. title .. "\n" .. when, label = "Standard deviation of " .. title, colormap = "magma", scale_bar = true, lonlat = true,
    dpi = 200,
  }), "_std", "map of the standard deviation")
  local ratio = (backscatter.VV - backscatter.VH):rename "ratio"
  write(plot.rgb(raster.bands(backscatter.VV, backscatter.VH, ratio), {
    title = "VV, VH, VV/VH (red, green, blue)\n" .. when, scale_bar = true, lonlat = true, dpi = 200,
  }), "_rgb", "colour composite of VV, VH and VV/VH")
end

local function draw_series(result)
  local figure = plot.figure { rows = 2, cols = 1, width = 7, height = 5, dpi = 200 }
  local ratio = figure:axes { title = "Time series, " .. result.label, y_label = title, grid = true, legend = "right" }
  local levels = figure:axes { y_label = "VV (solid), VH (dashed), dB", grid = true, legend = "none" }
  for i, at in ipairs(result.series:groups "point") do
    local colour, label = "C" .. (i - 1) % 10, tostring(at[1].point)
    ratio:line(at.time, at[result.band], { marker = "circle", color = colour, label = label })
    levels:line(at.time, at.VV, { marker = "circle", color = colour })
    levels:line(at.time, at.VH, { marker = "circle", color = colour, style = "dashed" })
  end
  note(result, "time series", figure:write(result.name .. "_series.png"))
end

for _, result in ipairs(p.figures and results or {}) do
  draw_maps(result)
  if result.series then draw_series(result) end
end

--%% What was written

local widest = 0
for _, entry in ipairs(written) do widest = math.max(widest, utf8.len(entry.what)) end
for _, entry in ipairs(written) do
  print(("%s  %s%s  %s"):format(entry.track, entry.what, (" "):rep(widest - utf8.len(entry.what)), entry.file))
end
