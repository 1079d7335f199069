---@meta raster

--- Images: opening, arithmetic, masks, grids, stacks, statistics, files.
---
--- An image (`Raster`) is lazy: opening, arithmetic, filters and warps only build a graph. Pixels are read and computed
--- when something asks for them: `write`, `read`, `stats`, `sample`, a picture. Then all cores work on tiles, in bounded
--- memory, whatever the size of the scene.
---
--- A pixel is valid or masked. Nodata of a file, NaN and infinities are masked; a masked pixel stays masked through
--- arithmetic; a division by zero or the logarithm of zero is masked. Numbers that stand for masked pixels in Lua are NaN.
---
--- Rows and columns of pixels are counted from 0, from the upper left corner, as GDAL does. Lists are Lua's, from 1.
--- Coordinates are (x, y): easting or longitude, northing or latitude. Times are text (`2024-03-17T01:58:25Z`), in UTC.
---@class raster
local raster = {}

---@alias Bounds number[] `{ min_x, min_y, max_x, max_y }`

---@alias Reducer "median"|"mean"|"std"|"min"|"max"|"sum"|"count"|"first"|"last"|"argmin"|"argmax"|"mode"|string `p` with a percentile too: `p90`.

---@alias Resampling "nearest"|"bilinear"|"cubic"|"average"|"mode"|"min"|"max"|"median"

---@class raster.OpenOptions
---@field bands? string|integer|(string|integer)[] Names or numbers (from 1) of the bands wanted. Default all.
---@field names? string|string[] New names for these bands, in order.
---@field subdataset? string|string[] Variable of a container (netCDF, HDF5, Zarr); of several, which lie on one grid, the bands together.
---@field unit? string Unit of all bands, where the file does not say it or says it wrongly: `power`, `amplitude`, `dB`, `deg`, `m`…
---@field nodata? number Value of masked pixels, instead of the file's.
---@field raw? boolean Leave the file's scale and offset unapplied. Default false.
---@field grid? Grid|Raster Where the pixels lie, for files that do not carry it, as many HDF5 products. Rows and columns must be the file's.
---@field geolocation? Raster Longitude and latitude of every pixel centre, as two bands, where another file holds them, as of Sentinel-3. They are read at once.

--- Opens an image: a file, a URL (`https://`, `s3://`, `gs://`), or any name that GDAL opens.
---
--- Bands are called by their descriptions in the file, else `b1`, `b2`…; the only band of a subdataset by its variable.
--- Scale and offset of the file are applied; whole scale factors of HDF-EOS (MOD09, MOD13) are divisors, as their guides say.
--- Bytes are signed or not as the file says (`_Unsigned`, signed bytes of GeoTIFF, netCDF and HDF). 64-bit integers stay exact. The file's metadata items become properties, its path the property `path`.
--- Files on servers are read by the windows that are needed, with the logins and the rules of downloads: `https://`, `s3://` (as anybody, then with
--- the user's keys; requester pays with `AWS_REQUEST_PAYER=requester`), public `gs://` and `az://` (of `AZURE_STORAGE_ACCOUNT`), also behind GDAL's
--- `/vsizip/`. netCDF in its classic format and HDF4 have to be downloaded first; netCDF-4 has not.
---
--- Arrays of netCDF, HDF5 and Zarr lie where their coordinates say, whatever the order of the axes: row 0 in the north, column 0 in the
--- west. Coordinates in degrees east and north without a grid mapping are on WGS 84. Steps of a time axis are bands; `raster.stack` makes
--- an image of each.
---
--- Images that are placed by ground control points (Sentinel-1 GRD), rational polynomials, geolocation arrays (swaths) or coordinates in
--- uneven steps (Gaussian grids) keep their pixels as they are. `:sample` and `:clip` take coordinates of the map all the same, and
--- `:reproject` and `:align` bring them onto a grid. From 10 to 1500 control points are passed through by a thin plate spline, others are
--- fitted by a polynomial; rational polynomials are taken at their own mean height, without a terrain; between the nodes of
--- geolocation arrays, places are bilinear. GeoTIFFs that are written of such images keep control points; netCDF wants a grid. Images without a
--- place lie in pixel coordinates, and have no CRS.
---
--- **Errors.** A file that is missing, empty or no image; a band or subdataset that is not there, with those that are; a
--- container without `subdataset`; a CRS without a place in it (its message says how to read the pixels all the same). Of a server: one that has
--- no such file, refuses, does not answer, serves no parts of a large file, or has changed it meanwhile.
---
--- **Source.** CF conventions 1.11, https://cfconventions.org; GDAL's transformers, https://gdal.org/api/gdal_alg.html
---
--- **Nodata.** The file's nodata value, `_FillValue`, `missing_value`, what is outside `valid_range`, `valid_min` and `valid_max`
--- (in values where they are floats beside stored integers, else in stored numbers), mask bands of one band or all, the alpha
--- channel wherever it stands, and values that are not finite.
---
--- **Source.** CF conventions 1.11, sections 2.5.1 and 8.1; NetCDF Users' Guide, appendix A.
---
--- ```lua
--- local raster = require "raster"
--- raster.constant(raster.grid { rows = 4, cols = 6 }, 7):write("seven.tif")
--- local image = raster.open("seven.tif", { names = "count", unit = "1" })
--- assert(image.rows == 4 and image.units.count == "1")
--- ```
---@param path string
---@param options? raster.OpenOptions
---@return Raster
function raster.open(path, options) end

--- The images inside a container file, such as the variables of a netCDF file.
---
--- Each entry has `name` (what `raster.open` takes as `subdataset`), `description` and `path` (GDAL's name of it). The list
--- of a plain image is empty.
---
--- **Errors.** A file that is missing or cannot be opened.
---
--- ```lua
--- local raster = require "raster"
--- raster.constant(raster.grid { rows = 2, cols = 2 }, 1):write("plain.tif")
--- assert(#raster.subdatasets("plain.tif") == 0)
--- ```
---@param path string
---@return { name: string, description: string, path: string }[]
function raster.subdatasets(path) end

---@class raster.ArrayInfo
---@field name string Full name, with the groups that it lies in: `/data/x_coordinates`.
---@field shape integer[] Empty for a scalar.
---@field dtype string `float64`, `complex64`, `string`…; `unknown` for what cannot be read here.

--- All arrays inside a container file (HDF5, netCDF, Zarr): images, coordinates, scalars, text. No element is read.
---
--- **Errors.** A file that is missing, truncated or no container.
---
--- ```lua
--- local raster = require "raster"
--- raster.write_hdf5("a.h5", { ["/data/x"] = { 0.5, 1.5 }, ["/name"] = "a" })
--- for _, array in ipairs(raster.arrays("a.h5")) do
---   assert(array.name == "/name" and array.dtype == "string" or array.name == "/data/x" and array.shape[1] == 2)
--- end
--- ```
---@param path string A file, or a URL (`https://`, `s3://`, `gs://`).
---@return raster.ArrayInfo[]
function raster.arrays(path) end

--- Small arrays of a container file (HDF5, netCDF, Zarr) as Lua values: numbers and text as they are, arrays as lists, of lists
--- where they have more dimensions than one. Images are opened with `raster.open` instead.
---
--- One name gives its value. A list of names gives a table with a value for each; what the file does not hold is absent.
---
--- **Errors.** A file that is missing, truncated or no container; one name that is not there, with those that are; a complex or
--- compound array; lists larger than the memory limit.
---
--- ```lua
--- local raster = require "raster"
--- raster.write_hdf5("a.h5", { ["/data/x"] = { 0.5, 1.5 }, ["/data/epsg"] = 32611, ["/name"] = "burst" })
--- assert(raster.read_array("a.h5", "/data/epsg") == 32611)
--- local found = raster.read_array("a.h5", { "/name", "/data/x", "/nothing" })
--- assert(found["/name"] == "burst" and found["/data/x"][2] == 1.5 and found["/nothing"] == nil)
--- ```
---@param path string A file, or a URL (`https://`, `s3://`, `gs://`).
---@param names string|string[] Full names, as `raster.arrays` gives them.
---@return any
function raster.read_array(path, names) end

--- Attributes of arrays of a container file (HDF5, netCDF, Zarr), and of the file: `"/img_pair_info#date_dt"`, `"#title"`.
---
--- One name gives its value, text or a number, of a list the first. A list of names gives a table with a value for each; what the file does not
--- hold is absent.
---
--- **Errors.** A file that is missing, truncated or no container; one name that is not there; a name without `#`.
---
--- ```lua
--- local raster = require "raster"
--- local image = raster.constant(raster.grid { crs = 32611, origin = { 0, 0 }, resolution = 10, rows = 2, cols = 2 }, 1)
--- raster.write_netcdf("a.nc", { { image = image, name = "v", attributes = { units = "m/yr", error = 12.5 } } }, { attributes = { title = "a" } })
--- assert(raster.read_attribute("a.nc", "/v#error") == 12.5)
--- local found = raster.read_attribute("a.nc", { "#title", "/v#units", "/v#nothing" })
--- assert(found["#title"] == "a" and found["/v#units"] == "m/yr" and found["/v#nothing"] == nil)
--- ```
---@param path string A file, or a URL (`https://`, `s3://`, `gs://`).
---@param names string|string[] Full name of the array, `#`, and the attribute's.
---@return any
function raster.read_attribute(path, names) end

---@class raster.Hdf5Options
---@field chunk? integer[] `{ rows, cols }` of the chunks of images. At least 1. Default `{ 128, 128 }`.
---@field compress? "deflate"|"none" Of the chunks: deflate (gzip) after a byte shuffle, or none. Default `"deflate"`.
---@field level? integer Of deflate. From 1 to 9. Default 4.
---@field attributes? table<string, table<string, string>> Text attributes by full name of the dataset: `{ ["/data/VV"] = { units = "1" } }`.

--- Writes an HDF5 file: images, numbers, text and lists by their full names; the groups in the names are made.
---
--- An image becomes a dataset of rows and columns in chunks, as float32, float64 or complex64 (a compound of `r` and `i`, as
--- numpy and h5py know it). Integers are written as int64, other numbers as float64, booleans as h5py's, text as fixed-length
--- text. The grid of an image is not written; give its coordinates as lists. The file appears whole or not at all.
---
--- **Errors.** An image of several bands, or of integers; a name that is both a group and a dataset; attributes of what is not
--- there.
---
--- **Nodata.** Masked pixels are NaN.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 300, cols = 200 }
--- local image = raster.complex(raster.random(grid), raster.random(grid, { seed = 2 }))
--- raster.write_hdf5("slc.h5", { ["/data/VV"] = image, ["/data/projection"] = 32611 },
---   { attributes = { ["/data/VV"] = { description = "noise" } } })
--- local back = raster.open("slc.h5", { subdataset = "/data/VV" })
--- assert(back.dtypes.VV == "complex64" and back.rows == 300)
--- ```
---@param path string
---@param contents table<string, number|string|boolean|number[]|string[]|Raster>
---@param options? raster.Hdf5Options
---@return string path
function raster.write_hdf5(path, contents, options) end

---@class raster.NetcdfVariable
---@field image Raster Of one band. All variables lie on one grid.
---@field name? string Of the variable. Default: the band's name.
---@field dtype? string Pixel type; values are rounded for whole numbers and limited to what they hold. Default: the band's own.
---@field fill? number What stands for masked pixels. Default: NaN, or an end of the type's range.
---@field attributes? table<string, string|number|integer[]> Numbers with a point become doubles, others 64-bit integers, lists the variable's own type.

---@class raster.NetcdfRecord
---@field name string Of the variable.
---@field attributes? table<string, string|number|integer[]> Numbers with a point become doubles, others 64-bit integers.

---@class raster.NetcdfOptions
---@field attributes? table<string, string|number|integer[]> Of the file.
---@field records? raster.NetcdfRecord[] Text variables that only carry attributes.
---@field mapping? string Name of the grid mapping. Default `"mapping"`.
---@field chunk_rows? integer Rows of a chunk, which is as wide as the image. At least 1. Default 512, or as many as 1 MiB holds.
---@field level? integer Of deflate. From 1 to 9. Default 2.

--- Computes images and writes them to one netCDF-4 file by the CF conventions, each as a variable of its own type. Returns the
--- path.
---
--- Beside them stand the coordinates `x` and `y` (`lon` and `lat` of degrees) of pixel centres and the grid mapping with the CRS, as CF and as WKT. The file
--- appears under its name only when it is complete. `Raster:write` with the extension `.nc` is enough where no attributes and no
--- variables of their own are wanted.
---
--- **Errors.** No variable; images of several bands, complex ones, or on several grids; a turned grid; a fill value that the
--- type does not hold; without `fill`, valid pixels of whole numbers that have the default one; two variables of one name.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = 32611, origin = { 500000, 4000000 }, resolution = 10, rows = 5, cols = 5 }
--- raster.write_netcdf("v.nc", {
---   { name = "v", image = raster.constant(grid, 120.4), dtype = "int16", fill = -32767, attributes = { units = "meter/year" } },
--- }, { attributes = { Conventions = "CF-1.8" } })
--- assert(raster.open("v.nc"):read():get(2, 2) == 120)
--- ```
---@param path string
---@param variables raster.NetcdfVariable[]
---@param options? raster.NetcdfOptions
---@return string path
function raster.write_netcdf(path, variables, options) end

---@class raster.GridOptions
---@field crs? string|integer `"EPSG:32611"`, 32611, WKT or a PROJ string. Without it the grid lies in no CRS.
---@field bounds? Bounds Area to cover.
---@field resolution? number|number[] Pixel size in units of the CRS: one number, or `{ x, y }`.
---@field rows? integer How many rows. At least 1.
---@field cols? integer How many columns. At least 1.
---@field origin? number[] `{ x, y }` of the upper left corner.
---@field transform? number[] GDAL's six numbers, for grids that are rotated or not north-up.
---@field like? Grid|Raster Take CRS and pixels from here.

--- A grid: where pixels lie.
---
--- One of these sets: bounds and resolution (the upper left corner is kept, the lower right one grows to whole pixels);
--- bounds, rows and cols; origin, resolution, rows and cols; transform, rows and cols; rows and cols alone (pixel coordinates,
--- rows downward, no place on the map).
---
--- With `like`, the other grid is changed: `bounds` takes another area on the same lattice of pixels, growing outward to whole
--- ones; `resolution` changes the pixel size; `crs` reprojects.
---
--- **Errors.** Sets that do not go together; bounds with min ≥ max; a resolution that is not positive; an unknown CRS.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", bounds = { 500000, 4000000, 500105, 4000100 }, resolution = 10 }
--- assert(grid.rows == 10 and grid.cols == 11)
--- local part = raster.grid { like = grid, bounds = { 500011, 4000011, 500039, 4000039 } }
--- assert(part.bounds[1] == 500010 and part.rows == 3)
--- ```
---@param options raster.GridOptions
---@return Grid
function raster.grid(options) end

--- An image with the same value everywhere. Its band is called `constant`.
---
--- ```lua
--- local raster = require "raster"
--- local one = raster.constant(raster.grid { rows = 2, cols = 2 }, 1)
--- assert(one:stats().constant.mean == 1)
--- ```
---@param grid Grid|Raster
---@param value number
---@return Raster
function raster.constant(grid, value) end

---@class raster.FromTableOptions
---@field name? string Of the band. Default `"b1"`.
---@field unit? string Of its values: `power`, `dB`, `m`…
---@field dtype? string Pixel type, as `Raster:cast` takes. Default `"float32"`.

--- An image from numbers: a list of rows, each a list of `cols` numbers.
---
--- **Errors.** Lists that do not have the grid's size; values that are no numbers, with their place.
---
--- **Nodata.** `false`, NaN and infinities are masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 3 }
--- local image = raster.from_table(grid, { { 1, 2, 3 }, { 4, false, 6 } }, { name = "height", unit = "m" })
--- assert(image:stats().height.count == 5)
--- ```
---@param grid Grid|Raster
---@param rows (number|false)[][]
---@param options? raster.FromTableOptions
---@return Raster
function raster.from_table(grid, rows, options) end

---@class raster.RandomOptions
---@field distribution? "uniform"|"normal"|"speckle"|"smooth" Of the values: `"uniform"` from 0 to 1, `"normal"` with mean 0 and standard deviation 1, `"speckle"`, or `"smooth"` noise. Default `"uniform"`.
---@field looks? number Of speckle: gamma distributed with mean 1 and variance 1/looks. Above 0. Default 1.
---@field scale? number Of smooth noise: size of its largest features in pixels. Above 0. Default 64.
---@field octaves? integer Of smooth noise: how many sizes, each half the one before and half as strong. At least 1. Default 4.
---@field seed? integer Another seed, another image. Default 1.
---@field name? string Of the band. Default `"random"`.
---@field unit? string Of its values: `power`, `dB`, `m`…

--- An image of random numbers, the same for the same seed whatever the window, tiles and threads.
---
--- Uniform numbers are in 0…1, normal ones have mean 0 and standard deviation 1, smooth noise is in 0…1.
---
--- **Source.** Speckle: Goodman 1976, doi:10.1364/JOSA.66.001145. Gamma numbers: Marsaglia and Tsang 2000,
--- doi:10.1145/358407.358414. Smooth noise: Perlin 2002, doi:10.1145/566654.566636.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 100, cols = 100 }
--- local speckle = raster.random(grid, { distribution = "speckle", looks = 4 })
--- assert(math.abs(speckle:stats().random.mean - 1) < 0.03)
--- ```
---@param grid Grid|Raster
---@param options? raster.RandomOptions
---@return Raster
function raster.random(grid, options) end

---@class raster.CoordinatesOptions
---@field crs? string|integer What they are in. Default the grid's own.
---@field derivatives? boolean Four bands more: how much they grow with a unit along each axis of the grid's CRS. Default false.

--- An image of two bands, `x` and `y`: the map coordinates of the pixel centres, in double precision.
---
--- With `crs`, those in another CRS. `derivatives` adds `dx_dx`, `dx_dy`, `dy_dx` and `dy_dy`: `dx_dy` is by how much `x` (there) grows with a unit
--- of y (of the grid). They tell how directions and lengths of the one CRS come into the other: what is turned between projections, and
--- the scale of a map. They are differences over one pixel; longitudes go on over the antimeridian.
---
--- **Errors.** Of `crs` and `derivatives`: a grid without CRS; no way from its CRS to the other.
---
--- **Nodata.** Masked where the other CRS has no such place.
---
--- ```lua
--- local raster = require "raster"
--- local here = raster.coordinates(raster.grid { rows = 2, cols = 3 })
--- local x, y = here:read():get(1, 2)
--- assert(x == 2.5 and y == 1.5)
--- local grid = raster.grid { crs = 32633, origin = { 500000, 5000000 }, resolution = 10, rows = 1, cols = 1 }
--- local there = raster.coordinates(grid, { crs = "EPSG:4326", derivatives = true })
--- assert(math.abs(there:stats().dy_dy.mean * 111132 - 1) < 0.01) -- a metre northward is so many degrees of latitude
--- ```
---@param grid Grid|Raster
---@param options? raster.CoordinatesOptions
---@return Raster
function raster.coordinates(grid, options) end

--- One image with the bands of several, on one grid. Time and properties are those of the first.
---
--- **Errors.** Grids that differ; two bands of one name (`:rename` one).
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local both = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- assert(both.VH:stats().VH.mean == 2)
--- ```
---@param ... Raster|Raster[] Images, or one list of them.
---@return Raster
function raster.bands(...) end

