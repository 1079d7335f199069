-- The figures by perilune, each beside the one of figures.py with the same name.
local raster, plot, tables, time = require "raster", require "plot", require "tables", require "time"
local out = { dpi = 150 }
local function sized(options) for k, v in pairs(out) do options[k] = v end return options end

-- (a) Speed by logarithms, and where it goes.
do
  local flow = raster.open "flow.tif"
  local speed = (flow.vx ^ 2 + flow.vy ^ 2):sqrt():rename "speed":set_unit "m/yr"
  local figure = plot.map(speed, sized { norm = "log", min = 50, max = 8000, label = "Speed (m/yr)", scale_bar = "lower left", width = 4.4 })
  figure[1]:quiver(flow, { lengths = "sqrt", halo = "white", unit = "m/yr", key = 5000 })
  figure:write "ours/a_velocity_map.png"
end

-- (b) Years side by side with one colour bar.
do
  local years = {}
  for year = 2015, 2017 do years[#years + 1] = raster.open(("speed_%d.tif"):format(year)):rename "speed" end
  plot.maps(years, sized { titles = { "2015", "2016", "2017" }, cols = 3, label = "Speed (m/yr)", min = 0, max = 7000, colormap = "magma", letters = true, width = 6.4 })
    :write "ours/b_years.png"
end

-- (c) Along the tongue over time.
do
  local t = tables.read "along.csv"
  plot.hovmoller(t:column "distance_km", t:column "time", t:column "speed", sized {
    label = "Speed (m/yr)", y_label = "Distance along the flow line (km)", width = 4.8, height = 3, colormap = "viridis",
  }):write "ours/c_hovmoller.png"
end

-- (d) Seasons, with how many pairs there are of each month.
do
  local t = tables.read "series.csv"
  local names = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
  local groups = {}
  for m = 1, 12 do groups[m] = {} end
  for i = 1, #t do table.insert(groups[t[i].month], t[i].speed) end
  plot.boxes(names, groups, sized { y_label = "Speed (m/yr)", counts = true, width = 4.8, height = 3 }):write "ours/d_months.png"
end

-- (e) Heights over backscatter.
do
  local figure = plot.map(raster.open "vv.tif", sized { label = "γ⁰ VV (dB)", colormap = "gray", min = -25, max = 0, width = 4.4, scale_bar = "lower right" })
  figure[1]:contours(raster.open "height.tif", { color = "#d62728", halo = "white", count = 8 })
  figure:write "ours/e_contours.png"
end

-- (f) One place over time: errors, and the trend by least squares.
do
  local t = tables.read "series.csv"
  local days, n, sx, sy, sxx, sxy = {}, #t, 0, 0, 0, 0
  for i = 1, n do
    local x, y = time.difference(t[i].time, t[1].time, "days"), t[i].speed
    days[i] = x
    sx, sy, sxx, sxy = sx + x, sy + y, sxx + x * x, sxy + x * y
  end
  local slope = (n * sxy - sx * sy) / (n * sxx - sx ^ 2)
  local first = (sy - slope * sx) / n
  local figure = plot.figure(sized { width = 4.8, height = 3 })
  local axes = figure:axes { y_label = "Speed (m/yr)" }
  axes:error_bars(t:column "time", t:column "speed", t:column "error", { label = "image pairs", marker_size = 3 })
  axes:line({ t[1].time, t[n].time }, { first, first + slope * days[n] }, { label = ("%+.0f m/yr per year"):format(slope * 365.25), color = "C3", style = "dashed" })
  figure:write "ours/f_series.png"
end
