---@meta json

--- JSON text to Lua values and back.
---@class json
---@field null userdata The value that stands for JSON's `null` inside tables, where nil cannot be kept.
local json = {}

---@class json.EncodeOptions
---@field pretty? boolean Break and indent lines. Default false.

--- Reads JSON text.
---
--- Objects become tables, arrays become lists, `null` becomes `json.null`.
---
--- **Errors.** Text that is not JSON, with line and column.
---
--- ```lua
--- local json = require "json"
--- local item = json.decode('{"id": "S1A", "bbox": [10, 50, 11, 51]}')
--- assert(item.id == "S1A" and item.bbox[4] == 51)
--- ```
---@param text string
---@return any value
function json.decode(text) end

--- Writes a value as JSON text.
---
--- A table whose keys are 1 to n is written as an array, any other as an object. An empty table is an object;
--- `json.array()` makes an empty array.
---
--- **Errors.** Functions and objects such as rasters cannot be written.
---
--- ```lua
--- local json = require "json"
--- assert(json.encode({ 1, 2, { a = true } }) == '[1,2,{"a":true}]')
--- ```
---@param value? any
---@param options? json.EncodeOptions
---@return string text
function json.encode(value, options) end

--- Marks a table as a list, which matters for empty ones only.
---
--- ```lua
--- local json = require "json"
--- assert(json.encode({ features = json.array() }) == '{"features":[]}')
--- ```
---@param list? table
---@return table list
function json.array(list) end

return json
