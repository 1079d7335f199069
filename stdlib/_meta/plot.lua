---@meta plot

--- Figures: maps and charts as PNG, SVG and PDF files and in the terminal.
---
--- `plot.map`, `plot.line` and the like make a figure of one panel in one call. `plot.figure` makes an empty page; its
--- method `axes` adds a panel, and the methods of that add what it shows. `figure:write(path)` writes a file,
--- `figure:show()` draws in the terminal. Pixels are read when a layer is added, at the resolution that the figure can show.
---
--- Colours are CSS names (`"steelblue"`), `"#rrggbb"`, `"#rrggbbaa"`, `"C0"` to `"C9"` (those that series take in turn), a
--- grey level (`"0.5"`), or `"none"`. Colour maps have matplotlib's names and values; `_r` at the end turns one round.
---@class plot
local plot = {}

---@alias Colormap "viridis"|"magma"|"inferno"|"plasma"|"cividis"|"turbo"|"twilight"|"Greys"|"Blues"|"Greens"|"Oranges"|"Purples"|"Reds"|"BuGn"|"BuPu"|"GnBu"|"OrRd"|"PuBu"|"PuBuGn"|"PuRd"|"RdPu"|"YlGn"|"YlGnBu"|"YlOrBr"|"YlOrRd"|"BrBG"|"PiYG"|"PRGn"|"PuOr"|"RdBu"|"RdGy"|"RdYlBu"|"RdYlGn"|"Spectral"|"gray"|"seismic"|"bwr"|"coolwarm"|"terrain"|"jet"|"hot"|"hsv"|"tab10"|"tab20"|string `_r` at the end turns one round.

---@class plot.SizeOptions
---@field width? number Inches. Above 0. Default: what the content needs, at most 6.4; more only where colour bars and legends would leave the panels less than half of that.
---@field height? number Inches. Above 0. Default: what the content needs, at most 8.
---@field dpi? number Pixels an inch; journals ask for 300 and more. From 1 to 4800. Default 150.
---@field font_size? number Points; titles and tick labels follow it. From 1 to 400. Default 9.

---@class plot.FigureOptions: plot.SizeOptions
---@field rows? integer Panels in a column. At least 1. Default 1.
---@field cols? integer Panels in a row. At least 1. Default 1.
---@field title? string Above all panels.
---@field letters? boolean Panels are called (a), (b), (c)… Default false.
---@field share_axes? boolean Tick labels at the outer panels only, where all have the same limits. Default true.
---@field color_bar? string One colour bar with this label for all panels, whose images then share colour map and limits.
---@field color_bar_side? "auto"|"right"|"bottom" Where it stands. `"auto"`: to the right, or below panels that are much wider than high. Default `"auto"`.

---@class plot.AxesOptions
---@field title? string Above the panel.
---@field x_label? string Quantity and unit: `"Distance (km)"`.
---@field y_label? string Quantity and unit.
---@field x_limits? (number|string)[] `{ first, last }`, numbers or times; the larger first turns the axis round.
---@field y_limits? (number|string)[] `{ first, last }`.
---@field x_scale? "linear"|"log"|"time" Default `"linear"`, or `"time"` where times are drawn. Times are in UTC.
---@field y_scale? "linear"|"log"|"time" Default `"linear"`, or `"time"` where times are drawn.
---@field x_ticks? number[]|boolean Where the axis has marks; false for none.
---@field y_ticks? number[]|boolean Where the axis has marks; false for none.
---@field grid? boolean Lines at the marks. Default false.
---@field legend? boolean|"auto"|"right"|"none"|"upper left"|"upper right"|"lower left"|"lower right" `"auto"` or true: the emptiest corner; for classes of maps beside the panel, or below it where a colour bar stands there. `"right"`: beside the panel. `"none"` or false: nowhere. Default `"auto"`.
---@field background? string Colour behind everything. Default `"white"`.
---@field lonlat? boolean Maps: mark longitude and latitude, whatever the CRS. Default false: kilometres or metres of the CRS.
---@field coordinates? boolean Maps: false leaves the sides without marks. Default true.
---@field scale_bar? boolean|"upper left"|"upper right"|"lower left"|"lower right" Maps: a round length on the ground, in this corner; true is `"lower left"`.

---@class plot.StretchOptions
---@field min? number The value of the first colour. Default: the smallest.
---@field max? number The value of the last colour. Default: the largest.
---@field percentiles? number[] `{ low, high }`: limits as percentiles of the values shown. From 0 to 100. Default `{ 2, 98 }`; of values that run in a circle (`:phase()`, `:cyclic()`) the whole circle, of points' values the smallest and the largest.
---@field symmetric? boolean Limits on both sides of zero, the 98th percentile of the absolute values. Default false.

---@class plot.NormOptions: plot.StretchOptions
---@field norm? "linear"|"log"|"symlog" How values are spread over the colours: evenly, by their logarithms (those of 0 and below are transparent), or by logarithms on both sides of zero with an even part around it. Default `"linear"`.
---@field linear_within? number With `norm = "symlog"`: half the width of the even part. Above 0. Default: a hundredth of the larger limit.

---@class plot.ImageOptions: plot.NormOptions
---@field colormap? Colormap|string[] A name (see `plot.colormaps`) or a list of colours to blend. Default `"viridis"`; `"RdBu_r"` where symmetric, `"twilight"` of values that run in a circle. Of one that ends where it began (`"twilight"`) the values do, too: pictures smaller than the image show single pixels, not means.
---@field band? string The band, where the image has several.
---@field label? string Of the colour bar. Default: the band's name and unit.
---@field color_bar? boolean Whether there is one. Default true.
---@field opacity? number 0 is invisible. From 0 to 1. Default 1.

