---@meta tables

--- Tables of named columns with one type each, CSV and Parquet in and out.
---
--- Rows are in order and counted from 1. The types are boolean, integer, number, string and time. Any value may be
--- missing; in a column of numbers NaN is missing. Times are instants (dates are midnight, UTC) and appear in Lua as
--- text: `"2020-01-05"`, `"2020-01-05T10:30:00Z"`.
---
--- The module is called `tables` because `table` is Lua's own library.
---@class tables
local tables = {}

---@class tables.ReadOptions
---@field columns? string|string[] The columns to read, in this order. Default all.
---@field delimiter? string The character between cells. Default: of comma, semicolon, tab and `|` the one that is most frequent in the first line.
---@field missing? string|string[] Further texts that stand for a missing value, such as `"NA"` or `"-9999"`. Empty cells are missing anyway, and `NaN` among numbers.
---@field types? table<string, string> Types by column, where they should not be inferred: `{ id = "string" }`. There are boolean, integer, number, string and time.

--- Reads a file of CSV or Parquet, told by how it begins.
---
--- CSV is read as by `read_csv`. Of Parquet, integers are integers, floats and decimals with a fraction numbers, timestamps and
--- dates times (UTC where they have no zone), strings and dictionaries of them strings. Integers and whole decimals beyond 64 bits make
--- strings of their column. Fractions of seconds are kept to the nanosecond.
---
--- **Errors.** As `read_csv`; a Parquet file with a column of a type that no column of a table has (binary, lists, structs, durations): the
--- columns that can be read are named, for `columns`. Options of CSV for a file of Parquet.
---
--- **Nodata.** Nulls of Parquet are missing.
---
--- ```lua
--- local tables = require "tables"
--- tables.new({ { station = "A", height = 3.5 }, { station = "B" } }):write("stations.parquet")
--- local stations = tables.read("stations.parquet", { columns = { "height" } })
--- assert(#stations == 2 and stations[1].height == 3.5 and stations[2].height == nil)
--- ```
---@param path string
---@param options? tables.ReadOptions
---@return Table
function tables.read(path, options) end

--- Reads a CSV file.
---
--- The file is UTF-8, with or without a byte order mark; the first line holds the names of the columns. A column without
--- a name is called `column_3` after its position, and a repeated name gets `_2`. Lines without any character are skipped.
---
--- A column gets the narrowest type that every one of its cells can be read as, in this order: boolean (`true`, `false`),
--- integer, number, time (ISO 8601: `2020-01-05`, `2020-01-05T10:30:00Z`, `2020-01-05 10:30+02:00`; UTC where no
--- offset is given), else string. Numbers with leading zeros (`007`) and whole numbers beyond 64 bits are codes and
--- stay strings.
---
--- **Errors.** A file that is not there, is not UTF-8 or is empty, and a line with more or fewer cells than the header;
--- the line is named. A device or a pipe; a table that does not fit the memory limit beside what is held already. The file is read in
--- pieces on all cores, and again for columns in which a later cell is of another type than the first ones.
---
--- **Nodata.** Empty cells, and those that `missing` names, are missing.
---
--- ```lua
--- local tables = require "tables"
--- tables.new({ { station = "A", height = 3.5 }, { station = "B" } }):write_csv("stations.csv")
--- local stations = tables.read_csv("stations.csv", { types = { station = "string" } })
--- assert(#stations == 2 and stations[1].height == 3.5 and stations[2].height == nil)
--- ```
---@param path string
---@param options? tables.ReadOptions
---@return Table
function tables.read_csv(path, options) end

