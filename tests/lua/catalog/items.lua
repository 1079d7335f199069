local catalog = require "catalog"
local geometry = require "geometry"
local json = require "json"

local function item(id, time, west, south, properties)
  properties = properties or {}
  properties.datetime = time
  local ring = { { west, south }, { west + 1, south }, { west + 1, south + 1 }, { west, south + 1 }, { west, south } }
  return {
    type = "Feature", stac_version = "1.0.0", id = id, collection = "scenes", links = json.array {},
    geometry = { type = "Polygon", coordinates = { ring } }, properties = properties,
    assets = { data = { href = "https://host/" .. id .. ".zip", roles = { "data" }, ["file:size"] = 1000,
      ["file:checksum"] = "d50110d41d8cd98f00b204e9800998ecf8427e" }, browse = { href = "https://host/" .. id .. ".png" } },
  }
end

local function three()
  return catalog.items {
    item("a", "2020-01-03T10:00:00Z", 0, 0, { ["eo:cloud_cover"] = 20, ["sat:orbit_state"] = "ascending" }),
    item("b", "2020-01-01T10:00:00Z", 10, 0, { ["eo:cloud_cover"] = 5, ["sat:orbit_state"] = "descending" }),
    item("c", "2020-02-01T10:00:00Z", 0.5, 0.5, { ["sat:orbit_state"] = "ascending" }),
  }
end

