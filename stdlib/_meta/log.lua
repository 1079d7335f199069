---@meta log

--- Messages on standard error, where they do not mix with what a script prints.
---@class log
local log = {}

--- A message for finding mistakes; shown once `log.level("debug")` was called.
---
--- Values are written with blanks between. Where the first is text with a `%`, it is a format as in `string.format`.
---@param ... any
function log.debug(...) end

--- A message.
---
--- ```lua
--- local log = require "log"
--- log.info("read", 12, "scenes")
--- log.info("%d of %d scenes", 3, 12)
--- ```
---@param ... any As in `log.debug`.
function log.info(...) end

--- A message that starts with `warning:`.
---@param ... any As in `log.debug`.
function log.warn(...) end

--- A message that starts with `error:`. It does not end the script; `error(message)` does.
---@param ... any As in `log.debug`.
function log.error(...) end

--- The least level that is shown, and sets it.
---
--- ```lua
--- local log = require "log"
--- assert(log.level() == "info")
--- assert(log.level("warn") == "warn")
--- ```
---@param name? "debug"|"info"|"warn"|"error"
---@return "debug"|"info"|"warn"|"error" level
function log.level(name) end

return log