--- Reads CSV text.
---
--- As `read_csv`, for text at hand.
---
--- **Errors.** As `read_csv`.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.from_csv("code;value\n007;1,5\n", { delimiter = ";" })
--- assert(t[1].code == "007" and t.types.value == "string")
--- ```
---@param text string
---@param options? tables.ReadOptions
---@return Table
function tables.from_csv(text, options) end

---@class tables.NewOptions
---@field columns? string|string[] The order of the columns. Default: alphabetical, because a Lua table has no order.

--- Makes a table of rows, or of columns.
---
--- A list of tables is rows, each by column name; a table of lists is columns. A column's type is that of its values:
--- integers together with other numbers make numbers, any other mixture makes strings. Strings stay strings, also where they
--- look like times; see `Table:cast`.
---
--- **Errors.** Columns of different lengths, values that no cell can hold, and names that `columns` leaves out.
---
--- **Nodata.** A name that a row lacks is missing there.
---
--- ```lua
--- local tables = require "tables"
--- local rows = tables.new({ { x = 1, y = 2 }, { x = 3 } })
--- local columns = tables.new({ x = { 1, 3 }, y = { 2, 0 / 0 } }, { columns = { "y", "x" } })
--- assert(#rows == 2 and columns.names[1] == "y" and columns[2].y == nil)
--- ```
---@param values table
---@param options? tables.NewOptions
---@return Table
function tables.new(values, options) end

--- Named, typed columns of one length.
---
--- `#t` is the number of rows, `t[1]` the first one as a table by column name (missing values are not in it), and
--- `for i, row in ipairs(t)` goes through all. `t.height` is the column `height` as a list, like `t:column("height")`,
--- where no field or method has that name. A table never changes; methods return new ones.
---@class Table
---@field names string[] The names of the columns, in order.
---@field types table<string, string> The type of each column: boolean, integer, number, string or time.
---@field [integer] table A row by column name.
---@field [string] table A column as a list.
---@operator len: integer
local Table = {}

--- A column as a list.
---
--- **Errors.** A name that no column has.
---
--- **Nodata.** Missing numbers are NaN, missing strings and times `""`, missing booleans nil.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { x = 1 }, { x = 2 } })
--- assert(t:column("x")[2] == 2 and t.x[2] == 2)
--- ```
---@param name string
---@return table values
function Table:column(name) end

--- The named columns, in that order.
---
--- **Errors.** A name that no column has.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { a = 1, b = 2, c = 3 } })
--- assert(table.concat(t:select("c", "a").names, " ") == "c a")
--- ```
---@param ... string|string[] Names, or one list of names.
---@return Table
function Table:select(...) end

--- All columns but the named ones.
---
--- **Errors.** A name that no column has.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { a = 1, b = 2, c = 3 } })
--- assert(table.concat(t:drop("b").names, " ") == "a c")
--- ```
---@param ... string|string[] Names, or one list of names.
---@return Table
function Table:drop(...) end

--- With another name for a column.
---
--- **Errors.** A name that no column has, and a new name that another column has.
---
--- ```lua
--- local tables = require "tables"
--- assert(tables.new({ { a = 1 } }):rename("a", "height")[1].height == 1)
--- ```
---@param from string
---@param to string
---@return Table
function Table:rename(from, to) end

--- With a column's values as another type.
---
--- Text is read as a CSV cell is, leading zeros allowed; booleans are 0 and 1 as numbers; numbers become integers where they
--- are whole; everything becomes a string. Times and numbers do not mix.
---
--- **Errors.** The first value that has no meaning in the type, with its row.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { day = "2020-01-05" }, { day = "1999-12-31" } }):cast("day", "time")
--- assert(t.types.day == "time" and t:sort("day")[1].day == "1999-12-31")
--- ```
---@param name string
---@param type "boolean"|"integer"|"number"|"string"|"time"
---@return Table
function Table:cast(name, type) end

--- With one more column at the end, or in place of the one of that name.
---
--- The values are those of a function that gets each row (a table by column name) and its position, a list, or one value for all
--- rows.
---
--- **Errors.** A list that is longer than the table, and values that no cell can hold.
---
--- **Nodata.** Where the function returns nil, and where the list ends early, the value is missing.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { vv = 0.2, vh = 0.05 }, { vv = 0.1 } })
--- t = t:with_column("ratio", function(row) return row.vh and row.vv / row.vh end)
--- assert(t[1].ratio == 4 and t[2].ratio == nil)
--- ```
---@param name string
---@param values function|table|number|string|boolean
---@return Table
function Table:with_column(name, values) end

--- The rows for which a condition holds.
---
--- The condition is a function that gets each row (a table by column name) and its position, or a table of values that the columns
--- have to equal. A time equals its text.
---
--- **Errors.** A name that no column has; errors of the function.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { pass = "A", vv = -9 }, { pass = "D", vv = -12 }, { pass = "A", vv = -15 } })
--- assert(#t:filter({ pass = "A" }) == 2)
--- assert(#t:filter(function(row) return row.vv > -13 end) == 2)
--- ```
---@param condition function|table<string, any>
---@return Table
function Table:filter(condition) end