---@class plot.MapOptions: plot.SizeOptions, plot.AxesOptions, plot.ImageOptions

---@class plot.MapsOptions: plot.MapOptions
---@field cols? integer Panels in a row. At least 1. Default: about as many as rows, at most 4.
---@field titles? string[] One for each panel. Default: the dates, or the names of the bands.
---@field title_by? string The property that panels are titled by: `"orbit_direction"`. Default: the date, or the name of the band.
---@field letters? boolean Panels are called (a), (b), (c)… Default false.
---@field shared? boolean One colour bar and the same limits for all. Default true.

---@class plot.RgbLayerOptions: plot.StretchOptions
---@field bands? string[] Red, green, blue. Default: the image's three bands in their order.
---@field common? boolean The same limits for all three, which keeps colours true, rather than each its own. Default false.
---@field gamma? number Above 1 brightens the dark parts. Above 0. Default 1.

---@class plot.RgbOptions: plot.SizeOptions, plot.AxesOptions, plot.RgbLayerOptions

---@class plot.ClassesLayerOptions
---@field classes? raster.Class[] The classes in the order of the legend; pixels of others are transparent. Default: those of the image, as `Raster:set_classes` or its file names them, and all other values; up to 20.
---@field band? string The band, where the image has several.

---@class plot.ClassesOptions: plot.SizeOptions, plot.AxesOptions, plot.ClassesLayerOptions

---@class plot.HistogramLayerOptions
---@field bins? integer How many. At least 1. Default 100.
---@field min? number Start of the first bin. Default: the smallest value. Only together with `max`.
---@field max? number End of the last bin. Default: the largest value.
---@field density? boolean Scale the bars so that their area is 1, rather than show counts. Default false.
---@field label? string In the legend. Default: the name of the band where there are several.
---@field color? string Default: the next of those that series take in turn.
---@field filled? boolean False draws the outline only. Default true.
---@field opacity? number 0 is invisible. From 0 to 1. Default 1; 0.6 for several bands.

---@class plot.HistogramOptions: plot.SizeOptions, plot.AxesOptions, plot.HistogramLayerOptions

---@class plot.LineLayerOptions
---@field label? string In the legend.
---@field color? string Default: the next of those that series take in turn.
---@field line_width? number Points; 0 leaves the markers only. At least 0. Default 1.4.
---@field style? "solid"|"dashed"|"dotted"|"dashdot"|"-"|"--"|":"|"-." Of the line. Default `"solid"`.
---@field marker? "circle"|"square"|"triangle"|"diamond"|"plus"|"cross"|"o"|"s"|"^"|"D"|"+"|"x" At each point. Default: none.
---@field marker_size? number Points. Above 0. Default 5.
---@field crs? string|integer On maps: what x and y are in, where that is not the map's own CRS.

---@class plot.LineOptions: plot.SizeOptions, plot.AxesOptions, plot.LineLayerOptions

---@class plot.ScatterLayerOptions: plot.NormOptions
---@field label? string In the legend.
---@field color? string Default: the next of those that series take in turn.
---@field marker? "circle"|"square"|"triangle"|"diamond"|"plus"|"cross"|"o"|"s"|"^"|"D"|"+"|"x" At each point. Default `"circle"`.
---@field marker_size? number Points. Above 0. Default 5.
---@field opacity? number 0 is invisible. From 0 to 1. Default 1.
---@field outline? string Colour of a thin line around each mark.
---@field values? number[] One for each point, shown in the colour map; points whose value is NaN are left out.
---@field colormap? Colormap|string[] A name (see `plot.colormaps`) or a list of colours to blend. Default `"viridis"`.
---@field color_bar? string Label of a colour bar for the values. Default: no bar.
---@field crs? string|integer On maps: what x and y are in, where that is not the map's own CRS.

---@class plot.ScatterOptions: plot.SizeOptions, plot.AxesOptions, plot.ScatterLayerOptions

---@class plot.ErrorBarsOptions
---@field label? string In the legend.
---@field color? string Default: the next of those that series take in turn.
---@field marker? "circle"|"square"|"triangle"|"diamond"|"plus"|"cross"|"o"|"s"|"^"|"D"|"+"|"x" At each point. Default `"circle"`.
---@field marker_size? number Points. Above 0. Default 4.5.
---@field x_error? number[] Errors along x as well.

---@class plot.BandOptions
---@field label? string In the legend.
---@field color? string Default: the next of those that series take in turn.
---@field opacity? number 0 is invisible. From 0 to 1. Default 0.25.

---@class plot.AreaOptions
---@field label? string In the legend.
---@field color? string Of the outline. Default: black; for points the next of those that series take in turn.
---@field halo? string Colour beneath the outline and a little wider, so that it shows on any ground. Default: none.
---@field fill? string Colour inside the outline. Default `"none"`.
---@field line_width? number Points. At least 0. Default 1.
---@field style? "solid"|"dashed"|"dotted"|"dashdot"|"-"|"--"|":"|"-." Of the outline. Default `"solid"`.
---@field crs? string|integer What the coordinates are in. Default: the map's CRS.

---@class plot.FeaturesOptions: plot.AreaOptions
---@field marker? "circle"|"square"|"triangle"|"diamond"|"plus"|"cross"|"o"|"s"|"^"|"D"|"+"|"x" At each point. Default `"circle"`.
---@field marker_size? number Of the marks, in points. Above 0. Default 5.

