---@meta catalog

--- Archives: searches of what lies where on the field's servers, the join of two searches, and files brought here.
---
--- A search is described first and asked later: `catalog.asf{…}` and the others give a Search, whose `:all()`, `:items()` or `:count()`
--- ask the archive. Whatever the archive, the answer is Items: STAC items, with the property names of the STAC
--- extensions (`sat:relative_orbit`, `sar:polarizations`, `eo:cloud_cover`, …), so that all that follows is the same.
---
--- A search knows how many items it should have got, and is an error when it has fewer. An error is never an empty list. Requests
--- respect the server: a budget a minute, its Retry-After, waits that grow and vary between tries, smaller pages where it gives up.
--- Credentials are the program's own: scripts never see them (see `perilune login`).
---@class catalog
local catalog = {}

---@class catalog.PeriodOptions
---@field start? string|number The first time, UTC: of a day, a month or a year its first moment.
---@field end? string|number The last time, UTC; a day, a month or a year means all of it.

---@class catalog.AsfOptions: catalog.PeriodOptions
---@field platform? string|string[] `"ALOS"`, `"Sentinel-1"` (all its satellites), `"SENTINEL-1A"`, …
---@field processingLevel? string|string[] `"RTC_HI_RES"`, `"SLC"`, `"GRD_HD"`, `"CSLC"`, `"RTC"`, `"BURST"`, …
---@field dataset? string|string[] `"SLC-BURST"`, `"OPERA-S1"`, `"OPERA-S1-CALVAL"`, `"ALOS PALSAR"`, `"NISAR"`, … as in ASF's client; `processingLevel` narrows it to the collections of that level.
---@field instrument? string|string[] `"PALSAR"`, `"C-SAR"`, …
---@field beamMode? string|string[] `"FBD"`, `"IW"`, …
---@field beamSwath? string|string[] `"IW1"`, …
---@field polarization? string|string[] As the archive writes it: `"HH+HV"`, `"VV+VH"`, `"VV"`, …
---@field flightDirection? string|string[] `"ASCENDING"` or `"DESCENDING"`.
---@field lookDirection? string|string[] `"LEFT"` or `"RIGHT"`.
---@field relativeOrbit? integer|string|(integer|string)[] The path (track): 64, `"80-90"`, or a list.
---@field absoluteOrbit? integer|string|(integer|string)[] The orbit since the launch: 21000, `"21000-21100"`, or a list.
---@field frame? integer|string|(integer|string)[] ASF's frame for Sentinel-1 and ALOS, ESA's for the other missions.
---@field offNadirAngle? number|number[] Degrees.
---@field intersectsWith? Geometry|Features|string|table The area: a Geometry, WKT, or GeoJSON, in longitude and latitude.
---@field season? integer[] First and last day of the year, such as `{ 305, 60 }`.
---@field granule_list? string|string[] Names of scenes.
---@field product_list? string|string[] Names of products (`<scene>-<level>`).
---@field groupID? string|string[] Of scenes that belong together, as the archive numbers them.
---@field campaign? string|string[] Of airborne missions: the name of the flights.
---@field relativeBurstID? integer|integer[] Of Sentinel-1 bursts: the number along the track.
---@field absoluteBurstID? integer|integer[] Of Sentinel-1 bursts: the number since the launch.
---@field fullBurstID? string|string[] `"064_135523_IW2"`.
---@field operaBurstID? string|string[] `"T064_135523_IW2"`.
---@field collections? string|string[] Concept ids of CMR, such as `"C2803501758-ASF"`.
---@field shortName? string|string[] Short names of CMR's collections.
---@field maxResults? integer Stop here. At least 1. Default: all.
---@field page? integer Granules a request; fewer where the server gives up. From 1 to 2000. Default 1000.
---@field partial? boolean Give an answer that has fewer granules than CMR counts, with a note, in place of an error. Default false.
---@field url? string Another CMR than NASA's.

--- A search of the Alaska Satellite Facility's archive.
---
--- The options are those of ASF's own Python client, by the same names. Alternatives in a list are asked one by one where CMR would
--- demand all of them at once. Large or finely drawn areas are asked for by a simpler outline around them, and what comes is checked
--- against the real one. Spans of more than a year that hold much are cut into slices that are searched side by side.
---
--- Items have the properties `sat:relative_orbit` (path), `sat:absolute_orbit`, `sat:orbit_state`, `sar:polarizations`, `sar:instrument_mode`
--- (beam mode), `processing:level`, `asf:frame`, `asf:scene_name`, `asf:group_id`, `view:off_nadir` (degrees) and others where the archive has them; the
--- asset `data` is the file, with its size in bytes and its MD5. They come latest first.
---
--- **Errors.** Options that are wrong; when asked: no connection, an answer that is not CMR's, fewer granules than CMR counts.
---
--- **Source.** NASA CMR Search API, granules in UMM-JSON.
---
--- ```lua
--- local catalog = require "catalog"
--- local search = catalog.asf {
---   platform = "ALOS", processingLevel = "RTC_HI_RES", polarization = "HH+HV", beamMode = "FBD",
---   intersectsWith = "POLYGON((-118.1 34.7,-118.0 34.7,-118.0 34.9,-118.1 34.9,-118.1 34.7))",
---   start = "2007-01-01", ["end"] = "2007-12-31",
--- }
--- local fields = search:request().requests[1]      -- what will be asked; search:all() asks it
--- assert(fields[1][2] == "string,BEAM_MODE,FBD")
--- ```
---@param options catalog.AsfOptions
---@return Search
function catalog.asf(options) end

