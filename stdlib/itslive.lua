--- ITS_LIVE: NASA's archive of glacier velocities. Opens its granules as a stack, tells years, seasons and trends, and writes velocities as granules.
---
--- Speeds are metres a year on the ground: the archive takes the scale of the map out (`map_scale_corrected`), so that nothing has to be divided by
--- it. `vx` and `vy` lie along the axes of the projection; in another projection they are turned, and no longer or shorter.
---@class itslive
local M = {}

local library = require "library"
-- Of each stack that was opened, as long as somebody has it.
local reports = setmetatable({}, { __mode = "k" })
local scenes, writing, opening = require "itslive.scenes", require "itslive.write", require "itslive.open"
local cubes = require "itslive.cubes"
local over_time, figures = require "itslive.over_time", require "itslive.figures"
local rotate, synthetic = require "itslive.rotate", require "itslive.synthetic"

--- The name of a granule: both scenes, the grid's spacing in metres, the version, the share of nodes with a velocity.
---
--- ```lua
--- local itslive = require "itslive"
--- local name = itslive.granule_name("LT05_L1GS_219121_19841206_20200918_02_T2",
---   "LT05_L1GS_226120_19850124_20200918_02_T2", 120, 0)
--- assert(name == "LT05_L1GS_219121_19841206_20200918_02_T2_X_LT05_L1GS_226120_19850124_20200918_02_T2_G0120V02_P000.nc")
--- ```
---@param reference string Scene id.
---@param secondary string Scene id.
---@param spacing number Metres from node to node.
---@param percent number Nodes with a velocity, 0 to 100.
---@return string
function M.granule_name(reference, secondary, spacing, percent)
  return scenes.granule_name(reference, secondary, spacing, percent)
end

--- What a scene's id tells, as the attributes of a granule name it; Landsat's Collection ids tell all of it.
---
--- ```lua
--- local itslive = require "itslive"
--- local scene = itslive.scene("LE07_L1TP_140041_20001030_20200917_02_T1")
--- assert(scene.satellite == "7" and scene.path == 140 and scene.row == 41 and scene.date == "2000-10-30")
--- assert(itslive.scene("my_image").satellite == nil)
--- ```
---@param id string
---@return { id: string, mission: string?, sensor: string?, satellite: string?, correction_level: string?, path: number?, row: number?, date: string?, processing_date: string?, collection_number: number?, collection_category: string? }
function M.scene(id)
  return scenes.scene(id)
end

---@class itslive.WriteOptions
---@field path? string File to write. Default: the granule's name in `folder`.
---@field folder? string Default the working folder.
---@field reference_id string Id of the reference scene.
---@field secondary_id string Id of the secondary scene.
---@field attributes? table<string, string|number> Attributes of the file, beside title, conventions and date.

--- Writes a pair's velocities as a NetCDF granule with the variables and attributes of ITS_LIVE version 2. Returns the path.
---
--- Variables: `vx`, `vy`, `v`, `v_error` (int16, m/yr, −32767 where masked), `chip_size_width` and `chip_size_height` (uint16, m),
--- `interp_mask` (uint8), with the records `mapping` and `img_pair_info`. Readers of ITS_LIVE's granules read it as theirs.
---
--- **Errors.** Velocities or offsets without their bands, or on different grids; degrees, which granules do not have.
---
--- ```lua
--- local raster, correlation, itslive = require "raster", require "correlation", require "itslive"
--- local grid = raster.grid { crs = "EPSG:3413", origin = { -200000, -2200000 }, resolution = 15, rows = 256, cols = 256 }
--- local first = raster.random(grid, { distribution = "smooth", scale = 3 })
--- local second = first:shift { cols = 2, rows = 1 }
--- local offsets = correlation.autorift(first, second, { chip = 16, search = 8 })
--- local velocity = correlation.velocity(offsets, { reference_time = "2020-03-01", secondary_time = "2020-04-02" })
--- local path = itslive.write(velocity, offsets, { reference_id = "A", secondary_id = "B" })
--- assert(path:match "A_X_B_G0240V02_P%d%d%d.nc")
--- ```
---@param velocity Raster Of `correlation.velocity`.
---@param offsets Raster Of `correlation.autorift`, that the velocities were made of.
---@param options itslive.WriteOptions
---@return string path
function M.write(velocity, offsets, options)
  return writing.write(velocity, offsets, library.options("itslive.write", options))
