---@meta filter

--- Speckle and focal filters.
---
--- Each takes an image and gives a lazy image on the same grid, band by band; nothing is computed until the result is
--- written, read or drawn.
---@class filter
local filter = {}

---@class filter.FocalOptions
---@field radius number How far the kernel reaches from the centre of a pixel, at most 512 pixels. Fractions are allowed; below 1 pixel the kernel is the pixel itself. At least 0.
---@field unit? "px"|"m" Of the radius: pixels or metres. On a grid in degrees, metres are measured at the latitude of the grid's centre; where pixels are not square, the kernel becomes an ellipse or a rectangle of pixels. Default `"px"`.
---@field shape? "circle"|"square" `"circle"` is the disk dx² + dy² ≤ radius², its edge included: 317 pixels for radius 10. `"square"` is |dx| ≤ radius, |dy| ≤ radius. Default `"circle"`.

---@class filter.PercentileOptions: filter.FocalOptions
---@field percentile number 0 is the minimum, 50 the median, 100 the maximum. From 0 to 100.

---@class filter.BoxcarOptions
---@field size integer Pixels along a side of the square. Odd, from 1 to 1025.

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
--- Integer types stay as they are.
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
--- Integer types stay as they are.
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
--- values first. Integer types stay as they are.
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

---@class filter.LooksOptions
---@field looks number The equivalent number of looks of the image: mean² / variance of power over a homogeneous area. About 4.4 for Sentinel-1 IW ground range images; products of terrain correction have more. Above 0.
---@field size? integer Pixels along a side of the window. Odd, from 3 to 101. Default 7.

---@class filter.FrostOptions
---@field size? integer Pixels along a side of the window. Odd, from 3 to 101. Default 7.
---@field damping? number How fast weights fall off with distance: larger values keep more detail. At least 0. Default 2.

---@class filter.LeeSigmaOptions
---@field looks number The equivalent number of looks of the image. Above 0.
---@field size? integer Pixels along a side of the window; the paper uses 7, 9 and 11. Odd, from 5 to 101. Default 9.
---@field sigma? number The share of speckle that the range holds. From 0.1 to 0.99. Default 0.9.
---@field strong_percentile? number Pixels above this percentile of their band may be strong scatterers, which keep their power; 100 turns that off. From 0 to 100. Default 98.
---@field strong_power? number The same as a power, so that all images of a series share it and none has to be read beforehand.

---@class filter.TvOptions
---@field weight? number How closely the result follows the image: smaller weights smooth more. Above 0. Default 0.2.
---@field max_iterations? integer Sweeps at most. From 1 to 10000. Default 100.
---@field tolerance? number The sweeps end when the root mean square change of one is at most this, in units of the image. At least 0. Default 0.001.
---@field isotropic? boolean Whether edges of all directions count alike, or rows and columns are taken apart. Default true.

---@class filter.QueganOptions
---@field size? integer Pixels along a side of the window. Odd, from 3 to 101. Default 7.

--- Refined Lee speckle filter.
---
--- In the 7 × 7 window of a pixel it keeps the half that lies along the strongest edge, and weighs the pixel against the
--- mean of that half. The noise is estimated from the image itself, so there is nothing to set. It is the filter
--- that many scripts on Google Earth Engine carry, result for result. Power in, power out: a band in dB is an error.
---
--- **Errors.** Bands in dB or amplitude (convert with `:to_power()`); complex bands (`:power()`).
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of all statistics. The result is masked where
--- one of the nine pixels at offsets −2, 0 and 2 is masked or outside, so a border of two pixels is lost, and where
--- equal gradients leave the direction open, as in a constant area.
---
--- **Source.** Lee 1981, Refined filtering of image noise using local statistics, doi:10.1016/S0146-664X(81)80018-4; Lee and
--- Pottier 2009, Polarimetric Radar Imaging, chapter 5; the steps of the version in use on Earth Engine, after SNAP.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local rows = {}
--- for r = 1, 9 do
---   rows[r] = {}
---   for c = 1, 9 do rows[r][c] = 0.1 + 0.01 * ((7 * r + 5 * c) % 11) end
--- end
--- local image = raster.from_table(raster.grid { rows = 9, cols = 9 }, rows, { unit = "power" })
--- local smooth = filter.refined_lee(image)
--- assert(smooth:read():count() <= 25)
--- ```
---@param raster Raster In power.
---@return Raster
function filter.refined_lee(raster) end

--- Lee speckle filter.
---
--- Each pixel is weighed against the mean μ of its window: μ + w · (z − μ), w = 1 − μ² / (looks · v), v being the variance of
--- the window; where that varies no more than speckle does, the result is the mean.
---
--- **Errors.** Bands in dB or amplitude (convert with `:to_power()`); complex bands (`:power()`); missing looks; a
--- size that is even or out of range.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of the window. A masked pixel stays masked.
---
--- **Source.** Lee 1980, Digital image enhancement and noise filtering by use of local statistics,
--- doi:10.1109/TPAMI.1980.4766994; the weight as in Lopes, Touzi and Nezry 1990, doi:10.1109/36.62623.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local grid = raster.grid { rows = 3, cols = 3 }
--- local image = raster.from_table(grid, { { 4, 5, 4 }, { 5, 6, 5 }, { 4, 5, 4 } }, { unit = "power" })
--- local smooth = filter.lee(image, { looks = 4, size = 3 })
--- assert(math.abs(smooth:read():totable()[2][2] - 42 / 9) < 1e-6)
--- ```
---@param raster Raster In power.
---@param options filter.LooksOptions
---@return Raster
function filter.lee(raster, options) end