---@class catalog.ItsliveOptions: catalog.PeriodOptions
---@field bbox? number[] `{ west, south, east, north }` in degrees; west > east lies over the dateline.
---@field polygon? number[][]|number[]|string Corners `{ { lon, lat }, … }`, the numbers in one list, or `"lon,lat,lon,lat,…"`.
---@field intersects? Geometry|Features|string|table The area or point: a Geometry, WKT, or GeoJSON. One of bbox, polygon and intersects is needed.
---@field min_separation? number Days between the acquisitions, at least.
---@field max_separation? number Days between the acquisitions, at most.
---@field percent_valid_pixels? number At least this much of the ice has a velocity. From 0 to 100.
---@field platform? string|string[] `"S2B"`, `"LC08"`, or a whole mission: `"Landsat 8"`, `"sentinel-1"`, `"L8"`. Of the image that the granule names first.
---@field version? number|string `2`, `"2.1"`.
---@field epsg? integer Code of the projection. STAC only.
---@field max_items? integer Stop here. Default: all.
---@field service? "stac"|"urls" The STAC service, or the older service of addresses, of which mirrors may exist. Default `"stac"`.
---@field url? string Another server than the archive's.
---@field serialization? "json"|"text"|"html" What the service of addresses is asked to answer with. Default `"json"`.
---@field page? integer Granules an answer, STAC only; fewer where the server gives up. At least 1. Default 250.
---@field partial? boolean Give an answer that has fewer granules than the service counts, with a note, in place of an error. Default false.

--- A search of ITS_LIVE, NASA's archive of glacier velocities from image pairs.
---
--- The items have `platform`, `date_dt` (days between the acquisitions), `mid_datetime`, `percent_valid_pixels`, `proj:code` and `version`; the
--- asset `data` is the NetCDF. The service of addresses answers with names only: the properties are then read from them, there are no
--- footprints, and what it sends although it was not asked for is left out with a note. Its count of granules by year is held
--- against its list.
---
--- Both services have answered searches by area wrongly with nothing. Such an answer comes with a note that says what to try.
---
--- **Errors.** Options that are wrong; when asked: no connection, an answer of another kind, fewer granules than the service counts.
---
--- **Source.** Gardner et al. 2018, doi:10.5194/tc-12-521-2018; its-live.jpl.nasa.gov.
---
--- ```lua
--- local catalog = require "catalog"
--- local search = catalog.itslive {
---   polygon = { { -101.1555, -74.7387 }, { -99.1172, -75.0879 }, { -99.8797, -75.46 }, { -102.425, -74.925 } },
---   start = "1984-01-01", ["end"] = "2020-01-01", percent_valid_pixels = 30, min_separation = 6, max_separation = 120,
--- }
--- assert(search:request().filter.op == "and")      -- what will be asked; search:all() asks it
--- ```
---@param options catalog.ItsliveOptions
---@return Search
function catalog.itslive(options) end

---@class catalog.ItsliveScene
---@field id string
---@field platform string `LC08`, `S1A`, `S2B`, `NISAR`; `S1` for a burst.
---@field datetime string Start of the acquisition, UTC; the day alone where the id holds no more.
---@field relative_orbit? integer
---@field path? integer Landsat, WRS-2.
---@field row? integer Landsat, WRS-2.
---@field tile? string Sentinel-2, such as `22WED`.
---@field absolute_orbit? integer Sentinel-1.
---@field burst? integer Sentinel-1 burst.
---@field swath? string Sentinel-1 burst.
---@field frame? integer NISAR.

---@class catalog.ItsliveGranule
---@field id string The name without folders and extension.
---@field scenes catalog.ItsliveScene[] Both images, as the name has them: version 1 has the later one first.
---@field start string The earlier acquisition, UTC.
---@field end string The later acquisition, UTC.
---@field mid_date string Half way between them.
---@field separation_days number
---@field spacing_m integer Metres from node to node.
---@field version string As the archive's items have it: `001`, `002`.
---@field percent_valid_pixels integer 0 to 100.
---@field on_demand boolean Made on a user's demand (`_IL_ASF_OD`).
---@field crs? string Where the address's folders tell it: `EPSG:3413`.

--- What the name of a granule of ITS_LIVE tells: Landsat 4 to 9, Sentinel-1 (scenes and bursts), Sentinel-2 (both forms of ids) and NISAR,
--- all versions.
---
--- **Errors.** A name of another form; the part that is wrong is named.
---
--- ```lua
--- local catalog = require "catalog"
--- local granule = catalog.itslive_granule(
---   "https://host/S70W100/LE07_L1GT_001113_20121118_20161127_01_T2_X_LE07_L1GT_232113_20121104_20161127_01_T2_G0240V01_P059.nc")
--- assert(granule.mid_date == "2012-11-11T00:00:00Z" and granule.separation_days == 14 and granule.crs == "EPSG:3031")
--- assert(granule.scenes[1].path == 1 and granule.scenes[1].row == 113 and granule.spacing_m == 240)
--- ```
---@param address string A name, path or address.
---@return catalog.ItsliveGranule
function catalog.itslive_granule(address) end

---@class catalog.ItsliveFilterOptions
---@field months? integer|string|(integer|string)[] Months of the mid-date: `{ 11, 12, "January" }`. Default: all.
---@field years? integer|integer[] Years of the mid-date. Default: all.
---@field most_per_year? integer At most so many of each year of the mid-date. At least 1. Default: all.
---@field choose? "valid"|"first"|"spread" Which of a year's: those with the most valid pixels, the first of the list, or those spread over the year. Default `"valid"`.