---@class Table.SortOptions
---@field descending? boolean Largest first. Default false.

--- Sorted by one column or several, the first one first.
---
--- Equal rows keep their order. Strings are in the order of their Unicode code points.
---
--- **Errors.** A name that no column has.
---
--- **Nodata.** Missing values come last, in both directions.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { v = 2 }, { v = 3 }, { v = 1 } })
--- assert(t:sort("v")[1].v == 1 and t:sort("v", { descending = true })[1].v == 3)
--- ```
---@param by string|string[]
---@param options? Table.SortOptions
---@return Table
function Table:sort(by, options) end

--- The first rows.
---
--- ```lua
--- local tables = require "tables"
--- assert(#tables.new({ x = { 1, 2, 3 } }):head(2) == 2)
--- ```
---@param count? integer How many. Default 10.
---@return Table
function Table:head(count) end

--- The last rows.
---
--- ```lua
--- local tables = require "tables"
--- assert(tables.new({ x = { 1, 2, 3 } }):tail(1)[1].x == 3)
--- ```
---@param count? integer How many. Default 10.
---@return Table
function Table:tail(count) end

--- One table for each combination of values of the key columns, in the order of their first appearance.
---
--- **Errors.** A name that no column has.
---
--- **Nodata.** Missing keys make a group of their own.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { track = 137, vv = 1 }, { track = 35, vv = 2 }, { track = 137, vv = 3 } })
--- for _, group in ipairs(t:groups("track")) do
---   print(group[1].track, #group)
--- end
--- assert(#t:groups("track") == 2)
--- ```
---@param keys string|string[]
---@return Table[]
function Table:groups(keys) end

--- One row for each combination of values of the key columns: the keys, then what is computed of the other columns.
---
--- Each aggregate is `{ aggregation, column }` or `{ aggregation, column, new name }`; without a name the column is called as
--- `mean_vv`. Aggregations: `count`, `distinct`, `sum`, `mean`, `std` (of the population), `min`, `max`, `median`, `p90` (any
--- percentile, linear between neighbours), `first`, `last`. Groups are in the order of their first appearance. An empty
--- list of keys makes one group of all rows.
---
--- **Errors.** A name that no column has, an aggregation that does not exist, and a mean and the like of a column that is not
--- numeric.
---
--- **Nodata.** Missing values are left out of every aggregation. Of none at all, count and sum are 0, the others missing.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { track = 137, vv = 1 }, { track = 35, vv = 2 }, { track = 137, vv = 3 } })
--- local means = t:group_by("track", { { "mean", "vv" }, { "count", "vv", "n" } })
--- assert(means[1].track == 137 and means[1].mean_vv == 2 and means[1].n == 2)
--- ```
---@param keys string|string[]
---@param aggregates string[][]
---@return Table
function Table:group_by(keys, aggregates) end

--- One number of a whole column.
---
--- See `Table:group_by` for the aggregations.
---
--- **Errors.** As `Table:group_by`.
---
--- **Nodata.** As `Table:group_by`; a missing result is nil.
---
--- ```lua
--- local tables = require "tables"
--- assert(tables.new({ x = { 1, 2, 6 } }):aggregate("mean", "x") == 3)
--- ```
---@param aggregation string
---@param column string
---@return any value
function Table:aggregate(aggregation, column) end

--- One row for each column: its type, how many values are there, are missing and differ, and for numbers mean, standard
--- deviation (of the population), minimum, median and maximum.
---
--- ```lua
--- local tables = require "tables"
--- local s = tables.new({ x = { 1, 2, 6 } }):summary()
--- assert(s[1].column == "x" and s[1].median == 2)
--- ```
---@return Table
function Table:summary() end

---@class Table.JoinOptions
---@field kind? "inner"|"left" `"inner"` keeps the rows whose key both tables have, `"left"` all rows of this table. Default `"inner"`.

--- The rows of this table with the columns of another one for the same key.
---
--- A key that the other table has several times makes several rows. Rows are in the order of this table, then of the other.
--- A column name that both have gets `_2` for the second. 1 equals 1.0.
---
--- **Errors.** A key column that is not there, or is of types that cannot be equal, as a string and a number.
---
--- **Nodata.** Missing keys meet nothing; with `left`, what the other table lacks is missing.
---
--- ```lua
--- local tables = require "tables"
--- local scenes = tables.new({ { id = "a", track = 1 }, { id = "b", track = 2 } })
--- local tracks = tables.new({ { track = 1, pass = "ASCENDING" } })
--- assert(scenes:join(tracks, "track")[1].pass == "ASCENDING")
--- assert(#scenes:join(tracks, "track", { kind = "left" }) == 2)
--- ```
---@param other Table
---@param keys string|string[]
---@param options? Table.JoinOptions
---@return Table
function Table:join(other, keys, options) end

--- The rows of both tables, one after the other.
---
--- Columns of different types become numbers where both are numeric, else strings.
---
--- **Nodata.** A column that one of them lacks is missing there.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { a = 1 } }):append(tables.new({ { a = 2, b = 3 } }))
--- assert(#t == 2 and t[1].b == nil)
--- ```
---@param other Table
---@return Table
function Table:append(other) end

--- The columns of both tables, side by side.
---
--- A name that both have gets `_2` for the second.
---
--- **Errors.** Tables of different lengths.
---
--- ```lua
--- local tables = require "tables"
--- local t = tables.new({ { a = 1 } }):beside(tables.new({ { a = 2 } }))
--- assert(t[1].a_2 == 2)
--- ```
---@param other Table
---@return Table
function Table:beside(other) end

---@class Table.WriteOptions
---@field delimiter? string The character between cells. Default: tab for `.tsv` and `.tab`, else comma.

--- Writes a file in the format that its name ends with, in place of what was there: CSV for `.csv`, `.tsv`, `.tab` and `.txt`, as
--- `Table:write_csv` does, Parquet for `.parquet` and `.pq`.
---
--- Parquet is compressed with ZSTD and read by pandas, polars, DuckDB, R and QGIS; types are kept. Times are timestamps in UTC, of
--- nanoseconds, or of microseconds where one lies beyond the years 1677 to 2262.
---
--- **Errors.** A name with another ending; a folder that does not exist or may not be written to.
---
--- **Nodata.** Missing values are nulls, or empty cells.
---
--- ```lua
--- local tables = require "tables"
--- tables.new({ { x = 1.5, day = "2020-01-05" } }):cast("day", "time"):write("x.parquet")
--- assert(tables.read("x.parquet").types.day == "time")
--- ```
---@param path string
---@param options? Table.WriteOptions
function Table:write(path, options) end

--- Writes a CSV file, in place of what was there.
---
--- The file appears complete or not at all. Numbers are written in the shortest form that reads back the same, times as ISO 8601
--- in UTC (as dates where the whole column is at midnight).
---
--- **Errors.** A folder that does not exist or may not be written to.
---
--- **Nodata.** Missing values are empty cells.
---
--- ```lua
--- local tables = require "tables"
--- tables.new({ { x = 1.5 } }):write_csv("x.csv")
--- assert(tables.read_csv("x.csv")[1].x == 1.5)
--- ```
---@param path string
---@param options? Table.WriteOptions
function Table:write_csv(path, options) end

---@class Table.CsvOptions
---@field delimiter? string The character between cells. Default `","`.

--- The text that `Table:write_csv` writes.
---
--- ```lua
--- local tables = require "tables"
--- assert(tables.new({ { x = 1.5 } }):to_csv() == "x\n1.5\n")
--- ```
---@param options? Table.CsvOptions
---@return string text
function Table:to_csv(options) end

---@class Table.RenderOptions
---@field rows? integer At most this many rows; of a longer table the first and the last are shown. At least 1. Default 20.
---@field width? integer At most this many characters a line; columns that do not fit are named below. At least 1. Default 100.
---@field cell? integer Longer strings are cut. At least 1. Default 32.

--- The table as aligned text, which is also what the prompt shows.
---
--- Numbers have at most 6 significant digits, missing values are a dash.
---
--- ```lua
--- local tables = require "tables"
--- print(tables.new({ x = { 1, 2, 3 } }):render({ rows = 2 }))
--- ```
---@param options? Table.RenderOptions
---@return string text
function Table:render(options) end

return tables