--- Kuan speckle filter.
---
--- As `filter.lee`, with the exact statistics of multiplicative noise in place of a linear model: the weight of the pixel is
--- smaller by the factor 1 / (1 + 1 / looks).
---
--- **Errors.** Bands in dB or amplitude (convert with `:to_power()`); complex bands (`:power()`); missing looks; a
--- size that is even or out of range.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of the window. A masked pixel stays masked.
---
--- **Source.** Kuan, Sawchuk, Strand and Chavel 1985, Adaptive noise smoothing filter for images with signal-dependent
--- noise, doi:10.1109/TPAMI.1985.4767641.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1, 1, 4 } }, { unit = "power" })
--- -- Mean 2 and variance 2: the weight is (1 − 4 / (4 · 2)) / (1 + 1 / 4) = 0.4.
--- local smooth = filter.kuan(image, { looks = 4, size = 3 })
--- assert(math.abs(smooth:read():totable()[1][2] - 1.6) < 1e-6)
--- ```
---@param raster Raster In power.
---@param options filter.LooksOptions
---@return Raster
function filter.kuan(raster, options) end

--- Gamma MAP speckle filter.
---
--- The most probable power of a pixel where both the scene and its speckle are gamma distributed. Windows that vary no more
--- than speckle become their mean; those that vary more than √2 times as much keep their pixel as it is.
---
--- **Errors.** Bands in dB or amplitude (convert with `:to_power()`); complex bands (`:power()`); missing looks; a
--- size that is even or out of range.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of the window. A masked pixel stays masked.
---
--- **Source.** Lopes, Nezry, Touzi and Laur 1990, Maximum a posteriori speckle filtering and first order texture models in
--- SAR images, IGARSS; 1993, Structure detection and statistical adaptive speckle filtering in SAR images,
--- doi:10.1080/01431169308953999.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 1, 1, 40 } }, { unit = "power" })
--- assert(filter.gamma_map(image, { looks = 4, size = 3 }):read():totable()[1][3] == 40)
--- ```
---@param raster Raster In power.
---@param options filter.LooksOptions
---@return Raster
function filter.gamma_map(raster, options) end

--- Frost speckle filter.
---
--- A mean in which a pixel at distance d (in pixels) has the weight exp(−damping · d · v / μ²), μ and v being the mean and
--- the variance of the window: wide in homogeneous areas, narrow at edges and points.
---
--- **Errors.** Bands in dB or amplitude (convert with `:to_power()`); complex bands (`:power()`); a size that is even or out
--- of range; a damping below 0.
---
--- **Nodata.** Masked pixels and pixels outside the image have no weight. A masked pixel stays masked.
---
--- **Source.** Frost, Stiles, Shanmugan and Holtzman 1982, A model for radar images and its application to adaptive
--- digital filtering of multiplicative noise, doi:10.1109/TPAMI.1982.4767223.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 3 }, { { 2, 3, 4 } }, { unit = "power" })
--- local smooth = filter.frost(image, { size = 3, damping = 0 }):read():totable()[1]
--- assert(smooth[2] == 3 and smooth[1] == 2.5)
--- ```
---@param raster Raster In power.
---@param options? filter.FrostOptions
---@return Raster
function filter.frost(raster, options) end

--- Improved Lee sigma speckle filter.
---
--- Averages those pixels of the window that speckle alone can explain, around a first guess from the 3 × 3 window, and weighs
--- the pixel against their mean. The range of what speckle explains follows from the looks and the share `sigma`, so that the
--- mean keeps its level. Strong scatterers (five or more pixels above the 98th percentile in a 3 × 3 window) keep their power.
---
--- The percentile belongs to the whole band: it is found by reading each band once more, when the first pixels are wanted. Give
--- `strong_power` instead where the threshold is known.
---
--- **Errors.** Bands in dB or amplitude (convert with `:to_power()`); complex bands (`:power()`); missing looks; sizes and shares
--- out of range; a percentile of a band that is masked everywhere.
---
--- **Nodata.** Masked pixels and pixels outside the image drop out of every window. A masked pixel stays masked.
---
--- **Source.** Lee, Wen, Ainsworth, Chen and Chen 2009, Improved sigma filter for speckle filtering of SAR imagery,
--- doi:10.1109/TGRS.2008.2002881.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 1, cols = 4 }, { { 1, 1.2, 0.9, 30 } }, { unit = "power" })
--- local smooth = filter.lee_sigma(image, { looks = 4, strong_percentile = 100 }):read():totable()[1]
--- -- The bright pixel is out of the range of the others, and they of its.
--- assert(smooth[1] < 1.2)
--- ```
---@param raster Raster In power.
---@param options filter.LeeSigmaOptions
---@return Raster
function filter.lee_sigma(raster, options) end

