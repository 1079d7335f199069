-- The files are made by scripts/geoparquet_oracles, which also reads what perilune writes.
local fs = require "fs"
local geometry = require "geometry"
local raster = require "raster"

local function wkt(feature)
  return feature.geometry and feature.geometry:to_wkt()
end

local function is_of_geopandas(f)
  assert(#f == 3 and f.crs == "EPSG:32632")
  assert(wkt(f[1]) == "POINT (500000.125 4000000.25)" and f[2].geometry == nil)
  assert(wkt(f[3]) == "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 0.5, 2 0.5, 2 1, 1 0.5))")
  assert(f[1].name == "Åre" and f[1].count == 1 << 40 and f[1].height == 0.1 and f[1].flag == true)
  assert(f[1].seen == "2020-02-29T10:30:15.25Z" and f[1].day == "2020-02-29")
  for _, name in ipairs(f.names) do assert(f[2].properties[name] == nil, name) end
  assert(f[3].count == -1 and f[3].flag == false and f[3].seen == "1999-12-31" and f[3].day == "1999-12-31")
end

test("features of GeoPandas, and a copy of them", function()
  local f = geometry.read(fixture "geoparquet/geopandas.parquet")
  assert(table.concat(f.names, " ") == "name count height flag seen day tags source")
  is_of_geopandas(f)
  local first, third = f[1].properties, f[3].properties
  assert(first.tags[2] == "b" and #third.tags == 0 and first.source.by == "x" and first.source.at[2] == 2)
  f:write "copy.geoparquet"
  local copy = geometry.read "copy.geoparquet"
  is_of_geopandas(copy)
  assert(copy[1].tags == '["a","b"]', "lists become text, as in other formats")
  assert(table.concat(copy.names, " ") == table.concat(f.names, " "), "the column of boxes is no property")
end)

test("the encodings of GeoParquet 1.1", function()
  local expected = {
    default = { "POINT (1.5 -2)", nil, "MULTIPOINT EMPTY" },
    ewkb = { "POINT (1.5 -2)", nil, "MULTIPOINT EMPTY" },
    point = { "POINT (1.5 -2)", nil, "MULTIPOINT EMPTY" },
    linestring = { "LINESTRING (0 0, 1 1, 2 0)", nil, "LINESTRING EMPTY" },
    polygon = { "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 0.5, 2 0.5, 2 1, 1 0.5))", nil, "POLYGON ((5 5, 6 5, 6 6, 5 5))" },
    multipoint = { "MULTIPOINT ((1 2), (3 4))", nil, "MULTIPOINT ((5 6))" },
    multilinestring = { "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 2))", nil, "MULTILINESTRING ((0 1, 1 0))" },
    multipolygon = {
      "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 9 5, 9 9, 5 5), (7 6, 8 6, 8 7, 7 6)))", nil,
      "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
    },
  }
  for name, texts in pairs(expected) do
    local f = geometry.read(fixture("geoparquet/" .. name .. ".parquet"))
    assert(#f == 3, name)
    for i = 1, 3 do
      assert(wkt(f[i]) == texts[i] and f[i].properties.id == i, name .. ": " .. tostring(wkt(f[i])))
    end
  end
end)

test("a CRS that is left out is longitude and latitude, null is unknown, old files have text", function()
  local crs = function(name) return geometry.read(fixture("geoparquet/" .. name .. ".parquet")).crs end
  assert(crs "default" == "EPSG:4326" and crs "wkt_crs" == "EPSG:4326" and crs "unknown" == nil)
  geometry.read(fixture "geoparquet/unknown.parquet"):write "unknown.parquet"
  assert(geometry.read "unknown.parquet".crs == nil)
end)

test("a part of the features, by their bounds and by SQL", function()
  local path = fixture "geoparquet/groups.parquet"
  local f = geometry.read(path, { bounds = { 9.5, 0, 14, 100 } })
  assert(#f == 5 and f[1].properties.id == 10 and f[5].properties.id == 14, "both ends of the bounds count")
  f = geometry.read(path, { where = "id % 10 = 3 AND id > 20" })
  assert(#f == 5 and f[1].properties.id == 23 and f.crs == "EPSG:32632")
  f = geometry.read(path, { where = "id > 60", bounds = { 0, 0, 61, 61 } })
  assert(#f == 1 and f[1].properties.id == 61)
  assert(#geometry.read(path, { layer = "groups" }) == 64)
  assert_error(function() geometry.read(path, { layer = "group" }) end, "no layer `group`; did you mean `groups`")
  assert_error(function() geometry.read(path, { where = "ID >" }) end, "a condition in SQL on the attributes id")
  assert_error(function() geometry.read(path, { where = "name = 'a'" }) end, "a condition in SQL on the attributes id")
  assert_error(function() geometry.read(path, { encoding = "UTF-8" }) end, "only Shapefiles")
  local ours = geometry.read(path)
  ours:write "ours.parquet"
  assert(#geometry.read("ours.parquet", { bounds = { 9.5, 0, 14, 100 } }) == 5)
end)

test("properties may be called as the columns of shapes", function()
  local properties = { geometry = "a", bbox = 2.5, Geometry = "b" }
  geometry.features({ { geometry = geometry.point(1, 2), properties = properties } }):write "names.parquet"
  local f = geometry.read "names.parquet"
  assert(f[1].properties.geometry == "a" and f[1].bbox == 2.5 and f[1].Geometry == "b" and wkt(f[1]) == "POINT (1 2)")
end)

test("what is no GeoParquet, or no longer", function()
  assert_error(function() geometry.read(fixture "tables/types.parquet") end, "a table in Parquet without geometries")
  geometry.read(fixture "geoparquet/geopandas.parquet"):write "whole.parquet"
  local whole = fs.read "whole.parquet"
  for _, length in ipairs { 4, 8, 1000, #whole - 1 } do
    fs.write("cut.parquet", whole:sub(1, length))
    assert_error(function() geometry.read "cut.parquet" end, "cut%.parquet.*cannot be read as Parquet")
  end
  assert_error(function() geometry.read(fixture "geoparquet/broken.parquet") end, "broken%.parquet.*feature 3: WKB")
end)

test("polygons of an image go to GeoParquet as they end", function()
  local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 300, cols = 200 }
  local image = raster.random(grid):gt(0.5)
  for _, connectivity in ipairs { 4, 8 } do
    local options = { connectivity = connectivity, classes = { water = 1 }, mean = raster.random(grid) }
    local kept = image:polygonize(options)
    local count = image:write_polygons("polygons.parquet", options)
    local f = geometry.read "polygons.parquet"
    assert(count == #kept and #f == count and f.crs == "EPSG:32611")
    assert(table.concat(f.names, " ") == "class class_name pixels area_m2 random_mean")
    local of = {}
    for _, feature in ipairs(kept) do of[wkt(feature)] = feature end
    for _, feature in ipairs(f) do
      local same = assert(of[wkt(feature)])
      for _, name in ipairs(f.names) do assert(feature[name] == same[name]) end
    end
  end
  -- Nothing but noise: the file is not there when the work fails.
  assert_error(function() raster.random(grid):write_polygons "none.parquet" end, "whole numbers")
  assert(not fs.exists "none.parquet")
end)