--- Pixel by pixel one of two: `yes` where the condition is not 0, else `no`.
---
--- **Errors.** Grids that differ; units that do not go together; complex bands.
---
--- **Nodata.** Masked where the condition is, and where the chosen side is.
---
--- ```lua
--- local raster = require "raster"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1, 5, 9 } })
--- assert(raster.where(image:gt(4), 1, image):stats().b1.max == 1)
--- ```
---@param condition Raster
---@param yes Raster|number
---@param no Raster|number
---@return Raster
function raster.where(condition, yes, no) end

--- The smallest of several at each pixel.
---
--- **Errors.** Grids or units that differ; no image among the arguments.
---
--- **Nodata.** Masked where one of them is.
---
--- ```lua
--- local raster = require "raster"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1, 5, 9 } })
--- assert(raster.min(image, 4):stats().b1.max == 4)
--- ```
---@param ... Raster|number|(Raster|number)[] Images and numbers, or one list of them.
---@return Raster
function raster.min(...) end

--- The largest of several at each pixel.
---
--- **Errors.** Grids or units that differ; no image among the arguments.
---
--- **Nodata.** Masked where one of them is.
---
--- ```lua
--- local raster = require "raster"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1, 5, 9 } })
--- assert(raster.max(image, 4):stats().b1.min == 4)
--- ```
---@param ... Raster|number|(Raster|number)[] Images and numbers, or one list of them.
---@return Raster
function raster.max(...) end

--- The angle of the point (x, y) from the x axis, in radians, −π…π.
---
--- ```lua
--- local raster = require "raster"
--- local one = raster.constant(raster.grid { rows = 1, cols = 1 }, 1)
--- assert(math.abs(raster.atan2(one, one):read():get(0, 0) - math.pi / 4) < 1e-6)
--- ```
---@param y Raster|number
---@param x Raster|number
---@return Raster
function raster.atan2(y, x) end

--- A complex image from its real and its imaginary part.
---
--- **Errors.** Grids or numbers of bands that differ; complex bands.
---
--- **Nodata.** Masked where one of the two is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local z = raster.complex(raster.constant(grid, 3), raster.constant(grid, -4))
--- assert(z:abs():read():get(0, 0) == 5 and z:power():read():get(0, 0) == 25)
--- ```
---@param real Raster
---@param imaginary Raster
---@return Raster
function raster.complex(real, imaginary) end

---@class raster.MosaicOptions
---@field method? "first"|"last"|"min"|"max"|"mean" What counts where several images are valid. Default `"first"`.
---@field grid? Grid|Raster Where the result lies. Default the first image's CRS and pixels over the area of all.
---@field resampling? Resampling For images that lie on other pixels. Default `"nearest"`.

--- One image of many with the same number of bands, of any grids.
---
--- Time and properties are those of the first. Where only whole pixels are between two images' grids, nothing is resampled.
--- Longitudes may be counted from 0 to 360 in one and from −180 to 180 in another; images on both sides of 180° make one piece.
---
--- **Errors.** No image; other bands than the first's; a first image that is rotated, without `grid`.
---
--- **Nodata.** Masked pixels give way to valid ones; where no image is valid the result is masked.
---
--- ```lua
--- local raster = require "raster"
--- local function tile(x, value)
---   local grid = raster.grid { crs = "EPSG:32611", origin = { x, 4000000 }, resolution = 10, rows = 2, cols = 2 }
---   return raster.constant(grid, value)
--- end
--- local both = raster.mosaic({ tile(500000, 1), tile(500010, 3) }, { method = "mean" })
--- local row = both:read():totable()[1]
--- assert(both.cols == 3 and row[1] == 1 and row[2] == 2 and row[3] == 3)
--- ```
---@param images Raster[]
---@param options? raster.MosaicOptions
---@return Raster
function raster.mosaic(images, options) end

--- The value that parts a histogram into a lower and an upper class, as `Raster:threshold` finds it.
---
--- Histograms of equal bins may be added before, to find one threshold of several places.
---
--- **Errors.** Those of `Raster:threshold`; a table that is no histogram.
---
--- ```lua
--- local raster = require "raster"
--- local t = raster.threshold({ counts = { 4, 8, 2, 0, 0, 3, 9, 2 }, min = 0, max = 8 })
--- assert(t == 4)
--- ```
---@param histogram { counts: integer[], min: number, max: number } What `Raster:histogram` gives.
---@param options? raster.HistogramThresholdOptions
---@return number threshold
function raster.threshold(histogram, options) end

---@class raster.HistogramMixtureOptions
---@field classes? integer How many Gaussian classes make up the histogram. From 2 to 20. Default 2.

---@class raster.MixtureOptions: raster.HistogramOptions, raster.HistogramMixtureOptions

---@class raster.GaussianClass
---@field mean number In the unit of the image.
---@field std number In the unit of the image.
---@field share number Of the pixels, from 0 to 1.

---@class raster.Mixture
---@field [integer] raster.GaussianClass The lowest first.
---@field separation number Ashman's D of the two lowest classes: √2 times the difference of their means over the root of the sum of their variances.

--- The Gaussian classes that make up a histogram, as `Raster:mixture` finds them.
---
--- **Errors.** Those of `Raster:mixture`; a table that is no histogram.
---
--- ```lua
--- local raster = require "raster"
--- local fit = raster.mixture { counts = { 1, 8, 40, 8, 1, 0, 0, 0, 1, 8, 40, 8, 1 }, min = -26, max = 0 }
--- assert(#fit == 2 and math.abs(fit[1].share - 0.5) < 0.01 and fit.separation > 4)
--- ```
---@param histogram { counts: integer[], min: number, max: number }
---@param options? raster.HistogramMixtureOptions
---@return raster.Mixture
function raster.mixture(histogram, options) end

---@class raster.ItemsMask
---@field asset string The asset that says what pixels are, such as `SCL` or `qa_pixel`. Brought onto the grid by the nearest pixel.
---@field values? integer|integer[] Pixels of these values are masked.
---@field keep? integer|integer[] Pixels of other values are masked.
---@field bits? integer|integer[] Pixels that have one of these bits, from 0, are masked. From 0 to 31.

---@class raster.ItemsOptions
---@field assets? string|string[] The assets that become bands, by name. Default those of which an item says that they are data.
---@field bounds? Bounds|Geometry|Features|Grid|Raster Only this part: in longitude and latitude, or shapes, a Grid or a Raster in their own CRS. Default the area of all items.
---@field crs? string|integer Default that of most items.
---@field resolution? number|number[] Of the pixels, in units of the CRS. Default the finest of the assets.
---@field target? Grid|Raster In place of `bounds`, `crs` and `resolution`: the grid of all images.
---@field resampling? Resampling For images that lie on other pixels. Default `"nearest"`.
---@field mask? raster.ItemsMask What an asset says of pixels, to mask those that are not wanted.
---@field slices? "item"|"time"|"solar_day" What becomes one image: an `"item"`; all items of one `"time"`; all of one `"solar_day"`, the day where they lie. The first valid pixel counts. Default `"item"`.
---@field missing? "error"|"skip" Of an item that cannot be read or lacks an asset: an error, or a note and a stack without it. Default `"error"`.

---@class raster.StackOptions: raster.OpenOptions, raster.ItemsOptions
---@field variables? string|string[] Of a cube, those that become the bands of each image, as `subdataset` says them. Default all with a time axis.
---@field pattern? string What the file names are made of: `S1_{platform}_{date:yyyymmdd}_*.tif`. `{name}` is text up to the next literal character, `{name:yyyymmdd}`, `{name:yyyy-mm-dd}` and `{name:yyyymmddThhmmss}` are times, `*` stands for anything and `?` for one character. The parts become properties, the first time the image's time.
---@field properties? fun(path: string): table|false|nil Called with each path: a table of properties (`time` is the image's time), or false to leave the file out.

--- A stack of images.
---
--- `images` is a list of paths, images, and tables such as `{ path = "a.tif", time = "2024-01-05", orbit = 137 }` or
--- `{ image, time = … }`, whose other entries become properties; or a folder (its .tif, .tiff, .vrt, .img and .jp2 files, by
--- name); or a pattern of paths such as `"data/*/VV_*.tif"`. Options of `raster.open` hold for every file.
---
--- Of netCDF, HDF5 and Zarr every step of a time axis is an image with its time, by the CF conventions: any unit from nanoseconds to
--- weeks, any calendar. Its bands are called by their variables, with the coordinate of a further axis where there is one (`u_850`).
--- Without `subdataset`, all variables with a time axis are taken; those named that have none are part of every image. A date that the
--- Gregorian calendar has not (`360_day`: 30 February) has no time, but the property `date`; Julian dates, of
--- which those of `standard` before 15 October 1582 are some, are given as the Gregorian days that they are. The property `calendar` names
--- one that the sky does not keep (`noleap`, `all_leap`, `360_day`).
---
--- Zarr, of version 2 and 3, also in shards, is read chunk by chunk, from a folder, `https://…/name.zarr` or `s3://…/name.zarr`: a series at points
--- fetches and decodes the chunks of these points alone, and maps over all times go through the chunks once, many of them on their way at a
--- time. On a server a Zarr without consolidated metadata does not tell what it holds: its variables are named. Codecs: blosc (with all of its
--- compressors), zstd, zlib, gzip, lz4, crc32c, shuffle, delta, transpose.
---
--- Of the Items of a search (`catalog.open`, `catalog.asf`, …) every item is an image, with its time and what the catalogue says of it as properties. Nothing
--- is downloaded: files are asked for their beginnings, many at a time, and then only what is looked at is read, through the logins that the host
--- knows. Assets become bands by their names. All images lie on one grid: by default in the CRS of most items, with the finest pixels of the assets, over the
--- area of all. Nodata, scale and offset that files do not say are taken from `bands`, `raster:bands` and `eo:bands`; `raw = true` leaves
--- numbers as they are stored. A mask works before tiles of a day are joined, so that a cloud in one gives way to a clear pixel of another.
---
--- **Errors.** A file that cannot be opened; a pattern that no file fits; a name that does not fit `pattern`; variables on different
--- grids or of different times; units of time of no fixed length (months, years); files that count their days by different calendars. Of items: one that cannot be read or lacks an asset, by its id, unless
--- `missing = "skip"`; bounds that none reaches into. Of Zarr: codecs that are not known, coordinates that neither
--- rise nor fall, chunks larger than the memory; when pixels are read, chunks that are damaged or truncated, by their names.
---
--- **Nodata.** As `raster.open`; of Zarr also the fill value of version 2. A chunk that was never written has the fill value; where that is null
--- its pixels are masked.
---
--- **Source.** Zarr core specification, version 3.0, and Zarr storage specification, version 2, https://zarr-specs.readthedocs.io
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- for i, day in ipairs { "20240105", "20240117" } do
---   raster.constant(grid, i):write("S1A_" .. day .. ".tif")
--- end
--- local stack = raster.stack("S1A_*.tif", { pattern = "{platform}_{date:yyyymmdd}.tif" })
--- assert(#stack == 2 and stack[2].time == "2024-01-17" and stack[1].platform == "S1A")
--- ```
---@param images string|(string|Raster|table)[]|Items
---@param options? raster.StackOptions
---@return Stack
function raster.stack(images, options) end

---@class raster.FindOptions
---@field extensions? string[] How the names end, small or capital. Default those of the usual image formats: tif, tiff, vrt, img, nc, h5, hdf, jp2, png, jpg, bil, envi, dat.
---@field recursive? boolean Also in the folders below. Default true.
---@field pattern? string Only names that fit a pattern, as in `raster.stack`.

--- The image files in a folder and in those below it, sorted.
---
--- The paths start with the folder as it was given. Hidden files and folders are left out. No file is opened. Unlike `fs.glob` this
--- looks anywhere, since scripts may read images anywhere.
---
--- **Errors.** A folder that does not exist or is a file.
---
--- ```lua
--- local raster = require "raster"
--- raster.constant(raster.grid { rows = 1, cols = 1 }, 1):write("S1A_20240105.tif")
--- local found = raster.find(".", { extensions = { "tif" }, pattern = "S1?_{date:yyyymmdd}.tif" })
--- assert(#found == 1 and found[1] == "./S1A_20240105.tif")
--- ```
---@param folder string
---@param options? raster.FindOptions
---@return string[] paths
function raster.find(folder, options) end

--- What a file name says by a pattern: its named parts as text, and `time`, the first time among them.
---
--- **Errors.** A pattern that is not well formed; digits in the place of a time that are none.
---
--- ```lua
--- local raster = require "raster"
--- local parts = raster.match_name("data/S1A_VV_20240105.tif", "{platform}_{polarisation}_{date:yyyymmdd}.tif")
--- assert(parts.platform == "S1A" and parts.polarisation == "VV" and parts.time == "2024-01-05")
--- assert(raster.match_name("other.tif", "{platform}_{date:yyyymmdd}.tif") == nil)
--- ```
---@param name string A name or a path, of which the last part counts.
---@param pattern string As in `raster.stack`.
---@return table<string, string>? parts nil where the name does not fit.
function raster.match_name(name, pattern) end

--- Writes several files in one pass over the scene: what they share is computed once.
---
--- Each entry is `{ image, path, options }`, with the options of `Raster:write`. All images lie on one grid. Returns the
--- paths.
---
--- **Errors.** As `Raster:write`; grids that differ; two entries with one path. Nothing is written then.
---
--- ```lua
--- local raster = require "raster"
--- local image = raster.random(raster.grid { rows = 64, cols = 64 })
--- raster.write_all {
---   { image, "power.tif" },
---   { image:to_db(), "db.tif", { compress = "none" } },
--- }
--- assert(raster.open("db.tif"):stats().random.max <= 0)
--- ```
---@param jobs { [1]: Raster, [2]: string, [3]: raster.WriteOptions? }[]
---@return string[] paths
function raster.write_all(jobs) end

--- The image that `Raster:to_json` described: nothing is read but the heads of its files.
---
--- **Errors.** Text of something else; operations or versions that this program does not have; files that are gone, have changed since, or must
--- not be read.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- require("fs").write("image.json", raster.random(grid):to_json())
--- print(raster.from_json(require("fs").read("image.json")))
--- ```
---@param text string
---@return Raster
function raster.from_json(text) end

--- Where pixels lie: a coordinate reference system, an affine transform, rows and columns.
---
--- Two grids are equal (`==`) where they are the same pixels: CRS, size, and corners within a thousandth of a pixel.
---@class Grid
---@field rows integer
---@field cols integer
---@field crs string? `EPSG:32611`, or the CRS's own name; nil without a CRS.
---@field wkt string? The CRS as WKT.
---@field is_geographic boolean Whether the CRS is in degrees of longitude and latitude.
---@field resolution number[] Pixel width and height, both positive, in units of the CRS.
---@field bounds Bounds
---@field transform number[] GDAL's six numbers.
local Grid = {}

--- Map coordinates of a place in pixels. Pixel corners are at whole numbers, the centre of the first pixel is (0.5, 0.5).
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { origin = { 100, 200 }, resolution = 10, rows = 5, cols = 5 }
--- local x, y = grid:to_map(0.5, 0.5)
--- assert(x == 105 and y == 195)
--- ```
---@param row number
---@param col number
---@return number x
---@return number y
function Grid:to_map(row, col) end

--- The place in pixels of map coordinates; `math.floor` gives the pixel that holds it.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { origin = { 100, 200 }, resolution = 10, rows = 5, cols = 5 }
--- local row, col = grid:to_pixel(105, 195)
--- assert(row == 0.5 and col == 0.5)
--- ```
---@param x number
---@param y number
---@return number row
---@return number col
function Grid:to_pixel(x, y) end

--- The bounds in another CRS. Edges and limbs are followed, since straight lines become curves. In longitude and latitude a pole
--- inside is part of them, and west is greater than east where the grid crosses the antimeridian (as in GeoJSON, RFC 7946, section 5.2).
---
--- **Errors.** A grid without CRS; an area that the other CRS does not cover.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = 32611, origin = { 500000, 4000000 }, resolution = 10, rows = 50, cols = 50 }
--- assert(math.abs(grid:bounds_in("EPSG:4326")[1] + 117) < 1e-9)
--- ```
---@param crs string|integer
---@return Bounds
function Grid:bounds_in(crs) end

---@class raster.WindowOptions
---@field row? integer First row, from 0. Default 0.
---@field col? integer First column, from 0. Default 0.
---@field rows? integer How many rows. At least 1. Default all that follow.
---@field cols? integer How many columns. At least 1. Default all that follow.

--- The grid of a window of pixels.
---
--- **Errors.** A window that is not wholly inside.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 10, cols = 10 }
--- assert(grid:crop({ row = 2, rows = 3 }).rows == 3)
--- ```
---@param options raster.WindowOptions
---@return Grid
function Grid:crop(options) end

--- The same area with other pixels. The upper left corner stays.
---
--- **Errors.** A rotated grid.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 10, cols = 10 }
--- assert(grid:resample(2).rows == 5)
--- ```
---@param resolution number|number[]
---@return Grid
function Grid:resample(resolution) end

---@class raster.GridReprojectOptions
---@field crs string|integer `"EPSG:32611"`, 32611, WKT or a PROJ string.
---@field resolution? number|number[] Pixel size in units of the new CRS: one number, or `{ x, y }`. Default keeps the number of pixels along the diagonal.

--- A grid in another CRS that covers this one. Its corner is a multiple of the resolution, so that neighbours match. In longitude
--- and latitude it ends at the poles, goes around the globe once at most, and goes on beyond 180° where this one crosses it.
---
--- **Errors.** A grid without CRS.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = 32611, origin = { 500000, 4000000 }, resolution = 10, rows = 50, cols = 50 }
--- assert(grid:reproject({ crs = "EPSG:4326" }).is_geographic)
--- ```
---@param options raster.GridReprojectOptions
---@return Grid
function Grid:reproject(options) end

--- Whether another grid is the same pixels, as `==`.
---
--- ```lua
--- local raster = require "raster"
--- local image = raster.constant(raster.grid { rows = 2, cols = 2 }, 1)
--- assert(image.grid:matches(image + 1))
--- ```
---@param other Grid|Raster
---@return boolean
function Grid:matches(other) end

--- A lazy image: bands on one grid, with a time and properties.
---
--- A band is a field of its own name (`image.VV`, `image["b 1"]`) and gives an image of one band; a property too (`image.orbit`).
--- Methods and the fields below win over bands, bands over properties; `:select` and `:get` reach all of them.
---
--- `+ - * / ^ %` and unary `-` work pixel by pixel with images and numbers on either side, Two images must lie on one grid. An image of one band meets every band of the other. Comparisons are methods (`:gt`, `:eq`…), as Lua's own
--- operators give true or false only. Elementwise chains run in one pass.
---
--- `& | ~` are logical on masks, which comparisons give, and work on the bits of bands of integers; anything else is an error. So `~`
--- of a band of 0 and 1 that is no mask gives 254 and 255: make a mask of it by `:ne(0)`. `<<` takes the type that holds its results, `>>` keeps
--- type and sign; `:bits(first, last)` cuts out a field. 64-bit integers are compared, masked, chosen and combined by bits exactly;
--- arithmetic on them gives float64.
---
--- Units are checked: decibels are not divided by decibels, nor added to power. The methods `:add`, `:divide` and so on take
--- `{ force = true }` to do it all the same.
---@class Raster
---@field grid Grid
---@field rows integer
---@field cols integer
---@field crs string? `EPSG:32611`, or the CRS's own name; nil without a CRS.
---@field bands string[] The names of the bands.
---@field units table<string, string> The unit of each band; empty text where it is not known.
---@field dtypes table<string, string> The type that `write` stores each band in unless told otherwise.
---@field classes table<string, raster.Class[]> What the numbers of bands mean, where that is known: of files from GDAL's names of categories and table of colours.
---@field time string? When it was acquired.
---@field properties table<string, string|number|boolean> A copy of the properties.
---@field [string] any The band of that name, as an image, or the property.
---@operator add(Raster|number): Raster
---@operator sub(Raster|number): Raster
---@operator mul(Raster|number): Raster
---@operator div(Raster|number): Raster
---@operator pow(Raster|number): Raster
---@operator mod(Raster|number): Raster
---@operator unm: Raster
---@operator band(Raster|number): Raster
---@operator bor(Raster|number): Raster
---@operator bnot: Raster
---@operator shl(integer): Raster
---@operator shr(integer): Raster
local Raster = {}

---@class raster.ForceOptions
---@field force? boolean Leave units unchecked. Default false.

--- The sum, as `+`.
---
--- **Errors.** Grids or numbers of bands that differ; units that do not go together, unless forced.
---
--- **Nodata.** Masked where one of the two is, and where the result is not finite.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:add(1):stats().b1.max == 10)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:add(other, options) end