end

---@class itslive.OpenOptions
---@field polygon? string|Geometry|Features Pixels outside are masked, and the grid ends where it ends: a vector file, GeoJSON text, or a shape.
---@field projections? "most_common"|"all" Of granules in several: only those in the projection that most have, or all on its grid, with their vectors turned. Default `"all"`.
---@field grid? Grid|Raster Where all images come to lie. Default: the pixels of most granules, over all of them.
---@field resolution? number Pixels of another size, m. Above 0.
---@field satellites? string|string[] Only pairs of these, as names have them (`LC08`, `S1A`); the beginning is enough (`L`, `S1`).
---@field min_separation? number Days between the images at least. At least 0.
---@field max_separation? number Days at most. At least 0.
---@field max_error? number Largest error, m/yr, of pixels that stay; granules whose own is larger are left out. Above 0.
---@field interpolated? "keep"|"drop" Values that were interpolated (`interp_mask`). Default `"keep"`.
---@field valid_percent? number Least share of pixels with a velocity: in the polygon, where there is one, else as the granule says. From 0 to 100.
---@field start? string First day, month or year of the mid-date: `2018-10-01`.
---@field stop? string Last one, itself included.
---@field months? integer|integer[] Months of the mid-date. From 1 to 12.
---@field empty? "skip"|"error" What to do with granules without any velocity. Default `"skip"`.
---@field duplicates? "newest"|"error"|"all" What to do with granules of one pair in one projection. Default `"newest"`.
---@field unreadable? "error"|"skip" What to do with damaged files and those that are no granules. Default `"error"`.
---@field displacement_error? number Error of displacements, m, for granules that tell no error; theirs is it divided by the separation. Default: the median of those that tell one. Above 0.

---@class itslive.Report
---@field found integer How many granules there were.
---@field kept integer How many became images.
---@field dropped { reason: string, count: integer, names: string[] }[] Those left out, by what they were.
---@field projections { crs: string, count: integer }[] Those of the granules that passed, the most common first.
---@field notes string[] What should be known.

