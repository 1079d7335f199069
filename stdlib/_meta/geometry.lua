---@meta geometry

--- Shapes with a coordinate reference system, features with properties, vector files.
---
--- x is easting or longitude, y northing or latitude, whatever the authority of the CRS says. Z and M are not kept. Areas, lengths
--- and buffers of shapes in longitude and latitude are geodesic, in m², m and m; those of others are in the units of their CRS.
---@class geometry
local geometry = {}

---@alias ZonalStatistic "count"|"sum"|"mean"|"std"|"min"|"max"|"median"|string `p` with a percentile too: `p90`.

---@class geometry.ReadOptions
---@field layer? string The layer, where the file has several.
---@field where? string A condition on the attributes in SQL: `"Area > 1.5 AND Name LIKE 'K%'"`.
---@field bounds? Bounds In the layer's CRS: only features whose own bounds meet these.
---@field encoding? string For Shapefiles: the encoding of their text, such as `"ISO-8859-1"` or `"CP1252"`. Default: what the file says (`.cpg`, or the head of `.dbf`); where it says nothing UTF-8 if all text can be that, else ISO-8859-1.

--- Reads a vector file.
---
--- Any file that GDAL reads: GeoPackage, Shapefile, GeoJSON, FlatGeobuf, KML, GML and more, and GeoParquet (its primary geometries, in
--- any of its encodings; without a CRS in longitude and latitude). Curves become lines. Attributes keep
--- their types; dates and times become ISO 8601 text in Lua (UTC where the file says nothing), lists become tables.
---
--- **Errors.** A file that is not there or is no vector file; text that is not in the encoding which the file or `encoding` says; several layers and none chosen; a layer or a condition that does
--- not fit, with the names that there are.
---
--- **Nodata.** Attributes without a value are nil.
---
--- ```lua
--- local geometry = require "geometry"
--- geometry.features({
---   { geometry = geometry.point(11.5, 48.1), properties = { name = "Munich", people = 1500000 } },
---   { geometry = geometry.point(9.99, 48.4), properties = { name = "Ulm", people = 126000 } },
--- }):write("cities.gpkg")
--- local large = geometry.read("cities.gpkg", { where = "people > 1000000" })
--- assert(#large == 1 and large[1].name == "Munich")
--- ```
---@param path string
---@param options? geometry.ReadOptions
---@return Features
function geometry.read(path, options) end