--- The difference, as `-`.
---
--- **Errors.** Grids or numbers of bands that differ; units that do not go together, unless forced.
---
--- **Nodata.** Masked where one of the two is, and where the result is not finite.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:subtract(1):stats().b1.max == 8)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:subtract(other, options) end

--- The product, as `*`.
---
--- **Errors.** Grids or numbers of bands that differ; units that do not go together, unless forced.
---
--- **Nodata.** Masked where one of the two is, and where the result is not finite.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:multiply(2):stats().b1.max == 18)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:multiply(other, options) end

--- The quotient, as `/`.
---
--- The quotient of two images of one unit has the unit 1.
---
--- **Errors.** Grids or numbers of bands that differ; units that do not go together, unless forced.
---
--- **Nodata.** Masked where one of the two is, and where the result is not finite.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- local db = a:set_unit("dB")
--- assert(db:divide(db, { force = true }):stats().b1.max == 1)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:divide(other, options) end

--- The remainder with the sign of the divisor, as `%`.
---
--- **Errors.** Grids or numbers of bands that differ; units that do not go together, unless forced.
---
--- **Nodata.** Masked where one of the two is, and where the result is not finite.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:modulo(4):stats().b1.max == 1)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:modulo(other, options) end

--- A power, as `^`; without an exponent, the power |z|² of a complex image.
---
--- **Errors.** Grids that differ; no exponent and no complex image.
---
--- **Nodata.** Masked where one of the two is, and where the result is not finite.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:power(2):stats().b1.max == 81)
--- ```
---@param exponent? Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:power(exponent, options) end

--- 1 where the image is greater, else 0.
---
--- **Errors.** Grids or numbers of bands that differ; radar units that differ, unless forced.
---
--- **Nodata.** Masked where one of the two is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:gt(5):stats().b1.mean == 1 / 3)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:gt(other, options) end

--- 1 where the image is greater or equal, else 0.
---
--- **Errors.** Grids or numbers of bands that differ; radar units that differ, unless forced.
---
--- **Nodata.** Masked where one of the two is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:ge(5):stats().b1.mean == 2 / 3)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:ge(other, options) end

--- 1 where the image is less, else 0.
---
--- **Errors.** Grids or numbers of bands that differ; radar units that differ, unless forced.
---
--- **Nodata.** Masked where one of the two is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:lt(5):stats().b1.mean == 1 / 3)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:lt(other, options) end

--- 1 where the image is less or equal, else 0.
---
--- **Errors.** Grids or numbers of bands that differ; radar units that differ, unless forced.
---
--- **Nodata.** Masked where one of the two is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:le(5):stats().b1.mean == 2 / 3)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:le(other, options) end

--- 1 where the image is equal, else 0.
---
--- **Errors.** Grids or numbers of bands that differ; radar units that differ, unless forced.
---
--- **Nodata.** Masked where one of the two is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:eq(5):stats().b1.mean == 1 / 3)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:eq(other, options) end

--- 1 where the image is not equal, else 0.
---
--- **Errors.** Grids or numbers of bands that differ; radar units that differ, unless forced.
---
--- **Nodata.** Masked where one of the two is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:ne(5):stats().b1.mean == 2 / 3)
--- ```
---@param other Raster|number
---@param options? raster.ForceOptions
---@return Raster
function Raster:ne(other, options) end

--- The absolute value; of complex bands the magnitude.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((-a):abs():stats().b1.max == 9)
--- ```
---@return Raster
function Raster:abs() end

--- The square root.
---
--- Of power it is amplitude. Masked below 0.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:sqrt():stats().b1.max == 3)
--- ```
---@return Raster
function Raster:sqrt() end

--- e to the power of the image.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 0):exp():stats().b1.max == 1)
--- ```
---@return Raster
function Raster:exp() end

--- The natural logarithm.
---
--- Masked at 0 and below.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:log():stats().b1.min == 0)
--- ```
---@return Raster
function Raster:log() end

--- The logarithm to base 10.
---
--- Masked at 0 and below.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:log10():stats().b1.min == 0)
--- ```
---@return Raster
function Raster:log10() end

--- The nearest whole number, halves away from 0.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a / 2):round():stats().b1.max == 5)
--- ```
---@return Raster
function Raster:round() end

--- The whole number below or equal.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a / 2):floor():stats().b1.max == 4)
--- ```
---@return Raster
function Raster:floor() end

--- The whole number above or equal.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a / 2):ceil():stats().b1.min == 1)
--- ```
---@return Raster
function Raster:ceil() end

--- The sine of radians.
---
--- An image in degrees is an error that names `:to_radians()`.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 0):sin():stats().b1.max == 0)
--- ```
---@return Raster
function Raster:sin() end

--- The cosine of radians.
---
--- An image in degrees is an error that names `:to_radians()`.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 0):cos():stats().b1.max == 1)
--- ```
---@return Raster
function Raster:cos() end

--- The tangent of radians.
---
--- An image in degrees is an error that names `:to_radians()`.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 0):tan():stats().b1.max == 0)
--- ```
---@return Raster
function Raster:tan() end

--- The arc tangent, in radians, −π/2…π/2.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 0):atan():stats().b1.max == 0)
--- ```
---@return Raster
function Raster:atan() end

--- 1 where a pixel is valid, 0 where it is masked.
---
--- **Errors.** Complex bands: take `:abs()`, `:power()` or `:phase()` first.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:mask(a:gt(4)):is_valid():stats().b1.mean == 2 / 3)
--- ```
---@return Raster
function Raster:is_valid() end

--- Limits values to low…high.
---
--- **Errors.** A high that is below low; complex bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- local c = a:clamp(2, 6):stats().b1
--- assert(c.min == 2 and c.max == 6)
--- ```
---@param low number
---@param high number
---@return Raster
function Raster:clamp(low, high) end

--- Keeps pixels where the condition is not 0, and masks the others.
---
--- **Errors.** Grids that differ; a condition that is no image, as `image == 2` gives.
---
--- **Nodata.** Where the condition is masked, the result is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:mask(a:gt(4)):stats().b1.count == 2)
--- ```
---@param condition Raster
---@return Raster
function Raster:mask(condition) end

--- Masks values that are not strictly between low and high.
---
--- **Errors.** A high that is below low.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:mask_outside(1, 9):stats().b1.count == 1)
--- ```
---@param low number
---@param high number
---@return Raster
function Raster:mask_outside(low, high) end