--- Opens granules of versions 1 and 2 as a stack in order of time, all on one grid. No pixel is read but of granules that say they are empty.
---
--- `source` is a folder, a pattern (`"data/**/*V02*.nc"`), a list of paths or addresses, or items of `catalog.itslive`. Each image has the bands `vx`, `vy`, `v`
--- and `v_error` (m/yr), as time the middle of its pair, and the properties `reference_time`, `secondary_time`, `date_dt` (days between them), `platform`,
--- `percent_valid`, `version`, `source_crs`, `name` and `path`. `v_error` is that of the pixels, or of the granule where it has none by pixel (version 1:
--- the RMSE over stable ground).
---
--- Granules whose pixels lie on the lattice of most are moved by whole pixels, others are resampled (`vx` and `vy`, of which `v` is made again).
--- With `projections = "all"` vectors are turned by the angle between the axes of both projections at each pixel, which is taken from the derivatives of the
--- coordinates; lengths stay, since speeds are those on the ground.
---
--- **Errors.** No granules; NetCDF that is none, or is damaged, unless skipped; units other than metres a year; filters that leave nothing, with what each took; a
--- polygon beside all granules, with where both lie.
---
--- **Nodata.** `_FillValue`, `missing_value`, and ±32767 where no attribute declares it; negative speeds; what lies outside the polygon.
---
--- **Source.** Gardner et al. 2018, doi:10.5194/tc-12-521-2018; Lei et al. 2021, doi:10.3390/rs13040749.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 4, size = 16 })
--- local stack = itslive.open_granules("granules", { max_separation = 32, projections = "all" })
--- assert(#stack == 3 and stack[1].vx.units.vx == "m/yr" and stack[1].date_dt <= 32)
--- ```
---@param source string|table|Items
---@param options? itslive.OpenOptions
---@return Stack stack
function M.open_granules(source, options)
  local stack, report = opening.granules(source, library.options("itslive.open_granules", options))
  reports[stack] = report
  return stack
end

---@class itslive.CubeOptions
---@field catalogue? string File or address of the archive's catalogue of cubes, as `catalog.itslive_cubes` takes it. Default: the archive's.
---@field polygon? string|Geometry|Features Pixels outside are masked, and the grid ends where it ends. Default: the area that cubes are looked for in, if it is one.
---@field projections? "most_common"|"all" Of cubes in several: only those in the projection that most layers have, or all on its grid, with their vectors turned. Default `"all"`.
---@field grid? Grid|Raster Where all images come to lie. Default: the pixels of the cubes, over all of them.
---@field resolution? number Pixels of another size, m. Above 0.
---@field satellites? string|string[] Only pairs of these (`LC08`, `S1A`); the beginning is enough (`L`, `S1`).
---@field min_separation? number Days between the images at least. At least 0.
---@field max_separation? number Days at most. At least 0.
---@field max_error? number Largest error, m/yr, of pixels that stay; layers whose own is larger are left out. Above 0.
---@field interpolated? "keep"|"drop" Values that were interpolated (`interp_mask`). Default `"keep"`.
---@field valid_percent? number Least share of pixels with a velocity: in the polygon, where there is one, else as the cube says. From 0 to 100.
---@field start? string First day, month or year of the mid-date: `2018-10-01`.
---@field stop? string Last one, itself included.
---@field months? integer|integer[] Months of the mid-date. From 1 to 12.

--- Opens Zarr cubes of the archive as a stack in order of time, all on one grid, with the bands and properties of `itslive.open_granules`: what takes the one takes the other. No pixel is read.
---
--- `source` is the path or address of a cube, a list of them, or a place `{ longitude, latitude }` or an area, whose cubes the catalogue tells. A layer of a cube is one pair. Filters go by what the cube says of its layers, so
--- that chunks of pixels are fetched of those alone that are looked at, and each once for all of its layers. A pair that several cubes hold, one layer in each, becomes one image; `name` is the cube's name and the layer's number
--- (in order of the file, from 1).
---
--- **Errors.** No cube there; a Zarr without `vx` and `vy` over time; units other than metres a year; layers of whose times nothing is told; filters that leave nothing, with what each took; a polygon beside all cubes.
---
--- **Nodata.** As `itslive.open_granules`.
---
--- **Source.** The cubes are those of ITS_LIVE version 2, <https://its-live.jpl.nasa.gov>; Gardner et al. 2018, doi:10.5194/tc-12-521-2018.
---
--- ```lua
--- local itslive, fs = require "itslive", require "fs"
--- local ok, why = pcall(itslive.open_cubes, { -49.0, 69.2 }, { catalogue = fs.write("cubes.json", '{ "features": [] }') or "cubes.json" })
--- assert(not ok and tostring(why):find "no cube at %-49, 69.2")
--- ```
---@param source string|table|Geometry|Features
---@param options? itslive.CubeOptions
---@return Stack stack
function M.open_cubes(source, options)
  local stack, report = cubes.cubes(source, library.options("itslive.open_cubes", options))
  reports[stack] = report
  return stack
end

--- What became of the granules, or layers of cubes, that a stack was opened of: how many there were, which were left out and why, their projections, notes.
---
--- **Errors.** A stack that is not the one which `itslive.open_granules` or `itslive.open_cubes` gave, such as one that was filtered since.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 4, size = 16 })
--- local report = itslive.report(itslive.open_granules("granules", { max_separation = 32 }))
--- assert(report.found == 4 and report.kept == 3 and report.dropped[1].reason == "of a longer separation")
--- ```
---@param stack Stack
---@return itslive.Report report
function M.report(stack)
  return reports[stack]
    or library.fail "itslive.report: needs the stack as `itslive.open_granules` or `itslive.open_cubes` gave it, before anything was made of it"
end

--- Speed of `vx` and `vy`, in their unit.
---
--- Of means: the mean of speeds is larger than the speed of the mean where there is noise, so that components are averaged first.
---
--- ```lua
--- local raster, itslive = require "raster", require "itslive"
--- local one = raster.constant(raster.grid { rows = 1, cols = 1 }, 3)
--- assert(itslive.speed(raster.bands(one:rename "vx", (one + 1):rename "vy")):stats().v.mean == 5)
--- ```
---@generic T: Raster|Stack
---@param velocity T
---@return T speed one band, `v`
function M.speed(velocity)
  if pcall(function() return #velocity end) then return velocity:map(M.speed) end
  local x, y = velocity:select "vx", velocity:select "vy"
  return (x * x + y * y):sqrt():rename "v":set_unit(x.units.vx)
end

--- An image with `vx` and `vy` on a grid in another projection: resampled, and turned by the angle between the axes at each pixel.
---
--- Speeds stay what they are on the ground. Between projections that are not conformal, the turn is the rotation that comes nearest.
---
--- **Errors.** An image or a grid without CRS.
---
--- **Nodata.** As `Raster:align`.
---
--- ```lua
--- local raster, itslive = require "raster", require "itslive"
--- local polar = raster.grid { crs = "EPSG:3413", origin = { -180000, -2270000 }, resolution = 120, rows = 20, cols = 20 }
--- local image = raster.bands(raster.constant(polar, 100):rename "vx", raster.constant(polar, 0):rename "vy")
--- local utm = itslive.rotate(image, polar:reproject { crs = "EPSG:32622", resolution = 120 })
--- assert(math.abs(itslive.speed(utm):stats().v.mean - 100) < 1e-3 and utm:stats().vy.mean > 5)
--- ```
---@param image Raster
---@param grid Grid|Raster
---@return Raster turned
function M.rotate(image, grid)
  return rotate.onto(image, rotate.grid_of(grid))
end

---@class itslive.YearlyOptions
---@field reducer? "mean"|"median" Medians are of the components. Default `"mean"`.
---@field weight? "error"|"none" Weigh by 1 / `v_error`². Medians with `"none"` are of the pairs whose mid-date lies in the year. Default `"error"`.
---@field time? "overlap"|"mid_date" Where it is weighed: each pair counts in all years that it spans, by the share of its span in them, or wholly in that of its middle. Default `"overlap"`.
---@field years? integer[] Default: all that pairs span.
---@field least? integer Pixels of fewer pairs are masked. At least 1. Default 1.

--- An image for each year: `vx`, `vy`, `v` (of these), `v_error`, `v_std_error` and `count`.
---
--- Weights are share of the span / `v_error`². `v_error` is what the errors of the pairs make of the mean; `v_std_error` is the standard error from how the pairs
--- scatter along the flow, which holds also what errors do not know of, such as seasons that are sampled unevenly. Of medians it is √(π/2) · 1.4826 · MAD / √n,
--- with (Σ w)² / Σ w² for n where they are weighted, and `v_error` is √(π/2) times that of the mean (`Stack:weighted_median`).
---
--- **Errors.** Images without `vx` and `vy`, without `v_error` where it weighs, or without a time; years without pairs.
---
--- **Nodata.** Masked pixels drop out. `v_std_error` is masked where one pair is left (of medians two), `v_error` where nothing weighs.
---
--- **Source.** Bevington and Robinson, Data Reduction and Error Analysis for the Physical Sciences, 2003, chapter 4.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 8, size = 16, interval = 60 })
--- local years = itslive.yearly(itslive.open_granules("granules"))
--- assert(years[1].year == 2015 and years[1].bands[3] == "v")
--- ```
---@param stack Stack
---@param options? itslive.YearlyOptions
---@return Stack years
function M.yearly(stack, options)
  return over_time.yearly("itslive.yearly", stack, library.options("itslive.yearly", options))
end

---@class itslive.OutlierOptions
---@field deviations? number Robust standard deviations (1.4826 · MAD) from the median that stay. Above 0. Default 4.
---@field floor? number Differences up to this stay, m/yr. At least 0. Default 50.
---@field around? Raster `vx` and `vy` that were computed before, in place of the medians.
---@field spread? Raster Their median absolute deviations, computed before.

--- The stack without pixels of which `vx` or `vy` lies far from the median over all images.
---
--- Medians hold a tile of every image. Where much is computed of the result, write the medians to a file first, and give them as `around` and `spread`.
---
--- **Source.** Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 9, size = 16, outliers = 0.05 })
--- local stack = itslive.open_granules("granules")
--- local clean = itslive.mask_outliers(stack, { deviations = 5 })
--- assert(clean[1]:stats().vx.count < stack[1]:stats().vx.count)
--- ```
---@param stack Stack
---@param options? itslive.OutlierOptions
---@return Stack
function M.mask_outliers(stack, options)
  return over_time.mask_outliers("itslive.mask_outliers", stack, library.options("itslive.mask_outliers", options))