--- Reads GeoJSON text: a FeatureCollection, a Feature, or a geometry, which becomes one feature.
---
--- Coordinates are longitude and latitude on WGS 84 unless the text has a `crs` member.
---
--- **Errors.** Text that is not JSON, with line and column; a feature whose geometry is unusable, with its number.
---
--- **Source.** RFC 7946.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.from_geojson('{"type": "Point", "coordinates": [11.5, 48.1]}')
--- assert(f[1].geometry.type == "Point" and f.crs == "EPSG:4326")
--- ```
---@param text string
---@return Features
function geometry.from_geojson(text) end

--- Reads well-known text.
---
--- `SRID=32632;` in front gives the CRS; without it and without `crs` the geometry has none.
---
--- **Errors.** The character at which the text stops making sense.
---
--- **Source.** OGC 06-103r4, section 7.
---
--- ```lua
--- local geometry = require "geometry"
--- local square = geometry.from_wkt("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", "EPSG:32632")
--- assert(square:area() == 100)
--- ```
---@param text string
---@param crs? string|integer
---@return Geometry
function geometry.from_wkt(text, crs) end

--- A point.
---
--- **Errors.** Coordinates that are not finite.
---
--- ```lua
--- local geometry = require "geometry"
--- local km = geometry.point(11.5, 48.1):distance(geometry.point(9.99, 48.4)) / 1000
--- assert(km > 116 and km < 118)
--- ```
---@param x number Easting or longitude.
---@param y number Northing or latitude.
---@param crs? string|integer Default `"EPSG:4326"`, longitude and latitude.
---@return Geometry
function geometry.point(x, y, crs) end

--- A rectangle.
---
--- In longitude and latitude one whose `min_x` is greater than its `max_x` crosses the antimeridian and becomes two, on either
--- side of it.
---
--- **Errors.** A minimum that is not below its maximum; longitudes and latitudes beyond 180 and 90.
---
--- **Source.** RFC 7946, section 5.2.
---
--- ```lua
--- local geometry = require "geometry"
--- local fiji = geometry.bbox(176, -20, -178, -15)
--- assert(#fiji:parts() == 2)
--- local scene = geometry.bbox(500000, 4000000, 510000, 4010000, "EPSG:32632")
--- assert(scene:area() == 1e8)
--- ```
---@param min_x number
---@param min_y number
---@param max_x number
---@param max_y number
---@param crs? string|integer Default `"EPSG:4326"`, longitude and latitude.
---@return Geometry
function geometry.bbox(min_x, min_y, max_x, max_y, crs) end

--- A line through positions.
---
--- **Errors.** Fewer than two positions; coordinates that are not finite.
---
--- ```lua
--- local geometry = require "geometry"
--- local profile = geometry.line({ { 0, 0 }, { 3, 4 } }, "EPSG:32632")
--- assert(profile:length() == 5)
--- ```
---@param positions number[][] `{ { x, y }, … }`
---@param crs? string|integer Default `"EPSG:4326"`, longitude and latitude.
---@return Geometry
function geometry.line(positions, crs) end

--- A polygon. Rings need not repeat their first position, and their winding does not matter.
---
--- **Errors.** Fewer than three positions; coordinates that are not finite.
---
--- ```lua
--- local geometry = require "geometry"
--- local triangle = geometry.polygon({ { 0, 0 }, { 4, 0 }, { 0, 4 } }, "EPSG:32632")
--- assert(triangle:area() == 8)
--- ```
---@param ring number[][] The outer ring, `{ { x, y }, … }`.
---@param crs? string|integer Default `"EPSG:4326"`, longitude and latitude.
---@param holes? number[][][] Inner rings.
---@return Geometry
function geometry.polygon(ring, crs, holes) end

--- Features of geometries.
---
--- Each entry is a geometry, or `{ geometry = …, properties = { … }, id = … }`.
---
--- **Errors.** Geometries in different CRSs, values that no property can hold, and other names in an entry.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({
---   geometry.point(1, 2),
---   { geometry = geometry.point(3, 4), properties = { name = "b" } },
--- })
--- assert(#f == 2 and f[2].name == "b")
--- ```
---@param list (Geometry|table)[]
---@return Features
function geometry.features(list) end

--- A shape with the CRS of its coordinates.
---
--- `a == b` compares coordinates and CRS. Two geometries can be compared and combined when they are in the same CRS, or one
--- has none. Where a method takes another geometry it also takes Features, as one. A geometry never changes; methods return
--- new ones.
---@class Geometry
---@field type string `Point`, `LineString`, `Polygon`, `MultiPoint`, `MultiLineString`, `MultiPolygon` or `GeometryCollection`.
---@field crs? string The name of the CRS, `EPSG:32632`.
local Geometry = {}

--- The area of polygons, holes left out; 0 for points and lines.
---
--- In longitude and latitude m², geodesic on the WGS 84 ellipsoid; a ring may not enclose more than half of the Earth. Otherwise in
--- the square of the CRS's unit.
---
--- **Source.** Karney 2013, doi:10.1007/s00190-012-0578-z.
---
--- ```lua
--- local geometry = require "geometry"
--- -- One degree square at the equator: 111.3 km × 110.6 km.
--- assert(math.abs(geometry.bbox(0, 0, 1, 1):area() / 1.2309e10 - 1) < 1e-3)
--- ```
---@return number area
function Geometry:area() end

--- The length of lines and the perimeter of polygons, holes included; 0 for points.
---
--- In longitude and latitude metres, geodesic; otherwise in the CRS's unit.
---
--- **Source.** Karney 2013, doi:10.1007/s00190-012-0578-z.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.bbox(0, 0, 2, 3, "EPSG:32632"):length() == 10)
--- ```
---@return number length
function Geometry:length() end

--- The shortest distance to another geometry, 0 where they meet.
---
--- In longitude and latitude metres, geodesic, between points only; otherwise in the CRS's unit.
---
--- **Errors.** Different CRSs, empty geometries, and anything but points in longitude and latitude.
---
--- ```lua
--- local geometry = require "geometry"
--- local square = geometry.bbox(0, 0, 2, 2, "EPSG:32632")
--- assert(square:distance(geometry.point(5, 6, "EPSG:32632")) == 5)
--- ```
---@param other Geometry|Features
---@return number distance
function Geometry:distance(other) end

--- `{ min_x, min_y, max_x, max_y }`; nil for an empty geometry.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.line({ { 1, 5 }, { 3, 2 } }):bounds()[2] == 2)
--- ```
---@return number[]? bounds
function Geometry:bounds() end