--- Gives masked pixels a value.
---
--- **Errors.** A value that is not finite.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:mask(a:gt(4)):unmask(0):stats().b1.min == 0)
--- ```
---@param value number
---@return Raster
function Raster:unmask(value) end

--- Takes masked pixels from another image, or a number.
---
--- **Errors.** Grids or numbers of bands that differ.
---
--- **Nodata.** Masked where both are.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:mask(a:gt(4)):fill(a * 100):stats().b1.max == 100)
--- ```
---@param other Raster|number
---@return Raster
function Raster:fill(other) end

--- The image where the condition is not 0, else `otherwise`.
---
--- **Errors.** Grids that differ; units that do not go together.
---
--- **Nodata.** Masked where the condition is, and where the chosen side is.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(a:where(a:gt(4), 0):stats().b1.min == 0)
--- ```
---@param condition Raster
---@param otherwise Raster|number
---@return Raster
function Raster:where(condition, otherwise) end

--- The angle of a complex image in radians, −π…π.
---
--- **Errors.** Real bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local z = raster.complex(raster.constant(grid, 3), raster.constant(grid, -4))
--- assert(math.abs(z:phase():read():get(0, 0) + 0.927295) < 1e-6)
--- ```
---@return Raster
function Raster:phase() end

--- The same values, said to run in a circle: the two ends are one value, as in phases and directions. Between 359° and 1° lies 0°: such
--- bands are interpolated and averaged as unit vectors, and pictures of them smaller than they are show single pixels.
---
--- Results of `:phase()` and of `raster.atan2` are so already, as long as nothing else is computed with them.
---
--- **Errors.** `low` not below `high`; complex bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local aspect = raster.from_table(grid, { { 350, 20 } }, { name = "aspect" }):cyclic(0, 360)
--- local mean = aspect:resample({ 2, 1 }, { resampling = "average" }):read():get(0, 0)
--- assert(math.abs(mean - 5) < 1e-3)
--- ```
---@param low number
---@param high number
---@return Raster
function Raster:cyclic(low, high) end

--- The real part of a complex image.
---
--- **Errors.** Real bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local z = raster.complex(raster.constant(grid, 3), raster.constant(grid, -4))
--- assert(z:real():read():get(0, 0) == 3)
--- ```
---@return Raster
function Raster:real() end

--- The imaginary part of a complex image.
---
--- **Errors.** Real bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local z = raster.complex(raster.constant(grid, 3), raster.constant(grid, -4))
--- assert(z:imag():read():get(0, 0) == -4)
--- ```
---@return Raster
function Raster:imag() end

--- The complex conjugate, with the sign of the imaginary part turned.
---
--- **Errors.** Real bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 1 }
--- local z = raster.complex(raster.constant(grid, 3), raster.constant(grid, -4))
--- assert(z:conj():imag():read():get(0, 0) == 4)
--- ```
---@return Raster
function Raster:conj() end

--- The bits `first` to `last`, counted from 0, the least, as a number; a single bit as a mask.
---
--- The bits of Landsat's and Sentinel-2's quality bands by name: the module `quality`.
---
--- **Errors.** Bands that are not of integers; bits that their type does not have.
---
--- ```lua
--- local raster = require "raster"
--- local qa = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 0, 8, 784 } }, { dtype = "uint16" })
--- local clouds = qa:bits(3) | qa:bits(4)
--- assert(clouds:read():sum() == 2 and qa:bits(8, 9):read():get(0, 2) == 3)
--- ```
---@param first integer
---@param last? integer Default `first`.
---@return Raster
function Raster:bits(first, last) end

--- Rounds to whole numbers where the type is an integer, limits to its range, and stores that type when written.
---
--- Types are `uint8`, `int8`, `uint16`, `int16`, `uint32`, `int32`, `uint64`, `int64`, `float32`, `float64`.
---
--- **Errors.** An unknown type; complex types and bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 100):cast("uint8"):stats().b1.max == 255)
--- ```
---@param dtype string
---@return Raster
function Raster:cast(dtype) end

--- Power or amplitude to decibels: 10·log10 of power, 20·log10 of amplitude. Bands in decibels stay as they are.
---
--- A band without a unit is taken as power.
---
--- **Errors.** Bands of another unit; complex bands.
---
--- **Nodata.** Masked at 0 and below.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 0 + 100):to_db():stats().b1.max == 20)
--- ```
---@return Raster
function Raster:to_db() end

--- Decibels or amplitude to power. Bands of power stay as they are.
---
--- **Errors.** Bands without a unit, as nobody can tell (`:set_unit("dB")` first); bands of another unit; complex bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert((a * 0 + 20):set_unit("dB"):to_power():stats().b1.max == 100)
--- ```
---@return Raster
function Raster:to_power() end

--- Degrees to radians. Bands in radians stay as they are; bands without a unit are taken as degrees.
---
--- **Errors.** Bands of another unit.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(math.abs((a * 20):to_radians():stats().b1.max - math.pi) < 1e-6)
--- ```
---@return Raster
function Raster:to_radians() end

--- Radians to degrees. Bands in degrees stay as they are; bands without a unit are taken as radians.
---
--- **Errors.** Bands of another unit.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local a = raster.from_table(grid, { { 1, 5, 9 } })
--- assert(math.abs((a * math.pi / 9):to_degrees():stats().b1.max - 180) < 1e-4)
--- ```
---@return Raster
function Raster:to_degrees() end

--- An image of some of the bands, in the order given.
---
--- **Errors.** Bands that are not there, with a suggestion.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- assert(image:select("VH", "VV").bands[1] == "VH")
--- ```
---@param ... string|integer|(string|integer)[] Names, or positions from 1; or one list of them.
---@return Raster
function Raster:select(...) end

--- The same bands under other names: all of them in order, or a table of old and new ones.
---
--- **Errors.** Another number of names than bands; two bands of one name.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- assert(image:rename({ VV = "co" }).co)
--- assert(image:rename("a", "b").bands[2] == "b")
--- ```
---@param ... string|string[]|table<string, string>
---@return Raster
function Raster:rename(...) end

--- This image with the bands of others behind its own. Time and properties stay its own.
---
--- **Errors.** Grids that differ; two bands of one name.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- assert(#image:add_bands(raster.constant(grid, 3)).bands == 3)
--- ```
---@param ... Raster
---@return Raster
function Raster:add_bands(...) end

--- Each band through a function of an image of one band and its name, and the results' bands together.
---
--- **Errors.** A function that returns anything but an image; results on different grids.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- local scaled = image:map_bands(function(band, name)
---   return name == "VV" and band * 10 or band
--- end)
--- assert(scaled:stats().VV.max == 10)
--- ```
---@param fn fun(band: Raster, name: string): Raster
---@return Raster
function Raster:map_bands(fn) end

--- Says what the values mean: `power`, `amplitude`, `dB`, or any other unit (`m`, `deg`, `1`, `class`). No value changes.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- assert(image:set_unit({ VV = "dB" }).units.VV == "dB")
--- assert(image:set_unit("power").units.VH == "power")
--- ```
---@param unit string|table<string, string> For all bands, or by name.
---@return Raster
function Raster:set_unit(unit) end

---@class raster.Class
---@field value integer Of its pixels.
---@field name? string What they are. Default: the value.
---@field color? string That they are shown in. Default: the next of ten colours that differ.

--- Says what the numbers of a band mean: each is a class with a name and a colour. The band's unit is `class` then. No value changes.
---
--- Files keep it: GeoTIFF and COG of one band of uint8 or uint16 as a table of colours, all formats as names of categories (GDAL writes those into
--- `….aux.xml` beside the file), so that other programs show the image in its colours, and `raster.open` knows it again. `plot.classes` draws with it. It stays where classes
--- stay what they are (`mask`, `crop`, `align`, `sieve`, `raster.where` of two images of the same classes); arithmetic drops it. Overviews of images of classes are made by `mode`.
---
--- **Errors.** Two classes of one value; an image of several bands of which none is named.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local map = raster.from_table(grid, { { 0, 1 } }, { name = "cover" }):cast "uint8"
--- map:set_classes({ { value = 0, name = "land", color = "#d9cfb8" }, { value = 1, name = "water", color = "#2468a8" } }):write "cover.tif"
--- assert(raster.open("cover.tif").classes.cover[2].name == "water")
--- ```
---@param classes raster.Class[]
---@param band? string Where the image has several.
---@return Raster
function Raster:set_classes(classes, band) end

--- Says in which CRS the grid lies. No pixel moves; `:reproject` moves them.
---
--- **Errors.** An unknown CRS; an image in pixel coordinates, which would be taken for those of the CRS: `raster.open` takes its `grid`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { origin = { 500000, 4000000 }, resolution = 10, rows = 1, cols = 2 }
--- assert(raster.constant(grid, 1):set_crs(32611).crs == "EPSG:32611")
--- ```
---@param crs string|integer
---@return Raster
function Raster:set_crs(crs) end

--- Sets when it was acquired.
---
--- **Errors.** Text that is no time.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- assert(image:set_time("2024-03-17").time == "2024-03-17")
--- ```
---@param time string|number ISO 8601, or seconds since 1970.
---@return Raster
function Raster:set_time(time) end

--- Sets a property, or all of a table; without a value, the property is removed. `time` is the image's time.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- local item = image:set("orbit", 137):set { pass = "ASCENDING", time = "2024-03-17" }
--- assert(item.orbit == 137 and item.pass == "ASCENDING")
--- ```
---@param name string|table<string, string|number|boolean>
---@param value? string|number|boolean
---@return Raster
function Raster:set(name, value) end

--- A property, or a default where it is not there.
---
--- **Errors.** A property that is not there, without a default.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 1, cols = 2 }
--- local image = raster.bands(raster.constant(grid, 1):rename("VV"), raster.constant(grid, 2):rename("VH"))
--- assert(image:set("orbit", 137):get("orbit") == 137)
--- assert(image:get("orbit", 0) == 0)
--- ```
---@param name string
---@param default? any
---@return any
function Raster:get(name, default) end

---@class raster.AlignOptions
---@field resampling? Resampling How values between pixel centres are found. Default `"nearest"`.

--- The image on another grid, in any CRS. Where both share one lattice of pixels, only whole pixels move and no value changes.
---
--- Bilinear and cubic widen their kernels when the new pixels are larger, so that nothing aliases. `average`, `mode`, `min`, `max`
--- and `median` look at every old pixel that a new one covers; average and mode weight them by the covered share.
---
--- Positions are right within 0.02 pixels of the image, and exact at its edges, at limbs and poles. In degrees, longitudes are those
--- of the place, however either grid counts them, and the image goes on across its own seam. Bands whose values run in a circle (see
--- `:cyclic`) are interpolated and averaged as unit vectors.
---
--- **Errors.** A grid without CRS on one side only; a method that is not there.
---
--- **Nodata.** Masked pixels drop out and the other weights are rescaled; where less than half of the weight is left, and outside the
--- image, the result is masked.
---
--- **Source.** Cubic: Keys 1981, doi:10.1109/TASSP.1981.1163711, a = −1/2.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- local coarse = raster.grid { like = grid, resolution = 50 }
--- assert(image:align(coarse, { resampling = "average" }).rows == 4)
--- ```
---@param target Grid|Raster
---@param options? raster.AlignOptions
---@return Raster
function Raster:align(target, options) end

---@class raster.ReprojectOptions: raster.GridReprojectOptions, raster.AlignOptions

--- The image in another CRS, on a grid that covers it (as `Grid:reproject` makes it), as by `:align`.
---
--- **Errors.** An image without CRS; an unknown CRS.
---
--- **Nodata.** As `:align`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- assert(image:reproject({ crs = "EPSG:4326", resampling = "bilinear" }).crs == "EPSG:4326")
--- ```
---@param options raster.ReprojectOptions
---@return Raster
function Raster:reproject(options) end

--- The same area with pixels of another size. The upper left corner stays.
---
--- **Errors.** A rotated image; a resolution that is not positive.
---
--- **Nodata.** As `:align`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- assert(image:resample(30, { resampling = "average" }).cols == 10)
--- ```
---@param resolution number|number[] One number, or `{ x, y }`, in units of the CRS.
---@param options? raster.AlignOptions
---@return Raster
function Raster:resample(resolution, options) end

---@class raster.AreaOptions
---@field crs? string|integer Of bounds, and of shapes that have none. Default the image's own.

---@class raster.ClipOptions: raster.AreaOptions
---@field all_touched? boolean Keep every pixel that a shape touches, not only those whose centre it covers. Default false.

--- The pixels that an area touches. No value changes.
---
--- Of shapes, pixels whose centre no shape covers are masked. Edges of areas in another CRS are followed: those of a box in degrees
--- are parallels and meridians. Longitudes may be counted otherwise than the image counts them, and bounds may cross the antimeridian
--- (`{ 170, -10, -170, 10 }`); an area across the image's own seam gives an image on the area's longitudes.
---
--- **Errors.** An area that does not overlap the image.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- assert(image:clip({ 500011, 3999900, 500039, 3999989 }).cols == 3)
--- ```
---@param area Bounds|Geometry|Features|Grid|Raster
---@param options? raster.ClipOptions
---@return Raster
function Raster:clip(area, options) end

--- The pixels of a window of rows and columns, counted from 0.
---
--- **Errors.** A window that is not wholly inside.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- assert(image:crop({ row = 5, rows = 2, col = 1 }).cols == 29)
--- ```
---@param options raster.WindowOptions
---@return Raster
function Raster:crop(options) end

---@class raster.ShiftOptions
---@field cols? number To the right, in pixels.
---@field rows? number Downward, in pixels.
---@field x? number Eastward, in units of the CRS.
---@field y? number Northward, in units of the CRS.
---@field resampling? Resampling For fractions of a pixel. Default `"nearest"`.