end

---@class itslive.AlongFlowOptions
---@field direction? Raster `vx` and `vy` of the direction. Default: the mean over the stack, by errors.

--- Velocities along the mean flow: a stack of `v` (and `v_error`). Noise has the mean 0 in it, which in speeds it has not.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 4, size = 16 })
--- local v = itslive.along_flow(itslive.open_granules("granules"))
--- assert(v.bands[1] == "v")
--- ```
---@param stack Stack
---@param options? itslive.AlongFlowOptions
---@return Stack
function M.along_flow(stack, options)
  return over_time.along_flow("itslive.along_flow", stack, library.options("itslive.along_flow", options))
end

---@class itslive.SeasonalOptions
---@field weight? "error"|"none" Weigh by 1 / `v_error`². Default `"error"`.
---@field of? "along_flow"|"speed" Of velocities along the mean flow, or of the band `v` as it is. Default `"along_flow"`.
---@field spans? boolean Take each pair for the mean over its span, as it is; else for the velocity in its middle, as `Stack:harmonics` does, which flattens seasons. Default true.
---@field direction? Raster `vx` and `vy` of the flow, as `itslive.along_flow` takes it.

--- A line and the wave of a year through each pixel's velocities, by weighted least squares.
---
--- A pair of d days sees the mean over its span: the wave in its middle, lower by sin(πd/365.25) / (πd/365.25): 1 % at 30 days, 16 % at 120. That is in the model,
--- so that long and short pairs tell one amplitude. Bands: `v_mean` (the line at the mean of the times), `v_slope` (m/yr a year), `v_annual_amplitude` (half of what
--- the wave goes up and down), `v_annual_phase` (days after the beginning of a year at which it is highest), both with `_std_error`, `v_residual` (of
--- weighted values in units of their errors) and `count`.
---
--- **Errors.** Fewer than five images; images without a time, or without `v_error` where it weighs.
---
--- **Nodata.** Masked where fewer than five values are left, or where their times do not tell the terms apart.
---
--- **Source.** Greene et al. 2020, doi:10.5194/tc-14-4365-2020.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 30, size = 16, interval = 24, gaps = 0, outliers = 0, noise = 0 })
--- local fit = itslive.seasonal(itslive.open_granules("granules"))
--- assert(math.abs(fit.v_annual_phase:percentile(50) - 200) < 20)
--- ```
---@param stack Stack
---@param options? itslive.SeasonalOptions
---@return Raster
function M.seasonal(stack, options)
  return over_time.seasonal("itslive.seasonal", stack, library.options("itslive.seasonal", options))