---@class plot.TextOptions
---@field color? string Of the letters. Default `"black"`.
---@field size? number Points. Above 0. Default: the figure's font size.
---@field anchor? "left"|"center"|"right" Which part of the text lies at the point. Default `"left"`.
---@field rotation? number Degrees, counter-clockwise. Default 0.
---@field halo? string Colour of an outline around the letters, for legibility on images.
---@field crs? string|integer What x and y are in. Default: the map's CRS.

---@class plot.GuideOptions
---@field label? string In the legend.
---@field color? string Of the line. Default `"#3c3c3c"`.
---@field line_width? number Points. At least 0. Default 1.
---@field style? "solid"|"dashed"|"dotted"|"dashdot"|"-"|"--"|":"|"-." Of the line. Default `"dashed"`.

---@class plot.VectorOptions: plot.NormOptions
---@field bands? string[] The two components. Default: the image's two bands in their order.
---@field components? "map"|"east north" What they are along: the map's axes (x, y), or east and north on the ground, which are turned into those. Default `"map"`.
---@field color? string Of all of them. Default `"black"`.
---@field colormap? Colormap|string[] Colours by speed: a name (see `plot.colormaps`) or a list of colours to blend. Default: one colour for all.
---@field color_bar? string Label of a colour bar for them. Default: no bar.
---@field halo? string Colour beneath and a little wider, so that they show on any ground. Default: none.

---@class plot.QuiverOptions: plot.VectorOptions
---@field spacing? number Between arrows on the page; never less than a pixel of the image. From 2 to 500. Default 16.
---@field length? number Of an arrow as fast as the 98th percentile of the image. From 2 to 500. Default: the spacing.
---@field lengths? "linear"|"sqrt" How lengths follow speeds; `"sqrt"` shows slow and fast at once. Default `"linear"`.
---@field line_width? number Of an arrow's shaft, in points. Above 0. Default 0.9.
---@field key? number The speed of the arrow in the legend; 0 for none. At least 0. Default: a round one.
---@field unit? string Behind that number. Default: that of the bands.

---@class plot.StreamlinesOptions: plot.VectorOptions
---@field spacing? number Between lines on the page. From 2 to 500. Default 12.
---@field line_width? number Points. Above 0. Default 0.8.
---@field label? string In the legend.

---@class plot.ContoursOptions
---@field band? string The band, where the image has several.
---@field levels? number[] Values of the lines. Default: round ones.
---@field count? integer How many round ones at most. From 1 to 100. Default 8.
---@field labels? boolean Whether lines that are long enough carry their value. Default true.
---@field color? string Of lines and labels. Default `"black"`.
---@field halo? string Colour beneath them and a little wider, so that they show on any ground. Default: none.
---@field line_width? number Points. At least 0. Default 0.8.
---@field style? "solid"|"dashed"|"dotted"|"dashdot"|"-"|"--"|":"|"-." Of the lines. Default `"solid"`.
---@field shortest? number Lines that are shorter on the page are left out: specks of noise. At least 0. Default 8.
---@field label? string In the legend.

---@class plot.BarsLayerOptions
---@field labels? string[] In the legend, one for each series.
---@field colors? string[] One for each series. Default: the next of those that series take in turn.
---@field errors? number[]|number[][] Lengths of error bars below and above, in the same form as the heights.
---@field bar_width? number Of a group of bars, as a share of the distance to the next. Above 0 and at most 1. Default 0.8.
---@field horizontal? boolean To the right rather than upwards. Default false.
---@field opacity? number 0 is invisible. From 0 to 1. Default 1.

---@class plot.BarsOptions: plot.SizeOptions, plot.AxesOptions, plot.BarsLayerOptions

---@class plot.BoxesLayerOptions
---@field reach? number How far whiskers reach at most, in distances of the quartiles. At least 0. Default 1.5.
---@field outliers? boolean Whether values beyond the whiskers are shown. Default true.
---@field box_width? number Of a box, as a share of the distance to the next. Above 0 and at most 1. Default 0.5.
---@field counts? boolean Write beneath each name, in brackets, how many values its box has. Default false.
---@field horizontal? boolean To the right rather than upwards. Default false.
---@field color? string Default: the next of those that series take in turn.
---@field label? string In the legend.

---@class plot.BoxesOptions: plot.SizeOptions, plot.AxesOptions, plot.BoxesLayerOptions

---@class plot.HovmollerLayerOptions: plot.NormOptions
---@field colormap? Colormap|string[] A name (see `plot.colormaps`) or a list of colours to blend. Default `"viridis"`; `"RdBu_r"` where symmetric.
---@field label? string Of the colour bar: quantity and unit. Default: no bar.
---@field time? "x"|"y" The axis along which time runs. Default `"x"`.
---@field most_gap? number Neighbours that are farther apart than this many times the usual (median) distance leave a gap between them. At least 1. Default 3.

---@class plot.HovmollerOptions: plot.SizeOptions, plot.AxesOptions, plot.HovmollerLayerOptions