--- Fewer granules: of some months or years, and at most so many a year. What is in the list twice is kept once; the order stays.
---
--- `valid` (of equals the earlier one) and `spread` (nearest to the middles of as many equal parts of the year) do not depend on the
--- order in which a server lists; `first` does, and is what itslive-explorer's `filter_urls` does.
---
--- **Errors.** An address whose name is no granule's; an item that tells no time.
---
--- ```lua
--- local catalog = require "catalog"
--- local function name(day, percent)
---   local scene = "LC08_L1GT_001113_201901%02d_20200911_02_T2"
---   return (scene .. "_X_" .. scene .. "_G0120V02_P%03d.nc"):format(day, day + 16, percent)
--- end
--- local kept = catalog.itslive_filter({ name(1, 40), name(2, 90), name(3, 60) }, { months = { "January" }, most_per_year = 2 })
--- assert(#kept == 2 and kept[1] == name(2, 90) and kept[2] == name(3, 60))
--- ```
---@generic T: Items|string[]
---@param granules T
---@param options? catalog.ItsliveFilterOptions
---@return T
function catalog.itslive_filter(granules, options) end

--- How many granules each year of the mid-date has, as a table of `year` and `count`.
---
--- **Errors.** As `catalog.itslive_filter`.
---
--- ```lua
--- local catalog = require "catalog"
--- local counts = catalog.itslive_by_year {
---   "LC08_L1GT_007011_20130819_20200912_02_T2_X_LC08_L1GT_007011_20140806_20200911_02_T2_G0120V02_P044.nc",
--- }
--- assert(counts[1].year == 2014 and counts[1].count == 1)
--- ```
---@param granules Items|string[]
---@return Table
function catalog.itslive_by_year(granules) end

--- The catalogue of ITS_LIVE's data cubes: the Zarr stores that hold all velocities of a square of 100 km.
---
--- **Errors.** A file that is no such catalogue; those of the request.
---
--- ```lua
--- local catalog, fs = require "catalog", require "fs"
--- fs.write("cubes.json", [==[{ "type": "FeatureCollection", "features": [{ "type": "Feature", "geometry": null, "properties": {
---   "zarr_url": "http://host/ITS_LIVE_vel_EPSG3031_G0120_X50000_Y50000.zarr", "epsg": 3031, "geometry_epsg": { "type": "Polygon",
---   "coordinates": [[[0, 0], [100000, 0], [100000, 100000], [0, 100000], [0, 0]]] } } }] }]==])
--- local cubes = catalog.itslive_cubes("cubes.json")
--- assert(#cubes == 1 and cubes:at(45, -89.5)[1].epsg == 3031 and #cubes:at(-45, -89.5) == 0)
--- ```
---@param source? string A file (GeoJSON, also gzipped) or an address. Default: the archive's catalogue of version 2, from the web.
---@return Cubes
function catalog.itslive_cubes(source) end

---@class catalog.JoinOptions
---@field within? string|number The most time between two acquisitions: `"1d"`, `"12h"`, or seconds. Default one day.
---@field by_day? boolean Compare UTC calendar days: `"1d"` is then the day before, the day, and the day after. Default false.
---@field overlap? number The least share of the left footprint that one right footprint covers; 0 takes all that touch. From 0 to 1. Default 0.
---@field coverage? number The least share of the left footprint that the right ones cover together. From 0 to 1. Default 0.
---@field nearest? boolean Of the right items only those of the day (UTC) nearest in time. Default false.

---@class catalog.Match
---@field item Item The left item.
---@field matches Items The right items for it, at least one.
---@field seconds number The least time between the two; 0 where they overlap. Whole days of 86400 s with `by_day`.
---@field coverage number The share of the left footprint that the right ones cover together, 0 to 1.

--- For every item of one search those of another that lie over it and near it in time.
---
--- Two searches once each and this join take the place of one search for every item. Longitude, latitude and time are the axes of one
--- R-tree. Footprints over the antimeridian and around the poles are cut and closed there. Items without a match are not in the list; items without a footprint
--- or a time take no part, and are named on standard error.
---
--- **Errors.** A footprint that is no longitudes and latitudes; shares outside 0 to 1.
---
--- ```lua
--- local catalog = require "catalog"
--- local function scene(id, time, west)
---   return { type = "Feature", stac_version = "1.0.0", id = id, links = {}, assets = {}, properties = { datetime = time },
---     geometry = { type = "Polygon", coordinates = { { { west, 0 }, { west + 1, 0 }, { west + 1, 1 }, { west, 1 }, { west, 0 } } } } }
--- end
--- local sar = catalog.items { scene("sar", "2020-01-02T06:00:00Z", 10) }
--- local water = catalog.items { scene("near", "2020-01-02T18:00:00Z", 10.5), scene("late", "2020-02-01T00:00:00Z", 10) }
--- local found = catalog.join(sar, water, { within = "1d", overlap = 0.3, nearest = true })
--- assert(#found == 1 and found[1].matches[1].id == "near" and found[1].seconds == 12 * 3600)
--- ```
---@param left Items
---@param right Items
---@param options? catalog.JoinOptions
---@return catalog.Match[]
function catalog.join(left, right, options) end

--- The answer to a search from a file, or from the archive the first time.
---
--- The file holds the request, the time, the items and their SHA-256, and is a GeoJSON FeatureCollection for other programs. Where it
--- is there, the archive is not asked: a script gives the same result again, offline.
---
--- **Errors.** A file that answers another search (the difference is named), or whose items were changed; those of the search.
---
--- ```lua
--- local catalog = require "catalog"
--- local search = catalog.asf { platform = "ALOS", granule_list = "ALPSRP111041130" }
--- -- local items = catalog.snapshot("alos.json", search)      -- asks once, then reads alos.json
--- assert(search:request().service == "asf")
--- ```
---@param path string
---@param search Search
---@return Items
function catalog.snapshot(path, search) end

