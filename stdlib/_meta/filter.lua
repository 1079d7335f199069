---@meta filter

--- Speckle and focal filters.
---
--- Each takes an image and gives a lazy image on the same grid, band by band; nothing is computed until the result is
--- written, read or drawn.
---@class filter
local filter = {}

---@class filter.FocalOptions
---@field radius number How far the kernel reaches from the centre of a pixel, at most 512 pixels. Fractions are allowed; below 1 pixel the kernel is the pixel itself.
---@field unit? "px"|"m" Of the radius: pixels (the default) or metres. On a grid in degrees, metres are measured at the latitude of the grid's centre; where pixels are not square, the kernel becomes an ellipse or a rectangle of pixels.
---@field shape? "circle"|"square" `"circle"` (the default) is the disk dx² + dy² ≤ radius², its edge included: 317 pixels for radius 10. `"square"` is |dx| ≤ radius, |dy| ≤ radius.

---@class filter.PercentileOptions: filter.FocalOptions
---@field percentile number From 0 (the minimum) over 50 (the median) to 100 (the maximum).

---@class filter.BoxcarOptions
---@field size integer Pixels along a side of the square: odd, at most 1025.

--- Median of the pixels around each pixel.
---
--- Keeps edges where a mean blurs them, and is not moved by single bright or dark pixels. It is exact: of an even number
--- of pixels it is the mean of the middle two. Cost grows with the radius, not with its square.
---
--- **Errors.** A missing, negative or too large radius; metres on an image without a CRS; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of the median. A masked pixel stays masked.
---
--- **Source.** Tukey 1977, Exploratory Data Analysis. The kernel is that of Earth Engine's `Kernel.circle`. Searching ranks
--- instead of values: Suomela 2014, arXiv:1406.1717.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local grid = raster.grid { rows = 3, cols = 3 }
--- local image = raster.from_table(grid, { { 1, 2, 3 }, { 4, 500, 6 }, { 7, 8, 9 } })
--- local smooth = filter.focal_median(image, { radius = 1, shape = "square" })
--- assert(smooth:read():totable()[2][2] == 6)
--- ```
---@param raster Raster
---@param options filter.FocalOptions
---@return Raster
function filter.focal_median(raster, options) end

--- Mean of the pixels around each pixel.
---
--- The sum is taken in double precision. A mean of decibels is not the mean of the powers: convert with `:to_power()`
--- first where that is wanted.
---
--- **Errors.** A missing, negative or too large radius; metres on an image without a CRS; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of the mean. A masked pixel stays masked.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1, 2, 6 } })
--- assert(filter.focal_mean(image, { radius = 1 }):read():totable()[1][2] == 3)
--- ```
---@param raster Raster
---@param options filter.FocalOptions
---@return Raster
function filter.focal_mean(raster, options) end

--- Smallest of the pixels around each pixel: erosion, for masks and classes.
---
--- Integer types of up to 16 bits stay as they are.
---
--- **Errors.** A missing, negative or too large radius; metres on an image without a CRS; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out. A masked pixel stays masked.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 5, 2, 6 } })
--- assert(filter.focal_min(image, { radius = 1 }):read():totable()[1][1] == 2)
--- ```
---@param raster Raster
---@param options filter.FocalOptions
---@return Raster
function filter.focal_min(raster, options) end

--- Largest of the pixels around each pixel: dilation, for masks and classes.
---
--- Integer types of up to 16 bits stay as they are.
---
--- **Errors.** A missing, negative or too large radius; metres on an image without a CRS; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out. A masked pixel stays masked.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 5, 2, 6 } })
--- assert(filter.focal_max(image, { radius = 1 }):read():totable()[1][2] == 6)
--- ```
---@param raster Raster
---@param options filter.FocalOptions
---@return Raster
function filter.focal_max(raster, options) end

--- Standard deviation of the pixels around each pixel: a measure of texture.
---
--- It is that of the population (divided by n), as Earth Engine's `stdDev` and numpy's `std`; of one pixel it is 0. It
--- stays exact where the spread is tiny compared with the mean.
---
--- **Errors.** A missing, negative or too large radius; metres on an image without a CRS; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out. A masked pixel stays masked.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 2 }, { { 1, 3 } })
--- assert(filter.focal_std(image, { radius = 1 }):read():totable()[1][1] == 1)
--- ```
---@param raster Raster
---@param options filter.FocalOptions
---@return Raster
function filter.focal_std(raster, options) end

--- Most frequent value of the pixels around each pixel: a majority filter, for classes.
---
--- Of values that are equally frequent it is the smallest. Values are compared exactly, so round continuous
--- values first. Integer types of up to 16 bits stay as they are.
---
--- **Errors.** A missing, negative or too large radius; metres on an image without a CRS; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out. A masked pixel stays masked.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 4, 7, 4 } })
--- assert(filter.focal_mode(image, { radius = 1 }):read():totable()[1][2] == 4)
--- ```
---@param raster Raster
---@param options filter.FocalOptions
---@return Raster
function filter.focal_mode(raster, options) end

--- A percentile of the pixels around each pixel.
---
--- Between two pixels it is interpolated linearly: of n pixels in order it is the value at place
--- (n − 1) · percentile / 100, counted from 0, as numpy's `percentile` does.
---
--- **Errors.** A percentile outside 0 … 100; a missing, negative or too large radius; metres on an image without a
--- CRS; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out. A masked pixel stays masked.
---
--- **Source.** Hyndman and Fan 1996, Sample quantiles in statistical packages, definition 7, doi:10.1080/00031305.1996.10473566.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 10, 20, 40 } })
--- local upper = filter.focal_percentile(image, { radius = 1, percentile = 75 })
--- assert(upper:read():totable()[1][2] == 30)
--- ```
---@param raster Raster
---@param options filter.PercentileOptions
---@return Raster
function filter.focal_percentile(raster, options) end

--- Mean of a square of size × size pixels around each pixel.
---
--- The plainest speckle filter: it multiplies the number of looks by up to size² and the pixel spacing that can be
--- resolved by size. `filter.focal_mean` with a square of radius (size − 1) / 2 is the same.
---
--- **Errors.** A missing, even or too large size; complex bands.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of the mean. A masked pixel stays masked.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 3, 6, 9 } })
--- assert(filter.boxcar(image, { size = 3 }):read():totable()[1][1] == 4.5)
--- ```
---@param raster Raster
---@param options filter.BoxcarOptions
---@return Raster
function filter.boxcar(raster, options) end

return filter
