-- Running native code, and reaching services and databases.

local read = {
  open = function(name) return raster.open(name):rename("v"):stats() end,
  features = geometry.read,
  subdatasets = function(name) return assert(raster.subdatasets(name)[1], "there are none") end,
  read_array = function(name) return raster.read_array(name, "/d") end,
}

local function around(name)
  return string.format(
    '<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename shared="0">%s'
      .. "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>",
    (name:gsub('"', "&quot;"))
  )
end

for _, name in ipairs {
  "ODBC:DRIVER=" .. library .. ";",
  "odbc:DRIVER=" .. library .. ";",
  "PGeo:DRIVER=" .. library .. ";",
  "MSSQL:driver=" .. library .. ";server=127.0.0.1;database=x",
  "GPSBABEL:" .. library .. ":x",
  "OCI:x/y@z",
  "IDB:dbname=x",
  "SDE:127.0.0.1",
  "PG:host=127.0.0.1 port=1",
  "postgresql://127.0.0.1:1/x",
  "MYSQL:x,host=127.0.0.1,port=1",
  "MongoDBv3:mongodb://127.0.0.1:1",
  "HANA:DRIVER=" .. library,
  "WMS:http://127.0.0.1:1/?",
  "WCS:http://127.0.0.1:1/?",
  "WMTS:http://127.0.0.1:1/x.xml",
  "WFS:http://127.0.0.1:1/",
  "OAPIF:http://127.0.0.1:1/",
  "CSW:http://127.0.0.1:1/",
  "ES:http://127.0.0.1:1",
  "EEDA:x",
  "EEDAI:x:y",
  "OGCAPI:http://127.0.0.1:1/",
  "DODS:http://127.0.0.1:1/x",
  "http://127.0.0.1:1/x.dods",
  "NETCDF:http://127.0.0.1:1/x.nc:v",
  'NETCDF:"http://127.0.0.1:1/x.nc#mode=dods":v',
  'NETCDF:"' .. server .. '/x.nc":v',
  'NETCDF:"' .. server .. '/x.nc#mode=bytes":v',
  'NETCDF:"' .. server .. '/x.nc#mode=dap4":v',
  'HDF5:"' .. server .. '/x.h5"://v',
  "RASTERLITE:x.sqlite",
  'STACTA:"x.json"',
  "STACIT:http://127.0.0.1:1/x.json",
  "PLMosaic:api_key=x",
  "PLScenes:api_key=x",
  "DAAS:http://127.0.0.1:1",
  "DERIVED_SUBDATASET:AMPLITUDE:x.tif",
  "Carto:x",
  "AmigoCloud:x",
  "NGW:http://127.0.0.1:1/resource/1",
  "GMLAS:x.xml",
  "OSM:x.osm",
  "<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:1/${z}</ServerUrl></Service></GDAL_WMS>",
  "<OGRVRTDataSource><OGRVRTLayer name='evil'><SrcDataSource>CSV:evil.c</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
  "<WMS_Tile_Service></WMS_Tile_Service>",
  '{"type":"FeatureCollection","features":[],"stac_version":"1.0.0"}',
} do
  for reader, call in pairs(read) do
    attempt(reader .. " of " .. name, call, name)
  end
  -- The same inside a virtual raster, whose driver opens what it names.
  fs.write("inside.vrt", around(name))
  attempt("open of a VRT of " .. name, read.open, "inside.vrt")
end

local function computed(language, code)
  return string.format(
    '<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="Byte" band="1" subClass="VRTDerivedRasterBand">'
      .. "<PixelFunctionType>%s</PixelFunctionType><PixelFunctionLanguage>%s</PixelFunctionLanguage><PixelFunctionCode><![CDATA[%s]]>"
      .. "</PixelFunctionCode></VRTRasterBand></VRTDataset>",
    "f",
    language,
    code
  )
end
local mark = "open('loaded', 'w')\ndef f(a, out, *rest, **named): pass\n"
for _, file in ipairs {
  { "python.vrt", computed("Python", mark) },
  { "lower.vrt", computed("python", mark) },
  { "module.vrt", (computed("Python", ""):gsub(">f<", ">evil.f<")) },
  { "evil.py", mark },
  { "odbc.vrt", "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>ODBC:DRIVER=" .. library .. "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>" },
  { "columns.vrt", "<OGRVRTDataSource><OGRVRTLayer name='evil'><SrcDataSource>CSV:evil.c</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>" },
  {
    "wms.xml",
    "<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:1/${z}</ServerUrl></Service><DataWindow><UpperLeftX>-10</UpperLeftX><UpperLeftY>10"
      .. "</UpperLeftY><LowerRightX>10</LowerRightX><LowerRightY>-10</LowerRightY><TileLevel>1</TileLevel><TileCountX>1</TileCountX><TileCountY>1"
      .. "</TileCountY></DataWindow><Projection>EPSG:4326</Projection><BandsCount>1</BandsCount></GDAL_WMS>",
  },
  { "tiles.mrf", "<MRF_META><Raster><Size x='8' y='8' c='1'/><DataFile>evil.c</DataFile></Raster></MRF_META>" },
  { "copied.mrf", "<MRF_META><CachedSource><Source>http://127.0.0.1:1/x.tif</Source></CachedSource><Raster><Size x='8' y='8' c='1'/></Raster></MRF_META>" },
  {
    "sparse.xml",
    "<VSISparseFile><Length>9</Length><SubfileRegion><Filename>evil.c</Filename><DestinationOffset>0</DestinationOffset><SourceOffset>0"
      .. "</SourceOffset><RegionLength>9</RegionLength></SubfileRegion></VSISparseFile>",
  },
  { "evil.so", "\127ELF" },
  { "evil.luac", "\27Lua" },
} do
  -- One of these is there, made by a compiler.
  if file[1] ~= "evil.so" then
    fs.write(file[1], file[2])
  end
  for reader, call in pairs(read) do
    attempt(reader .. " of " .. file[1], call, file[1])
  end