--- Items of a list: of Item objects, of STAC items as tables, or both.
---
--- **Errors.** An entry that is no STAC item; its number is named.
---
--- ```lua
--- local catalog = require "catalog"
--- local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "a", links = {}, assets = {},
---   properties = { datetime = "2020-01-01T00:00:00Z" }, geometry = { type = "Point", coordinates = { 1, 2 } } } }
--- assert(#items == 1 and items[1].datetime == "2020-01-01")
--- ```
---@param list (Item|table)[]
---@return Items
function catalog.items(list) end

---@class catalog.OpenOptions
---@field skip_invalid? boolean Leave out what is no STAC item and name it in `notes`, in place of an error. Default false.

--- Items that lie in files: a saved search, an ItemCollection, a single item, a stac-geoparquet file, or a catalogue of files.
---
--- A catalogue or collection is walked by its links `child`, `item` and `items`, and all its items come, each once; on the web several
--- documents are fetched at a time. Relative addresses of assets become whole ones. A catalogue on disk may link to its own folder and
--- to the web; one on the web only to the web. Times of items may have any form of ISO 8601 (`2020-06-01`, `2020`, `2020-06-01 10:11`), as
--- pystac reads them; a leap second is the second before it.
---
--- **Errors.** A file that is not there, that is no STAC, or (saved searches) whose items were changed; an item that is none, by its name
--- (`skip_invalid = true` leaves it out and names it in `notes`); a link that leads nowhere, with the document that has it; the
--- address of a service, which `catalog.stac` searches.
---
--- **Source.** STAC specification 1.1, catalogues and items; stac-geoparquet 1.0; `pystac.utils.str_to_datetime`.
---
--- ```lua
--- local catalog, fs, json = require "catalog", require "fs", require "json"
--- fs.write("catalog.json", json.encode { type = "Catalog", stac_version = "1.0.0", id = "mine", description = "two scenes",
---   links = { { rel = "item", href = "a.json" }, { rel = "item", href = "b.json" } } })
--- for _, id in ipairs { "a", "b" } do
---   fs.write(id .. ".json", json.encode { type = "Feature", stac_version = "1.0.0", id = id, links = json.array(),
---     geometry = { type = "Point", coordinates = { 9, 48 } }, properties = { datetime = "2020-01-01T00:00:00Z" },
---     assets = { image = { href = "./" .. id .. ".tif" } } })
--- end
--- local items = catalog.open("catalog.json")
--- assert(#items == 2 and items[2]:asset("image").href:find("/b.tif$"))
--- ```
---@param path string A file, or a web address.
---@param options? catalog.OpenOptions
---@return Items
function catalog.open(path, options) end

--- A STAC API service, by the address of its landing page.
---
--- The landing page is read at once: it says what the service can do. Searches are made from the service by `:search{…}`.
---
--- **Errors.** No web address; no connection; an answer that is no STAC catalogue.
---
--- **Source.** STAC API 1.0.
---
--- ```lua
--- local catalog = require "catalog"
--- -- local service = catalog.stac("https://landsatlook.usgs.gov/stac-server")
--- -- local items = service:search({ collections = "landsat-c2l3-dswe", datetime = "2020-06", max_items = 100 }):all()
--- local ok, message = pcall(catalog.stac, "landsatlook.usgs.gov/stac-server")
--- assert(not ok and message:find("url must be a web address such as https://host/path", 1, true))
--- ```
---@param url string
---@return Service
function catalog.stac(url) end

--- A STAC API service.
---@class Service
---@field url string The address of its landing page.
---@field title string?
local Service = {}

--- Whether the service has a part of the API; without a name, its conformance classes.
---
--- ```lua
--- local catalog = require "catalog"
--- local service = nil      -- catalog.stac("https://planetarycomputer.microsoft.com/api/stac/v1")
--- assert(service == nil or service:conforms("filter"))
--- ```
---@param feature? "search"|"filter"|"query"|"sortby"|"fields"|"collections"|"collection_search"|"text"
---@return boolean|string[]
function Service:conforms(feature) end

---@class catalog.CollectionOptions
---@field text? string Words in the id, title, description or keywords.
---@field bbox? number[] West, south, east, north in degrees.
---@field datetime? string|string[] As in `Service:search`.

--- The collections as tables: all, or those that options choose. What the service cannot search for is looked for here.
---
--- **Errors.** Those of requests; an answer without collections.
---
--- ```lua
--- local catalog = require "catalog"
--- local service = nil      -- catalog.stac("https://earth-search.aws.element84.com/v1")
--- for _, collection in ipairs(service and service:collections { text = "sentinel-1" } or {}) do
---   print(collection.id, collection.title)
--- end
--- ```
---@param options? catalog.CollectionOptions
---@return table[]
function Service:collections(options) end

--- One collection as a table.
---
--- **Errors.** An id that is not there; one like it is named.
---
--- ```lua
--- local catalog = require "catalog"
--- local service = nil      -- catalog.stac("https://earth-search.aws.element84.com/v1")
--- assert(service == nil or service:collection("cop-dem-glo-30").license)
--- ```
---@param id string
---@return table
function Service:collection(id) end