--- The centre of mass of the parts of the highest dimension, in the plane of the coordinates; nil for an empty geometry.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.bbox(0, 0, 2, 4):centroid() == geometry.point(1, 2))
--- ```
---@return Geometry? point
function Geometry:centroid() end

--- A point that surely lies in the geometry, also where the centroid does not; nil for an empty geometry.
---
--- ```lua
--- local geometry = require "geometry"
--- local u = geometry.polygon({ { 0, 0 }, { 9, 0 }, { 9, 9 }, { 8, 9 }, { 8, 1 }, { 1, 1 }, { 1, 9 }, { 0, 9 } })
--- assert(u:contains(u:interior_point()) and not u:contains(u:centroid()))
--- ```
---@return Geometry? point
function Geometry:interior_point() end

--- The x and y of a point; of other geometries those of the centroid. Nil for an empty geometry.
---
--- ```lua
--- local geometry = require "geometry"
--- local x, y = geometry.point(11.5, 48.1):position()
--- assert(x == 11.5 and y == 48.1)
--- ```
---@return number? x
---@return number? y
function Geometry:position() end

--- True for a geometry without any vertex.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.point(0, 0):intersection(geometry.point(1, 1)):is_empty())
--- ```
---@return boolean
function Geometry:is_empty() end

--- The number of vertices; the closing one of a ring counts.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.bbox(0, 0, 1, 1):vertex_count() == 5)
--- ```
---@return integer count
function Geometry:vertex_count() end

--- The members of a multi-part geometry or collection, nested ones too; of a simple geometry itself.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(#geometry.from_wkt("MULTIPOINT (1 2, 3 4)"):parts() == 2)
--- ```
---@return Geometry[] parts
function Geometry:parts() end

--- Nil for a valid geometry, else what is wrong with it: a ring that crosses itself, a hole outside, too few points.
---
--- ```lua
--- local geometry = require "geometry"
--- local bow_tie = geometry.polygon({ { 0, 0 }, { 2, 2 }, { 2, 0 }, { 0, 2 } })
--- assert(bow_tie:validity():find("self-intersection", 1, true))
--- assert(bow_tie:make_valid():validity() == nil)
--- ```
---@return string? problem
function Geometry:validity() end

--- A valid geometry that covers the same.
---
--- Crossing rings are cut at their crossings; what they enclose an even number of times becomes a hole.
---
--- **Errors.** Geometries that cannot be repaired.
---
--- ```lua
--- local geometry = require "geometry"
--- local bow_tie = geometry.polygon({ { 0, 0 }, { 2, 2 }, { 2, 0 }, { 0, 2 } }, "EPSG:32632")
--- assert(bow_tie:make_valid():area() == 2)
--- ```
---@return Geometry
function Geometry:make_valid() end