end

--- The trend of `v`: Theil and Sen's slope (m/yr a year) with its bounds of 95 %, `v_slope`, `v_slope_low`, `v_slope_high`, and Mann and Kendall's test, `v_tau` and
--- `v_p_value`. The test takes values as independent, so that it is one for yearly means rather than for pairs, which share images.
---
--- **Errors.** Fewer than three images; no band `v`.
---
--- **Source.** As `Stack:theil_sen` and `Stack:mann_kendall`.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 24, size = 16, interval = 60, gaps = 0 })
--- local trend = itslive.trend(itslive.yearly(itslive.open_granules("granules")))
--- assert(trend.v_slope:stats().v_slope.max > 0)
--- ```
---@param yearly Stack
---@return Raster
function M.trend(yearly)
  return over_time.trend("itslive.trend", yearly)
end

---@class itslive.SeriesOptions
---@field crs? string|integer Of the points. Default the images' own.
---@field resampling? "nearest"|"bilinear"|"cubic" The pixel that holds the point, or a value between pixel centres. Default `"nearest"`.

--- Velocities at points over time: a row for each image that has one there, by `point` and `time`, with the bands, `reference_time`, `secondary_time`, `date_dt`
--- and `platform`, and what else the points say (`name`).
---
--- **Errors.** Points of which none lies in the images, or at which no image has a velocity.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 4, size = 16, gaps = 0 })
--- local series = itslive.series(itslive.open_granules("granules"), { { x = -49.3, y = 69.15, name = "front" } }, { crs = "EPSG:4326" })
--- assert(series[1].name == "front" and series[1].v > 0 and series.types.time == "time")
--- ```
---@param stack Stack
---@param points (number[]|table)[]|Features
---@param options? itslive.SeriesOptions
---@return Table
function M.series(stack, points, options)
  return figures.series("itslive.series", stack, points, library.options("itslive.series", options))