--- The properties that filters can name, as a JSON Schema in a table: of one collection, or of all.
---
--- **Errors.** A service without them.
---
--- ```lua
--- local catalog = require "catalog"
--- local service = nil      -- catalog.stac("https://planetarycomputer.microsoft.com/api/stac/v1")
--- assert(service == nil or service:queryables("3dep-seamless").properties.gsd)
--- ```
---@param collection? string
---@return table
function Service:queryables(collection) end

--- One item.
---
--- **Errors.** An item that is not there.
---
--- ```lua
--- local catalog = require "catalog"
--- local service = nil      -- catalog.stac("https://planetarycomputer.microsoft.com/api/stac/v1")
--- assert(service == nil or service:item("naip", "vt_m_4307307_nw_18_060_20211029").datetime)
--- ```
---@param collection string
---@param id string
---@return Item
function Service:item(collection, id) end

---@class catalog.StacOptions
---@field collections? string|string[] Collections to search. Default: all.
---@field ids? string|string[] Items to find by their ids.
---@field bbox? number[] West, south, east, north in degrees (or six numbers, with heights in metres). West > east is a box over the antimeridian; it is sent as the two on its sides.
---@field intersects? Geometry|Features|string|table The area: a Geometry, WKT or GeoJSON in longitude and latitude.
---@field datetime? string|string[] `"2020"`, `"2020-06"`, `"2020-06-01"` (all of it), `"2020-06-01T10:00:00Z"`, two of them as `"2020-06/2020-08"` or `{ "2020-06", "2020-08" }`, open as `"2020/.."`. UTC.
---@field filter? string|table CQL2 as text (`"eo:cloud_cover < 30 AND platform = 'landsat-8'"`) or as a table of CQL2 JSON; sent as the service reads it.
---@field query? string|string[]|table The older filter: `"eo:cloud_cover<30"`, a list of such, or `{ ["eo:cloud_cover"] = { lt = 30 } }`.
---@field sortby? string|string[] Fields, each with `-` in front where the largest comes first: `"-properties.datetime"`.
---@field fields? string[]|{ include: string[], exclude: string[] } Parts of the items to get or (`"-assets"`) to leave out.
---@field limit? integer Items a request; fewer where the server gives up. From 1 to 10000. Default 250.
---@field max_items? integer Stop here. At least 1. Default: all.
---@field method? "POST"|"GET" How the search is sent. Default POST, and GET where the service does not take it.
---@field partial? boolean Give an answer that has fewer items than the server counts, with a note, in place of an error. Default false.
---@field skip_invalid? boolean Leave out what is no STAC item and name it in `notes`, in place of an error. Default false.

--- A search of the service's items, not asked yet.
---
--- **Errors.** Options that are wrong: times that end before they start, areas that cross themselves, filters that are no CQL2, empty
--- lists; a parameter that is not among the service's conformance classes (services leave aside what they do not know, and answer
--- with everything); a service without a search.
---
--- **Source.** STAC API 1.0, Item Search and its extensions; CQL2 (OGC 21-065r2).
---
--- ```lua
--- local catalog = require "catalog"
--- local service = nil      -- catalog.stac("https://planetarycomputer.microsoft.com/api/stac/v1")
--- local options = { collections = "landsat-c2-l2", bbox = { -118.2, 34.6, -117.9, 34.9 }, datetime = "2020-06/2020-08",
---   filter = "eo:cloud_cover < 30", sortby = "-properties.datetime", max_items = 20 }
--- for item in service and service:search(options):items() or function() end do
---   print(item.id, item.datetime)
--- end
--- ```
---@param options? catalog.StacOptions
---@return Search
function Service:search(options) end

--- A question to an archive that has not been asked yet.
---@class Search
local Search = {}

--- Asks, and gives all items.
---
--- They are in the ledger of `--memory`: 10,000 items of an optical mission take some 600 MiB as they are, and a hundredth of that packed, which is how they
--- are kept where the ceiling is lower; each is then unpacked when it is asked for.
---
--- **Errors.** No connection, refusals, answers that are not what they should be, fewer items than the server counts; more items than `--memory` has room for.
---
--- ```lua
--- local catalog = require "catalog"
--- local search = catalog.asf { platform = "ALOS", maxResults = 5, url = "http://127.0.0.1:1/granules" }
--- local ok, message = pcall(function() return search:all() end)      -- no server there
--- assert(not ok and message:find("no connection"))
--- ```
---@return Items
function Search:all() end

--- The items one by one, for `for item in search:items() do`; pages are fetched as they are needed.
---
--- **Errors.** As `all`, at the item where they happen.
---
--- ```lua
--- local catalog = require "catalog"
--- local search = catalog.asf { platform = "ALOS", maxResults = 5 }
--- assert(type(search:items()) == "function")
--- ```
---@return fun(): Item?
function Search:items() end

--- How many items there would be, by the server's count; nil where it does not count.
---
--- **Errors.** As `all`.
---
--- ```lua
--- local catalog = require "catalog"
--- local search = catalog.asf { platform = "ALOS", url = "http://127.0.0.1:1/granules" }
--- assert(not pcall(search.count, search))
--- ```
---@return integer?
function Search:count() end

--- What will be asked, as a table.
---
--- ```lua
--- local catalog = require "catalog"
--- assert(catalog.asf({ platform = "ALOS" }):request().service == "asf")
--- ```
---@return table
function Search:request() end

--- What a search found. `#items` counts, `items[1]` and `ipairs` read.
---@class Items
---@field matched integer? How many the server counts.
---@field notes string[] What to know of the answer: items that came twice, counts that do not agree.
---@field [integer] Item From 1.
local Items = {}

