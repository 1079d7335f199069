--- Where the results of a search lie: their footprints on a map with country borders, for a paper.
---
--- Reads what a search saved, or any other vector file, chooses a projection around the footprints (equal area; also over the
--- dateline and around a pole), and draws them in the colours of one of their properties. Without a file of borders the
--- graticule alone tells where they are; Natural Earth's countries (naturalearthdata.com) are a good one.
---
---     perilune run footprints --items search.json --borders ne_110m_admin_0_countries.geojson --color-by platform

local geometry, json, plot, fs = require "geometry", require "json", require "plot", require "fs"

local p = params {
  items = { type = "path", required = true, help = "A saved search, GeoJSON, or any vector file with the footprints." },
  borders = { type = "path", help = "Vector file of land or countries, drawn beneath." },
  out = { "footprints.png", type = "path", help = "The figure, .png or .svg." },

  -- What is shown how
  color_by = { type = "string", help = "Property whose values give the colours; `year` stands for that of the date. One colour where left out." },
  filled = { true, help = "Fill the footprints, so that many over one another are darker." },
  label = { type = "string", help = "Property to write into each footprint." },
  title = { type = "string", help = "Above the map; the number of footprints where left out." },

  -- Which map
  crs = { type = "string", help = "Projection such as EPSG:3413; one around the footprints where left out." },
  margin = { 0.15, min = 0, max = 5, help = "Room around the footprints, as a share of their extent." },
  width = { 6.4, min = 1, max = 40, unit = "in", help = "Width of the figure." },
  dpi = { 300, min = 50, max = 1200, help = "Pixels an inch." },
}

--%% Read