---@class plot.SurfaceLayerOptions: plot.NormOptions
---@field drape? Raster An image of one band on the grid of the heights, which its colours show. Default: the heights.
---@field colormap? Colormap|string[] A name (see `plot.colormaps`) or a list of colours to blend. Default `"viridis"`; `"terrain"` of heights; `"RdBu_r"` where symmetric.
---@field label? string Of the colour bar. Default: the name and the unit of what the colours show.
---@field color_bar? boolean Whether there is one. Default true.
---@field height_label? string Of the axis that goes up: quantity and unit. Default: the band's name and unit.
---@field azimuth? number The direction that one looks into, clockwise from north: 0 from the south, 90 from the west. From -360 to 360. Default 30.
---@field elevation? number How far above the horizon one looks from: 0 from the side, 90 from above. From 0 to 90. Default 30.
---@field exaggeration? number How many times as high as true heights are shown; where it is not 1 the figure says so. Above 0. Default: a round number by which they differ by at most a fifth of the ground's longer side, 1 at least.
---@field shading? number How dark slopes away from the light are; 0 leaves the colours as on the colour bar. From 0 to 1. Default 0.5.
---@field facets? integer Facets along the longer side, if the image has as many pixels. From 2 to 1000. Default 240.

---@class plot.SurfaceOptions: plot.SizeOptions, plot.AxesOptions, plot.SurfaceLayerOptions

---@class plot.AnimationOptions: plot.MapOptions
---@field titles? string[] One for each picture. Default: the dates, or the names of the bands.
---@field seconds? number How long each picture stays. From 0.02 to 60. Default 0.5.
---@field loops? integer How often it runs; 0 for ever. From 0 to 65535. Default 0.

--- An empty page for panels, filled row by row by its method `axes`.
---
--- **Errors.** Sizes that are not positive.
---
--- ```lua
--- local plot = require "plot"
--- local figure = plot.figure { cols = 2, width = 6, letters = true }
--- figure:axes { title = "Linear" }:line({ 1, 2, 3 }, { 1, 10, 100 })
--- figure:axes { title = "Logarithmic", y_scale = "log" }:line({ 1, 2, 3 }, { 1, 10, 100 })
--- assert(#figure == 2)
--- figure:write("two.png")
--- ```
---@param options? plot.FigureOptions
---@return Figure
function plot.figure(options) end

--- A map of one band in a colour map, with a colour bar.
---
--- The sides are marked in kilometres or metres of the CRS, in degrees, or with `lonlat` in degrees whatever the CRS. Values
--- beyond the limits take the first or last colour, and the colour bar has a point there.
---
--- **Errors.** An image of several bands without the option `band`; an unknown colour map, with the nearest name; limits given in
--- two ways; whatever computing the image reports.
---
--- **Nodata.** Masked pixels are transparent; pixels of the figure that cover valid and masked ones are partly so.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- local figure = plot.map(image, { title = "Noise", colormap = "magma", min = 0, max = 1, scale_bar = true })
--- figure:write("noise.png")
--- ```
---@param raster Raster
---@param options? plot.MapOptions
---@return Figure
function plot.map(raster, options) end

--- Small multiples: a panel for each image, with one colour bar and the same limits for all.
---
--- **Errors.** No images; as `plot.map`.
---
--- **Nodata.** Masked pixels are transparent and do not count for the limits.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- local figure = plot.maps({ image, image * 2, image * 3 }, { titles = { "1", "2", "3" }, label = "times noise" })
--- assert(#figure == 3)
--- figure:write("multiples.png")
--- ```
---@param images Stack|Raster[]
---@param options? plot.MapsOptions
---@return Figure
function plot.maps(images, options) end

--- A colour composite of three bands.
---
--- Each band is stretched from its 2nd to its 98th percentile unless told otherwise.
---
--- **Errors.** Other than three bands.
---
--- **Nodata.** A pixel that is masked in one of the bands is transparent.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- local composite = raster.bands(image:rename("HH"), (image * 2):rename("HV"), (image / 3):rename("ratio"))
--- plot.rgb(composite, { bands = { "HH", "HV", "ratio" }, title = "Composite" }):write("rgb.png")
--- ```
---@param raster Raster
---@param options? plot.RgbOptions
---@return Figure
function plot.rgb(raster, options) end

--- A map of classes: whole numbers, each with a colour and a name in the legend.
---
--- Pixels are picked, never mixed, where the image is larger than the figure.
---
--- **Errors.** More than 20 classes that are not listed.
---
--- **Nodata.** Masked pixels and those of classes that are not listed are transparent.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- local water = image:lt(0.3)
--- plot.classes(water, { classes = {
---   { value = 0, name = "land", color = "wheat" },
---   { value = 1, name = "water", color = "steelblue" },
--- } }):write("water.png")
--- ```
---@param raster Raster
---@param options? plot.ClassesOptions
---@return Figure
function plot.classes(raster, options) end