--- Those for which a condition holds: a function of the Item, or values to equal by property.
---
--- ```lua
--- local catalog = require "catalog"
--- local items = catalog.items {}
--- assert(#items:filter({ ["sat:orbit_state"] = "ascending" }) == 0)
--- assert(#items:filter(function(item) return item.properties["eo:cloud_cover"] < 30 end) == 0)
--- ```
---@param condition fun(item: Item, index: integer): any | table
---@return Items
function Items:filter(condition) end

---@class catalog.SortOptions
---@field descending? boolean The largest first. Default false.

--- Sorted by a property; items without it come last.
---
--- **Errors.** A property that no item has.
---
--- ```lua
--- local catalog = require "catalog"
--- assert(#catalog.items({}):sort("datetime", { descending = true }) == 0)
--- ```
---@param property string
---@param options? catalog.SortOptions
---@return Items
function Items:sort(property, options) end

--- The first of them.
---
--- ```lua
--- local catalog = require "catalog"
--- assert(#catalog.items({}):head(3) == 0)
--- ```
---@param count integer
---@return Items
function Items:head(count) end

--- Both, each item once: what one collection calls by one id is the same.
---
--- ```lua
--- local catalog = require "catalog"
--- local none = catalog.items {}
--- assert(#none:append(none) == 0)
--- ```
---@param other Items
---@return Items
function Items:append(other) end

--- Those of a span of time, both ends included; a day, a month or a year as an end is all of it.
---
--- **Errors.** A stop before the start.
---
--- ```lua
--- local catalog = require "catalog"
--- local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "a", links = {}, assets = {},
---   properties = { datetime = "2020-06-30T10:00:00Z" } } }
--- assert(#items:between("2020-06-01", "2020-06-30") == 1 and #items:between("2020-06", "2020-06") == 1)
--- ```
---@param start string|number A time, a day, a month or a year.
---@param stop string|number Itself included.
---@return Items
function Items:between(start, stop) end

--- Those whose footprint meets an area.
---
--- **Errors.** An area or footprint that is no longitudes and latitudes.
---
--- ```lua
--- local catalog = require "catalog"
--- assert(#catalog.items({}):intersecting("POINT (9 48)") == 0)
--- ```
---@param area Geometry|Features|string|table
---@return Items
function Items:intersecting(area) end

--- The ids as a list.
---
--- ```lua
--- local catalog = require "catalog"
--- assert(#catalog.items({}):ids() == 0)
--- ```
---@return string[]
function Items:ids() end

--- One row an item: id, collection, the properties, and `size_bytes` and `url` of the main asset.
---
--- ```lua
--- local catalog = require "catalog"
--- local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "a", links = {},
---   properties = { datetime = "2020-01-01T00:00:00Z", gsd = 30 }, assets = { data = { href = "https://host/a.tif" } } } }
--- local t = items:table()
--- assert(t[1].gsd == 30 and t[1].url == "https://host/a.tif" and t.types.datetime == "time")
--- ```
---@return Table
function Items:table() end

--- The footprints as features with the properties, in EPSG:4326, to draw, to write as GeoJSON or any vector file. Footprints over the
--- antimeridian are cut there.
---
--- ```lua
--- local catalog = require "catalog"
--- assert(#catalog.items({}):features() == 0)
--- ```
---@return Features
function Items:features() end

--- The bytes of what `catalog.download` fetches of them where no assets are named, as far as the archive says them.
---
--- ```lua
--- local catalog = require "catalog"
--- assert(catalog.items({}):bytes() == 0)
--- ```
---@return integer
function Items:bytes() end

--- Writes the items with the request, the time and their SHA-256; `catalog.open` reads them. The file is GeoJSON too.
---
--- **Errors.** A folder that cannot be written.
---
--- ```lua
--- local catalog = require "catalog"
--- catalog.items({}):save("found.json")
--- ```
---@param path string
function Items:save(path) end

--- One granule, scene or tile of an archive.
---@class Item
---@field id string
---@field collection string?
---@field datetime string? When it was acquired, or when its acquisition began.
---@field end_datetime string? When its acquisition ended.
---@field geometry Geometry? The footprint as the archive has it; its bounding box where it has none.
---@field bounds number[]? `{ west, south, east, north }`
---@field properties table
---@field assets table<string, table> By name: `href`, `type`, `title`, `roles`, `size` (bytes) and `checksum` (`"md5:…"`) where the archive says them.
local Item = {}

--- One asset as a table; without a name the first of those that `catalog.download` fetches: those with the role `data`, or, where none has
--- it, that called `data` or the only one.
---
--- **Errors.** An asset that is not there, or no name where the item does not say which is meant; those that are there are named.
---
--- ```lua
--- local catalog = require "catalog"
--- local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "a", links = {}, geometry = nil,
---   properties = { datetime = "2020-01-01T00:00:00Z" }, assets = { inwam = { href = "https://host/a_INWAM.TIF" } } } }
--- assert(items[1]:asset("inwam").href == "https://host/a_INWAM.TIF")
--- ```
---@param name? string
---@return table
function Item:asset(name) end

--- A property, `id` or `collection` by its name; nil where there is none.
---
--- ```lua
--- local catalog = require "catalog"
--- local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "a", links = {}, assets = {},
---   properties = { datetime = "2020-01-01T00:00:00Z", ["eo:cloud_cover"] = 12 } } }
--- assert(items[1]:property("eo:cloud_cover") == 12)
--- ```
---@param name string
---@return any
function Item:property(name) end

