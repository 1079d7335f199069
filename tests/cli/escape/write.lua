-- Writing, moving and removing outside the folders: everything that writes, to every name that leads out.

local grid = raster.grid { crs = "EPSG:32611", bounds = { 0, 0, 64, 64 }, resolution = 1 }
local image = raster.constant(grid, 7)
local bytes = image:cast("uint8")
local features = geometry.features { { geometry = geometry.point(1, 2, "EPSG:4326"), properties = { n = 1 } } }
local rows = tables.new { n = { 1, 2 } }
local items = catalog.items {
  { type = "Feature", stac_version = "1.0.0", id = "a", links = {}, assets = {},
    properties = { datetime = "2020-01-01T00:00:00Z" }, geometry = { type = "Point", coordinates = { 1, 2 } } },
}
local figure = plot.figure()
figure:axes():line({ 1, 2 }, { 1, 2 })

-- What it writes, by the end of the name.
local write = {}
for _, format in ipairs { "tif", "png", "jp2", "nc" } do
  write[format] = function(name) return bytes:write(name) end
end
write["cog.tif"] = function(name) return image:write(name, { format = "COG" }) end
write["all.tif"] = function(name) return raster.write_all { { image, "fine.tif" }, { image, name } } end
write["tags.tif"] = function(name)
  return image:write(name, { tags = { ["../x"] = "y", AREA_OR_POINT = "Point", ["=x"] = kept } })
end
write["cube.nc"] = function(name) return raster.write_netcdf(name, { { name = "v", image = image } }) end
write.h5 = function(name) return raster.write_hdf5(name, { ["/v"] = image }) end
for _, format in ipairs { "geojson", "gpkg", "shp", "kml", "gml", "fgb", "geojsonl" } do
  write["features." .. format] = function(name) return features:write(name) end
end
write["rows.csv"] = function(name) return rows:write_csv(name) end
write["figure.png"] = function(name) return figure:write(name) end
write["figure.svg"] = function(name) return figure:write(name) end
write.json = function(name) return items:save(name) end
local search = catalog.asf { platform = "ALOS", start = "2007-01-01" }
write.snapshot = function(name) return catalog.snapshot(name, search) end
write.txt = function(name) return fs.write(name, "x") end
write.log = function(name) return fs.append(name, "x") end
write.copy = function(name) return fs.copy("own.txt", name) end
write.moved = function(name)
  fs.write("moving.txt", "x")
  return fs.rename("moving.txt", name)
end
write.folder = function(name) return fs.mkdir(name) end
write.unpacked = function(name) return catalog.unzip("plain.zip", { into = name }) end
write.download = function(name) return catalog.download({ "http://127.0.0.1:9/a.bin" }, { dir = name, dry_run = false }) end

fs.write("own.txt", "own")
for what, call in pairs(write) do
  -- What cannot write at all would be refused for nothing.
  if what ~= "download" and what ~= "snapshot" then
    call("here/fine." .. what)
  end
  for _, start in ipairs {
    kept .. "/new.",
    "../kept/new.",
    "here/../../kept/new.",
    "out/new.",
    "out/../new.",
    "~/new.",
    "/proc/self/cwd/../kept/new.",
    "/proc/self/root" .. kept .. "/new.",
    "/dev/shm/perilune-escape.",
    "dangling.",
    "named.",
    "/vsimem/new.",
    "/vsizip/new.zip/new.",
    "/vsigzip/new.",
    "/vsistdout/new.",
    "/vsicurl/http://127.0.0.1:9/new.",
    "/vsis3/bucket/new.",
  } do
    attempt("write " .. start .. what, call, start .. what)
  end
  attempt("write " .. what .. " over a login", call, login)
  attempt("write " .. what .. " over a login in an open folder", call, "../open/.netrc")
  attempt("write " .. what .. " over a link to a login", call, "link.bin")
  attempt("write " .. what .. " over another name of a login", call, "hard.bin")
  attempt("write " .. what .. " to /dev/null", call, "/dev/null/" .. what)
  attempt("write " .. what .. " to /proc/self/fd/1", call, "/proc/self/fd/1")
end

-- Removing and moving what holds the work, or a login.
for _, name in ipairs {
  ".",
  "../work",
  "out/../work",
  kept,
  "../kept",
  "../kept/here.txt",
  "out/here.txt",
  "..",
  "/",
  "~",
  "../open",
  "../open/.netrc",
  login,
  "folder/.netrc",
  "link.bin/../hard.bin/..",
} do
  attempt("remove " .. name, fs.remove, name)
  attempt("remove all of " .. name, fs.remove, name, { recursive = true })
  attempt("move " .. name, fs.rename, name, "here/moved")
  attempt("move to " .. name, fs.rename, "own.txt", name)