--- A histogram of all pixels of an image, one for each of its bands, or of a list of numbers.
---
--- A bin holds its lower edge, the last one its upper edge too.
---
--- **Errors.** `min` without `max`; no valid pixel.
---
--- **Nodata.** Masked pixels do not count.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- plot.histogram(image, { bins = 20, min = 0, max = 1 }):write("histogram.png")
--- ```
---@param values Raster|number[]
---@param options? plot.HistogramOptions
---@return Figure
function plot.histogram(values, options) end

--- A line through points.
---
--- Times are ISO 8601 strings; their axis is marked with dates.
---
--- **Errors.** Lists of different lengths.
---
--- **Nodata.** NaN, nil and false leave a gap.
---
--- ```lua
--- local plot = require "plot"
--- local figure = plot.line({ "2024-01-05", "2024-02-10", "2024-03-01" }, { -11, -10, -12 }, { y_label = "γ⁰ (dB)", marker = "o" })
--- figure[1]:horizontal_line(-11.5, { label = "threshold" })
--- figure:write("series.svg")
--- ```
---@param x (number|string)[]
---@param y number[]
---@param options? plot.LineOptions
---@return Figure
function plot.line(x, y, options) end

--- Points, in one colour or each in the colour of its value.
---
--- **Errors.** Lists of different lengths.
---
--- **Nodata.** Points with a NaN are left out.
---
--- ```lua
--- local plot = require "plot"
--- plot.scatter({ 1, 2, 3 }, { 2, 4, 5 }, { values = { 10, 20, 30 }, color_bar = "Depth (m)", marker_size = 8 }):write("points.png")
--- ```
---@param x (number|string)[]
---@param y number[]
---@param options? plot.ScatterOptions
---@return Figure
function plot.scatter(x, y, options) end

--- Bars on zero, one for each place; of several series side by side, with error bars where there are errors.
---
--- Places are names, which stand side by side in their order, or numbers, which stand where they say. On a logarithmic axis bars stand on the frame.
---
--- **Errors.** Series that are not as long as the places; labels, colours or errors for more or fewer series than there are.
---
--- **Nodata.** NaN and false have no bar.
---
--- ```lua
--- local plot = require "plot"
--- plot.bars({ "forest", "crops", "water" }, { { -8.1, -10.4, -18.9 }, { -13.7, -16.2, -25.3 } }, {
---   labels = { "VV", "VH" }, errors = { { 0.6, 1.1, 1.9 }, { 0.7, 1.3, 1.6 } }, y_label = "γ⁰ (dB)",
--- }):write("bars.png")
--- ```
---@param places (string|number)[]
---@param heights number[]|number[][] One list, or one for each series.
---@param options? plot.BarsOptions
---@return Figure
function plot.bars(places, heights, options) end

--- Box plots: median and quartiles of each group, whiskers, and what lies beyond them.
---
--- Quartiles are linear between the sorted values (definition 7 of Hyndman and Fan, NumPy's default). Whiskers end at the outermost values within `reach` times
--- the distance of the quartiles from the box; values beyond are outliers. `values` is a list for each group, or one list with
--- `groups` as long, which names the group of each value: columns of a table will do.
---
--- **Errors.** Lists of different lengths.
---
--- **Nodata.** NaN, infinities and false do not count; a group without values has no box.
---
--- **Source.** J. W. Tukey, Exploratory Data Analysis, 1977; R. J. Hyndman and Y. Fan, 1996, doi:10.1080/00031305.1996.10473566.
---
--- ```lua
--- local plot = require "plot"
--- plot.boxes({ "water", "land" }, { { -21, -19, -20, -12 }, { -9, -10, -8, -11 } }, { y_label = "VV (dB)" }):write("boxes.png")
--- -- The same of columns.
--- plot.boxes({ "water", "land", "water", "land" }, { -21, -9, -19, -10 })
--- ```
---@param groups (string|number)[]
---@param values number[]|number[][]
---@param options? plot.BoxesOptions
---@return Figure
function plot.boxes(groups, values, options) end

--- A quantity over a distance (or a latitude) and time, in colours: a Hovmöller diagram.
---
--- `values` is a list for each time with a value for each place, or one list with `x` and `times` as long: columns of a table will do. Neither
--- has to be even or sorted. Each value fills its surroundings up to the middle of the way to its neighbours; where those are farther than
--- `most_gap` times the usual distance, nothing was observed and nothing is shown. What stands twice at one place and time is averaged.
---
--- **Errors.** Lists of different lengths; limits given in two ways.
---
--- **Nodata.** NaN and false are transparent.
---
--- **Source.** E. Hovmöller, The trough-and-ridge diagram, Tellus 1, 1949, doi:10.1111/j.2153-3490.1949.tb01260.x.
---
--- ```lua
--- local plot = require "plot"
--- plot.hovmoller({ 0, 5, 10 }, { "2020-01-15", "2020-02-14", "2020-03-16" }, {
---   { 310, 280, 150 },
---   { 320, 290, false },
---   { 355, 300, 160 },
--- }, { label = "Speed (m/yr)", y_label = "Distance (km)" }):write("hovmoller.png")
--- ```
---@param x number[] Places.
---@param times (number|string)[]
---@param values number[]|number[][]
---@param options? plot.HovmollerOptions
---@return Figure
function plot.hovmoller(x, times, values, options) end

--- Heights as a surface in space, seen from afar, in the colours of the heights or of another image (`drape`): speeds or backscatter over
--- relief. Axes carry coordinates and heights with their units, and a vertical exaggeration is written beside it.
---
--- Each four neighbouring pixels span a facet between their middles. Lengths along each axis compare everywhere, as lines do not meet in the distance
--- (an orthographic projection). The light comes from the left behind the viewer; slopes away from it are darker than the colour bar says
--- (`shading = 0` for colours to read values from). A surface has its panel to itself; of the panel's options it heeds `title`, `x_label` and `y_label`.
---
--- **Errors.** An image of several bands; heights in another unit than metres on a map with a CRS; a drape on another grid; heights on a turned grid.
---
--- **Nodata.** Facets with a masked height are left out; those with a masked drape are grey.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32607", origin = { 560000, 6750000 }, resolution = 100, rows = 40, cols = 60 }
--- local here = raster.coordinates(grid)
--- local height = ((((here.x - 563000) ^ 2 + (here.y - 6748000) ^ 2) / -2e6):exp() * 900):rename("height"):set_unit("m")
--- plot.surface(height, { drape = raster.random(grid), label = "Noise", azimuth = 20, elevation = 35, exaggeration = 2 }):write("hill.png")
--- ```
---@param heights Raster
---@param options? plot.SurfaceOptions
---@return Figure
function plot.surface(heights, options) end