--- True where the two share at least one point, on their edges too.
---
--- **Errors.** Different CRSs.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.bbox(0, 0, 2, 2):intersects(geometry.point(2, 1)))
--- ```
---@param other Geometry|Features
---@return boolean
function Geometry:intersects(other) end

--- True where the other one lies in this one and their interiors meet. A point on the edge of a polygon is not contained.
---
--- **Errors.** Different CRSs.
---
--- **Source.** OGC 06-103r4, section 6.1.15.
---
--- ```lua
--- local geometry = require "geometry"
--- local square = geometry.bbox(0, 0, 2, 2)
--- assert(square:contains(geometry.point(1, 1)) and not square:contains(geometry.point(2, 1)))
--- ```
---@param other Geometry|Features
---@return boolean
function Geometry:contains(other) end

--- What both cover; empty where they do not meet.
---
--- **Errors.** Different CRSs, and invalid geometries.
---
--- ```lua
--- local geometry = require "geometry"
--- local both = geometry.bbox(0, 0, 2, 2, 32632):intersection(geometry.bbox(1, 1, 3, 3, 32632))
--- assert(both:area() == 1)
--- ```
---@param other Geometry|Features
---@return Geometry
function Geometry:intersection(other) end

--- What at least one of them covers.
---
--- **Errors.** Different CRSs, and invalid geometries.
---
--- ```lua
--- local geometry = require "geometry"
--- local either = geometry.bbox(0, 0, 2, 2, 32632):union(geometry.bbox(1, 1, 3, 3, 32632))
--- assert(either:area() == 7)
--- ```
---@param other Geometry|Features
---@return Geometry
function Geometry:union(other) end

--- What this one covers and the other does not.
---
--- **Errors.** Different CRSs, and invalid geometries.
---
--- ```lua
--- local geometry = require "geometry"
--- local rest = geometry.bbox(0, 0, 2, 2, 32632):difference(geometry.bbox(1, 1, 3, 3, 32632))
--- assert(rest:area() == 3)
--- ```
---@param other Geometry|Features
---@return Geometry
function Geometry:difference(other) end

--- What exactly one of them covers.
---
--- **Errors.** Different CRSs, and invalid geometries.
---
--- ```lua
--- local geometry = require "geometry"
--- local one = geometry.bbox(0, 0, 2, 2, 32632):symmetric_difference(geometry.bbox(1, 1, 3, 3, 32632))
--- assert(one:area() == 6)
--- ```
---@param other Geometry|Features
---@return Geometry
function Geometry:symmetric_difference(other) end

---@class Geometry.BufferOptions
---@field segments? integer Straight pieces a quarter circle: with 16 the radius is right within 0.1 %, never too large. From 1 to 1000. Default 16.

--- Everything within a distance of the geometry. A negative distance shrinks polygons.
---
--- The distance is in metres in longitude and latitude, otherwise in the CRS's unit. In longitude and latitude each part is
--- buffered in an azimuthal equidistant plane around its own centre, and the result is cut at the antimeridian where it crosses
--- it.
---
--- **Errors.** Invalid geometries; in longitude and latitude parts that reach, buffered, farther than 1000 km from their centre,
--- where that plane's scale would be wrong by more than 0.4 %.
---
--- ```lua
--- local geometry = require "geometry"
--- local disk = geometry.point(11.5, 48.1):buffer(1000)
--- assert(math.abs(disk:area() / (math.pi * 1e6) - 1) < 0.005)
--- ```
---@param distance number
---@param options? Geometry.BufferOptions
---@return Geometry
function Geometry:buffer(distance, options) end

--- Lines and rings with fewer vertices, none of the removed ones farther than a tolerance from the new line.
---
--- The tolerance is in CRS units, degrees in longitude and latitude. The result of a polygon may cross itself where the
--- tolerance is coarser than its shape.
---
--- **Errors.** A negative tolerance.
---
--- **Source.** Douglas and Peucker 1973, doi:10.3138/FM57-6770-U75U-7727.
---
--- ```lua
--- local geometry = require "geometry"
--- local line = geometry.line({ { 0, 0 }, { 1, 0.1 }, { 2, 0 } }, "EPSG:32632")
--- assert(line:simplify(0.5):vertex_count() == 2)
--- ```
---@param tolerance number
---@return Geometry
function Geometry:simplify(tolerance) end

--- The smallest convex polygon around all vertices, in the plane of the coordinates.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.from_wkt("MULTIPOINT (0 0, 4 0, 2 1, 4 4, 0 4)"):convex_hull():area() == 16)
--- ```
---@return Geometry
function Geometry:convex_hull() end

---@class geometry.TransformOptions
---@field densify? number Adds vertices first, so that no edge is longer than this, in units of the present CRS: straight edges become curves in another CRS. Above 0. Default: vertices only.

--- The geometry in another CRS.
---
--- Into longitude and latitude, shapes that cross the antimeridian are cut there, and polygons around a pole get an edge
--- along it.
---
--- **Errors.** A geometry without CRS, and points that have no image.
---
--- **Source.** RFC 7946, section 3.1.9 (antimeridian and poles).
---
--- ```lua
--- local geometry = require "geometry"
--- local x, y = geometry.point(9, 48):to_crs("EPSG:32632"):position()
--- assert(math.abs(x - 500000) < 1e-6)
--- ```
---@param crs string|integer An EPSG code (`"EPSG:32632"` or 32632), WKT or a PROJ string.
---@param options? geometry.TransformOptions
---@return Geometry
function Geometry:to_crs(crs, options) end

