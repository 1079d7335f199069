--- What tests say of values: each function raises an error, at the line that called it, where it does not hold.
---
--- `perilune test` runs the tests of a project: the files in its folder `tests`, in which `test` names what is tried.
---@class check
local M = {}

local function shown(value)
  if type(value) == "string" then return ("%q"):format(value) end
  return tostring(value)
end

-- The way to the first place where two values differ, and what stands there; nil where they are the same.
local function difference(actual, expected, way)
  if rawequal(actual, expected) then return nil end
  if type(actual) == "number" and type(expected) == "number" then
    -- NaN, which is how masked pixels are read, is what it is expected to be.
    if actual == expected or (actual ~= actual and expected ~= expected) then return nil end
  elseif type(actual) == "table" and type(expected) == "table" then
    for key, value in pairs(expected) do
      local found, at, one, other = difference(actual[key], value, ("%s[%s]"):format(way, shown(key)))
      if found then return found, at, one, other end
    end
    for key, value in pairs(actual) do
      if expected[key] == nil then return true, ("%s[%s]"):format(way, shown(key)), value, nil end
    end
    return nil
  elseif actual == expected then
    return nil
  end
  return true, way, actual, expected
end

--- Holds two values to be the same: tables by what is in them, to any depth; NaN is NaN.
---
--- ```lua
--- local check = require "check"
--- check.equal({ 1, { a = "b" } }, { 1, { a = "b" } })
--- check.equal(2 + 2, 4)
--- ```
---@param actual any What came out.
---@param expected any What should have.
function M.equal(actual, expected)
  local differs, way, one, other = difference(actual, expected, "")
  if differs then
    local place = way == "" and "" or (" at %s"):format(way)
    error(("expected %s%s, got %s"):format(shown(other), place, shown(one)), 2)
  end
end

--- Holds a number to be within a tolerance of another. NaN never is.
---
--- ```lua
--- local check = require "check"
--- check.close(0.1 + 0.2, 0.3)
--- check.close(20.4, 20, 0.5)
--- ```
---@param actual number What came out.
---@param expected number What should have, more or less.
---@param tolerance? number How far they may be apart. Default 1e-6.
function M.close(actual, expected, tolerance)
  tolerance = tolerance or 1e-6
  if type(actual) ~= "number" or not (math.abs(actual - expected) <= tolerance) then
    error(("expected %.9g ± %.3g, got %s"):format(expected, tolerance, tostring(actual)), 2)
  end
end

--- Holds a call to raise an error whose text has a pattern of Lua in it.
---
--- ```lua
--- local check, json = require "check", require "json"
--- local message = check.error(function() json.decode(5) end, "must be a string")
--- assert(message:find "json.decode")
--- ```
---@param body fun() What raises it.
---@param pattern string A pattern as `string.find` takes it: `%.` for a dot.
---@return string The whole text of the error.
function M.error(body, pattern)
  local ok, message = pcall(body)
  if ok then error("expected an error like `" .. pattern .. "`, but the call succeeded", 2) end
  -- What cannot be tried here is no error that was expected.
  if type(message) == "string" and message:find "^skipped: " then error(message, 0) end
  if type(message) ~= "string" then error("expected a string as error, got " .. type(message), 2) end
  if not message:find(pattern) then
    error("expected an error like `" .. pattern .. "`, got: " .. message, 2)
  end
  return message
end

--- Ends a test that cannot be tried here; it counts as skipped, and the reason is told.
---
--- ```lua
--- local check = require "check"
--- local ok, message = pcall(check.skip, "needs the archive's files")
--- assert(not ok and message == "skipped: needs the archive's files")
--- ```
---@param reason string Why.
function M.skip(reason)
  error("skipped: " .. tostring(reason), 0)
end

return M