--- The content displaced on the same grid. Whole pixels move without a change of value, fractions are resampled.
---
--- **Errors.** Neither pixels nor map units, or both.
---
--- **Nodata.** Pixels that come from outside the image are masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- local moved = image:shift { cols = 2 }
--- assert(moved:read():get(0, 2) == image:read():get(0, 0))
--- ```
---@param options raster.ShiftOptions
---@return Raster
function Raster:shift(options) end

---@class raster.WriteOptions
---@field format? string `GTiff`, `COG`, `netCDF`, `PNG` and others. Default by the extension of the path.
---@field compress? string `deflate`, `none`, `lzw`, `zstd`, `lzma`, `packbits`, `lerc`, `lerc_deflate`, `lerc_zstd`, `jpeg`, `webp`; of netCDF `deflate` or `none`. Default `"deflate"`.
---@field level? integer How hard `deflate` and `lzma` (1 to 9) or `zstd` (1 to 22) try. Time and size of each are in docs/benchmarks.md. Default GDAL's own: 6, 6 and 9; of netCDF 2.
---@field predictor? boolean Difference neighbouring pixels before compression. Default true, but for types of one byte: those are classes and masks more often than pictures.
---@field overviews? boolean Add reduced copies for fast display; a COG has them always. Default false.
---@field overview_resampling? "average"|"nearest"|"mode"|"bilinear"|"cubic"|"cubicspline"|"lanczos"|"gauss"|"rms" How they are made. Default average; of classes mode; of int8 before GDAL 3.7 nearest, unless mode is asked for.
---@field statistics? boolean Note minimum, maximum, mean and standard deviation in the file. Default true.
---@field dtype? string Pixel type of the file. Default the bands' own.
---@field nodata? number The value of masked pixels, as it is stored. Default NaN for floats; for integers the band's own, else an end of the type's range where pixels are masked.
---@field scale? number Packs values into a `dtype` of whole numbers: a value is stored as (value − offset) / scale, rounded. GeoTIFF, COG and netCDF say so, and readers undo it. Not 0. Default 1.
---@field offset? number What is taken off before values are packed. Default 0.
---@field tags? table<string, string|number|boolean> Metadata items, beside those that name the script and its parameters.
---@field resume? boolean Keep what networks have made in `.perilune` beside the file until it is whole: where this run is stopped or killed, the same call goes on there, and ends with the same bytes. At most the windows of one row, and those that were under way, are computed again. Default false.

--- Computes the image and writes it to a file. Returns the path.
---
--- The file appears under its name only when it is complete: a run that fails or is killed leaves the old file as it was. Band names,
--- units, time, CRS and nodata are written with it.
---
--- A path that ends in `.nc` becomes netCDF-4 by the CF conventions: each band a variable of its own type in chunks, coordinates `x` and `y`
--- (`lon` and `lat` of degrees), a grid mapping with the CRS, and, where the image has a time, an axis `time` of one step. Open it with
--- `{ subdataset = { "VV", "VH" } }` where it has several bands. netCDF holds no complex pixels, no overviews and no turned grids.
---
--- **Errors.** A folder that does not exist or may not be written; a disk that is full; valid pixels that have the value of nodata; what
--- the format cannot hold, and options that it has no use for; what is wrong with the sources.
---
--- **Nodata.** Masked pixels get the nodata value.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- image:write("random.tif", { format = "COG", tags = { purpose = "example" } })
--- assert(raster.open("random.tif").purpose == "example")
--- ```
---@param path string
---@param options? raster.WriteOptions
---@return string path
function Raster:write(path, options) end

--- Computes the image, or a window of it, and keeps the pixels in memory.
---
--- **Errors.** A window that is not wholly inside; more pixels than the memory limit allows, with the way out.
---
--- **Nodata.** Masked pixels are NaN.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- local array = image:read { row = 10, rows = 2, col = 0, cols = 5 }
--- assert(array.rows == 2 and array:get(0, 0) == image:read():get(10, 0))
--- ```
---@param options? raster.WindowOptions
---@return Array
function Raster:read(options) end

--- Windows around pixels, read once and kept in memory: an image of `#centres` · rows by cols pixels with one chip under the
--- other, in the order given, in plain pixel coordinates.
---
--- A chip of w pixels around x covers x − w/2 … x + w/2 − 1 (w/2 rounded down). Chips near each other are read together, so that what
--- they share of a file is read once. For work that comes back to the same places again and again, as matching does in pairs.
---
--- **Errors.** No centres; centres that are no whole numbers; more than the memory limit.
---
--- **Nodata.** What is outside the image is masked.
---
--- ```lua
--- local raster = require "raster"
--- local image = raster.random(raster.grid { rows = 50, cols = 60 })
--- local chips = image:chips({ { 10, 20 }, { x = 59, y = 0 } }, 8)
--- assert(chips.rows == 16 and chips.cols == 8)
--- assert(chips:read():get(4, 4) == image:read():get(20, 10))
--- ```
---@param centres table[] `{ x, y }` or `{ x = …, y = … }`, pixels counted from 0.
---@param size integer|integer[] Pixels on a side, or `{ rows, cols }`.
---@return Raster
function Raster:chips(centres, size) end

--- Count, minimum, maximum, mean and standard deviation (of the population) of the valid pixels, for each band by name.
---
--- Of complex bands the magnitude counts. Where no pixel is valid there is only `count`, 0.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- local s = image:stats().random
--- assert(s.count == 600 and s.min <= s.mean and s.mean <= s.max)
--- ```
---@return table<string, { count: integer, min: number?, max: number?, mean: number?, std: number? }>
function Raster:stats() end

---@class raster.HistogramOptions
---@field bins? integer How many of equal width. At least 1. Default 256.
---@field min? number Where the first begins. Default the smallest value.
---@field max? number Where the last ends. Default the largest value.

--- How many valid pixels lie in each of equal bins from `min` to `max`; the last bin holds `max` itself.
---
--- The result has `counts`, `edges` (one more), `min`, `max`, and `below` and `above`, the pixels outside.
---
--- **Errors.** An image of several bands; only one of min and max; no valid pixel.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- local h = image:histogram { bins = 10, min = 0, max = 1 }
--- assert(#h.counts == 10 and h.edges[11] == 1 and h.below == 0)
--- ```
---@param options? raster.HistogramOptions
---@return { counts: integer[], edges: number[], min: number, max: number, below: integer, above: integer }
function Raster:histogram(options) end

---@class raster.HistogramThresholdOptions
---@field method? "otsu"|"minimum_error"|"expectation_maximization" `"otsu"`: greatest variance between the classes; `"minimum_error"`: least error for two Gaussian classes; `"expectation_maximization"`: where the two lowest of several Gaussian classes cross. Default `"otsu"`.
---@field classes? integer Of expectation maximisation: how many Gaussian classes make up the histogram. From 2 to 20. Default 2.

---@class raster.ThresholdOptions: raster.HistogramOptions, raster.HistogramThresholdOptions

--- The value that parts the valid pixels into a lower and an upper class, from their histogram.
---
--- `otsu` makes the variance between the classes greatest; it suits classes of about the same size and spread. `minimum_error` makes the
--- error least of two Gaussian classes, each with its own share and spread. `expectation_maximization` fits
--- as many Gaussian classes as asked for to the smoothed histogram and gives the crossing of the two lowest; with 3 it is the threshold of HydroSAR (asf-tools),
--- but for that one's offset of a bin. All three see the histogram only: `bins` and the range are the resolution, and pixels outside of a given range
--- do not count. Where no pixel lies between the classes, the threshold is in the middle of the gap.
---
--- Radar backscatter is nearly Gaussian in dB, not in power.
---
--- **Errors.** An image of several bands; only one of min and max; no valid pixel; all in one bin; `minimum_error` where one Gaussian
--- describes the histogram as well as two (by Schwarz's criterion); `expectation_maximization` where one class lies within the other.
---
--- **Source.** Otsu 1979, doi:10.1109/TSMC.1979.4310076; Kittler and Illingworth 1986, doi:10.1016/0031-3203(86)90030-0; Dempster, Laird and
--- Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 100, cols = 100 }
--- local noise = raster.random(grid, { distribution = "normal" })
--- local scene = raster.where(raster.coordinates(grid).x:lt(40), noise - 20, 2 * noise - 9)
--- for _, method in ipairs { "otsu", "minimum_error", "expectation_maximization" } do
---   local t = scene:threshold { method = method }
---   assert(t > -18 and t < -13)
--- end
--- ```
---@param options? raster.ThresholdOptions
---@return number threshold
function Raster:threshold(options) end

--- The Gaussian classes that make up the histogram of the valid pixels, by expectation maximisation, and how far the two lowest are apart.
---
--- The histogram is smoothed before by (1, 2, 3, 2, 1). A separation (Ashman's D) above 2 says that the two classes part cleanly: a threshold between them means something. Of an
--- image of one class they lie within each other, or beside each other with less.
---
--- **Errors.** An image of several bands; no valid pixel; values in fewer than two bins; classes that do not settle.
---
--- **Source.** Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x; Ashman, Bird and Zepf 1994, doi:10.1086/117248, for the separation.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 100, cols = 100 }
--- local speckle = raster.random(grid, { distribution = "speckle", looks = 20 }) * 0.1
--- local water = raster.random(grid, { seed = 2 }):lt(0.4)
--- local db = raster.where(water, speckle * 0.05, speckle):set_unit("power"):to_db()
--- assert(db:mixture().separation > 4 and math.abs(db:mixture()[1].share - 0.4) < 0.03)
--- ```
---@param options? raster.MixtureOptions
---@return raster.Mixture
function Raster:mixture(options) end

--- Exact percentiles of the valid pixels, linear between neighbours, in bounded memory; in float64 where the band needs it.
---
--- **Errors.** An image of several bands; a percentile outside 0…100; no valid pixel.
---
--- **Source.** Hyndman and Fan 1996, doi:10.2307/2684934, definition 7.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- local low, high = table.unpack(image:percentile { 2, 98 })
--- assert(low < image:percentile(50) and image:percentile(50) < high)
--- ```
---@param p number|number[] 0…100.
---@return number|number[] value
function Raster:percentile(p) end

---@class raster.GrowOptions
---@field connectivity? 4|8 4: through pixels that share an edge. 8: through corners, too. Default 4.

--- Regions grown from seeds: the pixels of the mask `within` that are connected to a seed through pixels of it.
---
--- Both are masks of one band on one grid: what is not 0 counts. The result is 1 where it grew, 0 elsewhere. Seeds outside of `within`
--- grow nowhere. It goes over the image twice, row by row, and keeps a number for each region begun (R. Adams and L. Bischof 1994,
--- doi:10.1109/34.295913, with a mask for the criterion).
---
--- **Errors.** Images on different grids or of several bands; more regions than `--memory` has room for.
---
--- **Nodata.** Pixels masked in `within` stay masked and connect nothing; masked seeds are none.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 1, cols = 5 }
--- local backscatter = raster.from_table(grid, { { -22, -17, -9, -17, -18 } })
--- local water = backscatter:lt(-20):grow(backscatter:lt(-15))
--- assert(water:read():get(0, 1) == 1 and water:read():get(0, 3) == 0)
--- ```
---@param within Raster
---@param options? raster.GrowOptions
---@return Raster
function Raster:grow(within, options) end

---@class raster.SieveOptions
---@field minimum_pixels integer Patches with fewer pixels go.
---@field connectivity? 4|8 4: pixels that share an edge are one patch. 8: those that meet in a corner, too. Default 4.

--- Classes without small patches: connected pixels of one value that are fewer than `minimum_pixels` take the value of their largest neighbour.
---
--- The largest is the patch beside them with the most pixels; of several such, the one that is met first, row by row. Where it is too small itself, they take
--- the value that it takes; where that leads to none that is large enough, they stay. The rules are those of `gdal_sieve`. Each band is gone over three
--- times, row by row, and 24 bytes are kept for each patch begun.
---
--- **Errors.** Values that are not whole numbers below 2²⁴ in size; more patches than `--memory` has room for.
---
--- **Nodata.** Masked pixels stay masked; they are no patch, and nobody's neighbour.
---
--- **Source.** GDAL, `GDALSieveFilter`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 3, cols = 4 }
--- local water = raster.from_table(grid, { { 0, 0, 1, 1 }, { 0, 1, 1, 1 }, { 1, 1, 0, 1 } })
--- local map = water:sieve { minimum_pixels = 2 }
--- assert(map:read():get(2, 2) == 1 and map:read():get(0, 0) == 0)
--- ```
---@param options raster.SieveOptions
---@return Raster
function Raster:sieve(options) end

---@class raster.PolygonizeOptions
---@field connectivity? 4|8 4: pixels that share an edge are one region. 8: those that meet in a corner, too. Default 4.
---@field classes? integer[]|table<string, integer> The values wanted, as a list or by name, `{ water = 1 }`, which makes a property `class_name`. Default all.
---@field minimum_area? number Regions with less are left out, m²; square units of the coordinates of images without CRS. At least 0. Default 0.
---@field minimum_pixels? integer Regions with fewer pixels are left out. Default 1.
---@field simplify? number Fewer corners: those go whose triangle with their neighbours is smaller than a square of this side, in units of the CRS. Above 0.
---@field mean? Raster Another image on the grid, such as a probability: of each of its bands a property, `probability_mean`.

--- Connected regions of a class image as polygons, whole across tiles, with their holes: a feature for each.
---
--- The image has one band of whole numbers. Properties are `class`, `class_name` where `classes` gives names, `pixels`, `area_m2` (of the
--- pixels: on the WGS 84 ellipsoid in longitude and latitude, in the plane of other CRSs; `area`, square units, without CRS), a mean for
--- each band of `mean`, and `time`, where the image has one. Features come in the order of their first pixels, by rows, whatever the tiles
--- and threads. Polygons have the CRS of the image and follow the edges of its pixels; all are valid (OGC 06-103r4): with
--- `connectivity = 8` parts that meet in corners alone are the polygons of one MultiPolygon.
---
--- `simplify` takes corners of the lines between junctions (Visvalingam and Whyatt 1993, doi:10.1179/000870493786962263), of every line
--- once, and none over which a border would pass another: neighbours still share their borders, and nothing overlaps or vanishes.
---
--- The image is gone over once. What is kept is the last rows and the borders of regions that go on; the features are in memory at the
--- end. Where there are millions, `:write_polygons` keeps none of them.
---
--- **Errors.** Several bands; values that are not whole numbers; `mean` on another grid; an image placed by control points; polygons that take
--- more than half of `--memory`.
---
--- **Nodata.** Masked pixels belong to no region, and do not count for means. A mean without a valid pixel is missing.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local noise = raster.random(grid)
--- local water = noise:gt(0.5)
--- local found = water:polygonize { classes = { water = 1 }, minimum_area = 300, mean = noise }
--- assert(found[1].class_name == "water" and found[1].random_mean > 0.5)
--- for i = 1, #found do
---   assert(found[i].area_m2 >= 300 and found[i].geometry:area() == found[i].area_m2)
--- end
--- ```
---@param options? raster.PolygonizeOptions
---@return Features
function Raster:polygonize(options) end

---@class raster.WritePolygonsOptions: raster.PolygonizeOptions, Features.WriteOptions

--- The polygons of `:polygonize` to a vector file, each as soon as its last row is past.
---
--- No polygon is kept, so that memory does not grow with their number. They come in the order in which they end: by their last row, then
--- from west to east. The extension says the format, as in `Features:write`; the file appears complete or not at all.
---
--- One polygon that spans a large image, with millions of holes, takes a byte or two a vertex until it ends. GeoParquet (`.parquet`) gets it from there
--- without its coordinates being held; for other formats a library holds all of them, some 50 bytes a vertex.
---
--- **Errors.** As of `:polygonize` and `Features:write`; borders of regions that go on which take more than half of `--memory`; a polygon that the
--- library of a format would need more than `--memory` for; one of 2 GiB or more in GeoParquet.
---
--- **Nodata.** As of `:polygonize`.
---
--- ```lua
--- local geometry, raster = require "geometry", require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local water = raster.random(grid):gt(0.5)
--- local count = water:write_polygons("water.gpkg", { classes = { 1 }, connectivity = 8 })
--- assert(#geometry.read("water.gpkg") == count)
--- ```
---@param path string
---@param options? raster.WritePolygonsOptions
---@return integer count How many polygons the file has.
function Raster:write_polygons(path, options) end

---@class raster.SampleOptions
---@field crs? string|integer Of the points. Default the image's own.
---@field resampling? "nearest"|"bilinear"|"cubic" The pixel that holds the point, or a value between pixel centres. Default `"nearest"`.