--- The same coordinates, said to be in another CRS. Nothing is transformed.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.from_wkt("POINT (500000 0)"):set_crs("EPSG:32632").crs == "EPSG:32632")
--- ```
---@param crs string|integer
---@return Geometry
function Geometry:set_crs(crs) end

--- Well-known text, without the CRS.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.point(1.5, 2):to_wkt() == "POINT (1.5 2)")
--- ```
---@return string text
function Geometry:to_wkt() end

---@class geometry.GeoJsonOptions
---@field decimals? integer Of GeoJSON: coordinates rounded to this many decimals. From 0 to 15. Default: so that they read back the same.
---@field keep_crs? boolean Of GeoJSON: leave the coordinates in their CRS and name it in a `crs` member, as GeoJSON did in 2008, rather than write longitude and latitude. Default false.

--- GeoJSON text of the geometry, in longitude and latitude.
---
--- Outer rings run counter-clockwise.
---
--- **Errors.** Points that have no longitude and latitude.
---
--- **Source.** RFC 7946.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.point(1.5, 2):to_geojson() == '{"type":"Point","coordinates":[1.5,2.0]}')
--- ```
---@param options? geometry.GeoJsonOptions
---@return string text
function Geometry:to_geojson(options) end

--- Geometries with properties, all in one CRS.
---
--- `#f` is their number, `f[1]` the first Feature, and `for i, feature in ipairs(f)` goes through all. Features never
--- change; methods return new ones.
---@class Features
---@field crs? string The name of the CRS, `EPSG:32632`.
---@field names string[] The names of the properties, in the order of their first appearance.
---@field [integer] Feature
---@operator len: integer
---@field [integer] Feature From 1.
local Features = {}

--- The features for which a condition holds.
---
--- The condition is a function that gets each Feature and its position, or a table of values that the properties have to equal.
---
--- **Errors.** A name that no feature has; errors of the function.
---
--- **Nodata.** A missing property is nil and equals nothing.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({
---   { geometry = geometry.point(1, 2), properties = { class = "water", size = 3 } },
---   { geometry = geometry.point(3, 4), properties = { class = "land", size = 5 } },
--- })
--- assert(#f:filter({ class = "water" }) == 1)
--- assert(#f:filter(function(feature) return feature.size > 2 end) == 2)
--- ```
---@param condition function|table<string, any>
---@return Features
function Features:filter(condition) end

---@class Features.WithinOptions
---@field crs? string|integer The CRS of the bounds, where they are a list. Default: that of the features.

--- The features that share a point with a rectangle; whole, not cut.
---
--- Of a geometry or features, in any CRS, the bounds are taken, and their edges followed into the CRS of the features; see `Features:intersecting` for their shape.
---
--- **Errors.** Bounds whose minimum is not below their maximum.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.point(11.5, 48.1), geometry.point(2.3, 48.9) })
--- assert(#f:within({ 10, 45, 15, 50 }) == 1)
--- ```
---@param area number[]|Geometry|Features `{ min_x, min_y, max_x, max_y }`, or what has bounds.
---@param options? Features.WithinOptions
---@return Features
function Features:within(area, options) end

--- The features that share a point with a geometry; whole, not cut.
---
--- **Errors.** Different CRSs.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.point(1, 1), geometry.point(5, 5) })
--- assert(#f:intersecting(geometry.polygon({ { 0, 0 }, { 3, 0 }, { 0, 3 } })) == 1)
--- ```
---@param place Geometry|Features
---@return Features
function Features:intersecting(place) end

--- The features cut to a geometry; those outside are left out.
---
--- **Errors.** Different CRSs, and invalid geometries.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.bbox(0, 0, 4, 4, 32632) })
--- assert(f:clip(geometry.bbox(2, 2, 9, 9, 32632))[1].geometry:area() == 4)
--- ```
---@param place Geometry|Features
---@return Features
function Features:clip(place) end

--- All features in another CRS; see `Geometry:to_crs`.
---
--- **Errors.** Features without CRS, and points that have no image; the feature is named.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.point(9, 48) }):to_crs("EPSG:32632")
--- assert(f.crs == "EPSG:32632")
--- ```
---@param crs string|integer
---@param options? geometry.TransformOptions
---@return Features
function Features:to_crs(crs, options) end

--- The same coordinates, said to be in another CRS. Nothing is transformed.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.from_wkt("POINT (500000 0)") })
--- assert(f.crs == nil and f:set_crs(32632).crs == "EPSG:32632")
--- ```
---@param crs string|integer
---@return Features
function Features:set_crs(crs) end

