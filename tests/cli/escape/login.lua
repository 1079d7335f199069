-- Reading a file of logins: every way to name it, by everything that reads.

local read = {
  open = function(name) return raster.open(name):rename("v"):stats() end,
  subdatasets = raster.subdatasets,
  arrays = raster.arrays,
  read_array = function(name) return raster.read_array(name, "/d") end,
  stack = function(name) return raster.stack { name } end,
  features = geometry.read,
  csv = tables.read_csv,
  text = fs.read,
  lines = function(name) return fs.lines(name)() end,
  copy = function(name) return fs.copy(name, "copied") end,
  size = fs.size,
  modified = fs.modified,
  items = catalog.open,
  unzip = function(name) return catalog.unzip(name, { into = "unpacked" }) end,
  members = catalog.zip_members,
  cubes = catalog.itslive_cubes,
  module = require,
}

local by_path = {
  login,
  "~/.netrc",
  "../home/.netrc",
  "link.bin",
  "hard.bin",
  "folder/.netrc",
  "folder/../home/.netrc",
  "folder/./.netrc/",
  "./././link.bin",
  "/" .. login,
  login .. "/",
  "../open/.netrc",
  "../open/hard",
  "/proc/self/root" .. login,
  "/proc/self/cwd/../home/.netrc",
  "/proc/thread-self/cwd/hard.bin",
}

local by_prefix = {
  "/vsisubfile/0_40," .. login,
  "/vsisubfile/0,hard.bin",
  "/vsisubfile/0_40,/vsisubfile/0_40,hard.bin",
  "/vsisubfile/0_9,/vsigzip/hard.bin",
  "/vsigzip/" .. login,
  "/vsizip/" .. login,
  "/vsizip/{" .. login .. "}/x",
  "/vsizip//vsisubfile/0_40,hard.bin/x",
  "/vsitar/" .. login,
  "/vsitar/{hard.bin}/x",
  "/vsi7z/" .. login,
  "/vsirar/" .. login,
  "/vsicached?chunk_size=100&file=" .. login,
  "/vsicached?file=hard.bin",
  "/vsicrypt/key=x,file=" .. login,
  "/vsisparse/" .. login,
  "/vsimem/../" .. login,
  "file://" .. login,
  "file:" .. login,
}

local by_driver = {
  "CSV:" .. login,
  "CSV:hard.bin",
  "GTIFF_RAW:" .. login,
  "GTIFF_DIR:1:" .. login,
  "GTIFF_DIR:off:8:hard.bin",
  'NETCDF:"' .. login .. '":v',
  "NETCDF:hard.bin:v",
  'HDF5:"' .. login .. '"://d',
  "HDF5:hard.bin://d",
  'HDF4_SDS:UNKNOWN:"' .. login .. '":0',
  'ZARR:"' .. login .. '"',
  'ZARR:"hard.bin":/v',
  "GPKG:" .. login .. ":t",
  "GPKG:hard.bin:t",
  "GeoJSON:" .. login,
  "GEOJSONSeq:" .. login,
  "TopoJSON:hard.bin",
  "vrt://" .. login,
  "vrt://hard.bin?bands=1",
  "SENTINEL2_L1C:" .. login .. ":10m:EPSG_32611",
  "SENTINEL1_CALIB:UNCALIB:" .. login .. ":IW:VV",
  "RADARSAT_2_CALIB:SIGMA0:" .. login,
  "NITF_IM:0:" .. login,
  'BAG:"' .. login .. '":bathymetry',
  "JPEG_SUBFILE:1,2," .. login,
  "PDF:1:" .. login,
  "DERIVED_SUBDATASET:AMPLITUDE:" .. login,
  "SRTMHGT:" .. login,
  'OpenFileGDB:"' .. login .. '"',
  'DIMAP:"' .. login .. '":x',
  "ENVI:hard.bin",
  "WMS:" .. login,
  "MRF:" .. login,
  "STACIT:" .. login,
  "GMLAS:" .. login,
}