--- The footprint fit for plane geometry: cut at the antimeridian, closed at the poles; nil where there is none.
---
--- **Errors.** A footprint that is no longitudes and latitudes.
---
--- ```lua
--- local catalog = require "catalog"
--- local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "a", links = {}, assets = {}, properties = { datetime = "2020-01-01T00:00:00Z" },
---   geometry = { type = "Polygon", coordinates = { { { 179, 0 }, { -179, 0 }, { -179, 1 }, { 179, 1 }, { 179, 0 } } } } } }
--- assert(items[1]:footprint().type == "MultiPolygon")
--- ```
---@return Geometry?
function Item:footprint() end

--- A catalogue of data cubes; `#cubes` is their number. Cubes are looked up in their own projections, so that the dateline and the
--- poles are places like all others. Answers are tables with the columns `zarr_url`, `epsg`, `min_x`, `min_y`, `max_x`, `max_y` (metres),
--- `roi_percent_coverage` (share of the nodes on land ice), `region` (of the Randolph Glacier Inventory) and `exists`.
---@class Cubes
---@operator len: integer
local Cubes = {}

--- The cubes at a place: one as a rule, more on an edge and where two projections overlap.
---
--- **Errors.** What is no place on Earth.
---
--- ```lua
--- local catalog, fs = require "catalog", require "fs"
--- fs.write("cubes.json", [==[{ "features": [{ "properties": { "zarr_url": "a.zarr", "epsg": 3413, "geometry_epsg": { "type": "Polygon",
---   "coordinates": [[[-200000, -2300000], [-100000, -2300000], [-100000, -2200000], [-200000, -2200000], [-200000, -2300000]]] } } }] }]==])
--- local found = catalog.itslive_cubes("cubes.json"):at(-49.0, 69.2)
--- assert(#found == 1 and found[1].zarr_url == "a.zarr")
--- ```
---@param longitude number Degrees.
---@param latitude number Degrees.
---@return Table
function Cubes:at(longitude, latitude) end

--- The cubes that share some of an area, with one column more: `share`, the share of the cube that lies in the area, 0 to 1.
---
--- **Errors.** What is no area in longitude and latitude.
---
--- ```lua
--- local catalog, fs, geometry = require "catalog", require "fs", require "geometry"
--- fs.write("cubes.json", [==[{ "features": [{ "properties": { "zarr_url": "a.zarr", "epsg": 3413, "geometry_epsg": { "type": "Polygon",
---   "coordinates": [[[-200000, -2300000], [-100000, -2300000], [-100000, -2200000], [-200000, -2200000], [-200000, -2300000]]] } } }] }]==])
--- local found = catalog.itslive_cubes("cubes.json"):intersecting(geometry.bbox(-60, 60, -40, 75))
--- assert(#found == 1 and found[1].share > 0.999)
--- ```
---@param area Geometry|Features|string|table A Geometry, WKT, or GeoJSON, in longitude and latitude.
---@return Table
function Cubes:intersecting(area) end

--- All cubes.
---
--- ```lua
--- local catalog, fs = require "catalog", require "fs"
--- fs.write("cubes.json", [==[{ "features": [] }]==])
--- assert(#catalog.itslive_cubes("cubes.json"):table() == 0)
--- ```
---@return Table
function Cubes:table() end
---@class catalog.DownloadFile
---@field url string The address: `https://…` or `s3://…`.
---@field name? string The path below the folder, such as `"scene/hh.tif"`. Default: the last part of the address.
---@field size? integer Bytes, as published.
---@field checksum? string MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal digits, or a multihash.
---@field requester_pays? boolean Whoever fetches it pays the store.

---@class catalog.DownloadOptions
---@field dir string The folder, which is made if it is not there.
---@field parallel? integer Files at once from one host. At least 1. Default 4.
---@field at_once? integer Files at once from all hosts. At least 1. Default 16.
---@field assets? string|string[] The assets of items to fetch. Default: those with the role `data`, or, where none has it, that called `data` or the only one.
---@field folders? boolean One folder an item, named by its id; without it two files of one name are an error. Default false.
---@field missing? "error"|"skip" Items that lack an asset. Default `"error"`.
---@field alternate? string The alternate address to use where an asset has it, such as `"s3"`.
---@field checksum? boolean Hold the size and checksum of the catalogue, and a checksum that the server sends, against what comes. Default true.
---@field overwrite? boolean Fetch also files that are there, and replace them. Default false.
---@field dry_run? boolean Only ask how much would come and what it would cost. Default false.
---@field usd_per_gb? number The price of bytes of requester-pays stores, in US dollars for 10^9 bytes; an assumption: what AWS asks for bytes that leave it. At least 0. Default 0.09.
---@field patience? number Seconds to wait for a server that is still making a file (status 202), up to a week. From 0 to 604800. Default 3600.
---@field on_error? "raise"|"report" What a file that fails makes: an error once all others are through, or a row of the report. Default `"raise"`.

---@class catalog.DownloadTotals
---@field files integer
---@field bytes integer The sum of the sizes that are known; in a dry run, of the files that would be fetched.
---@field received? integer Bytes that came over the network.
---@field fetched? integer
---@field present? integer Files that were there already.
---@field failed? integer
---@field seconds? number
---@field unknown? integer In a dry run: files whose size nobody says.
---@field paid_bytes? integer In a dry run: bytes for which the user pays.
---@field cost_usd? number In a dry run: what they cost at `usd_per_gb`.
---@field free_bytes? integer In a dry run: free on the disk.

