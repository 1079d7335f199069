local catalog = require "catalog"
local fs = require "fs"
local json = require "json"

local function item(id)
  return {
    type = "Feature", stac_version = "1.0.0", id = id, links = json.array(),
    geometry = { type = "Point", coordinates = { 9, 48 } }, properties = { datetime = "2020-01-01T00:00:00Z", gsd = 30 },
    assets = { image = { href = "./image.tif", alternate = { s3 = { href = "s3://bucket/" .. id .. ".tif" } } } },
  }
end

test("a catalogue of files gives its items", function()
  fs.mkdir("stac/a")
  fs.write("stac/catalog.json", json.encode {
    type = "Catalog", stac_version = "1.0.0", id = "root", description = "",
    links = { { rel = "child", href = "a/collection.json" } },
  })
  fs.write("stac/a/collection.json", json.encode {
    type = "Collection", stac_version = "1.0.0", id = "a", description = "", license = "other", extent = {},
    links = { { rel = "root", href = "../catalog.json" }, { rel = "item", href = "x.json" }, { rel = "item", href = "y.json" } },
  })
  fs.write("stac/a/x.json", json.encode(item("x")))
  fs.write("stac/a/y.json", json.encode(item("y")))
  local items = catalog.open("stac/catalog.json")
  assert(#items == 2 and items[1].id == "x" and items[2].id == "y")
  local asset = items[2]:asset("image")
  assert(asset.href:find("stac/a/image.tif$") and asset.alternate.s3.href == "s3://bucket/y.tif")
  fs.write("stac/a/y.json", "{}")
  assert_error(function() catalog.open("stac/catalog.json") end, "y.json: is no STAC document")
end)

test("files of items are read and saved searches come back", function()
  fs.write("list.json", json.encode { type = "FeatureCollection", features = { item("x"), item("y") } })
  local items = catalog.open("list.json")
  assert(#items == 2 and items[1]:property("gsd") == 30)
  items:save("saved.json")
  assert(#catalog.open("saved.json") == 2)
  fs.write("other.json", '{"type": "Topology"}')
  assert_error(function() catalog.open("other.json") end, "other.json: is a Topology, not STAC")
  assert_error(function() catalog.open("nothing.json") end, "no such file: nothing.json")
  assert_error(function() catalog.open("ftp://host/catalog.json") end, "path must be a web address")
  assert_error(function() catalog.open("http://127.0.0.1:9/catalog.json") end, "127%.0%.0%.1:9/catalog.json: no connection")
end)

test("no service is an error", function()
  assert_error(function() catalog.stac("landsatlook.usgs.gov") end, "url must be a web address such as https://host/path, got `landsatlook")
  assert_error(function() catalog.stac("http://127.0.0.1:9/stac") end, "127%.0%.0%.1:9/stac: no connection")
end)