for _, names in ipairs { by_path, by_prefix, by_driver } do
  for _, name in ipairs(names) do
    for reader, call in pairs(read) do
      attempt(reader .. " of " .. name, call, name)
    end
  end
end

-- Files that name it, as a script can write them.
local function vrt(inside, head)
  return string.format('<VRTDataset rasterXSize="8" rasterYSize="1"%s>%s</VRTDataset>', head or "", inside)
end
local function band(inside, class)
  return string.format('<VRTRasterBand dataType="Byte" band="1"%s>%s</VRTRasterBand>', class or "", inside)
end
local function raw(name)
  return vrt(band(
    "<SourceFilename>" .. name .. "</SourceFilename><PixelOffset>1</PixelOffset><LineOffset>8</LineOffset>",
    ' subClass="VRTRawRasterBand"'
  ))
end
local function source(kind, name)
  return vrt(band(string.format(
    "<%s><SourceFilename>%s</SourceFilename><SourceBand>1</SourceBand></%s>",
    kind,
    name,
    kind
  )))
end
local entity = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://' .. login .. '">]>'
local envi = "ENVI\nsamples = 8\nlines = 1\nbands = 1\ndata type = 1\ninterleave = bsq\n"
local label = 'PDS_VERSION_ID = PDS3\nRECORD_TYPE = FIXED_LENGTH\nRECORD_BYTES = 8\n^IMAGE = ("%s", 1)\nOBJECT = IMAGE\nLINES = 1\n'
  .. "LINE_SAMPLES = 8\nSAMPLE_BITS = 8\nSAMPLE_TYPE = UNSIGNED_INTEGER\nEND_OBJECT = IMAGE\nEND\n"