--- Values at points: a row for each, with what else the point says, its `x` and `y`, and a value for each band.
---
--- Points are `{ x, y }` (longitude before latitude), `{ x = …, y = …, name = … }`, features of one point each, whose properties come
--- along, or a Table with columns `x` and `y`. Longitudes may be counted otherwise than the image counts them.
---
--- **Errors.** Points that are no pairs of numbers; points of which none lies in the image; an image without CRS where the points have one.
---
--- **Nodata.** A band that is masked at the point, or a point outside, has no value in its row. Bands of 64-bit integers give integers by `nearest`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- local rows = image:sample({ { x = 500005, y = 3999995, name = "corner" } })
--- assert(rows[1].name == "corner" and rows[1].random == image:read():get(0, 0))
--- ```
---@param points (number[]|table)[]|Features|Table
---@param options? raster.SampleOptions
---@return Table
function Raster:sample(points, options) end

---@class raster.ProfileOptions
---@field crs? string|integer Of the line, where it has none itself. Default the image's own.
---@field step? number Most metres on the ground from one place to the next (units of the coordinates without a CRS). Above 0. Default a pixel.
---@field resampling? "nearest"|"bilinear"|"cubic" As in `:sample`. Default `"nearest"`.

--- Values along a line: a row for each place, with `distance_m`, metres on the ground from the start along the line (`distance`, in units
--- of the coordinates, without a CRS), its `x` and `y` in the line's CRS, and a value for each band.
---
--- Places are the line's vertices, and between them others at equal distances. Edges are straight in the line's CRS.
---
--- **Errors.** A line of less than two points, or of which no place lies in the image.
---
--- **Nodata.** A band that is masked at a place, or a place outside, has no value in its row.
---
--- **Source.** Geodesics on WGS 84: Karney 2013, doi:10.1007/s00190-012-0578-z.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local heights = raster.coordinates(grid).x
--- local rows = heights:profile({ { 500010, 3999900 }, { 500290, 3999900 } }, { step = 20, resampling = "bilinear" })
--- assert(rows[1].distance_m == 0 and math.abs(rows[#rows].distance_m - 280) < 0.2)
--- ```
---@param line number[][]|Geometry|Features `{ { x, y }, … }` or a LineString.
---@param options? raster.ProfileOptions
---@return Table
function Raster:profile(line, options) end

--- Statistics of the pixels in each feature: a row for each, with its properties and a column for each statistic (`mean`), or for
--- each band and statistic where there are several bands (`VV_mean`).
---
--- As `Features:statistics`, with its options. Only the tiles of the image that some feature reaches into are computed.
---
--- Edges of features in another CRS are followed: those of a box in degrees are parallels and meridians.
---
--- **Errors.** A statistic that is not there; a feature that cannot be brought into the image's CRS.
---
--- **Nodata.** Masked pixels do not count.
---
--- ```lua
--- local raster, geometry = require "raster", require "geometry"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 4 }, { { 1, 3, 5, 7 } }, { name = "VV" })
--- local left = geometry.bbox(0, 0, 2, 1)
--- assert(image:zonal(left, { statistics = "mean" })[1].mean == 2)
--- ```
---@param features Features|Geometry
---@param options? Features.StatisticsOptions
---@return Table
function Raster:zonal(features, options) end

--- Draws the image: a map of its band, or a panel for each of its bands with one colour bar.
---
--- The same as `plot.map` or `plot.maps`, which say what the options are. The image is read once, at the resolution
--- that the figure can show.
---
--- **Errors.** As `plot.map`.
---
--- **Nodata.** Masked pixels are transparent.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- raster.random(grid):plot { colormap = "magma", scale_bar = true }:write("random.png")
--- ```
---@param options? plot.MapsOptions
---@return Figure
function Raster:plot(options) end

--- What computing the image takes, as text: the steps as a tree for each band, the pixels that a tile needs of each, the tiles and the
--- memory, and the chunks that are read of Zarrs. Nothing is computed, nothing fetched.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid)
--- print((image + 1):explain())
--- ```
---@return string
function Raster:explain() end

---@class raster.PlanOptions
---@field measure? boolean Compute a part of what is computed of whole images, and one tile in the middle, twice, and tell the time of all by these; else nothing is computed. Default false.

---@class raster.Plan
---@field files Table A row for each file that is read: path, size_mib, share (of its pixels that is wanted), read_mib; of a Zarr the chunks that are read, and chunks_mib.
---@field tiles integer
---@field tile_rows integer
---@field tile_cols integer
---@field threads integer
---@field memory_mib number Of pixels, at the worst moment of the tiles.
---@field read_mib number Of files of this machine.
---@field chunks integer Of Zarrs, each once, whatever shares it.
---@field chunks_mib number These when they are decoded. Fewer bytes come, as a rule; how many, nobody says before.
---@field result_mib number The image in its own types, before compression.
---@field before string[] What is computed once, of whole images, before the tiles.
---@field seconds? number Of all tiles and what comes before them, with `measure`. Missing where that follows another image's offsets (`gross`), which must be known first.

--- What computing the image takes: files and bytes that are read, tiles, memory, the size of the result. From its graph alone, unless `measure`
--- has parts tried: a tile, and of what needs a whole scene at once its middle. It prints as a few lines.
---
--- **Errors.** When not even the smallest tile fits the memory.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 600, cols = 600 }
--- raster.random(grid):write("large.tif")
--- local part = raster.open("large.tif"):crop { row = 0, col = 0, rows = 300, cols = 600 }
--- local plan = (part * 2):plan()
--- print(plan)
--- assert(plan.files[1].share == 0.5 and plan.seconds == nil)
--- ```
---@param options? raster.PlanOptions
---@return raster.Plan
function Raster:plan(options) end

--- The image as JSON: not its pixels, but how they come about. Every operation stands there with its name, version and parameters, every
--- file with its path, its size and the time of its last change. `raster.from_json` makes the same image of it, in another session or
--- on another machine that has the same files. Only the pixels of arrays made in a script stand in it themselves, so that it can be large.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local image = raster.random(grid, { seed = 7 }):gt(0.5)
--- local again = raster.from_json(image:to_json())
--- assert(again:identity() == image:identity() and again:ne(image):stats().random.max == 0)
--- ```
---@return string
function Raster:to_json() end

--- What tells the numbers of a band from all others: a SHA-256 hash of its operations, their versions, parameters and grids, and of the paths,
--- sizes and times of its files. Two images of one identity have the same pixels, whenever and in whatever order they were made; another identity says
--- nothing (`a + b` and `b + a` differ).
---
--- **Errors.** A band that is not there; an image of several bands without a name.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- assert(raster.random(grid):sqrt():identity() == raster.random(grid):sqrt():identity())
--- assert(raster.random(grid):identity() ~= raster.random(grid, { seed = 2 }):identity())
--- ```
---@param band? string Of an image with several.
---@return string # 64 hexadecimal digits.
function Raster:identity(band) end

--- Pixels in memory, as `Raster:read` gives them.
---
--- Rows and columns are counted from 0. A band is a field of its own name and gives an array of that band. The pixels of all
--- arrays together stay under the memory limit.
---@class Array
---@field rows integer
---@field cols integer
---@field bands string[]
---@field grid Grid
---@field [string] Array The pixels of one band.
local Array = {}

--- The values of a pixel, one for each band; of a complex band two, the real and the imaginary part.
---
--- **Errors.** A pixel that is not inside.
---
--- **Nodata.** NaN.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(array:get(1, 0) == 3)
--- ```
---@param row integer From 0.
---@param col integer From 0.
---@return number ...
function Array:get(row, col) end

--- The values as a list of rows, each a list of numbers.
---
--- **Errors.** Several bands and none named; complex bands.
---
--- **Nodata.** NaN.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(array:totable()[2][1] == 3)
--- ```
---@param band? string
---@return number[][]
function Array:totable(band) end

--- The valid values, row by row, as one list.
---
--- **Errors.** Several bands and none named; complex bands.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(#array:values() == 3)
--- ```
---@param band? string
---@return number[]
function Array:values(band) end

--- How many pixels are valid.
---
--- **Errors.** Several bands and none named.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(array:count() == 3)
--- ```
---@param band? string
---@return integer
function Array:count(band) end

--- The smallest valid value; nil where there is none.
---
--- **Errors.** Several bands and none named.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(array:min() == 1)
--- ```
---@param band? string
---@return number?
function Array:min(band) end

--- The largest valid value; nil where there is none.
---
--- **Errors.** Several bands and none named.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(array:max() == 3)
--- ```
---@param band? string
---@return number?
function Array:max(band) end

--- The mean of the valid values; nil where there is none.
---
--- **Errors.** Several bands and none named.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(array:mean() == 2)
--- ```
---@param band? string
---@return number?
function Array:mean(band) end

--- The standard deviation of the valid values (of the population); nil where there is none.
---
--- **Errors.** Several bands and none named.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(math.abs(array:std() - math.sqrt(2 / 3)) < 1e-9)
--- ```
---@param band? string
---@return number?
function Array:std(band) end

--- The sum of the valid values.
---
--- **Errors.** Several bands and none named.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert(array:sum() == 6)
--- ```
---@param band? string
---@return number
function Array:sum(band) end

--- The pixels as an image again.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local array = raster.from_table(grid, { { 1, 2 }, { 3, false } }, { name = "VV" }):read()
--- assert((array:raster() + 1):stats().VV.max == 4)
--- ```
---@return Raster
function Array:raster() end

--- Many images in order, each with its own grid, bands, time and properties. Lazy as images are.
---
--- `#stack` counts, `stack[1]` is the first image, `for i, image in ipairs(stack)` goes through, `a .. b` joins two stacks.
--- Methods leave a stack as it is and give a new one. Reducers want one grid and the same bands in all images.
---
--- What an image has, a stack has for each of its images: `stack.VV` is the stack of one band, `stack:to_db()`, `stack:mask(water)` and every other
--- method of Raster that makes an image give the stack of what they make, with the times and properties of the images. Arithmetic goes
--- with numbers, images and stacks: `stack / stack:mean()`, `ascending - descending`. A stack that is an operand or an argument gives each image its own of
--- the same time (of images without times, that in the same place); one that misses a time is an error.
---@class Stack
---@field bands string[]? Of the first image.
---@field grid Grid? Of the first image.
---@field [integer] Raster The images, from 1.
---@field [string] any The stack of one band.
---@operator len: integer
---@operator concat(Stack): Stack
---@operator add(Stack|Raster|number): Stack
---@operator sub(Stack|Raster|number): Stack
---@operator mul(Stack|Raster|number): Stack
---@operator div(Stack|Raster|number): Stack
---@operator pow(Stack|Raster|number): Stack
---@operator mod(Stack|Raster|number): Stack
---@operator band(Stack|Raster|number): Stack
---@operator bor(Stack|Raster|number): Stack
---@operator unm: Stack
local Stack = {}

--- Goes through the images: `for image in stack:each() do`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local n = 0
--- for image in stack:each() do
---   n = n + image.orbit
--- end
--- assert(n == 338)
--- ```
---@return fun(): Raster?
function Stack:each() end

--- The images that a function says true of, or whose properties have the given values (one, or one of a list).
---
--- Numbers and text that holds the same number are equal, as file names and tags give text.
---
--- **Errors.** A property that no image has, with a suggestion; what the function raises.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(#stack:filter(function(image) return image.time > "2024-02" end) == 2)
--- assert(#stack:filter({ orbit = { 137, 66 } }) == 2)
--- ```
---@param condition (fun(image: Raster): boolean)|table<string, any>
---@return Stack
function Stack:filter(condition) end

--- The images of a span of time, both ends included; a day, a month or a year as an end is all of it. Images without a time are left out.
---
--- **Errors.** Text that is no time; a stop before the start.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(#stack:between("2024-02-01", "2024-02-22") == 2 and #stack:between("2024-02", "2024-02") == 2)
--- ```
---@param start string|number A time, a day, a month or a year.
---@param stop string|number Itself included.
---@return Stack
function Stack:between(start, stop) end

--- The images whose bounds overlap an area. An image in another CRS is compared in its own.
---
--- **Errors.** An area in a CRS and an image without one.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(#stack:overlapping({ 0, 0, 1, 1 }) == 3)
--- assert(#stack:overlapping({ 10, 0, 11, 1 }) == 0)
--- ```
---@param area Bounds|Geometry|Features|Grid|Raster
---@param options? raster.AreaOptions
---@return Stack
function Stack:overlapping(area, options) end

--- Some bands of every image.
---
--- **Errors.** Bands that an image does not have, with its number.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:select("constant").bands[1] == "constant")
--- ```
---@param ... string|integer Names, or positions from 1; or one list of them.
---@return Stack
function Stack:select(...) end

--- Each image through a function, which is called once an image to build the graph; pixels are computed later.
---
--- The result takes over time and properties of the image where it has none. Where the function returns nil the image is left out.
---
--- **Errors.** A function that returns anything else; what it raises.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local db = stack:map(function(image) return image:to_db() end)
--- assert(db[1].units.constant == "dB" and db[1].orbit == 137)
--- ```
---@param fn fun(image: Raster, i: integer): Raster?
---@return Stack
function Stack:map(fn) end

---@class raster.SortOptions
---@field descending? boolean The largest first. Default false.

--- In order of time, or of a property. Images without it come last.
---
--- **Errors.** A property that no image has.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:sort("orbit")[1].orbit == 64)
--- assert(stack:sort(nil, { descending = true })[1].time == "2024-02-22")
--- ```
---@param property? string Default time.
---@param options? raster.SortOptions
---@return Stack
function Stack:sort(property, options) end

--- Groups of images, in UTC, in the order of their times: by `"year"` (keys `2024`), `"season"` (`2024-DJF`, which begins in December 2023), `"month"` (`2024-01`),
--- `"week"` (`2024-W01`, of ISO 8601) or `"day"` (`2024-01-05`); by what comes again each year: `"month_of_year"` (`01`), `"season_of_year"` (`DJF`, `MAM`, `JJA`, `SON`),
--- `"day_of_year"` (`005`); by a property, in the order of its values as text; or by what a function gives of each image (text, numbers or booleans), in the order of
--- their first images.
---
--- **Errors.** A property that an image does not have; images without a time; a function that gives something else.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- for _, group in ipairs(stack:group_by("month")) do print(group.key, #group.stack, group.stack:mean()) end
--- assert(stack:group_by("season_of_year")[1].key == "DJF")
--- local halves = stack:group_by(function(image) return image.orbit > 100 end)
--- assert(halves[1].key == true and #halves[1].stack == 2)
--- ```
---@param by string|fun(image: Raster): any
---@return { key: any, stack: Stack }[]
function Stack:group_by(by) end

