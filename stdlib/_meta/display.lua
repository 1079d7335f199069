---@meta display

--- Shows values as the prompt does, where `print` gives text alone. Each stands by itself: a `Raster` as its bands with a small map, a
--- `Figure` as a picture, a `Table` with its first and last rows, others as their text.
---
--- What can be shown depends on where the script runs: a terminal gets text, and pictures if it has colours; a file or a pipe gets text;
--- a notebook or a report gets tables as HTML and pictures as PNG or SVG. Nothing is made that cannot be shown. Maps of images that
--- would take long to compute are left out; `r:plot():show()` draws them. `--dry-run` shows the texts.
---
--- **Errors.** A figure that cannot be drawn. Where an image cannot be read the text says why there is no picture.
---
--- ```lua
--- local tables = require "tables"
--- display(tables.new { { scene = "a", water_km2 = 12.5 }, { scene = "b", water_km2 = 13.1 } })
--- ```
---@param ... any
function display(...) end