local all = geometry.read(p.items)
local shown = all:filter(function(f) return f.geometry ~= nil and not f.geometry:is_empty() end)
if #shown == 0 then
  error(("%s has %d entries, none with a footprint; those of ITS_LIVE's service of addresses have none, its STAC service tells them")
    :format(p.items, #all), 0)
end
if shown.crs and shown.crs ~= "EPSG:4326" then shown = shown:to_crs "EPSG:4326" end

--%% A projection around them

-- Every vertex as a unit vector: means of those know neither dateline nor pole.
local vectors = {}
local function collect(coordinates)
  if type(coordinates[1]) ~= "number" then
    for _, part in ipairs(coordinates) do collect(part) end
    return
  end
  local lon, lat = math.rad(coordinates[1]), math.rad(coordinates[2])
  vectors[#vectors + 1] = { math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat) }
end
local function collect_geometry(g)
  if g.geometries then
    for _, part in ipairs(g.geometries) do collect_geometry(part) end
  else
    collect(g.coordinates)
  end
end
for _, f in ipairs(shown) do collect_geometry(json.decode(f.geometry:to_geojson())) end

local x, y, z = 0, 0, 0
for _, v in ipairs(vectors) do x, y, z = x + v[1], y + v[2], z + v[3] end
local length = math.sqrt(x * x + y * y + z * z)
local center_lon, center_lat = math.deg(math.atan(y, x)), math.deg(math.atan(z, math.sqrt(x * x + y * y)))
local nearest = 1
for _, v in ipairs(vectors) do nearest = math.min(nearest, (v[1] * x + v[2] * y + v[3] * z) / length) end
-- The angle from the middle to the farthest vertex, degrees.
local reach = length > 1e-9 * #vectors and math.deg(math.acos(math.max(-1, nearest))) or 180

local crs = p.crs
local whole_world = not crs and reach > 75
if not crs then
  crs = whole_world and "EPSG:4326"
    or ("+proj=laea +lat_0=%.4f +lon_0=%.4f +datum=WGS84 +units=m"):format(center_lat, center_lon)
end

--%% The part of the world that the map shows

local projected = shown:to_crs(crs)
local b = projected:bounds()
local west, south, east, north = b[1], b[2], b[3], b[4]
local function limits(low, high, other)
  local room = math.max(high - low, 0.6 * other, whole_world and 1 or 2000)
  local half, middle = (0.5 + p.margin) * room, (low + high) / 2
  return { middle - half, middle + half }
end
local x_limits, y_limits = limits(west, east, north - south), limits(south, north, east - west)
if whole_world then x_limits, y_limits = { -180, 180 }, { -90, 90 } end

--- Longitudes and latitudes within `degrees` of the middle, as a box for clipping.
local function around(degrees)
  local low, high = math.max(-90, center_lat - degrees), math.min(90, center_lat + degrees)
  if low <= -85 or high >= 85 then return geometry.bbox(-180, low, 180, high) end
  local half = math.deg(math.asin(math.min(1, math.sin(math.rad(degrees)) / math.cos(math.rad(center_lat)))))
  if half >= 180 then return geometry.bbox(-180, low, 180, high) end
  local function turned(lon) return (lon + 180) % 360 - 180 end
  return geometry.bbox(turned(center_lon - half), low, turned(center_lon + half), high)
end

--%% Colours

local function value_of(f)
  if p.color_by == "year" and f.properties.year == nil then
    local date = f.properties.datetime or f.properties.start_datetime
    return date and tostring(date):match "^%d%d%d%d"
  end
  return f.properties[p.color_by]
end

-- The colours that series take in turn, as numbers, so that fills can be made transparent.
local CATEGORIES = {
  "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22",
}
local BLENDED = { "#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#c2df23" } -- viridis from 0 to 0.9

--- A list of { label, color, condition } for the values of the property.
local function classes()
  local known, values, numbers = {}, {}, true
  for _, f in ipairs(projected) do
    local value = value_of(f)
    if value ~= nil and value ~= json.null and not known[value] then
      known[value] = true
      values[#values + 1] = value
      numbers = numbers and type(value) == "number"
    end
  end
  if #values == 0 then
    error(("no entry of %s has the property %s; there are: %s"):format(p.items, p.color_by, table.concat(all.names, ", ")), 0)
  end
  table.sort(values, function(a, c) return numbers and a < c or not numbers and tostring(a) < tostring(c) end)
  local out = {}
  if numbers and #values > 10 then
    -- Round steps, four to six of them. Without rounding at the ends 100.2 % would open a class of its own.
    local span = values[#values] - values[1]
    local unit = 10 ^ math.floor(math.log(span / 5, 10))
    local step = unit
    for _, times in ipairs { 1, 2, 5, 10 } do
      step = times * unit
      if span / step <= 5.5 then break end
    end
    local first = math.floor(values[1] / step + 0.02)
    local last = math.max(first + 1, math.ceil(values[#values] / step - 0.02))
    for k = first, last - 1 do
      local from, to = k * step, (k + 1) * step
      local color = BLENDED[1 + math.floor((k - first) * (#BLENDED - 1) / math.max(1, last - 1 - first) + 0.5)]
      out[#out + 1] = { ("%.10g to %.10g"):format(from, to), color, function(value)
        return type(value) == "number" and (value >= from or k == first) and (value < to or k == last - 1)
      end }
    end
    return out
  end
  for i = 1, math.min(#values, 9) do
    out[i] = { tostring(values[i]), CATEGORIES[i], function(value) return value == values[i] end }
  end
  if #values > 9 then
    local rest = {}
    for i = 10, #values do rest[values[i]] = true end
    out[10] = { ("%d others"):format(#values - 9), "#7f7f7f", function(value) return value ~= nil and rest[value] end }
  end
  return out
end

--%% Draw

local count = #all == #shown and ("%d footprints"):format(#shown) or ("%d footprints of %d entries"):format(#shown, #all)
local figure = plot.figure { width = p.width, dpi = p.dpi }
local axes = figure:axes {
  title = p.title or p.color_by and ("%s by %s"):format(count, p.color_by) or count, x_limits = x_limits, y_limits = y_limits, lonlat = true, grid = true,
  background = p.borders and "#eef3f7" or "white", scale_bar = not whole_world or nil,
}
-- The first layer gives the map its projection: a frame, which the limits hide.
axes:rectangle({ x_limits[1], y_limits[1], x_limits[2], y_limits[2] }, { color = "none", crs = crs })

if p.borders then
  local diagonal = math.sqrt((x_limits[2] - x_limits[1]) ^ 2 + (y_limits[2] - y_limits[1]) ^ 2)
  local land = geometry.read(p.borders)
  if land.crs and land.crs ~= "EPSG:4326" then land = land:to_crs "EPSG:4326" end
  if not whole_world then
    local degrees = math.min(85, p.crs and reach * 1.5 + 20 or math.deg(diagonal / 6371000) + 2)
    land = land:make_valid():clip(around(degrees)):to_crs(crs, { densify = math.max(0.02, degrees / 60) })
  end
  if #land > 0 then axes:features(land, { color = "0.45", fill = "#f5f1e6", line_width = 0.5 }) end
end

local function draw(features, color, label)
  if #features == 0 then return end
  axes:features(features, {
    color = color, line_width = #shown > 200 and 0.4 or 0.8, label = label, marker_size = 3,
    fill = p.filled and color .. "40" or nil,
  })
end
if p.color_by then
  for _, class in ipairs(classes()) do
    local label, color, holds = table.unpack(class)
    draw(projected:filter(function(f) return holds(value_of(f)) end), color, label)
  end
else
  draw(projected, CATEGORIES[1])
end
if p.label then
  for _, f in ipairs(projected) do
    local text = f.properties[p.label]
    if text ~= nil and text ~= json.null then
      local lon, lat = f.geometry:centroid():position()
      axes:text(lon, lat, tostring(text), { anchor = "center", size = 6, halo = "white" })
    end
  end
end

fs.mkdir(fs.dirname(p.out))
local path = figure:write(p.out)

--%% Say what was drawn

print(("%s around %.2f°, %.2f° in %s"):format(count, center_lon, center_lat, crs))
print(path)