local files = {
  { "raw.vrt", raw(login) },
  { "raw_link.vrt", raw("link.bin") },
  { "raw_hard.vrt", raw("hard.bin") },
  { "raw_open.vrt", raw("../open/.netrc") },
  { "raw_sub.vrt", raw("/vsisubfile/0_40," .. login) },
  { "raw_gz.vrt", raw("/vsigzip/hard.bin") },
  { "raw_cached.vrt", raw("/vsicached?file=hard.bin") },
  { "raw_proc.vrt", raw("/proc/self/cwd/hard.bin") },
  { "simple.vrt", source("SimpleSource", login) },
  { "complex.vrt", source("ComplexSource", "GTIFF_RAW:" .. login) },
  { "kernel.vrt", source("KernelFilteredSource", "vrt://" .. login) },
  { "nested1.vrt", source("SimpleSource", "raw_hard.vrt") },
  { "nested2.vrt", source("SimpleSource", "nested1.vrt") },
  { "nested3.vrt", source("SimpleSource", "vrt://nested2.vrt?bands=1") },
  {
    "overview.vrt",
    vrt(band("<Overview><SourceFilename>hard.bin</SourceFilename><SourceBand>1</SourceBand></Overview>"
      .. "<SimpleSource><SourceFilename>raw_hard.vrt</SourceFilename></SimpleSource>")),
  },
  {
    "mask.vrt",
    vrt(
      band("<SimpleSource><SourceFilename>raw_hard.vrt</SourceFilename></SimpleSource>")
        .. "<MaskBand>"
        .. band("<SimpleSource><SourceFilename>hard.bin</SourceFilename></SimpleSource>")
        .. "</MaskBand>"
    ),
  },
  {
    "warped.vrt",
    vrt(
      band("", ' subClass="VRTWarpedRasterBand"')
        .. "<GDALWarpOptions><SourceDataset>raw_hard.vrt</SourceDataset><BandList><BandMapping src='1' dst='1'/></BandList></GDALWarpOptions>",
      ' subClass="VRTWarpedDataset"'
    ),
  },
  {
    "sharpened.vrt",
    vrt(
      "<PansharpeningOptions><PanchroBand><SourceFilename>raw_hard.vrt</SourceFilename><SourceBand>1</SourceBand></PanchroBand>"
        .. '<SpectralBand dstBand="1"><SourceFilename>raw_hard.vrt</SourceFilename><SourceBand>1</SourceBand></SpectralBand></PansharpeningOptions>',
      ' subClass="VRTPansharpenedDataset"'
    ),
  },
  {
    "cube.vrt",
    '<VRTDataset><Group name="/"><Dimension name="x" size="8"/><Array name="d"><DataType>Byte</DataType><DimensionRef ref="x"/>'
      .. "<Source><SourceFilename>raw_hard.vrt</SourceFilename><SourceBand>1</SourceBand></Source></Array></Group></VRTDataset>",
  },
  { "inline.vrt", source("SimpleSource", (raw(login):gsub("<", "&lt;"):gsub(">", "&gt;"))) },
  { "scene.hdr", envi, "scene" },
  { "scene.xml", "<imageFile><property name='WIDTH'><value>8</value></property></imageFile>", "scene" },
  { "image.lbl", label:format(login) },
  { "image_hard.lbl", label:format("hard.bin") },
  {
    "cube.lbl",
    "Object = IsisCube\n  Object = Core\n    StartByte = 1\n    ^Core = hard.bin\n    Format = BandSequential\n    Group = Dimensions\n"
      .. "      Samples = 8\n      Lines = 1\n      Bands = 1\n    End_Group\n    Group = Pixels\n      Type = UnsignedByte\n"
      .. "      ByteOrder = Lsb\n      Base = 0.0\n      Multiplier = 1.0\n    End_Group\n  End_Object\nEnd_Object\nEnd\n",
  },
  {
    "snow.hdr",
    "Format version: NOHRSC GIS/RS raster file v1.1\nData file pathname: hard.bin\nNumber of columns: 4\nNumber of rows: 1\n"
      .. "Data bytes per pixel: 2\nData type: integer\nMinimum x-axis coordinate: 0\nMaximum x-axis coordinate: 4\n"
      .. "Minimum y-axis coordinate: 0\nMaximum y-axis coordinate: 1\nHorizontal datum: WGS84\nMinimum data value: 0\n",
  },
  {
    "scene.ers",
    'DatasetHeader Begin\n Version = "6.0"\n DataFile = "hard.bin"\n DataSetType = ERStorage\n DataType = Raster\n ByteOrder = LSBFirst\n'
      .. " RasterInfo Begin\n CellType = Unsigned8BitInteger\n NrOfLines = 1\n NrOfCellsPerLine = 8\n NrOfBands = 1\n RasterInfo End\nDatasetHeader End\n",
  },
  { "scene.grd", "[general]\n[georeference]\nnrows=1\nncols=8\n[data]\ndatatype=INT1U\n" },
  {
    "product.xml",
    '<Dimap_Document><Raster_Dimensions><NCOLS>8</NCOLS><NROWS>1</NROWS><NBANDS>1</NBANDS></Raster_Dimensions><Data_Access>'
      .. '<Data_File><DATA_FILE_PATH href="hard.bin"/></Data_File></Data_Access></Dimap_Document>',
  },
  { "entity.kml", entity .. "<kml xmlns='http://www.opengis.net/kml/2.2'><Document><Placemark><name>&e;</name></Placemark></Document></kml>" },
  {
    "link.kml",
    "<kml xmlns='http://www.opengis.net/kml/2.2'><Document><NetworkLink><Link><href>" .. login .. "</href></Link></NetworkLink></Document></kml>",
  },
  { "entity.gpx", entity .. "<gpx version='1.1'><wpt lat='1' lon='2'><name>&e;</name></wpt></gpx>" },
  {
    "entity.gml",
    entity .. "<ogr:FeatureCollection xmlns:ogr='http://ogr.maptools.org/' xmlns:gml='http://www.opengis.net/gml'><gml:featureMember>"
      .. "<ogr:a><ogr:n>&e;</ogr:n></ogr:a></gml:featureMember></ogr:FeatureCollection>",
  },
  {
    "xlink.gml",
    "<ogr:FeatureCollection xmlns:ogr='http://ogr.maptools.org/' xmlns:gml='http://www.opengis.net/gml' xmlns:xlink='http://www.w3.org/1999/xlink'>"
      .. "<gml:featureMember><ogr:a><ogr:n xlink:href='" .. login .. "'/></ogr:a></gml:featureMember></ogr:FeatureCollection>",
  },
  { "whole.tab", "!table\n!version 300\nDefinition Table\n  File \"hard.bin\"\n  Type \"TEXT\"\n" },
  { "beside.csv", "a,b\n1,2\n" },
  { "array.zarr/.zarray", '{"zarr_format":2,"shape":[1,40],"chunks":[1,40],"dtype":"|u1","compressor":null,"fill_value":0,"order":"C","filters":null}', "array.zarr" },
  { "group.vrt", source("SimpleSource", 'NETCDF:"file://' .. fs.working() .. '/group.zarr#mode=zarr,file":v') },
  {
    "listed.vrt",
    vrt(band("") .. "<Metadata domain='SUBDATASETS'><MDI key='SUBDATASET_1_NAME'>hard.bin</MDI><MDI key='SUBDATASET_1_DESC'>x</MDI></Metadata>"),
  },
  { "beside.tif.aux.xml", "<PAMDataset><Metadata domain='OVERVIEWS'><MDI key='OVERVIEW_FILE'>hard.bin</MDI></Metadata></PAMDataset>", "beside.tif" },
  { "schema.xsd", entity .. "<schema>&e;</schema>" },
}
raster.constant(raster.grid { crs = "EPSG:32611", bounds = { 0, 0, 8, 8 }, resolution = 1 }, 1):write "plain.tif"
fs.copy("plain.tif", "beside.tif")
for _, file in ipairs(files) do
  local folder = fs.dirname(file[1])
  if folder ~= "." then
    fs.mkdir(folder)
  end
  fs.write(file[1], file[2])