--- All geometries repaired; see `Geometry:make_valid`.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.polygon({ { 0, 0 }, { 2, 2 }, { 2, 0 }, { 0, 2 } }) })
--- assert(f:make_valid()[1].geometry:validity() == nil)
--- ```
---@return Features
function Features:make_valid() end

--- `{ min_x, min_y, max_x, max_y }` of all features; nil where none has a geometry.
---
--- ```lua
--- local geometry = require "geometry"
--- local b = geometry.features({ geometry.point(1, 2), geometry.point(3, 4) }):bounds()
--- assert(b[1] == 1 and b[4] == 4)
--- ```
---@return number[]? bounds
function Features:bounds() end

--- One geometry that covers all features.
---
--- **Errors.** Invalid geometries.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.bbox(0, 0, 1, 1, 32632), geometry.bbox(1, 0, 2, 1, 32632) })
--- assert(f:union():area() == 2 and f:union().type == "Polygon")
--- ```
---@return Geometry
function Features:union() end

--- The positions of point features, `{ { x, y }, … }`, as `Raster:sample` takes them.
---
--- **Errors.** A feature that is no point; its number is named.
---
--- ```lua
--- local geometry = require "geometry"
--- assert(geometry.features({ geometry.point(1, 2) }):points()[1][2] == 2)
--- ```
---@return number[][] positions
function Features:points() end

--- With one more property, or another value for one.
---
--- The values are those of a function that gets each Feature and its position, a list, or one value for all.
---
--- **Errors.** A list that is longer than the features, and values that no property can hold.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.bbox(0, 0, 2, 2, 32632) })
--- f = f:with_property("area", function(feature) return feature.geometry:area() end)
--- assert(f[1].area == 4)
--- ```
---@param name string
---@param values function|table|number|string|boolean
---@return Features
function Features:with_property(name, values) end

--- With the columns of a table as properties, row by row.
---
--- **Errors.** A table that has not one row a feature.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ geometry.point(1, 2), geometry.point(3, 4) })
--- local t = f:table():with_column("n", { 10, 20 })
--- assert(f:with_table(t)[2].n == 20)
--- ```
---@param table Table
---@return Features
function Features:with_table(table) end

--- The features of both, one after the other.
---
--- **Errors.** Different CRSs.
---
--- ```lua
--- local geometry = require "geometry"
--- local a = geometry.features({ geometry.point(1, 2) })
--- assert(#a:append(a) == 2)
--- ```
---@param other Features|Geometry
---@return Features
function Features:append(other) end

--- The properties as a table, one row a feature.
---
--- The features' ids come first, as `id`, where there are any and no property is called so. Lists and objects become text.
---
--- ```lua
--- local geometry = require "geometry"
--- local f = geometry.features({ { geometry = geometry.point(1, 2), properties = { name = "a" } } })
--- assert(f:table()[1].name == "a")
--- ```
---@return Table
function Features:table() end

--- GeoJSON text, a FeatureCollection in longitude and latitude, one feature a line.
---
--- **Errors.** Points that have no longitude and latitude.
---
--- **Source.** RFC 7946.
---
--- ```lua
--- local geometry = require "geometry"
--- local text = geometry.features({ geometry.point(1, 2) }):to_geojson({ decimals = 6 })
--- assert(#geometry.from_geojson(text) == 1)
--- ```
---@param options? geometry.GeoJsonOptions
---@return string text
function Features:to_geojson(options) end

---@class Features.WriteOptions: geometry.GeoJsonOptions
---@field layer? string The name of the layer. Default: that of the file.
---@field encoding? string For Shapefiles: the encoding of their text, which a file `.cpg` beside them says. Default `"UTF-8"`.

--- Writes a vector file, in place of what was there.
---
--- The extension says the format: `geojson` or `json`, `gpkg` (GeoPackage), `shp` (Shapefile), `fgb` (FlatGeobuf), `kml`, `gml`,
--- `geojsonl` (one GeoJSON feature a line), `parquet` or `geoparquet` (GeoParquet 1.1: WKB, and a column of boxes by which readers
--- skip). GeoJSON and KML are in longitude and latitude, into which features are transformed; the others keep the CRS. The file appears complete or not at all. A Shapefile cuts names to 10 characters, has no times of
--- day, and holds one type of geometry.
---
--- **Errors.** An extension that is not known, a folder that does not exist or may not be written to, features that the format
--- cannot hold.
---
--- ```lua
--- local geometry = require "geometry"
--- geometry.features({ geometry.point(9, 48) }):write("points.gpkg")
--- assert(#geometry.read("points.gpkg") == 1)
--- ```
---@param path string
---@param options? Features.WriteOptions
function Features:write(path, options) end

