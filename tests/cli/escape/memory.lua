-- The memory and the environment of the process, devices, and pipes that nobody writes to.

local read = {
  open = function(name) return raster.open(name):rename("v"):stats() end,
  arrays = raster.arrays,
  features = geometry.read,
  csv = tables.read_csv,
  text = fs.read,
  lines = function(name) return fs.lines(name)() end,
  copy = function(name) return fs.copy(name, "copied") end,
  items = catalog.open,
  unzip = function(name) return catalog.unzip(name, { into = "unpacked" }) end,
  members = catalog.zip_members,
  cubes = catalog.itslive_cubes,
}

local places = {
  "/proc/self/environ",
  "/proc/self/mem",
  "/proc/self/maps",
  "/proc/self/auxv",
  "/proc/self/cmdline",
  "/proc/self/fd/0",
  "/proc/self/task/../environ",
  "/proc/thread-self/environ",
  "/proc/1/environ",
  "/proc/kcore",
  "/proc/sys/kernel/core_pattern",
  "/sys/kernel/notes",
  "environ.bin",
  "/dev/mem",
  "/dev/zero",
  "/dev/stdin",
  "/dev/fd/0",
  "/dev/urandom",
  "pipe",
  "pipe.tif",
  "/vsisubfile/0_40,/proc/self/environ",
  "/vsigzip//proc/self/environ",
  "/vsicached?file=/proc/self/environ",
  "/vsisubfile/0_40,environ.bin",
  "/vsizip/{/proc/self/environ}/x",
  "CSV:/proc/self/environ",
  "GTIFF_RAW:/proc/self/mem",
  "vrt:///proc/self/mem",
  "/vsistdin/",
  "/vsistdin?buffer_limit=100",
}
for _, name in ipairs(places) do
  for reader, call in pairs(read) do
    attempt(reader .. " of " .. name, call, name)
  end
end

for _, name in ipairs {
  "MEM:::DATAPOINTER=0x10,PIXELS=8,LINES=8",
  "MEM:::DATAPOINTER=1,PIXELS=8,LINES=8,DATATYPE=Byte",
  "mem:::DATAPOINTER=94000000000000,PIXELS=8,LINES=8",
} do
  attempt("open of " .. name, read.open, name)
  attempt("features of " .. name, read.features, name)
  local around = string.format(
    '<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>%s'
      .. "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>",
    name
  )
  fs.write("memory.vrt", around)
  attempt("open of a VRT of " .. name, read.open, "memory.vrt")
  attempt("open of a VRT in a name of " .. name, read.open, around)
end