end

---@class itslive.FigureOptions
---@field title? string Above the panels.
---@field dpi? number Pixels an inch. From 1 to 4800. Default 200.
---@field yearly? Table Of series: the same of yearly means, drawn as a line.
---@field min? number Of maps: the value of the first colour. Default 0.
---@field max? number Of maps: the value of the last colour.
---@field cols? integer Of maps: panels in a row. At least 1.
---@field letters? boolean Of maps: panels are called (a), (b), (c)… Default false.

--- Draws a table of `itslive.series`: a panel for each point, pairs with their errors, and yearly means where they are given.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 4, size = 16, gaps = 0 })
--- local series = itslive.series(itslive.open_granules("granules"), { { -49.3, 69.15 } }, { crs = "EPSG:4326" })
--- itslive.plot_series(series, { dpi = 50 }):write("series.png")
--- ```
---@param series Table
---@param options? itslive.FigureOptions
---@return Figure
function M.plot_series(series, options)
  return figures.plot_series("itslive.plot_series", series, library.options("itslive.plot_series", options))
end

---@class itslive.FlowLineOptions
---@field crs? string|integer Of the line, where it has none itself. Default the images' own.
---@field step? number Most metres from one place to the next. Above 0. Default a pixel.

--- Speeds along a line over time: a row for each image and place with `time`, `distance_m` from the line's start, `x`, `y` and `v`.
---
--- **Errors.** A line of which no place lies in the images.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 4, size = 16, gaps = 0 })
--- local years = itslive.yearly(itslive.open_granules("granules"))
--- local profile = itslive.flow_line(years, { { -49.29, 69.15 }, { -49.31, 69.15 } }, { crs = "EPSG:4326" })
--- itslive.plot_flow_line(profile, { dpi = 50 }):write("flow_line.png")
--- assert(profile[1].distance_m == 0)
--- ```
---@param stack Stack
---@param line number[][]|Geometry|Features
---@param options? itslive.FlowLineOptions
---@return Table
function M.flow_line(stack, line, options)
  return figures.flow_line("itslive.flow_line", stack, line, library.options("itslive.flow_line", options))
end

--- Draws a table of `itslive.flow_line`: time to the right, distance upward, speed as colour.
---@param profile Table
---@param options? itslive.FigureOptions
---@return Figure
function M.plot_flow_line(profile, options)
  return figures.plot_flow_line("itslive.plot_flow_line", profile, library.options("itslive.plot_flow_line", options))
end

