---@meta time

--- Times and dates, in UTC.
---
--- A time is text: `2020-01-05` for a whole day (midnight UTC), else `2020-01-05T10:15:30Z`. Such text sorts and compares
--- (`a < b`) as time does where both are days or both have a time of day. Functions that take a time also take a number,
--- seconds since 1970.
---@class time
local time = {}

---@class time.Amount
---@field years? integer Calendar years. Default 0.
---@field months? integer Calendar months; from the 31st to a shorter month is its last day. Default 0.
---@field weeks? integer Seven days each. Default 0.
---@field days? integer Of 24 hours. Default 0.
---@field hours? number With fractions. Default 0.
---@field minutes? number With fractions. Default 0.
---@field seconds? number With fractions. Default 0.

---@class time.Parts
---@field year integer
---@field month integer From 1.
---@field day integer From 1.
---@field hour integer
---@field minute integer
---@field second number With its fraction.
---@field weekday integer 1 is Monday, 7 Sunday.
---@field day_of_year integer From 1.

--- The time of this moment, to the second.
---@return string time
function time.now() end

--- The date of today, in UTC.
---@return string date
function time.today() end

--- Reads a time.
---
--- Without a format, ISO 8601 (`2020-01-05`, `2020-01-05T10:15:30Z`, offsets such as `+02:00`) and the compact forms of
--- file names (`20200105`, `20200105T101530`) are understood. A format is written as in C's strptime: `%Y`, `%m`, `%d`, `%j`
--- (day of year), `%H`, `%M`, `%S`.
---
--- **Errors.** Text that is no time.
---
--- ```lua
--- local time = require "time"
--- assert(time.parse("20200105T101530") == "2020-01-05T10:15:30Z")
--- assert(time.parse("2020 036", "%Y %j") == "2020-02-05")
--- ```
---@param text string
---@param format? string
---@return string time
function time.parse(text, format) end

--- Writes a time in another form.
---
--- ```lua
--- local time = require "time"
--- assert(time.format("2020-01-05") == "20200105")
--- assert(time.format("2020-01-05", "%d %b %Y") == "05 Jan 2020")
--- ```
---@param time string|number
---@param format? string As in C's strftime. Default `%Y%m%d`.
---@return string text
function time.format(time, format) end

--- A time later by an amount, or earlier where it is negative.
---
--- ```lua
--- local time = require "time"
--- assert(time.add("2020-01-31", { months = 1 }) == "2020-02-29")
--- assert(time.add("2020-01-05", 12) == "2020-01-17")
--- ```
---@param time string|number
---@param amount number|time.Amount Days, or a table.
---@return string time
function time.add(time, amount) end

--- How much later one time is than another; negative where it is earlier.
---
--- ```lua
--- local time = require "time"
--- assert(time.difference("2020-03-01", "2020-02-01") == 29)
--- assert(time.difference("2020-01-01T12:00", "2020-01-01", "hours") == 12)
--- ```
---@param later string|number
---@param earlier string|number
---@param unit? "days"|"hours"|"minutes"|"seconds" Default days.
---@return number difference
function time.difference(later, earlier, unit) end

--- The times from one to another, both included where a step meets the last.
---
--- **Errors.** A step of nothing, and more than a million times.
---
--- ```lua
--- local time = require "time"
--- local months = time.range("2020-01-31", "2020-04-30", { months = 1 })
--- assert(#months == 4 and months[2] == "2020-02-29" and months[4] == "2020-04-30")
--- ```
---@param first string|number
---@param last string|number
---@param step number|time.Amount Days, or a table.
---@return string[] times
function time.range(first, last, step) end

--- Year, month, day and the rest as numbers.
---
--- ```lua
--- local time = require "time"
--- local parts = time.parts("2020-02-05")
--- assert(parts.year == 2020 and parts.day_of_year == 36 and parts.weekday == 3)
--- ```
---@param time string|number
---@return time.Parts parts
function time.parts(time) end

--- The first and the last moment of what a text names: all of a year, a month, a week or a day, or an instant twice. The last is a
--- microsecond before the next begins.
---
--- **Errors.** Text that names none of these.
---
--- ```lua
--- local time = require "time"
--- local first, last = time.ends("2020-02")
--- assert(first == "2020-02-01" and last == "2020-02-29T23:59:59.999999Z")
--- ```
---@param text string|number `2020`, `2020-02`, `2020-02-29`, `2020-W09`, `2020-060`, or a time.
---@return string first
---@return string last
function time.ends(text) end

--- Seconds since 1970-01-01, UTC.
---
--- ```lua
--- local time = require "time"
--- assert(time.seconds("1970-01-02") == 86400)
--- ```
---@param time string|number
---@return number seconds
function time.seconds(time) end

return time
