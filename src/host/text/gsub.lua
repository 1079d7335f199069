local with_string, matches = ...
local type = type

-- What a function or a table gives is asked for here and not in a native: its errors keep their values.
local function call(step, f, more, ...)
  if not more then return ... end
  return call(step, f, step(f(...)))
end

local function index(step, t, more, ...)
  if not more then return ... end
  return index(step, t, step(t[(...)]))
end

return function(s, pattern, replacement, n)
  local kind = type(replacement)
  if kind == "function" then
    local step = matches(s, pattern, false, n)
    return call(step, replacement, step())
  elseif kind == "table" then
    local step = matches(s, pattern, true, n)
    return index(step, replacement, step())
  end
  return with_string(s, pattern, replacement, n)
end
