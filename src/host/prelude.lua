local load, rep, select, type = load, string.rep, select, type

-- Text only: bytecode can crash the virtual machine.
function _G.load(chunk, name, mode, ...)
  if select("#", ...) > 0 then return load(chunk, name, "t", (...)) end
  return load(chunk, name, "t")
end

-- Repeating nothing needs no loop, and Lua's would run for hours where no hook can stop it.
function string.rep(s, n, separator)
  if s == "" and (separator == nil or separator == "") then return "" end
  return rep(s, n, separator)
end

-- The same script gives the same numbers; seed from the clock where they should differ.
math.randomseed(1)