--- An image for each year, season, month, week or day that has images: their reduction. It is of the time at which the period begins (UTC), and its property
--- `images` is their number. Periods are those of `group_by`.
---
--- **Errors.** An image without a time; grids, bands or units that differ within a period; a period that comes again each year.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image of a period is masked in its image.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05" },
---   { raster.constant(grid, 5), time = "2024-02-10" },
---   { raster.constant(grid, 3), time = "2024-02-22" },
--- }
--- local monthly = stack:resample("month", "mean")
--- assert(#monthly == 2 and monthly[2].time == "2024-02-01" and monthly[2].images == 2)
--- assert(monthly[2]:stats().constant.mean == 4)
--- ```
---@param period "year"|"season"|"month"|"week"|"day"
---@param reducer? Reducer Default `"mean"`.
---@return Stack
function Stack:resample(period, reducer) end

--- Each image less the mean of all images, or of those of its group, as of all Januaries: `stack:anomaly("month_of_year")`.
---
--- **Errors.** As `group_by` and `reduce`.
---
--- **Nodata.** Pixels that are masked in an image are masked in its anomaly; they drop out of the mean.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2023-01-05" },
---   { raster.constant(grid, 5), time = "2023-07-10" },
---   { raster.constant(grid, 3), time = "2024-01-22" },
--- }
--- assert(stack:anomaly()[1]:stats().constant.mean == -2)
--- assert(stack:anomaly("month_of_year")[2]:stats().constant.mean == 0)
--- ```
---@param by? string What `group_by` takes. Default all images.
---@return Stack
function Stack:anomaly(by) end

--- For each image the sum over it and all before it, in the order of the stack.
---
--- **Errors.** As `reduce`.
---
--- **Nodata.** Masked pixels drop out; a pixel that has been valid in no image so far is masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2023-01-05" },
---   { raster.constant(grid, 5), time = "2023-07-10" },
--- }
--- assert(stack:cumulative()[2]:stats().constant.mean == 6)
--- ```
---@return Stack
function Stack:cumulative() end

---@class raster.InterpolateOptions
---@field max_gap_days? number Between the valid images before and after, at most. Above 0. Default any.

--- Masked pixels filled, linearly in time between the last valid image before and the next one after. All images are held at a tile at once.
---
--- **Errors.** As `reduce`; an image without a time; two images of one time (`:group_by("day")` and a mean, or `:resample("day")`, make one of them).
---
--- **Nodata.** Pixels that have no valid image before, or none after, or whose gap is longer than `max_gap_days`, stay masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local hole = raster.constant(grid, 0)
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2023-01-01" },
---   { hole:mask(hole), time = "2023-01-02" },
---   { raster.constant(grid, 5), time = "2023-01-05" },
--- }
--- assert(stack:interpolate()[2]:stats().constant.mean == 2)
--- assert(stack:interpolate({ max_gap_days = 3 })[2]:stats().constant.count == 0)
--- ```
---@param options? raster.InterpolateOptions
---@return Stack
function Stack:interpolate(options) end

--- The times of the images; false where one has none.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:times()[3] == "2024-02-22")
--- ```
---@return (string|false)[]
function Stack:times() end

--- Days from a time to each image, with fractions.
---
--- **Errors.** An image without a time, with its number.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:days()[2] == 36)
--- ```
---@param since? string|number Default the first image's time.
---@return number[]
function Stack:days(since) end

--- A property of every image; false where one does not have it.
---
--- **Errors.** A property that no image has.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:values("orbit")[2] == 64)
--- ```
---@param property string
---@return any[]
function Stack:values(property) end

--- The median over the images, pixel by pixel.
---
--- Of an even number it is the mean of the middle two.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:median():stats().constant.max == 3)
--- ```
---@return Raster
function Stack:median() end

--- The mean over the images, pixel by pixel.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:mean():stats().constant.max == 3)
--- ```
---@return Raster
function Stack:mean() end

--- The standard deviation over the images (of the population), pixel by pixel.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(math.abs(stack:std():stats().constant.max - math.sqrt(8 / 3)) < 1e-6)
--- ```
---@return Raster
function Stack:std() end

--- The smallest value over the images, pixel by pixel.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:min():stats().constant.max == 1)
--- ```
---@return Raster
function Stack:min() end

--- The largest value over the images, pixel by pixel.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:max():stats().constant.max == 5)
--- ```
---@return Raster
function Stack:max() end

--- The sum over the images, pixel by pixel.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:sum():stats().constant.max == 9)
--- ```
---@return Raster
function Stack:sum() end

--- How many images are valid, pixel by pixel: 0 where none is.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** No pixel of the result is masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:count():stats().constant.max == 3)
--- ```
---@return Raster
function Stack:count() end

--- The first valid value in order, pixel by pixel.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:first():stats().constant.max == 1)
--- ```
---@return Raster
function Stack:first() end

--- The last valid value in order, pixel by pixel.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:last():stats().constant.max == 3)
--- ```
---@return Raster
function Stack:last() end

--- The number of the image, from 1, that has the smallest value, pixel by pixel; of equal ones that of the first. `stack[n]` is that image; where only the date is
--- wanted, `:date_of_min` tells it.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:argmin():stats().constant.max == 1)
--- ```
---@return Raster
function Stack:argmin() end

--- The number of the image, from 1, that has the largest value, pixel by pixel; of equal ones that of the first. `stack[n]` is that image; where only the date is
--- wanted, `:date_of_max` tells it.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:argmax():stats().constant.max == 2)
--- ```
---@return Raster
function Stack:argmax() end

--- The most frequent value over the images, pixel by pixel; of equally frequent ones the smallest. For classes: their type stays.
---
--- A tile of every image is held at once, as for medians; tiles are smaller where there are many.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack { raster.constant(grid, 4), raster.constant(grid, 2), raster.constant(grid, 4) }
--- assert(stack:mode():stats().constant.max == 4)
--- ```
---@return Raster
function Stack:mode() end

--- A percentile over the images, pixel by pixel, linear between neighbours.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:percentile(25):stats().constant.max == 2)
--- ```
---@param p number 0…100.
---@return Raster
function Stack:percentile(p) end

--- Several reductions computed together, in one pass over the images. With one, bands keep their names; with several they are called
--- `VV_median`, `VV_p90`.
---
--- Reducers are `median`, `mean`, `std`, `min`, `max`, `sum`, `count`, `first`, `last`, `argmin`, `argmax`, `mode`, and `p` with a percentile: `p90`.
--- Medians, percentiles and modes hold a tile of every image at once; the others take the images eight at a time, so that a thousand need
--- the memory of eight.
---
--- **Errors.** An empty stack; grids, bands or units that differ (`:align` and `:select` are the way out); complex bands.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local r = stack:reduce { "median", "p90" }
--- assert(r.bands[2] == "constant_p90")
--- ```
---@param reducers Reducer|Reducer[]
---@return Raster
function Stack:reduce(reducers) end

--- The line of least squares through each pixel's values over time, in years of 365.25 days since the first image: bands `VV_slope` (units a
--- year), `VV_offset` (the line at the time of the first image), `VV_residual` (the root mean square of what the line leaves), `VV_slope_std_error` and
--- `VV_offset_std_error` (for what it leaves as independent noise of one variance), and `VV_r2` (the share of the variance that the line takes off). The images are
--- taken eight at a time, whatever their number.
---
--- **Errors.** As `reduce`; an image without a time; images all of one time.
---
--- **Nodata.** Masked pixels drop out; the line is masked where fewer than two times are left, standard errors where fewer than three values are, r² where all values are one.
---
--- **Source.** Welford, Technometrics 4, 1962, doi:10.1080/00401706.1962.10490022, for the sums.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2020-01-01" },
---   { raster.constant(grid, 3), time = "2021-01-01" },
---   { raster.constant(grid, 5), time = "2022-01-01" },
--- }
--- local fit = stack:linear_fit()
--- local slope = fit.constant_slope:stats().constant_slope.mean
--- assert(slope > 1.99 and slope < 2.01)
--- ```
---@return Raster
function Stack:linear_fit() end

---@class raster.HarmonicsOptions
---@field periods? number[] Of the waves, in years of 365.25 days, from 0.001; an empty list leaves the line. Default 1 and 0.5.

