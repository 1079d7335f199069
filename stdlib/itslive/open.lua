-- Opening granules: which there are, which pass, one image of each, all on one grid.
local raster, time, geometry = require "raster", require "time", require "geometry"
local library = require "library"
local heads, rotate = require "itslive.head", require "itslive.rotate"

local fail = library.fail
local M = {}

local WHERE = "itslive.open_granules"

--%% Which files

-- A pattern of paths as one of Lua's: ** stands for folders, too.
local function as_lua(pattern)
  local text = pattern:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*%*/?", "\1"):gsub("%*", "[^/]*"):gsub("%?", "[^/]"):gsub("\1", ".*")
  return "^" .. text .. "$"
end

local function named(text)
  if text:match "^%a[%w+.-]*://" or text:lower():match "%.nc4?$" and not text:find "[*?]" then return { text } end
  if not text:find "[*?]" then
    local found = raster.find(text, { extensions = { "nc", "nc4" } })
    if #found == 0 then fail(("%s: no granules (.nc) in %s"):format(WHERE, text)) end
    return found
  end
  local folder = text:match "^([^*?]*)[*?]":match "^(.*)/" or "."
  local wanted = as_lua(folder == "." and not text:match "^%./" and "./" .. text or text)
  local kept = {}
  for _, path in ipairs(raster.find(folder == "" and "/" or folder, { extensions = { "nc", "nc4" } })) do
    if path:match(wanted) then kept[#kept + 1] = path end
  end
  if #kept == 0 then fail(("%s: no granule (.nc) fits %s"):format(WHERE, text)) end
  return kept
end

local function paths_of(source)
  if type(source) == "string" then return named(source) end
  local ok, count = pcall(function() return #source end)
  if not ok or type(source) ~= "table" and type(source) ~= "userdata" then
    fail(("%s: source must be a folder, a pattern, a list of paths, or items of a catalogue, got %s"):format(WHERE, library.describe(source)))
  end
  local paths = {}
  for i = 1, count do
    local entry = source[i]
    if type(entry) == "string" then
      paths[i] = entry
    elseif type(entry) == "userdata" then
      local found, asset = pcall(entry.asset, entry, "data")
      paths[i] = (found and asset or entry:asset()).href
    elseif type(entry) == "table" and type(entry.path) == "string" then
      paths[i] = entry.path
    else
      fail(("%s: source[%d] must be a path or an item of a catalogue, got %s"):format(WHERE, i, library.describe(entry)))
    end
  end
  if #paths == 0 then fail(("%s: no granules: the list is empty"):format(WHERE)) end
  return paths
end

--%% What happens to granules that are left out

local Report = {}
Report.__index = Report

-- How many went by which reason, with the first of their names.
function Report:drop(reason, name)
  local entry = self.by_reason[reason]
  if not entry then
    entry = { reason = reason, count = 0, names = {} }
    self.by_reason[reason], self.dropped[#self.dropped + 1] = entry, entry
  end
  entry.count = entry.count + 1
  entry.names[entry.count] = name
end

function Report:note(text) self.notes[#self.notes + 1] = text end

local function plural(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

-- "12 of another projection, 3 empty"
function Report:reasons()
  local parts = {}
  for i, entry in ipairs(self.dropped) do parts[i] = ("%d %s"):format(entry.count, entry.reason) end
  return table.concat(parts, ", ")
end

local function none_left(where, report, more)
  fail(("%s: none of the %s is left: %s%s"):format(where, plural(report.found, "granule"), report:reasons(), more or ""))
end

function M.report()
  return setmetatable({ found = 0, dropped = {}, by_reason = {}, notes = {}, projections = {} }, Report)
end

-- The error of a native, without the place that it names.
local function reason_of(message)
  return tostring(message):gsub("^.-: itslive%.open_granules: ", ""):gsub("^.-: raster%.[%w_]+: ", "")
end

--%% Filters that need no pixel

local function ends(where, name, text)
  if text == nil then return nil end
  local ok, first, last = pcall(time.ends, text)
  if not ok then
    fail(("%s: %s must be a date such as \"2018-10-01\", \"2018-10\" or \"2018\", got %s"):format(where, name, library.describe(text)))
  end
  return time.seconds(first), time.seconds(last)
end

local function list_of(value)
  if value == nil then return nil end
  return type(value) == "table" and value or { value }
end

-- Reason and condition of each filter that was asked for.
local function filters_of(where, o)
  local filters = {}
  local function add(reason, keep) filters[#filters + 1] = { reason = reason, keep = keep } end
  local satellites = list_of(o.satellites)
  if satellites then
    add("of other satellites", function(head)
      for i = 1, 2 do
        local is, known = (head.platforms[i] or ""):upper(), false
        for _, wanted in ipairs(satellites) do known = known or is:sub(1, #wanted) == wanted:upper() end
        if not known then return false end
      end
      return true
    end)
  end
  if o.min_separation then add("of a shorter separation", function(head) return head.separation >= o.min_separation end) end
  if o.max_separation then add("of a longer separation", function(head) return head.separation <= o.max_separation end) end
  if o.max_error then
    add(("of an error above %g m/yr"):format(o.max_error), function(head) return not head.error or head.error <= o.max_error end)
  end
  local start, _ = ends(where, "start", o.start)
  local _, stop = ends(where, "stop", o.stop)
  if start and stop and start > stop then fail(("%s: stop (%s) is before start (%s)"):format(where, o.stop, o.start)) end
  if start then add("before the start", function(head) return head.mid >= start end) end
  if stop then add("after the stop", function(head) return head.mid <= stop end) end
  if o.months then
    local wanted = {}
    for _, month in ipairs(list_of(o.months)) do wanted[month] = true end
    add("of other months", function(head) return wanted[time.parts(head.mid).month] end)
  end
  return filters
end

-- Why the options leave a head out; nil where they let it through.
local function left_out_by(where, o)
  local filters = filters_of(where, o)
  return function(head)
    for _, filter in ipairs(filters) do
      if not filter.keep(head) then return filter.reason end
    end
  end
end

-- Those that the options let through.
function M.passing(where, found, o, report)
  local kept, left_out = {}, left_out_by(where, o)
  for _, head in ipairs(found) do
    local reason = left_out(head)
    if reason then report:drop(reason, head.name) else kept[#kept + 1] = head end
  end
  if #kept == 0 then none_left(where, report) end
  return kept
end

--%% One image of each

-- Displacements in metres whose error a granule of unknown error is given: that of the others, in the middle.
local function displacement_error(found, o)
  if o.displacement_error then return o.displacement_error end
  local list = {}
  for _, head in ipairs(found) do
    if head.error then list[#list + 1] = head.error * head.separation / 365.25 end
  end
  table.sort(list)
  return list[(#list + 1) // 2]
end

-- Bands vx, vy, v and v_error of the variables of a granule or of a cube's layer, without what stands for missing values, whether the file declares it or not.
function M.image(where, file, head, o, displacement)
  for name in pairs(file.properties) do
    if name ~= "path" then file = file:set(name) end
  end
  local x, y = file:select "vx":mask_outside(-32767, 32767), file:select "vy":mask_outside(-32767, 32767)
  local valid = x:is_valid() & y:is_valid()
  if head.variables.interp_mask and o.interpolated == "drop" then
    -- Its 0, what was measured, is its fill value as well.
    valid = valid & file:select "interp_mask":unmask(0):ne(1)
  end
  x, y = x:mask(valid), y:mask(valid)
  local v = (x * x + y * y):sqrt()
  if head.variables.v then
    local own = file:select "v"
    v = own:mask(valid & own:ge(0) & own:lt(32767))
  end
  if not head.error and not displacement and not head.variables.v_error then
    fail(("%s: %s tells no error, and no other granule does; give the error of displacements in metres, { displacement_error = 5 }"):format(
      where, head.path))
  end
  local typical = head.error or displacement and head.separation > 0 and displacement * 365.25 / head.separation
  local e = typical and raster.constant(file, typical):mask(valid)
  if head.variables.v_error then
    local own = file:select "v_error"
    own = own:mask(own:gt(0) & own:lt(32767)):mask(valid)
    e = e and own:fill(e) or own
  end
  local function float(band, name) return band:cast "float32":set_unit "m/yr":rename(name) end
  local image = raster.bands(float(x, "vx"), float(y, "vy"), float(v, "v"), float(e, "v_error"))
  if o.max_error then image = image:mask(image:select "v_error":le(o.max_error)) end
  return image
end

-- The variables that an image is made of, of those that there are.
function M.wanted(variables, o)
  local wanted = { "vx", "vy" }
  for _, name in ipairs { "v", "v_error", "interp_mask" } do
    if variables[name] and (name ~= "interp_mask" or o.interpolated == "drop") then wanted[#wanted + 1] = name end
  end
  return wanted
end

local function is_empty(head)
  if head.valid and head.valid > 0 then return false end
  -- P000 and 0 % are rounded down.
  return head.file:select "vx":stats().vx.count == 0
end

-- The newest of those of one pair in one projection.
local function without_doubles(found, o, report)
  local by, order, doubles = {}, {}, 0
  for _, head in ipairs(found) do
    local key = o.duplicates == "all" and head.path or head.pair .. " " .. tostring(head.image.crs)
    local earlier = by[key]
    if not earlier then
      order[#order + 1], by[key] = key, head
    else
      if o.duplicates == "error" then
        fail(("%s: %s and %s are of the same pair; keep one, or say { duplicates = \"newest\" }"):format(WHERE, earlier.path, head.path))
      end
      local newer = head.version > earlier.version or head.version == earlier.version and heads.created(head.path) > heads.created(earlier.path)
      report:drop("doubled", (newer and earlier or head).name)
      doubles = doubles + 1
      if newer then by[key] = head end
    end
  end
  if doubles > 0 then
    report:note(("%s left out that %s the pair of another one, the newest of which is kept"):format(
      plural(doubles, "granule"), doubles == 1 and "is of" or "are of"))
  end
  local kept = {}
  for i, key in ipairs(order) do kept[i] = by[key] end
  return kept
end

--%% One grid

-- The projections with how many granules each has, the most common first.
local function projections_of(found)
  local counts, order = {}, {}
  for _, head in ipairs(found) do
    local crs = head.image.crs or "no CRS"
    if not counts[crs] then
      counts[crs] = { crs = crs, count = 0, heads = {} }
      order[#order + 1] = counts[crs]
    end
    counts[crs].count = counts[crs].count + 1
    table.insert(counts[crs].heads, head)
  end
  local place = {}
  for i, entry in ipairs(order) do place[entry] = i end
  table.sort(order, function(a, b) return a.count > b.count or a.count == b.count and place[a] < place[b] end)
  return order
end

local function united(bounds, more)
  if not bounds then return more end
  return {
    math.min(bounds[1], more[1]), math.min(bounds[2], more[2]), math.max(bounds[3], more[3]), math.max(bounds[4], more[4]),
  }
end

-- The lattice of most granules of the projection, over all granules.
local function union_grid(found, main)
  local lattices = {}
  for _, head in ipairs(main.heads) do
    local own
    for _, lattice in ipairs(lattices) do
      if rotate.share_pixels(lattice.grid, head.image.grid) then own = lattice end
    end
    if not own then
      own = { grid = head.image.grid, count = 0 }
      lattices[#lattices + 1] = own
    end
    own.count = own.count + 1
  end
  local most = lattices[1]
  for _, lattice in ipairs(lattices) do
    if lattice.count > most.count then most = lattice end
  end
  local bounds
  for _, head in ipairs(found) do
    local grid = head.image.grid
    bounds = united(bounds, head.image.crs == most.grid.crs and grid.bounds or grid:bounds_in(most.grid.wkt))
  end
  return raster.grid { like = most.grid, bounds = bounds }
end

local function lonlat(bounds) return ("%.3f, %.3f, %.3f, %.3f"):format(table.unpack(bounds)) end

-- Those that the area reaches.
local function reached(where, found, area, report)
  local kept, all, known = {}, nil, {}
  for _, head in ipairs(found) do
    local grid = head.image.grid
    -- The layers of a cube lie in one place.
    local place = ("%s %s"):format(head.image.crs, table.concat(grid.bounds, " "))
    if known[place] == nil then known[place] = #raster.stack({ head.image }):overlapping(area) > 0 end
    if known[place] then
      kept[#kept + 1] = head
    else
      report:drop("beside the polygon", head.name)
      all = united(all, grid:bounds_in "EPSG:4326")
    end
  end
  if #kept == 0 then
    none_left(where, report, ("; the polygon lies in %s, the granules in %s (west, south, east, north)"):format(
      lonlat(area:to_crs "EPSG:4326":bounds()), lonlat(all)))
  end
  return kept
end

local function area_of(polygon)
  if polygon == nil then return nil end
  if type(polygon) == "string" then
    polygon = polygon:match "^%s*{" and geometry.from_geojson(polygon) or geometry.read(polygon)
  end
  return polygon
end

local function iso(seconds) return time.format(seconds, "%Y-%m-%dT%H:%M:%SZ") end

-- The image on the grid, with its times and what else is known of it.
local function placed(head, grid, inside)
  local image = rotate.onto(head.image, grid)
  if inside then image = image:mask(inside) end
  local known = {
    name = head.name, path = head.path, reference_time = iso(head.first), secondary_time = iso(head.last), date_dt = head.separation,
    platform = head.platforms[1] == head.platforms[2] and head.platforms[1] or table.concat(head.platforms, ","),
    percent_valid = head.valid, version = head.version, source_crs = head.image.crs, error = head.error,
  }
  for name, value in pairs(known) do
    if value ~= "" then image = image:set(name, value) end
  end
  return image:set_time(head.mid)
end

-- The stack of images in several places and projections, and what became of them; `join` makes fewer images of the heads and images that are left.
function M.on_one_grid(where, found, o, report, join)
  local area, inside = area_of(o.polygon), nil
  if area then found = reached(where, found, area, report) end
  local order = projections_of(found)
  for i, entry in ipairs(order) do report.projections[i] = { crs = entry.crs, count = entry.count } end
  if o.projections == "most_common" and #order > 1 then
    found = order[1].heads
    local others = {}
    for i = 2, #order do
      others[#others + 1] = ("%s (%d)"):format(order[i].crs, order[i].count)
      for _, head in ipairs(order[i].heads) do report:drop("of another projection", head.name) end
    end
    report:note(("granules in %s are left out, those in %s (%d) kept; { projections = \"all\" } brings all onto one grid"):format(
      table.concat(others, ", "), order[1].crs, order[1].count))
  end
  local grid = o.grid and rotate.grid_of(o.grid) or union_grid(found, projections_of(found)[1])
  if o.resolution then grid = grid:resample(o.resolution) end
  if area then
    local cut = raster.constant(grid, 1):clip(area)
    grid, inside = cut.grid, cut
  end

  local images, left, scaled = {}, {}, 0
  local pixels = o.valid_percent and (inside and inside:stats().constant.count or grid.rows * grid.cols)
  for _, head in ipairs(found) do
    local image = placed(head, grid, inside)
    local share = not o.valid_percent and 100
      or area and 100 * image:select "vx":stats().vx.count / pixels
      or head.valid or 100 * head.image:select "vx":stats().vx.count / (head.image.rows * head.image.cols)
    if o.valid_percent and area then image = image:set("percent_valid", share) end
    if o.valid_percent and share < o.valid_percent then
      report:drop("with too few velocities", head.name)
    else
      images[#images + 1], left[#left + 1] = image, head
      if head.map_scale then scaled = scaled + 1 end
    end
  end
  if #images == 0 then none_left(where, report) end
  if scaled > 0 then
    report:note(("%s: metres on the map, not on the ground (map_scale_corrected = 0)"):format(plural(scaled, "granule")))
  end
  if join then images = join(left, images) end
  report.kept = #images
  report.by_reason = nil
  return raster.stack(images):sort(), setmetatable(report, nil)
end

-- The stack, and what became of the granules.
function M.granules(source, o)
  local paths, left_out = paths_of(source), left_out_by(WHERE, o)
  local report = M.report()
  report.found = #paths
  local found = {}
  -- A granule is opened with its head, while its container is open.
  local function take(path)
    local head = heads.read(path)
    local reason = left_out(head)
    if reason then
      report:drop(reason, head.name)
    else
      head.file = raster.open(path, { subdataset = M.wanted(head.variables, o) })
      found[#found + 1] = head
    end
  end
  for _, path in ipairs(paths) do
    if o.unreadable == "skip" then
      local ok, why = pcall(take, path)
      if not ok then
        report:drop("unreadable", path:match "[^/]*$")
        report:note(("%s is left out: %s"):format(path:match "[^/]*$", reason_of(why)))
      end
    else
      take(path)
    end
  end
  if #found == 0 then none_left(WHERE, report) end

  local displacement, kept = displacement_error(found, o), {}
  for _, head in ipairs(found) do
    if is_empty(head) then
      if o.empty == "error" then fail(("%s: no pixel of %s has a velocity; leave it out, or say { empty = \"skip\" }"):format(WHERE, head.path)) end
      report:drop("empty", head.name)
    else
      head.image, head.file = M.image(WHERE, head.file, head, o, displacement), nil
      kept[#kept + 1] = head
    end
  end
  if #kept == 0 then none_left(WHERE, report) end
  return M.on_one_grid(WHERE, without_doubles(kept, o, report), o, report)
end

return M