--- Draws a stack of `itslive.yearly` as small multiples with one colour bar.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 8, size = 16, interval = 60 })
--- itslive.plot_years(itslive.yearly(itslive.open_granules("granules")), { dpi = 50 }):write("years.png")
--- ```
---@param yearly Stack
---@param options? itslive.FigureOptions
---@return Figure
function M.plot_years(yearly, options)
  return figures.plot_years("itslive.plot_years", yearly, library.options("itslive.plot_years", options))
end

---@class itslive.HistogramOptions
---@field bins? integer How many of equal width. At least 1. Default 100.
---@field max? number Where the last one ends, m/yr. Above 0. Default: the largest speed.

--- How many pixels of all images have which speed: a row for each bin with `from`, `to` and `count`; where some are faster than `max`, a last row without `to`.
---
--- ```lua
--- local itslive = require "itslive"
--- itslive.make_granules("granules", { count = 4, size = 16, gaps = 0 })
--- local histogram = itslive.histogram(itslive.open_granules("granules"), { bins = 10 })
--- assert(#histogram == 10)
--- itslive.plot_histogram(histogram, { dpi = 50 }):write("histogram.png")
--- ```
---@param stack Stack
---@param options? itslive.HistogramOptions
---@return Table histogram
function M.histogram(stack, options)
  return figures.histogram("itslive.histogram", stack, library.options("itslive.histogram", options))
end

--- Draws a table of `itslive.histogram`.
---@param histogram Table
---@param options? itslive.FigureOptions
---@return Figure
function M.plot_histogram(histogram, options)
  return figures.plot_histogram("itslive.plot_histogram", histogram, library.options("itslive.plot_histogram", options))
end

---@class itslive.MakeOptions
---@field count? integer Granules. At least 1. Default 24.
---@field start? string First day. Default `"2015-01-01"`.
---@field interval? integer Days from one granule to the next. At least 1. Default 16.
---@field separations? integer[] Days between the images of a pair, in turn. From 1 to 1000. Default `{ 16, 32, 48 }`.
---@field size? integer Rows and columns. At least 8. Default 96.
---@field spacing? integer Metres from pixel to pixel, of version 1 twice as many. At least 1. Default 120.
---@field version? "1"|"2"|"both" Layout; of both every third is of version 1. Default `"both"`.
---@field other_projection? integer Every so manieth is in UTM (zone 22N) rather than polar stereographic (EPSG:3413). 0 for none. At least 0. Default 5.
---@field speed? number At the front, m/yr. At least 100. Default 6000.
---@field amplitude? number Of the seasons at the front, as a part of the speed. From 0 to 1. Default 0.15.
---@field phase? number Day of the year of the highest speed. From 0 to 366. Default 200.
---@field trend? number Part of the speed at the start that is added a year. From -1 to 1. Default 0.02.
---@field noise? number Standard deviation of displacements, m, in each component. At least 0. Default 2.
---@field gaps? number Part of the pixels without a velocity. From 0 to 0.9. Default 0.15.
---@field outliers? number Part that is wrong by up to 4 km a year. From 0 to 0.5. Default 0.01.
---@field lon? number Of the middle. From -60 to -30. Default -49.3.
---@field lat? number Of the middle. From 60 to 80. Default 69.15.
---@field seed? integer Another seed, other noise. At least 0. Default 1.

--- Makes granules of a glacier whose velocities are known, for trials and tests: a trunk that turns, faster toward its front in the west, with a season, a trend,
--- noise, gaps and outliers; versions 1 and 2, two projections.
---
--- Each pair is the mean of the flow over its span. Beside the granules lie `granules.csv`, which is returned, and `truth.tif`: `speed` (at the start),
--- `annual_amplitude`, `slope`, and the direction `ux`, `uy` along the axes of EPSG:3413.
---
--- ```lua
--- local itslive, raster = require "itslive", require "raster"
--- local made = itslive.make_granules("granules", { count = 2, size = 16 })
--- assert(#made == 2 and raster.open("granules/truth.tif").bands[1] == "speed")
--- ```
---@param folder string
---@param options? itslive.MakeOptions
---@return Table granules
function M.make_granules(folder, options)
  return synthetic.make("itslive.make_granules", folder, library.options("itslive.make_granules", options))
end

return M