--- Writes images one after the other as an animation, each as a map with its date above: `.png` or `.apng` in all colours, `.gif` in 256 a picture.
---
--- Limits that are not given go from the lowest to the highest that the images have alone. For them every image is read once more, so that
--- one is in memory at a time.
---
--- **Errors.** No images; another extension; a path outside the working folder; pictures of different sizes, as images on different grids may
--- have; as `plot.map`.
---
--- **Nodata.** Masked pixels are transparent.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local days = {}
--- for i = 1, 3 do days[i] = (raster.random(grid) * i):set("time", ("2024-03-%02dT00:00:00Z"):format(i)) end
--- assert(plot.animate(raster.stack(days), "days.gif", { width = 3, dpi = 80, min = 0, max = 3, seconds = 1 }) == "days.gif")
--- ```
---@param images Stack|Raster[]
---@param path string
---@param options? plot.AnimationOptions
---@return string path
function plot.animate(images, path, options) end

--- The names of all colour maps, without their reversed forms.
---
--- ```lua
--- local plot = require "plot"
--- assert(table.concat(plot.colormaps(), " "):find("viridis"))
--- ```
---@return string[]
function plot.colormaps() end

--- A page of panels. `figure[1]` is its first panel, `#figure` their number; the prompt draws it.
---@class Figure
---@field [integer] Axes The panels, from 1.
local Figure = {}

--- Adds the next panel, row by row.
---
--- **Errors.** When all panels are taken.
---
--- ```lua
--- local plot = require "plot"
--- local figure = plot.figure { rows = 1, cols = 1 }
--- local axes = figure:axes { x_label = "n", y_label = "n²" }
--- axes:line({ 1, 2, 3 }, { 1, 4, 9 }, { label = "squares" }):scatter({ 1.5 }, { 2.25 })
--- figure:write("squares.png")
--- ```
---@param options? plot.AxesOptions
---@return Axes
function Figure:axes(options) end

--- Sets the title above all panels, and returns the figure.
---
--- ```lua
--- local plot = require "plot"
--- plot.line({ 1, 2 }, { 2, 1 }):title("A line"):write("line.png")
--- ```
---@param text string
---@return Figure
function Figure:title(text) end

--- Writes the figure to a `.png`, `.svg` or `.pdf` file, which appears under its name when it is complete.
---
--- Letters in SVG are outlines, so that it looks the same everywhere; in PDF they are text, which can be selected and searched, and the letters that occur are
--- embedded. Images in both have the figure's dpi.
---
--- **Errors.** Another extension; a path outside the working folder; an empty figure.
---
--- ```lua
--- local plot = require "plot"
--- local path = plot.line({ 1, 2 }, { 2, 1 }):write("line.svg")
--- assert(path == "line.svg")
--- ```
---@param path string
---@return string path
function Figure:write(path) end

--- The figure as the text of an SVG document, for pages that embed it.
---
--- ```lua
--- local plot = require "plot"
--- assert(plot.line({ 1, 2 }, { 2, 1 }):svg():find("<svg", 1, true))
--- ```
---@return string
function Figure:svg() end

--- Draws the figure in the terminal.
---
--- By the kitty graphics protocol or sixel where the terminal has them, else in coloured half blocks; without colours
--- (`NO_COLOR`, `TERM=dumb`) in letters. What the terminal can do is taken from the environment; the variable `PERILUNE_GRAPHICS`
--- (`kitty`, `sixel`, `blocks`, `ascii` or `none`) overrides that. Inside tmux pictures are blocks unless the variable asks for
--- more, which for kitty needs tmux's `allow-passthrough on`. Where the output is no terminal, a line says how large the figure is.
---
--- ```lua
--- local plot = require "plot"
--- plot.line({ 1, 2 }, { 2, 1 }):show()
--- ```
function Figure:show() end

--- One panel of a figure. Every method adds to it and returns it, so that calls can be chained. Later layers cover earlier ones.
---@class Axes
local Axes = {}

--- Shows one band in a colour map; the panel becomes a map.
---
--- **Errors.** As `plot.map`; images in different CRSs in one panel.
---
--- **Nodata.** Masked pixels are transparent.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- plot.figure():axes { title = "Noise" }:image(image, { colormap = "gray" })
--- ```
---@param raster Raster
---@param options? plot.ImageOptions
---@return Axes
function Axes:image(raster, options) end

--- Shows three bands as red, green and blue; the panel becomes a map.
---
--- **Errors.** Other than three bands.
---
--- **Nodata.** A pixel that is masked in one of the bands is transparent.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- local composite = raster.bands(image:rename("r"), (image * 2):rename("g"), (image / 3):rename("b"))
--- plot.figure():axes():rgb(composite, { gamma = 1.4 })
--- ```
---@param raster Raster
---@param options? plot.RgbLayerOptions
---@return Axes
function Axes:rgb(raster, options) end

