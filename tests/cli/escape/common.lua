-- What every table of attempts begins with. `login`, `kept` and `library` are the real paths of a file of logins, of a folder beside the
-- working folder, and of a shared object.
local catalog, fs, geometry = require "catalog", require "fs", require "geometry"
local json, plot, raster, tables = require "json", require "plot", require "raster", require "tables"
local filter = require "filter"

-- What may work, as long as nothing outside is touched.
local function tried(what, call, ...)
  local worked, said = pcall(call, ...)
  print("tried", what, worked and "worked" or said)
end

local function attempt(what, call, ...)
  local worked, said = pcall(call, ...)
  print(worked and "WORKED" or "refused", what, said)
end