end
attempt("open of a subdataset that is a login", function() return raster.open("listed.vrt", { subdataset = "hard.bin" }):stats() end)
attempt("open of a subdataset by its path", function() return raster.open("listed.vrt", { subdataset = login }):stats() end)

local function text(image)
  local characters = {}
  for i, value in ipairs(image:read():values()) do
    characters[i] = value >= 1 and value < 256 and string.char(math.floor(value)) or "?"
  end
  return table.concat(characters)
end
local shown = {
  open = function(name) return text(raster.open(name)) end,
  features = function(name) return geometry.read(name):to_geojson() end,
  read_array = function(name) return text(raster.read_array(name, raster.arrays(name)[1].name)) end,
  layer = function(name) return geometry.read(name, { layer = "waypoints" }):to_geojson() end,
}
for _, file in ipairs(files) do
  local name = file[3] or file[1]
  for _, reader in ipairs { "open", "features", "layer", "read_array" } do
    attempt(reader .. " of a file that names it: " .. file[1], function()
      local found = shown[reader](name)
      -- Formats that pass over what they cannot reach give the rest: it is searched for the login, as text and as bytes.
      print("given: " .. found)
      error("passed over", 0)
    end)
  end
end

-- `require` reads Lua's files below its folders, and shows nothing of what is none.
for _, name in ipairs {
  "link",
  "hard",
  "outside",
  "notes",
  "pipe",
  "folder..netrc",
  "out.code",
  "../kept/code",
  ".../kept/code",
  "here/../../kept/code",
  kept .. "/code",
  (kept:gsub("/", ".")) .. ".code",
  (login:gsub("/", ".")),
  "link.bin",
  "hard.bin",
  "proc.self.environ",
} do
  attempt("require " .. name, require, name)
end