--- A line and waves through each pixel's values over time, by least squares, with standard errors.
---
--- The model is offset + slope · t + Σ amplitude · cos(2π (t − phase) / period), of as many waves as there are periods. Bands, each followed by its standard
--- error (`VV_slope_std_error`): `VV_offset`, the line at the time of the first image; `VV_slope`, units a year of 365.25 days; `VV_annual_amplitude`,
--- half of what the wave goes up and down; `VV_annual_phase`, the days after the beginning of a year at which the wave is highest, from 0 to the
--- period. Last comes `VV_residual`, the root mean square of what the model leaves. A period of 1 is called `annual`, one of 0.5 `semiannual`, others by their
--- years: `2yr`, `0_25yr`. Standard errors take what is left as independent noise of one variance; those of amplitude and phase are of first order.
---
--- **Errors.** As `reduce`; an image without a time; images all of one time, or no more than the model has terms (two, and two for each period).
---
--- **Nodata.** Masked pixels drop out; all bands are masked where no more values are left than the model has terms, or where their times do not tell
--- the terms apart.
---
--- **Source.** Draper and Smith, Applied Regression Analysis, 1998, doi:10.1002/9781118625590; the seasons of glaciers so: Greene et al., The Cryosphere 14, 2020,
--- doi:10.5194/tc-14-4365-2020.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local dates = {}
--- for month = 1, 24 do
---   local value = 5 + 2 * math.cos(2 * math.pi * (month - 4) / 12)
---   local time = ("%d-%02d-01"):format(2020 + (month - 1) // 12, (month - 1) % 12 + 1)
---   dates[month] = { raster.constant(grid, value):rename "v", time = time }
--- end
--- local fit = raster.stack(dates):harmonics()
--- local phase = fit.v_annual_phase:stats().v_annual_phase.mean
--- assert(phase > 88 and phase < 94) -- the first of April
--- ```
---@param options? raster.HarmonicsOptions
---@return Raster
function Stack:harmonics(options) end

--- The test of Mann and Kendall for a trend, pixel by pixel: bands `VV_tau` (Kendall's, from -1 where every value is below all before it to 1), `VV_z` (normally
--- distributed without a trend), `VV_p_value` (of a |z| at least as large without a trend, from both sides). It asks nothing of the distribution of the
--- values, but that they be independent.
---
--- **Errors.** As `reduce`; an image without a time; images all of one time.
---
--- **Nodata.** Masked pixels drop out; where fewer than two values are left the result is masked.
---
--- **Source.** Mann, Econometrica 13, 1945, doi:10.2307/1907187; Kendall, Rank Correlation Methods, 1975 (the variance with ties).
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local dates = {}
--- for year = 1, 10 do dates[year] = { raster.constant(grid, year ^ 2):rename "v", time = ("%d-01-01"):format(2000 + year) } end
--- local test = raster.stack(dates):mann_kendall()
--- assert(test.v_tau:stats().v_tau.mean == 1 and test.v_p_value:stats().v_p_value.mean < 0.001)
--- ```
---@return Raster
function Stack:mann_kendall() end

--- The line of Theil and Sen, which outliers move little: bands `VV_slope`, the median of the slopes between all pairs of times (units a year of 365.25 days),
--- `VV_slope_low` and `VV_slope_high`, between which it lies with a confidence of 95 %, and `VV_offset`, the median of the values less the slope times that of the
--- times, at the time of the first image. All pairs are looked at: 200 dates have 20,000.
---
--- **Errors.** As `reduce`; an image without a time; images all of one time.
---
--- **Nodata.** Masked pixels drop out; where fewer than two times are left the result is masked.
---
--- **Source.** Theil, Proceedings of the Royal Netherlands Academy of Sciences 53, 1950; Sen, Journal of the American Statistical Association 63, 1968,
--- doi:10.1080/01621459.1968.10480934 (the bounds).
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local dates = {}
--- for year = 1, 9 do dates[year] = { raster.constant(grid, year == 5 and 100 or 3 * year):rename "v", time = ("%d-01-01"):format(2000 + year) } end
--- local line = raster.stack(dates):theil_sen()
--- assert(math.abs(line.v_slope:stats().v_slope.mean - 3) < 0.02)
--- ```
---@return Raster
function Stack:theil_sen() end

---@class raster.DateOptions
---@field since? string|number What days are counted from. Default 1970-01-01.
---@field day_of_year? boolean Days of the image's year, 1 for the first of January (UTC), instead. Default false.

--- When each pixel is smallest: the date of the image that has the smallest value, of equal ones the earliest, as float64 days since 1970-01-01 (the band's unit says so, as
--- CF conventions do), or as a day of the year.
---
--- **Errors.** As `reduce`; an image without a time; both `since` and `day_of_year`.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:date_of_min({ since = "2024-01-01" }):stats().constant.max == 4)
--- ```
---@param options? raster.DateOptions
---@return Raster
function Stack:date_of_min(options) end

--- When each pixel is largest: the date of the image that has the largest value, of equal ones the earliest, as float64 days since 1970-01-01 (the band's unit says so, as
--- CF conventions do), or as a day of the year.
---
--- **Errors.** As `reduce`; an image without a time; both `since` and `day_of_year`.
---
--- **Nodata.** Masked pixels drop out; a pixel that is valid in no image stays masked.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local greenest = stack:date_of_max { day_of_year = true }
--- assert(greenest:stats().constant.max == 41) -- the tenth of February
--- ```
---@param options? raster.DateOptions
---@return Raster
function Stack:date_of_max(options) end

---@class raster.WeightedOptions
---@field error? string|table<string, string>|Stack Standard errors of the values: the name of a band or a property, names by bands (`{ vx = "vx_error" }`), or a Stack of the same times, with bands of the same names or one.
---@field weights? string|table<string, string>|Stack What images count besides, said in the same ways: the days that they span, say.
---@field bands? string[] What is reduced. Default all bands that are not named as errors or weights.

--- The mean over the images, pixel by pixel, weighted by 1/error², by weights g, or by their product w = g/error². A name is that of a band where all images have
--- such a band, else that of a property. The images are taken eight at a time, whatever their number.
---
--- Bands: `vx_mean`, Σ w x / Σ w; `vx_count`, the images that counted; `vx_scatter_error`, the standard error that the scatter of the values about the mean
--- tells, √(Σ w (x − mean)² / ((n − 1) Σ w)), which takes the weights as inverse variances up to a factor. With errors also `vx_std_error`, what they make of the mean
--- if they are right and independent, √(Σ w² error²) / Σ w (without weights √(1 / Σ 1/error²)); and `vx_reduced_chi2`, Σ ((x − mean) / error)² / (n − 1): well above 1
--- where the values scatter by more than their errors say, and then the scatter's error is the one to quote.
---
--- **Errors.** Neither `error` nor `weights`; a name that is neither a band nor a property; a property that is no number above 0; another stack of other times, grids or bands; errors
--- in another unit than their values; what `reduce` refuses.
---
--- **Nodata.** An image counts at a pixel where value, error and weight are valid and the latter two above 0. The mean is masked where none counts, the scatter's error and χ²
--- where fewer than two do; the count is 0 there and never masked.
---
--- **Source.** Bevington and Robinson, Data Reduction and Error Analysis, 2003, chapter 4; the sums after West, Communications of the ACM 22, 1979,
--- doi:10.1145/359146.359153; yearly velocities of glaciers so: Gardner et al., The Cryosphere 12, 2018, doi:10.5194/tc-12-521-2018.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local function pair(v, v_error, days)
---   return { raster.bands(raster.constant(grid, v):rename "v", raster.constant(grid, v_error):rename "v_error"), date_dt = days }
--- end
--- local year = raster.stack { pair(100, 1, 12), pair(130, 3, 24) }
--- local mean = year:weighted_mean { error = "v_error", weights = "date_dt" }
--- assert(math.abs(mean.v_mean:stats().v_mean.mean - (12 * 100 + 24 / 9 * 130) / (12 + 24 / 9)) < 1e-4)
--- assert(mean.v_count:stats().v_count.max == 2)
--- ```
---@param options raster.WeightedOptions
---@return Raster
function Stack:weighted_mean(options) end

--- The median over the images, pixel by pixel, in which each counts with weights 1/error², g, or their product w = g/error², said as for `weighted_mean`: the value up to which half of all
--- weights lie; where that is so between two values, the middle between them. With equal weights it is `median`. A tile of every image is held at a time.
---
--- Bands: `vx_median`; `vx_count`, the images that counted; `vx_scatter_error`, the standard error that the scatter of the values about the median tells of normal values,
--- √(π/2) · 1.4826 · MAD / √n, with the median absolute deviation MAD by the same weights and n = (Σ w)² / Σ w², the number of equal weights that say as much.
---
--- **Errors.** Those of `weighted_mean`.
---
--- **Nodata.** An image counts at a pixel where value, error and weight are valid and the latter two above 0. The median is masked where none counts, its error
--- where fewer than three do; the count is 0 there and never masked.
---
--- **Source.** Edgeworth, Philosophical Magazine 24, 1887, doi:10.1080/14786448708628106; the error of a median, Kenney and Keeping, Mathematics of Statistics 1, 1962, section
--- 14.5; 1.4826 MAD, Rousseeuw and Croux 1993, doi:10.1080/01621459.1993.10476408; n of unequal weights, Kish, Survey Sampling, 1965.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local function pair(v, days) return { raster.constant(grid, v):rename "v", date_dt = days } end
--- local year = raster.stack { pair(100, 12), pair(130, 96), pair(4000, 24) }
--- local median = year:weighted_median { weights = "date_dt" }
--- assert(median.v_median:stats().v_median.mean == 130 and median.v_count:stats().v_count.max == 3)
--- ```
---@param options raster.WeightedOptions
---@return Raster
function Stack:weighted_median(options) end

---@class raster.GeomedianOptions
---@field tolerance? number The search ends with a step that is no longer than this share of the mean distance of the pixel's values from their mean. From 0.000000000001 to 0.1. Default 1e-6.
---@field max_iterations? integer Steps after which it ends in any case. From 1 to 100000. Default 1000.

--- The geometric median over the images: of each pixel the values of all bands that have the smallest sum of Euclidean distances to those of the images. It is robust as a median is, but keeps
--- the bands of a pixel together, so that ratios and indices of them hold.
---
--- Weiszfeld's iteration goes from the mean, with the step of Vardi and Zhang where it meets an image's values. A tile of every image is held at once. Bands that have larger
--- values count for more; scale them alike first.
---
--- **Errors.** As `reduce`; bands in different units; options out of range.
---
--- **Nodata.** An image counts at a pixel where all of its bands are valid; where none counts all bands are masked.
---
--- **Source.** Roberts, Mueller and McIntyre, IEEE Transactions on Geoscience and Remote Sensing 55, 2017, doi:10.1109/TGRS.2017.2723896; Vardi and Zhang, Proceedings of the
--- National Academy of Sciences 97, 2000, doi:10.1073/pnas.97.4.1423.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local function image(red, nir) return raster.bands(raster.constant(grid, red):rename "red", raster.constant(grid, nir):rename "nir") end
--- -- Two of a sort and a cloud: what most have.
--- local composite = raster.stack({ image(0.05, 0.4), image(0.05, 0.4), image(0.9, 0.9) }):geomedian()
--- assert(math.abs(composite.nir:stats().nir.mean - 0.4) < 1e-4)
--- ```
---@param options? raster.GeomedianOptions
---@return Raster
function Stack:geomedian(options) end

---@class raster.CusumOptions: raster.DateOptions
---@field permutations? integer Random orders of the dates beside which the change is put. From 1 to 10000. Default 1000.
---@field seed? integer Of the random numbers: one seed gives one result. Default 0.

--- One change of level in each pixel's values over time, by cumulative sums: with S_t the sum of the differences from the mean up to a date, the level changes where |S_t| is
--- largest. Bands: `VV_magnitude`, max S − min S; `VV_date`, that of the first image after the change, as `date_of_max` tells dates; `VV_change`, the mean from there on less the mean
--- before; `VV_confidence`, from 0 to 1, the share of random orders of the same values whose magnitude is smaller.
---
--- The confidence is of a change anywhere in the series, if values are independent without one: seasons and trends come out as changes, so take them off first. All pixels are put beside the same
--- orders, whatever tiles and threads there are.
---
--- **Errors.** As `reduce`; an image without a time; images all of one time; options out of range; both `since` and `day_of_year`.
---
--- **Nodata.** Masked pixels drop out; all bands are masked where fewer than two values are left. Where all are equal, magnitude and confidence are 0, date and change masked.
---
--- **Source.** Taylor, Change-point analysis: a powerful new tool for detecting changes, 2000; of radar backscatter: Ruiz-Ramos et al., Remote Sensing 12, 2020,
--- doi:10.3390/rs12183061.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local dates = {}
--- for month = 1, 12 do
---   local forest = month < 8 and -7 - month % 2 * 0.2 or -12 + month % 3 * 0.1
---   dates[month] = { raster.constant(grid, forest):rename("VV"):set_unit "dB", time = ("2020-%02d-01"):format(month) }
--- end
--- local fit = raster.stack(dates):cusum { permutations = 500, day_of_year = true }
--- assert(fit.VV_date:stats().VV_date.mean == 214) -- the first of August
--- assert(fit.VV_confidence:stats().VV_confidence.mean > 0.95 and fit.VV_change:stats().VV_change.mean < -4)
--- ```
---@param options? raster.CusumOptions
---@return Raster
function Stack:cusum(options) end

---@class raster.OmnibusOptions: raster.DateOptions
---@field looks number The equivalent number of looks of the images. At least 1.
---@field alpha? number The level of each test: how often chance alone is taken for a change. Above 0 and below 1. Default 0.01.

--- Changes of radar backscatter over time by the sequential omnibus test: whether anything has changed in all images, and if so between which. Bands are channels (VV and VH, say, or one alone), each
--- gamma distributed with the same number of looks and independent of the others; phases between them are not looked at. Decibels and amplitudes are made powers.
---
--- The first result has the bands `p_value` (of no change in the whole series), `frequency` (changes found), `first_change` and `last_change` (the date of the first image after
--- it, as `date_of_max` tells dates). The second is a stack of each image but the first, in the order of time, with a band `change`: 0 where nothing has changed since the image before, 1 where
--- all channels have risen, 2 where all have fallen, 3 where some have risen and some fallen (beside the mean since the last change).
---
--- The test of equality (−2 ρ ln Q, with its distribution to the order of ω₂) is followed by tests of each image against those before (R_j) up to the first that is rejected; there it begins anew
--- with the images that are left. `alpha` is the level of each single test, not of all together. Looks are those of statistics, not of a product's name: 4.4 for Sentinel-1
--- IW GRD; speckle filters and resampling change them.
---
--- **Errors.** As `reduce`; bands in other units, or without one (`:set_unit "power"` says it); an image without a time; fewer than two images; options out of range.
---
--- **Nodata.** An image counts at a pixel where all bands are valid and above 0. Where fewer than two count all is masked; dates are masked where nothing has changed; `change` is masked where its image
--- does not count, and tells the change since the last one that does.
---
--- **Source.** Conradsen, Nielsen and Skriver, IEEE Transactions on Geoscience and Remote Sensing 54, 2016, doi:10.1109/TGRS.2015.2510160; the directions after Nielsen et al., 2020,
--- doi:10.3390/rs12010046.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 50, cols = 50 }
--- local dates = {}
--- for month = 1, 6 do
---   local speckle = raster.random(grid, { seed = month, distribution = "speckle", looks = 9 }):rename "VV"
---   local level = month < 4 and 0.2 or 0.01 -- flooded in April
---   dates[month] = { (speckle * level):set_unit "power", time = ("2021-%02d-01"):format(month) }
--- end
--- local summary, changes = raster.stack(dates):omnibus { looks = 9, alpha = 0.001 }
--- assert(summary.frequency:stats().frequency.mean > 0.99)
--- assert(changes[3].time == "2021-04-01" and changes[3]:eq(2):stats().change.mean > 0.99)
--- ```
---@param options raster.OmnibusOptions
---@return Raster summary
---@return Stack changes
function Stack:omnibus(options) end

---@class raster.RollingOptions
---@field images? integer Over this many images that end with each one; the first images, which have fewer, are left out. At least 1.
---@field days? number Over the images of this many days that end with each one. Above 0.
---@field reducer? Reducer What is made of them. Default `"mean"`.

--- A reduction over a window that moves through the stack. Each result has the time and properties of the window's last image.
---
--- **Errors.** Neither images nor days, or both; images without a time, for days; as the reducers.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local r = stack:rolling { images = 2 }
--- assert(#r == 2 and r[2]:stats().constant.max == 4)
--- ```
---@param options raster.RollingOptions
---@return Stack
function Stack:rolling(options) end

--- One image from all: a function of the list of images and their days since the first (nil where a time is missing), called once.
---
--- **Errors.** A function that returns anything but an image; what it raises.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local range = stack:apply(function(images, days)
---   return raster.max(images) - raster.min(images)
--- end)
--- assert(range:stats().constant.max == 4)
--- ```
---@param fn fun(images: Raster[], days: number[]?): Raster
---@return Raster
function Stack:apply(fn) end

--- Every image on one grid, as `Raster:align`.
---
--- **Errors.** As `Raster:align`, with the image's number.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:align(raster.grid({ like = grid, resolution = 2 }))[1].rows == 1)
--- ```
---@param target? Grid|Raster Default the first image's grid.
---@param options? raster.AlignOptions
---@return Stack
function Stack:align(target, options) end

--- One image of all, of any grids, as `raster.mosaic`.
---
--- **Errors.** As `raster.mosaic`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- assert(stack:mosaic({ method = "max" }):stats().constant.max == 5)
--- ```
---@param options? raster.MosaicOptions
---@return Raster
function Stack:mosaic(options) end

---@class raster.ExportOptions: raster.WriteOptions
---@field folder string Where the files go. It is made where it is missing.
---@field prefix? string How the names begin. Default `"image"`.
---@field names? string[] One for each image, in place of dates.
---@field first? integer The first image to write, from 1. At least 1. Default 1.
---@field max? integer How many at most. At least 1. Default all.

--- Writes every image to a file of its own: `prefix_yyyymmdd_10m.tif`. Returns the paths.
---
--- **Errors.** Images without a time, without `names`; two images of one day, which would have one name; as `Raster:write`.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local paths = stack:export { folder = "out", prefix = "S1", max = 2 }
--- assert(paths[2] == "out/S1_20240210_1px.tif")
--- ```
---@param options raster.ExportOptions
---@return string[] paths
function Stack:export(options) end

---@class raster.CubeOptions: raster.NetcdfOptions
---@field version? integer Of a Zarr: 3, in shards, or 2. From 2 to 3. Default 3.
---@field chunks? integer[] `{ times, rows, cols }` of a chunk. At least 1. Default, of a Zarr: up to 128 times, and 32 × 32 pixels (of version 2, 64 × 64); of a netCDF file 1 MiB, in as many chunks along a series as over a map.
---@field append? boolean Adds the images, which are later than its own, to the file that is there. Where there is none, it is made. Default false.
---@field dtype? string Pixel type of all variables. Default: the bands' own; where the images of a band differ, a float type.
---@field fill? number What stands for masked pixels. Default: the bands' nodata value, else NaN or an end of the type's range.
---@field scale? number Packs values into a `dtype` of whole numbers: a value is stored as (value − offset) / scale, rounded. The file says so, and readers undo it; `fill` is of stored numbers. Not 0. Default 1.
---@field offset? number What is taken off before values are packed. Default 0.

--- Computes all images and writes them to one netCDF-4 file by the CF conventions: a variable (time, y, x) for each band, with its
--- unit, and the axis `time` in seconds since 1970 (microseconds where times are not whole seconds). Returns the path.
---
--- `raster.stack(path)` reads it back; so does `xarray.open_dataset`. The file appears under its name only when it is complete.
---
--- A path that ends in `.zarr` is written as Zarr: the same variables, times and coordinates, Zstandard by `level`, of version 3 in shards of
--- chunks, with consolidated metadata. `xarray.open_zarr` reads both versions, GDAL version 2 (from 3.8 on also version 3, without shards). A Zarr of
--- that name is replaced as a whole when the new one is complete; any other folder is not. With `append`, chunks come first and what says that they are
--- there last, so that readers see what was until all is there. A netCDF file is written anew with the later dates, beside itself, and takes its name when it
--- is whole: pixels are stored as they were, and what it said of itself and of its variables stays; where another script or version adds to it, a line of its `history`
--- tells which one wrote the first dates. It takes twice its space for as long.
---
--- **Errors.** An empty stack; images without a time, of other bands, in other units or on another grid than the first; times that do not rise from
--- image to image; complex images; turned grids; without `fill`, valid pixels of whole numbers that
--- have the value that stands for masked ones. With `append`: a file that was not written so; other variables, types, units, fill values, packing
--- or another grid than its own; times that are not later than its own.
---
--- **Source.** CF conventions 1.11, https://cfconventions.org; Zarr core specification, version 3.0, https://zarr-specs.readthedocs.io; Rew, R. (2013):
--- Chunking Data: Choosing Shapes, Unidata
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = 32611, origin = { 500000, 4000000 }, resolution = 10, rows = 2, cols = 3 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1):rename "v", time = "2024-01-05" },
---   { raster.constant(grid, 5):rename "v", time = "2024-02-10T12:00:00Z" },
--- }
--- stack:write("cube.nc")
--- local back = raster.stack("cube.nc")
--- assert(#back == 2 and back[2].time == "2024-02-10T12:00:00Z" and back[2].v:read():get(1, 2) == 5)
--- stack:write("cube.zarr")
--- raster.stack({ { raster.constant(grid, 7):rename "v", time = "2024-03-01" } }):write("cube.zarr", { append = true })
--- local longer = raster.stack("cube.zarr")
--- assert(#longer == 3 and longer[3].v:read():get(0, 0) == 7 and longer[1].v:read():get(0, 0) == 1)
--- raster.stack({ { raster.constant(grid, 7):rename "v", time = "2024-03-01" } }):write("cube.nc", { append = true })
--- assert(#raster.stack("cube.nc") == 3)
--- ```
---@param path string
---@param options? raster.CubeOptions
---@return string path
function Stack:write(path, options) end

--- Values at points over time: a row for each image and point, with `time`, what else the point says, its `x` and `y`, and a value for
--- each band.
---
--- **Errors.** As `Raster:sample`.
---
--- **Nodata.** A band that is masked at the point, or a point outside, has no value in its row.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { rows = 2, cols = 2 }
--- local stack = raster.stack {
---   { raster.constant(grid, 1), time = "2024-01-05", orbit = 137 },
---   { raster.constant(grid, 5), time = "2024-02-10", orbit = 64 },
---   { raster.constant(grid, 3), time = "2024-02-22", orbit = 137 },
--- }
--- local rows = stack:sample({ { x = 0.5, y = 0.5, name = "lake" } })
--- assert(#rows == 3 and rows[2].constant == 5 and rows[2].time == "2024-02-10")
--- ```
---@param points (number[]|table)[]|Features
---@param options? raster.SampleOptions
---@return Table
function Stack:sample(points, options) end

--- Draws every image in a panel of its own, titled with its date, with one colour bar for all.
---
--- The same as `plot.maps`, which says what the options are.
---
--- **Errors.** As `plot.maps`; an empty stack.
---
--- **Nodata.** Masked pixels are transparent.
---
--- ```lua
--- local raster = require "raster"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }
--- local stack = raster.stack { raster.random(grid):set_time("2024-03-01"), raster.random(grid):set_time("2024-03-13") }
--- stack:plot { colormap = "magma" }:write("dates.png")
--- ```
---@param options? plot.MapsOptions
---@return Figure
function Stack:plot(options) end

return raster