---@class Features.RasterizeOptions
---@field value? number What the features give to their pixels. Default 1.
---@field property? string A property to take the value from, a number or a boolean.
---@field index? boolean Take the position of each feature, from 1. Default false.
---@field background? number The value where no feature is. Default: masked.
---@field all_touched? boolean Take every pixel that a feature touches, not only those whose centre it covers. Default false.
---@field name? string The name of the band. Default `"features"`.

--- The features burnt into the pixels of a grid: a lazy Raster of one band.
---
--- A polygon takes the pixels whose centre it encloses; polygons that share an edge share no pixel and leave none out. A line takes one
--- pixel a step (Bresenham), a point the pixel that holds it. Where features overlap the last one counts. Features in another CRS
--- are brought into it, their edges followed: those of a box in degrees are parallels and meridians.
---
--- **Errors.** A property that no feature has, or that is not a number.
---
--- **Nodata.** Pixels of a feature whose property is missing are masked.
---
--- **Source.** GDAL's rasterizer has the same rules; Bresenham 1965, doi:10.1147/sj.41.0025.
---
--- ```lua
--- local geometry, raster = require "geometry", require "raster"
--- local lake = geometry.features({ geometry.bbox(20, 20, 60, 80, 32632) })
--- local grid = raster.grid({ crs = 32632, bounds = { 0, 0, 100, 100 }, resolution = 10 })
--- local mask = lake:rasterize(grid, { background = 0 })
--- assert(mask:stats().features.mean == 24 / 100)
--- ```
---@param grid Grid|Raster
---@param options? Features.RasterizeOptions
---@return Raster
function Features:rasterize(grid, options) end

---@class Features.StatisticsOptions
---@field statistics? ZonalStatistic|ZonalStatistic[] Of `count`, `sum`, `mean`, `std` (of the population), `min`, `max`, `median`, `p90` (any percentile, exact). Default `{ "count", "mean", "std", "min", "max" }`.
---@field classes? boolean Also the number of pixels of each value, as columns `class_3`…, for bands of whole numbers. Default false.
---@field all_touched? boolean Take every pixel that a feature touches, not only those whose centre it covers. Default false.

--- Statistics of an image by feature: one row a feature, its properties first.
---
--- The columns are called `mean`, or `VV_mean` where there are several bands; `_2` follows where a property has the name. Features
--- may overlap, and those in another CRS are brought into it, their edges followed. Percentiles keep the pixels of all
--- features: in memory where a quarter of `--memory` has room for them, else in scratch files.
---
--- **Errors.** A statistic that does not exist; classes that are not whole numbers.
---
--- **Nodata.** Masked pixels do not count. A feature without valid pixels has count 0, sum 0, and nil for the others: one smaller
--- than a pixel covers no centre; see `all_touched`.
---
--- ```lua
--- local geometry, raster = require "geometry", require "raster"
--- local grid = raster.grid({ crs = 32632, bounds = { 0, 0, 100, 100 }, resolution = 10 })
--- local fields = geometry.features({
---   { geometry = geometry.bbox(0, 0, 50, 100, 32632), properties = { crop = "maize" } },
---   { geometry = geometry.bbox(50, 0, 100, 100, 32632), properties = { crop = "wheat" } },
--- })
--- local image = fields:rasterize(grid, { index = true })
--- local t = fields:statistics(image, { statistics = { "mean", "count" } })
--- assert(t[2].crop == "wheat" and t[2].mean == 2 and t[2].count == 50)
--- ```
---@param raster Raster
---@param options? Features.StatisticsOptions
---@return Table
function Features:statistics(raster, options) end

--- One geometry, or none, with properties.
---
--- A property is also a field of its own, `feature.name`, where it is not called as one of these; one that this feature does not
--- have is an error there, and nil in `feature.properties.name`.
---@class Feature
---@field geometry? Geometry
---@field properties table<string, any> A copy, by name; times as ISO 8601 text.
---@field id? integer|string The feature's number or name in its file.
---@field [string] any
local Feature = {}

return geometry