--- Fetches files of archives into a folder, each complete or not at all.
---
--- A file is written to the hidden folder `.perilune` in `dir`, checked, synced, and only then given its name. What has arrived is
--- recorded there, so that a run that was interrupted, killed or cut off at any moment goes on at the byte where it was when it is run
--- again; files that are there already are not fetched again. A part is only continued while the server says by a strong entity tag or
--- a date that it is the same version (If-Range), or a published checksum will tell; else the file begins anew. A file that the store keeps
--- compressed (`Content-Encoding: gzip`) arrives unpacked.
---
--- `verified` is true where a published checksum (the catalogue's `file:checksum`, or one that the server sends, as S3 does for objects of
--- one part) was compared; otherwise the size and the first bytes are: a login page in place of a GeoTIFF is an error. The column `how` says which.
---
--- Two files that would have one name are an error. Names from servers never lead out of the folder, and a different file that is
--- there already is not replaced unless `overwrite` says so. A file that fails does not stop the others.
---
--- Gives a Table with a row a file: `name`, `path`, `bytes`, `received` (bytes over the network in this run), `status` (`"fetched"`, `"present"`,
--- `"planned"`, `"failed"`), `verified`, `how`, `url` (without its secrets) and `error`; and the totals.
---
--- **Errors.** One that lists every file that failed with its reason; before anything is fetched: names that collide, assets
--- that are missing, a folder that cannot be written, a disk that has not room enough, another download into the same folder.
---
--- ```lua
--- local catalog = require "catalog"
--- local files = {
---   "https://example.org/scene.tif",
---   { url = "https://example.org/other/scene.tif", name = "other/scene.tif", size = 1000 },
--- }
--- local function fetch() return catalog.download(files, { dir = "data", dry_run = true }) end   -- needs a network
--- local ok, message = pcall(catalog.download, { "https://a/x.tif", "https://b/x.tif" }, { dir = "data" })
--- assert(not ok and message:match("would both be `x%.tif`"))
--- ```
---@param files Items|Item|string|(string|catalog.DownloadFile|Item)[]
---@param options catalog.DownloadOptions
---@return Table report
---@return catalog.DownloadTotals totals
function catalog.download(files, options) end

---@class catalog.UnzipOptions
---@field into? string The folder. Default: that of the archive; for one on a server, the working folder.
---@field members? string|string[] Names of members; `*` stands for any text and `?` for one character. Default: all.
---@field delete? boolean Remove the archive once its members are on the disk. Default false.
---@field overwrite? boolean Replace files that are there and differ. Default false.
---@field most_members? integer Refuse archives with more members. At least 1. Default 100000.
---@field most_bytes? integer Refuse archives that unpack to more bytes. At least 1. Default 500000000000.
---@field most_ratio? number Refuse archives that unpack to more than a gigabyte and to more than this times their size. Above 0. Default 250.

---@class catalog.UnzippedMember
---@field name string In the archive.
---@field path string
---@field bytes integer
---@field present boolean It was there already, with this size and CRC-32.

--- Unpacks a ZIP archive beneath one folder.
---
--- The archive is judged before anything is written: absolute names, names with `..`, links, devices, names that come twice, encryption and
--- sizes beyond the limits refuse all of it. Members are checked (size, CRC-32), synced and given their names together.
--- Of an archive on a server only its directory and the members asked for are fetched, by ranges.
---
--- **Errors.** An archive that is refused, damaged or not whole; a file that is there and differs; then nothing has been unpacked.
---
--- ```lua
--- local catalog, fs = require "catalog", require "fs"
--- -- An archive of one empty file, byte by byte.
--- local head = "\20\0\0\0\0\0\0\0\33\0" .. ("\0"):rep(12) .. "\5\0\0\0"
--- local zip = "PK\3\4" .. head .. "a.txt" .. "PK\1\2\20\3" .. head .. ("\0"):rep(6) .. "\0\0\164\129" .. ("\0"):rep(4) .. "a.txt"
--- fs.write("a.zip", zip .. "PK\5\6\0\0\0\0\1\0\1\0\51\0\0\0\35\0\0\0\0\0")
--- local members = catalog.unzip("a.zip", { into = "out", delete = true })
--- assert(members[1].path == "out/a.txt" and fs.size("out/a.txt") == 0 and not fs.exists("a.zip"))
--- ```
---@param archive string A path, or an address (`https://`, `s3://`).
---@param options? catalog.UnzipOptions
---@return catalog.UnzippedMember[] members
function catalog.unzip(archive, options) end

---@class catalog.ZipMember
---@field name string
---@field bytes integer Unpacked.
---@field packed_bytes integer
---@field crc32 string Eight hexadecimal digits.

--- The files in a ZIP archive. Of one on a server, only the directory at its end is fetched.
---
--- **Errors.** A file that is no ZIP archive, or not a whole one; a server that does not serve parts of files.
---
--- ```lua
--- local catalog, fs = require "catalog", require "fs"
--- fs.write("empty.zip", "PK\5\6" .. ("\0"):rep(18))
--- assert(#catalog.zip_members("empty.zip") == 0)
--- ```
---@param archive string A path, or an address (`https://`, `s3://`).
---@return catalog.ZipMember[] members
function catalog.zip_members(archive) end

---@class catalog.Traffic
---@field requests integer Requests that were sent, redirects and tries included.
---@field bytes integer Bytes of the answers that were read, as they were sent but for searches, whose answers are counted uncompressed.

--- What this process has asked of servers so far: searches, downloads, and the ranges of images that are opened where they lie. The
--- difference of two calls is the cost of what lies between them.
---
--- ```lua
--- local catalog = require "catalog"
--- local before = catalog.traffic()
--- assert(catalog.traffic().bytes == before.bytes)
--- ```
---@return catalog.Traffic
function catalog.traffic() end

return catalog