--- Shows classes in their colours; the panel becomes a map.
---
--- **Errors.** More than 20 classes that are not listed.
---
--- **Nodata.** Masked pixels and those of classes that are not listed are transparent: a mask over an image.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- plot.figure():axes():image(image):classes(image:gt(0.9), { classes = { { value = 1, name = "bright", color = "red" } } })
--- ```
---@param raster Raster
---@param options? plot.ClassesLayerOptions
---@return Axes
function Axes:classes(raster, options) end

--- Draws a line through points.
---
--- **Errors.** Lists of different lengths.
---
--- **Nodata.** NaN, nil and false leave a gap.
---
--- ```lua
--- local plot = require "plot"
--- plot.figure():axes():line({ 1, 2, 3 }, { 1, false, 9 }, { label = "squares", style = "dashed" })
--- ```
---@param x (number|string)[]
---@param y (number|false)[]
---@param options? plot.LineLayerOptions
---@return Axes
function Axes:line(x, y, options) end

--- Draws points.
---
--- **Errors.** Lists of different lengths.
---
--- **Nodata.** Points with a NaN are left out.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- plot.map(image)[1]:scatter({ 500100, 500300 }, { 3999900, 3999800 }, { color = "red", outline = "white", label = "sites" })
--- ```
---@param x (number|string)[]
---@param y number[]
---@param options? plot.ScatterLayerOptions
---@return Axes
function Axes:scatter(x, y, options) end

--- Draws points with the reach of their errors, the same below and above.
---
--- **Errors.** Lists of different lengths.
---
--- **Nodata.** Points with a NaN are left out.
---
--- ```lua
--- local plot = require "plot"
--- plot.figure():axes():error_bars({ 1, 2, 3 }, { 1, 4, 9 }, { 0.5, 0.5, 1 }, { label = "mean and spread" })
--- ```
---@param x (number|string)[]
---@param y number[]
---@param error number[] Lengths, in units of y.
---@param options? plot.ErrorBarsOptions
---@return Axes
function Axes:error_bars(x, y, error, options) end

--- Fills the area between two curves.
---
--- **Errors.** Lists of different lengths.
---
--- **Nodata.** NaN leaves a gap.
---
--- ```lua
--- local plot = require "plot"
--- plot.figure():axes():band({ 1, 2, 3 }, { 0, 3, 7 }, { 2, 5, 11 }, { label = "range" })
--- ```
---@param x (number|string)[]
---@param low number[]
---@param high number[]
---@param options? plot.BandOptions
---@return Axes
function Axes:band(x, low, high, options) end

--- Draws a histogram of an image's pixels or of a list of numbers.
---
--- **Errors.** As `plot.histogram`.
---
--- **Nodata.** Masked pixels do not count.
---
--- ```lua
--- local plot = require "plot"
--- plot.figure():axes():histogram({ 1, 2, 2, 3 }, { bins = 3, filled = false })
--- ```
---@param values Raster|number[]
---@param options? plot.HistogramLayerOptions
---@return Axes
function Axes:histogram(values, options) end

--- Draws arrows over a map: a vector field from two bands, thinned to a distance on the page that can be read.
---
--- Each arrow is the mean of the valid pixels around its middle, and is drawn where those are at least half. The legend has an arrow of
--- a round speed. Arrows shorter than they are thick are dots.
---
--- **Errors.** Other than two bands; as `Axes:image`.
---
--- **Nodata.** A pixel that is masked in one band is masked in both.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local here = raster.coordinates(grid)
--- local wind = raster.bands(((here.y - 3999800) / 20):rename("u"), ((here.x - 500300) / -20):rename("v"))
--- local axes = plot.map(raster.random(grid), { colormap = "Greys" })[1]
--- axes:quiver(wind, { unit = "m/s", color = "navy", halo = "white" })
--- ```
---@param raster Raster
---@param options? plot.QuiverOptions
---@return Axes
function Axes:quiver(raster, options) end

--- Draws evenly spaced lines along a vector field from two bands, with heads that say which way.
---
--- A line ends where it leaves the map or the valid pixels, or comes nearer than half the spacing to another or to itself.
---
--- **Errors.** Other than two bands; as `Axes:image`.
---
--- **Nodata.** A pixel that is masked in one band is masked in both; lines keep off it.
---
--- **Source.** B. Jobard and W. Lefer, Creating evenly-spaced streamlines of arbitrary density, 1997, doi:10.1007/978-3-7091-6876-9_5.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local here = raster.coordinates(grid)
--- local flow = raster.bands((here.y - 3999800):rename("u"), (500300 - here.x):rename("v"))
--- plot.figure():axes():streamlines(flow, { colormap = "viridis", color_bar = "Speed (m/s)" })
--- ```
---@param raster Raster
---@param options? plot.StreamlinesOptions
---@return Axes
function Axes:streamlines(raster, options) end