end
for _, name in ipairs { "/vsisparse/sparse.xml", "/vsistdin/", "/vsihdfs/x", "/vsiwebhdfs/http://127.0.0.1:1/x", "/vsicrypt/key=x,file=evil.c" } do
  attempt("open of " .. name, read.open, name)
  attempt("features of " .. name, read.features, name)
end

-- A definition of a CRS is text.
for _, name in ipairs {
  "evil.c",
  "./evil.c",
  "http://127.0.0.1:1/x.prj",
  "/vsicurl/http://127.0.0.1:1/x.prj",
  "+init=evil.c:1",
  "+proj=longlat +nadgrids=" .. library .. " +no_defs +wktext",
  "+proj=pipeline +step +proj=hgridshift +grids=" .. library,
  "WMTS:http://127.0.0.1:1/x",
  "urn:ogc:def:crs:http://127.0.0.1:1/x",
} do
  attempt("a CRS of " .. name, raster.grid, { crs = name, bounds = { 0, 0, 1, 1 }, resolution = 1 })
end

-- Conditions on attributes are SQL, in a GeoPackage that of SQLite.
local features = geometry.features { { geometry = geometry.point(1, 2, "EPSG:4326"), properties = { n = 1 } } }
for _, format in ipairs { "gpkg", "geojson", "shp" } do
  features:write("sql." .. format)
  for _, condition in ipairs {
    "load_extension('" .. library .. "') IS NULL",
    "load_extension('" .. library .. "', 'mark') IS NULL",
    "readfile('" .. login .. "') IS NOT NULL",
    "writefile('" .. kept .. "/new.txt', 'x') > 0",
    "BlobFromFile('" .. login .. "') IS NOT NULL",
    "BlobToFile('x', '" .. kept .. "/new.txt') > 0",
    "XB_LoadXML('" .. login .. "') IS NOT NULL",
    "ImportDBF('" .. login .. "', 'x', 'UTF-8') IS NOT NULL",
    "eval('ATTACH ''" .. kept .. "/new.db'' AS k') IS NULL",
    "edit('x', 'touch loaded') IS NULL",
    "fts3_tokenizer('simple', x'0000000000000000') IS NULL",
    "ogr_geocode('London') IS NOT NULL",
    "ogr_geocode_reverse(1, 2, 'city') IS NOT NULL",
    "ogr_datasource_load_layers('CSV:evil.c') > 0",
    "gdal_get_pixel_value('raw.vrt', 1, 'pixel', 0, 0) > 0",
    "n IN (SELECT name FROM pragma_load('x'))",
    "1 = 1) ; ATTACH '" .. kept .. "/new.db' AS k; --",
    "n IN (SELECT content FROM lines_from('" .. login .. "'))",
  } do
    attempt("of " .. format .. " where " .. condition, geometry.read, "sql." .. format, { where = condition })
  end
end
-- Tables that a library, not a file, holds.
for _, layer in ipairs { "text", "shape", "dbf", "json", "ogr", "seen" } do
  attempt("layer " .. layer .. " of virtual tables", function()
    local found = geometry.read("virtual.gpkg", { layer = layer })
    print(found:to_geojson())
    error("has " .. #found .. " features", 0)
  end)
end

-- Lua's own ways.
for _, what in ipairs {
  "os.execute", "os.remove", "os.tmpname", "os.exit", "os.setlocale", "io.open", "io.popen", "io.lines", "io.read", "package.loadlib",
  "package.searchpath", "package.cpath", "debug.getregistry", "debug.sethook", "debug.getinfo", "dofile", "loadfile", "string.dump",
  "jit.on", "ffi.load", "newproxy", "module",
} do
  for _, argument in ipairs { "touch loaded", login } do
    attempt("Lua's " .. what, function()
      local found = _G
      for part in what:gmatch "[^.]+" do
        found = found[part]
      end
      return found(argument)
    end)
  end
end
for _, name in ipairs { "evil", "evil.so", "loadall", "ffi", "io", "os", "package", "debug", "posix", "lfs", "socket" } do
  attempt("require " .. name, require, name)
end
attempt("bytecode", function() return assert(load("\27Lua\84\0\25\147\r\n\26\n\4\8\8", "x", "b")) end)
attempt("bytecode in any mode", function() return assert(load("\27Lua\84\0\25\147\r\n\26\n\4\8\8")) end)
attempt("an address for a name", function() return catalog.download({ "file://" .. login }, { dir = "got" }) end)
for _, address in ipairs { "file://" .. login, "ftp://127.0.0.1:1/x", "gopher://127.0.0.1:1/x", "dict://127.0.0.1:1/x", "smb://127.0.0.1/x", "unix:/x" } do
  attempt("a STAC of " .. address, catalog.stac, address)
  attempt("items of " .. address, catalog.open, address)
  attempt("download of " .. address, catalog.download, { address }, { dir = "got" })
  attempt("unzip of " .. address, catalog.unzip, address, { into = "got" })
  attempt("open of /vsicurl/" .. address, read.open, "/vsicurl/" .. address)
  attempt("open of /vsicurl?url=" .. address, read.open, "/vsicurl?url=" .. address)
end