--- Total-variation denoising by the split Bregman method, as scikit-image's `denoise_tv_bregman`.
---
--- Smooths areas and keeps edges. It is made for additive noise of one strength, so radar images go through it in dB; any
--- unit is taken. The scene is solved as a whole, whatever its size: there are no tiles to see, and where the scene does not
--- fit the memory limit it is read three times instead.
---
--- **Errors.** Complex bands; a weight that is not above 0; a tolerance below 0; iterations out of range.
---
--- **Nodata.** A masked pixel stays masked and counts for nothing: no gradient crosses its edges. Without masked pixels
--- the result is scikit-image's, to the rounding of 32-bit numbers.
---
--- **Source.** Goldstein and Osher 2009, The split Bregman method for L1-regularized problems, doi:10.1137/080725891; Getreuer
--- 2012, doi:10.5201/ipol.2012.g-tvd; border, shrinkage and end of the iteration as in scikit-image 0.26.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local image = raster.from_table(raster.grid { rows = 2, cols = 4 }, { { -9, -11, -20, -21 }, { -10, -10, -21, -20 } }, { unit = "dB" })
--- local smooth = filter.tv_bregman(image, { weight = 0.2 }):read():totable()
--- assert(math.abs(smooth[1][1] - smooth[1][2]) < 1)
--- ```
---@param raster Raster
---@param options? filter.TvOptions
---@return Raster
function filter.tv_bregman(raster, options) end

--- Multi-temporal speckle filter of Quegan and Yu, for images of one place.
---
--- Each image keeps its own local mean, and what differs from it is averaged over all images: image k becomes
--- μₖ / N · Σᵢ Iᵢ / μᵢ. Details survive that a filter of one image would blur, and speckle falls with the number of images. The
--- bands of all images are filtered together by their place: first with first, second with second.
---
--- **Errors.** No image; images on different grids (use `stack:align()`) or with different bands; bands in dB or amplitude
--- (convert with `:to_power()`); complex bands; a size that is even or out of range.
---
--- **Nodata.** Footprints are respected: where an image is masked it stays masked and drops out of the others' average,
--- which then is over those that are there.
---
--- **Source.** Quegan and Yu 2001, Filtering of multichannel SAR images, doi:10.1109/36.964973.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local grid = raster.grid { rows = 1, cols = 3 }
--- local first = raster.from_table(grid, { { 1, 2, 3 } }, { unit = "power" })
--- local second = raster.from_table(grid, { { 30, 20, 10 } }, { unit = "power" })
--- local smooth = filter.quegan({ first, second }, { size = 3 })
--- assert(#smooth == 2 and math.abs(smooth[1]:read():totable()[1][2] - 2) < 1e-6)
--- ```
---@param images Stack|Raster[] In power, on one grid, with the same bands.
---@param options? filter.QueganOptions
---@return Stack
function filter.quegan(images, options) end

---@class filter.ImpulseResponseOptions
---@field bandwidth? number|number[] Processed bandwidth over sampling rate: one number, or `{ rows, cols }`. Above 0 and at most 1. Default 0.8.
---@field window? number|number[] Coefficient α of the spectral window α + (1 − α)·cos(2πf/B): 1 is none, 0.75 that of Sentinel-1 in range. From 0.5 to 1. Default 1.
---@field shift? number|number[] How far the content moves, in pixels, `{ rows, cols }`: to larger rows and columns where positive. From -4096 to 4096. Default 0.

--- A field of point scatterers as a focused radar images it: convolution with the impulse response, at any sub-pixel shift.
---
--- The response along each axis is B·[α·sinc(Bt) + (1 − α)/2·(sinc(Bt − 1) + sinc(Bt + 1))], tapered to zero at 16.5 pixels, and scaled
--- so that white noise keeps its power. Each output is the same continuous image sampled at its shift: two outputs of one field differ
--- by exactly the difference of their shifts, without interpolation. So offsets, coherence and point targets can be simulated whose truth is known.
---
--- **Errors.** Bands that are not complex; values outside the ranges above.
---
--- **Nodata.** Masked pixels, and those outside the image, are places without scatterers. No pixel of the result is masked.
---
--- **Source.** Cumming and Wong 2005, Digital Processing of Synthetic Aperture Radar Data, sections 3.3 and 3.4.
---
--- ```lua
--- local raster, filter = require "raster", require "filter"
--- local grid = raster.grid { rows = 64, cols = 64 }
--- local function normal(seed) return raster.random(grid, { distribution = "normal", seed = seed }) end
--- local scatterers = raster.complex(normal(1), normal(2))
--- local first = filter.impulse_response(scatterers, { bandwidth = { 0.7, 0.8 } })
--- local moved = filter.impulse_response(scatterers, { bandwidth = { 0.7, 0.8 }, shift = { 0.25, -0.5 } })
--- assert((moved - first):abs():read():mean() > 0.1)
--- ```
---@param raster Raster
---@param options? filter.ImpulseResponseOptions
---@return Raster
function filter.impulse_response(raster, options) end

return filter