--- Draws lines of equal value, labelled where they are long enough.
---
--- Values are linear between the middles of pixels. Of large images the lines are those of means, at most 800 pixels along a side.
---
--- **Errors.** An image of several bands without the option `band`; levels that are not finite.
---
--- **Nodata.** Lines end at squares of four pixels of which one is masked.
---
--- **Source.** W. E. Lorensen and H. E. Cline, Marching cubes, SIGGRAPH 1987, doi:10.1145/37401.37422, in two dimensions.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local here = raster.coordinates(grid)
--- local height = (((here.x - 500300) ^ 2 + (here.y - 3999800) ^ 2) / 500):rename("height")
--- plot.map(height, { colormap = "terrain" })[1]:contours(height, { levels = { 25, 50, 100, 150 }, halo = "white" })
--- ```
---@param raster Raster
---@param options? plot.ContoursOptions
---@return Axes
function Axes:contours(raster, options) end

--- Draws bars, as `plot.bars`.
---
--- **Errors.** As `plot.bars`.
---
--- **Nodata.** NaN and false have no bar.
---
--- ```lua
--- local plot = require "plot"
--- plot.figure():axes():bars({ 2019, 2020, 2021 }, { 5, 7, 6 }, { errors = { 1, 0.5, 1 }, labels = { "lake" } })
--- ```
---@param places (string|number)[]
---@param heights number[]|number[][]
---@param options? plot.BarsLayerOptions
---@return Axes
function Axes:bars(places, heights, options) end

--- Draws box plots, as `plot.boxes`.
---
--- **Errors.** As `plot.boxes`.
---
--- **Nodata.** NaN, infinities and false do not count.
---
--- ```lua
--- local plot = require "plot"
--- plot.figure():axes():boxes({ "a", "b" }, { { 1, 2, 3, 9 }, { 2, 4 } }, { horizontal = true })
--- ```
---@param groups (string|number)[]
---@param values number[]|number[][]
---@param options? plot.BoxesLayerOptions
---@return Axes
function Axes:boxes(groups, values, options) end

--- Shows a quantity over place and time, as `plot.hovmoller`.
---
--- **Errors.** As `plot.hovmoller`.
---
--- **Nodata.** NaN and false are transparent.
---
--- ```lua
--- local plot = require "plot"
--- plot.figure():axes():hovmoller({ 0, 1, 0, 1 }, { "2020-01-01", "2020-01-01", "2020-01-13", "2020-01-13" }, { 5, 6, 7, 8 })
--- ```
---@param x number[] Places.
---@param times (number|string)[]
---@param values number[]|number[][]
---@param options? plot.HovmollerLayerOptions
---@return Axes
function Axes:hovmoller(x, times, values, options) end

--- Draws heights as a surface in space, see `plot.surface`. It has the panel to itself.
---
--- **Errors.** As `plot.surface`; a panel that shows other things, when it is drawn.
---
--- **Nodata.** Facets with a masked height are left out.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32607", origin = { 560000, 6750000 }, resolution = 100, rows = 40, cols = 60 }
--- local height = (raster.coordinates(grid).x / 100):rename("height"):set_unit("m")
--- local page = plot.figure { cols = 2, width = 7, letters = true }
--- page:axes():image(height):contours(height)
--- page:axes():surface(height, { azimuth = 320 })
--- page:write("both.png")
--- ```
---@param heights Raster
---@param options? plot.SurfaceLayerOptions
---@return Axes
function Axes:surface(heights, options) end

--- Sets the title above the panel.
---
--- ```lua
--- local plot = require "plot"
--- plot.line({ 1, 2 }, { 2, 1 })[1]:title("Falling"):x_label("Distance (km)"):y_label("Height (m)")
--- ```
---@param text string
---@return Axes
function Axes:title(text) end

--- Sets what stands below the panel: quantity and unit.
---
--- ```lua
--- local plot = require "plot"
--- plot.line({ 1, 2 }, { 2, 1 })[1]:x_label("Distance (km)")
--- ```
---@param text string
---@return Axes
function Axes:x_label(text) end

--- Sets what stands beside the panel: quantity and unit.
---
--- ```lua
--- local plot = require "plot"
--- plot.line({ 1, 2 }, { 2, 1 })[1]:y_label("Height (m)")
--- ```
---@param text string
---@return Axes
function Axes:y_label(text) end

--- Draws features: areas and lines as outlines, points as marks. Those in another CRS than the map's are brought into it,
--- their edges followed.
---
--- **Errors.** Values that are no features (see the module geometry).
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- local geometry = require "geometry"
--- local lake = geometry.polygon({ { 500100, 3999700 }, { 500400, 3999700 }, { 500250, 3999900 } }, "EPSG:32611")
--- plot.map(image)[1]:features(lake, { color = "white", fill = "#1f77b480", label = "lake" })
--- ```
---@param features Features|Geometry
---@param options? plot.FeaturesOptions
---@return Axes
function Axes:features(features, options) end

--- Draws a rectangle. In another CRS than the map's its sides bend as they do on the ground.
---
--- **Errors.** Bounds that are not in order.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- plot.map(image)[1]:rectangle({ 500100, 3999700, 500300, 3999900 }, { color = "red", line_width = 1.5 })
--- ```
---@param bounds number[] `{ min_x, min_y, max_x, max_y }`
---@param options? plot.AreaOptions
---@return Axes
function Axes:rectangle(bounds, options) end

--- Writes text at a point. A text whose point lies outside the panel is not shown.
---
--- ```lua
--- local raster, plot = require "raster", require "plot"
--- local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 40, cols = 60 }
--- local image = raster.random(grid)
--- plot.map(image)[1]:text(500200, 3999800, "site", { halo = "white", anchor = "center" })
--- ```
---@param x number
---@param y number
---@param text string
---@param options? plot.TextOptions
---@return Axes
function Axes:text(x, y, text, options) end

--- Draws a straight line over the panel's whole height: a threshold, a date.
---
--- ```lua
--- local plot = require "plot"
--- plot.histogram({ 1, 2, 2, 3 })[1]:vertical_line(2.5, { label = "threshold" })
--- ```
---@param x number|string
---@param options? plot.GuideOptions
---@return Axes
function Axes:vertical_line(x, options) end

--- Draws a straight line over the panel's whole width.
---
--- ```lua
--- local plot = require "plot"
--- plot.line({ 1, 2, 3 }, { 1, 4, 9 })[1]:horizontal_line(5, { style = "dotted" })
--- ```
---@param y number|string
---@param options? plot.GuideOptions
---@return Axes
function Axes:horizontal_line(y, options) end

return plot