test("items are read like a list", function()
  local items = three()
  assert(#items == 3 and items[1].id == "a" and items[4] == nil and items[0] == nil)
  local ids = {}
  for _, one in ipairs(items) do ids[#ids + 1] = one.id end
  assert(table.concat(ids, " ") == "a b c" and table.concat(items:ids(), " ") == "a b c")
  assert(tostring(items):match "^[^\n]*" == "3 items, 2020-01-01 to 2020-02-01", tostring(items))
  local a = items[1]
  assert(a.collection == "scenes" and a.datetime == "2020-01-03T10:00:00Z" and a.properties["eo:cloud_cover"] == 20)
  assert(a.geometry.type == "Polygon" and a.bounds[3] == 1 and tostring(a) == "item a of 2020-01-03T10:00:00Z")
  assert(items[3]:property("eo:cloud_cover") == nil and items[3].properties["eo:cloud_cover"] == nil)
end)

test("assets have size and checksum", function()
  local a = three()[1]
  local data = a:asset()
  assert(data.name == "data" and data.size == 1000 and data.checksum == "md5:d41d8cd98f00b204e9800998ecf8427e")
  assert(a.assets.browse.href == "https://host/a.png" and a:asset("browse").size == nil)
  assert_error(function() a:asset("brows") end, "item a: no asset `brows`; did you mean `browse`")
  assert(three():bytes() == 3000)
end)

test("filters, order, parts", function()
  local items = three()
  assert(#items:filter({ ["sat:orbit_state"] = "ascending" }) == 2)
  assert(#items:filter({ datetime = "2020-01-03T10:00Z" }) == 1, "times are equal as times")
  assert(#items:filter(function(one) return (one.properties["eo:cloud_cover"] or 100) < 30 end) == 2)
  assert(table.concat(items:sort("datetime"):ids()) == "bac")
  assert(table.concat(items:sort("datetime", { descending = true }):ids()) == "cab")
  assert(table.concat(items:sort("eo:cloud_cover"):ids()) == "bac", "without the property: last")
  assert_error(function() items:sort("eo:cloud") end, "no item has the property `eo:cloud`")
  assert_error(function() items:sort("datetime", { decending = true }) end, "did you mean `descending`")
  assert(#items:head(2) == 2 and #items:head(9) == 3)
  assert(#items:append(items) == 3 and #items:append(catalog.items { item("d", "2020-01-01T00:00:00Z", 0, 0) }) == 4)
  assert(table.concat(items:between("2020-01-02", "2020-01-31"):ids()) == "a")
  assert_error(function() items:between("2020-02-01", "2020-01-01") end, "stop must be a time after the start, 2020%-02%-01, got 2020%-01%-01")
end)

test("the ends of a span are all of their day, month or year", function()
  local items = catalog.items { item("first", "2020-06-01T00:00:00Z", 0, 0), item("last", "2020-06-30T10:00:00Z", 0, 0),
    item("after", "2020-07-01T00:00:00Z", 0, 0) }
  for _, span in ipairs { { "2020-06-01", "2020-06-30" }, { "2020-06", "2020-06" }, { "2020-06-01T00:00Z", "2020-06-30T10:00Z" } } do
    local found = table.concat(items:between(span[1], span[2]):ids(), " ")
    assert(found == "first last", span[1] .. " to " .. span[2] .. ": " .. found)
  end
  assert(#items:between("2020", "2020") == 3 and #items:between(2020, 2020) == 3 and #items:between("2020-06-30T10:00:01Z", "2020-06-30") == 0)
  assert_error(function() items:between("June", "2020") end, "start must be a time, a day, a month or a year")
end)

test("times of items are read as pystac reads them", function()
  -- Right: pystac.utils.str_to_datetime of pystac 1.15.2; the leap second, which it refuses, is POSIX time's.
  for text, right in pairs {
    ["2020-06-01"] = "2020-06-01", ["2020-06"] = "2020-06-01", ["2020"] = "2020-01-01", ["2020-06-01T10:11Z"] = "2020-06-01T10:11:00Z",
    ["2020-06-01 10:11:12"] = "2020-06-01T10:11:12Z", ["2020-06-01T10:11:12+0200"] = "2020-06-01T08:11:12Z",
    ["20200601T101112Z"] = "2020-06-01T10:11:12Z", ["2016-12-31T23:59:60Z"] = "2016-12-31T23:59:59Z",
  } do
    local one = catalog.items { item("x", text, 0, 0) }
    assert(one[1].datetime == right, text .. ": " .. tostring(one[1].datetime))
  end
  local leap = catalog.items { item("after", "2017-01-01T00:00:00Z", 0, 0), item("leap", "2016-12-31T23:59:60Z", 0, 0) }
  assert(table.concat(leap:sort("datetime"):ids(), " ") == "leap after" and #leap:between("2016-12-31", "2016-12-31") == 1)
end)

test("files of items with loose times are read", function()
  -- Right: ../shared/data/awkward/README.md.
  for name, right in pairs { dateonly = "2020-06-01", minutes = "2020-06-01T10:11:00Z", year = "2020-01-01", space = "2020-06-01T10:11:12Z",
    leap = "2016-12-31T23:59:59Z" } do
    local items = catalog.open(shared("awkward/" .. name .. ".json"))
    assert(table.concat(items:ids(), " ") == "good " .. name and #items.notes == 0)
    assert(items[2].datetime == right, name .. ": " .. tostring(items[2].datetime))
    assert(table.concat(items:sort("datetime"):ids(), " ") == name .. " good")
    assert(#items:between(right, right) == 1)
  end
end)

test("what is no item is named, and left out when asked", function()
  local fs = require "fs"
  fs.write("mixed.json", json.encode { type = "FeatureCollection",
    features = { item("good", "2020-06-02T00:00:00Z", 0, 0), item("bad", "noon", 0, 0), item("year", "2020", 0, 0) } })
  assert_error(function() catalog.open("mixed.json") end,
    "item 2 %(`bad`%) is no STAC item: its datetime is `noon`, which is no time of ISO 8601; `skip_invalid = true` leaves it out")
  local items = catalog.open("mixed.json", { skip_invalid = true })
  assert(table.concat(items:ids(), " ") == "good year" and #items.notes == 1)
  assert(items.notes[1]:find("item 2 (`bad`)", 1, true) and items.notes[1]:find("left out", 1, true), items.notes[1])
  assert_error(function() catalog.items { item("bad", "noon", 0, 0) } end, "list%[1%] %(`bad`%) is no STAC item: its datetime is `noon`")
end)

test("the main asset is what download fetches", function()
  local function with(assets)
    local one = item("a", "2020-01-01T00:00:00Z", 0, 0)
    one.assets = assets
    return catalog.items { one }
  end
  local image, picture = { href = "https://host/a.tif", ["file:size"] = 7 }, { href = "https://host/a.png", roles = { "thumbnail" } }
  local red = { href = "https://host/red.tif", roles = { "data" }, ["file:size"] = 5 }
  assert(with({ data = image, red = red })[1]:asset().name == "red", "the role says more than the name")
  assert(with({ data = image, thumbnail = picture })[1]:asset().name == "data")
  assert(with({ image = image })[1]:asset().name == "image" and with({ image = image }):bytes() == 7)
  local unsaid = with { image = image, thumbnail = picture }
  assert_error(function() return unsaid[1]:asset() end, "says of none of its assets that it is data; name one in `asset%(name%)`; there are: ")
  assert_error(function() catalog.download(unsaid, { dir = "out" }) end, "says of none of its assets that it is data; name one with `assets`")
  assert(unsaid:bytes() == 0 and unsaid:table()[1].url == nil)
end)

test("areas in every form", function()
  local items = three()
  local forms = {
    "POLYGON((0.2 0.2, 0.3 0.2, 0.3 0.3, 0.2 0.2))",
    geometry.bbox(0.2, 0.2, 0.3, 0.3),
    { type = "Point", coordinates = { 0.25, 0.25 } },
    '{"type":"Point","coordinates":[0.25,0.25]}',
    geometry.bbox(0.2, 0.2, 0.3, 0.3):to_crs("EPSG:32631"),
  }
  for i, area in ipairs(forms) do
    assert(table.concat(items:intersecting(area):ids()) == "a", i)
  end
  assert_error(function() items:intersecting("POLYGON((0 0") end, "area: ")
  assert_error(function() items:intersecting(geometry.bbox(5e5, 4e6, 6e5, 5e6, "EPSG:32611"):set_crs(4326)) end, "no longitude and latitude")
  assert_error(function() items:intersecting(5) end, "area must be an area in longitude and latitude")
end)

test("items become tables and features", function()
  local t = three():table()
  assert(#t == 3 and t[1].url == "https://host/a.zip" and t[1].size_bytes == 1000)
  assert(t.types.datetime == "time" and t[3]["eo:cloud_cover"] == nil)
  local f = three():features()
  assert(#f == 3 and f.crs == "EPSG:4326" and f[2].geometry:bounds()[1] == 10 and f[2].properties["sat:orbit_state"] == "descending")
end)

test("items are saved and opened", function()
  local items = three()
  items:save("found.json")
  local back = catalog.open("found.json")
  assert(#back == 3 and back[2].properties["eo:cloud_cover"] == 5 and back[1]:asset().checksum == items[1]:asset().checksum)
  assert_error(function() items:save("/etc/found.json") end, "outside the working folder")
  assert_error(function() catalog.open("nothing.json") end, "nothing%.json")
end)

test("what is no item is refused", function()
  assert_error(function() catalog.items { { id = "x", type = "Catalog" } } end, "list%[1%] %(`x`%) is no STAC item: .*expected Feature")
  assert_error(function() catalog.items { 5 } end, "list%[1%] must be an Item")
end)

test("a join gives each item its matches", function()
  local left = three()
  local right = catalog.items {
    item("near", "2020-01-03T20:00:00Z", 0.25, 0), item("other_day", "2020-01-04T02:00:00Z", 0, 0),
    item("far", "2020-01-03T10:00:00Z", 50, 0), item("late", "2020-03-01T00:00:00Z", 0.5, 0.5),
  }
  local all = catalog.join(left, right, { within = "1d" })
  assert(#all == 1 and all[1].item.id == "a" and #all[1].matches == 2 and all[1].seconds == 36000)
  assert(math.abs(all[1].coverage - 1) < 1e-9)
  local nearest = catalog.join(left, right, { within = "1d", nearest = true })
  assert(#nearest[1].matches == 1 and nearest[1].matches[1].id == "near" and math.abs(nearest[1].coverage - 0.75) < 1e-6)
  assert(#catalog.join(left, right, { within = "1d", nearest = true, overlap = 0.8 })[1].matches == 1)
  assert(#catalog.join(left, right, { within = 60 }) == 0)
  assert(#catalog.join(left, right, { within = "60d" }) == 2)
  assert_error(function() catalog.join(left, right, { within = "soon" }) end, 'within must be a length of time such as "1d"')
  assert_error(function() catalog.join(left, right, { overlap = 50 }) end, "overlap must be a number from 0 to 1")
  assert_error(function() catalog.join(left, right, { withn = 1 }) end, "did you mean `within`")
end)