end

-- Names that are made by other names.
for _, layer in ipairs { "../../kept/new", kept .. "/new", "../new", ".." } do
  for _, format in ipairs { "gpkg", "shp", "kml", "gml", "fgb", "geojsonl" } do
    tried("layer " .. layer .. " of " .. format, features.write, features, "here/layer." .. format, { layer = layer })
  end
  tried("a dataset " .. layer, raster.write_hdf5, "here/named.h5", { [layer] = image })
  tried("a variable " .. layer, raster.write_netcdf, "here/named.nc", { { name = layer, image = image } })
  tried("a band " .. layer, image.write, image:rename(layer), "here/named.tif")
  tried("a format of " .. layer, image.write, image, "here/named.tif", { format = layer })
  tried("compression by " .. layer, image.write, image, "here/named.tif", { compress = layer })
  tried("overviews by " .. layer, image.write, image, "here/named.tif", { format = "COG", overview_resampling = layer })
end
-- Formats of several files name those beside by the one that is asked for.
for _, format in ipairs {
  "ERS", "ENVI", "ISCE", "ROI_PAC", "EHdr", "HFA", "NITF", "PCIDSK", "Zarr", "VRT", "ISIS3", "ISIS2", "VICAR", "RRASTER", "LAN", "SAGA", "GSAG", "GSBG",
  "GS7BG", "GTX", "NTv2", "USGSDEM", "SRTMHGT", "AAIGrid", "XYZ", "BMP", "GIF", "JPEG", "WEBP", "PNM", "PCRaster", "GPKG", "MEM", "MRF", "WMS", "GTiff",
  "netCDF", "PNG", "JP2OpenJPEG", "GRIB", "COSAR",
} do
  for _, name in ipairs { "../open/.netrc.ers", "../open/.netrc.dat", "here/odd.x", "../open/linked/new.x", "named.tif", "dangling.tif" } do
    local write = name:find "named" and attempt or name:find "linked" and attempt or name:find "dangling" and attempt or tried
    write(name .. " as " .. format, bytes.write, bytes, name, { format = format })
  end
end
local stack = raster.stack { image }
for _, options in ipairs {
  { folder = "made", prefix = kept .. "/x", names = { "a" } },
  { folder = "made", prefix = "../../kept/x", names = { "a" } },
  { folder = "made", prefix = "x", names = { "/../../../kept/a" } },
  { folder = "made", prefix = "", names = { kept .. "/a" } },
  { folder = "out", prefix = "x", names = { "a" } },
  { folder = "../kept", prefix = "x", names = { "a" } },
} do
  attempt("export with prefix " .. options.prefix .. " into " .. options.folder, stack.export, stack, options)
end
for _, archive in ipairs { "links.zip", "up.zip", "absolute.zip", "logins.zip", "own.zip" } do
  attempt("unzip " .. archive, catalog.unzip, archive, { into = "../open", overwrite = true })
  attempt("unzip through a link " .. archive, catalog.unzip, archive, { into = "through" })
end
attempt("unzip and delete outside", catalog.unzip, "../kept/plain.zip", { into = "unpacked", delete = true })
attempt("unzip and delete through a link", catalog.unzip, "out/plain.zip", { into = "unpacked", delete = true })
for _, folder in ipairs { "linked_state", "linked_lock", "linked_parts", "linked_ledger" } do
  attempt("download into " .. folder, catalog.download, { server .. "/a.bin" }, { dir = folder })
end
for _, name in ipairs { ".netrc", "linked/a.bin", "../kept/a.bin", "/a.bin", ".perilune/lock", "sub/../../kept/a" } do
  attempt("download as " .. name, catalog.download, { { url = server .. "/a.bin", name = name } }, { dir = "../open", overwrite = true })
end

-- Listing is of the folders, too.
for _, name in ipairs { "..", kept, "out", "folder", "/proc/self", "/" } do
  attempt("list " .. name, fs.list, name)
  attempt("glob " .. name, fs.glob, name .. "/*")
end
attempt("glob through links", function()
  for _, pattern in ipairs { "*/here*", "o*/h*", "**/here.txt", "*/.netrc", "f*/.n*" } do
    local found = fs.glob(pattern)
    if #found > 0 then
      return found[1]
    end
  end
  error("nothing is found")
end)
