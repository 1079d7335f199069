---@meta correlation

--- Offsets between images: how far, and how surely, each piece of one image lies elsewhere in another.
---
--- Offsets are in pixels, x across (to the right) and y down; position in the reference + offset = position in the
--- secondary. What has no answer is NaN with a reason, never 0.
---@class correlation
local correlation = {}

---@class correlation.InvertOptions
---@field dates? integer How many dates there are. Default: the largest number in `pairs`.
---@field reference? integer The date at which the series is 0, from 1. Default 1.
---@field weights? number[] One a pair, proportional to the inverse variance. Default 1 for all.
---@field robust? boolean Huber's estimate by iterated reweighting, so that blunders lose their pull. Default false.
---@field tuning? number Of the robust fit: residuals beyond this many standard deviations pull no harder. Default 1.345.

---@class correlation.Inversion
---@field series number[] One value a date; NaN for dates that no chain of measured pairs joins to the reference.
---@field sigma number[] Standard errors of the series, from the spread of the residuals; NaN without redundancy.
---@field residuals number[] Measured − fitted, one a pair; NaN where there was no value.
---@field factors number[] What the robust fit made of the weights, 0 to 1.
---@field rms number Weighted root mean square of the residuals.
---@field redundancy integer Measured pairs minus unknowns.
---@field iterations integer

--- The series over dates that fits what was measured between pairs of them best: values[k] = series[secondary] −
--- series[reference], by (weighted or robust) least squares.
---
--- **Errors.** Lists of different lengths; dates that are not there; weights that are not positive.
---
--- **Nodata.** Pairs whose value is NaN or false take no part.
---
--- **Source.** Berardino et al. 2002, IEEE TGRS 40(11), doi:10.1109/TGRS.2002.803792, eq. 10–12. Huber 1964,
--- doi:10.1214/aoms/1177703732; Holland and Welsch 1977, doi:10.1080/03610927708827533.
---
--- ```lua
--- local correlation = require "correlation"
--- local pairs = { { 1, 2 }, { 2, 3 }, { 1, 3 } }
--- local found = correlation.invert(pairs, { 1.0, 2.0, 3.3 })
--- assert(math.abs(found.series[3] - 3.2) < 1e-12 and math.abs(found.residuals[3] - 0.1) < 1e-12)
--- ```
---@param pairs table[] `{ reference, secondary }`, numbers of dates from 1; or with these names, as `network.pairs` gives them.
---@param values (number|false)[]
---@param options? correlation.InvertOptions
---@return correlation.Inversion
function correlation.invert(pairs, values, options) end

---@class correlation.PointTargetOptions
---@field search? integer How far from the place its brightest pixel may lie. Default 8.
---@field chip? integer Side of the square that is measured, even, 16 to 1024. Default 64.
---@field oversampling? integer Samples a pixel of the cuts through the peak, 4 to 256. Default 32.
---@field sidelobes? number How far from the peak sidelobes count, in widths of the main lobe. Default 10.
---@field guard? integer Half of the cross around the peak that is no clutter, in pixels. Default 8.

---@class correlation.PointTarget
---@field x number Place of the peak in pixels: whole numbers are centres of pixels.
---@field y number
---@field map_x number The same place in the CRS of the image.
---@field map_y number
---@field amplitude number
---@field phase number Of the peak, radians.
---@field width_x number Of the main lobe along the row at half power, pixels.
---@field width_y number Along the column.
---@field pslr_x_db number Largest sidelobe over the peak along the row.
---@field pslr_y_db number
---@field islr_x_db number Energy of the sidelobes over that of the main lobe, null to null, along the row.
---@field islr_y_db number
---@field scr_db number Power of the peak over the mean power of the clutter around it.
---@field reason string `ok`, `nodata` (masked pixels in the chip), `low_signal`, `edge` (the brightest pixel lies on the border of the search), `no_width`.

--- Measures a point target, such as a corner reflector: where its peak lies between the pixels, how wide it is, its
--- sidelobes, and how it stands out of the clutter.
---
--- The brightest pixel near the place is the middle of a chip, which is interpolated by the Fourier transform after its spectrum
--- was centred. A target that cannot be measured has NaN and a reason. Only the pixels around the place are read.
---
--- **Errors.** An image of several bands or a real one; a chip that is odd.
---
--- **Nodata.** A chip with masked pixels, or beyond the image, is not measured.
---
--- **Source.** Martínez and Marchand 1993, SAR image quality assessment, Revista de Teledetección 2; Cumming and Wong 2005,
--- Digital Processing of Synthetic Aperture Radar Data.
---
--- ```lua
--- local raster, filter, correlation = require "raster", require "filter", require "correlation"
--- local grid = raster.grid { rows = 96, cols = 96 }
--- local at = raster.coordinates(grid)
--- local point = (at.x:eq(48.5) & at.y:eq(48.5)):cast "float32"
--- local slc = filter.impulse_response(raster.complex(point, raster.constant(grid, 0)), { shift = { 0.25, -0.4 } })
--- local target = correlation.point_target(slc, 48, 48)
--- assert(math.abs(target.y - 48.25) < 0.005 and math.abs(target.x - 47.6) < 0.005)
--- ```
---@param slc Raster One complex band.
---@param x number Where the target is expected, in pixels.
---@param y number
---@param options? correlation.PointTargetOptions
---@return correlation.PointTarget
function correlation.point_target(slc, x, y, options) end

return correlation
