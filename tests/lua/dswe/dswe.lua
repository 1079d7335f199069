local catalog, dswe = require "catalog", require "dswe"

test("a search for items without a time names the item, before any server is asked", function()
  local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "ALPSRP1", links = {}, assets = {}, properties = {} } }
  assert_error(function() dswe.search(items) end, "dswe.search: the item ALPSRP1 has no time")
end)

test("names of other files are refused", function()
  assert_error(function() dswe.item_id "scene.tif" end, "dswe.item_id: .*is no file of DSWE")
  assert_error(function() dswe.screen({}, require("geometry").bbox(0, 0, 1, 1)) end, "there is no tile")
  assert_error(function() dswe.search(catalog.items {}, { clouds = 5 }) end, "unknown option `clouds`")
end)
