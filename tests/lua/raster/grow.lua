local raster = require "raster"

local NONE = 0 / 0

local function image(rows)
  local grid = raster.grid({ crs = "EPSG:32632", origin = { 0, 0 }, resolution = 1, rows = #rows, cols = #rows[1] })
  return raster.from_table(grid, rows)
end

test("what hangs together with a seed", function()
  local within = image({
    { 1, 1, 0, 1, 1 },
    { 0, 1, 0, 1, 0 },
    { 1, 0, 1, 0, NONE },
    { 1, 1, 0, 1, 1 },
  })
  local seeds = image({
    { 0, 1, 1, 0, 0 },
    { 0, 0, 0, 0, 0 },
    { 0, 0, 0, 0, 1 },
    { 0, 0, 0, 0, NONE },
  })
  local function values(grown)
    local array, all = grown:read(), {}
    for row = 0, 3 do
      for col = 0, 4 do
        local v = array:get(row, col)
        all[#all + 1] = v ~= v and "-" or ("%d"):format(v)
      end
    end
    return table.concat(all)
  end
  -- scipy.ndimage.binary_propagation(seeds & within, mask=within), with a structure of 3 × 3 ones for corners.
  local by_edges, by_corners = values(seeds:grow(within)), values(seeds:grow(within, { connectivity = 8 }))
  assert(by_edges == "11000" .. "01000" .. "0000-" .. "00000", by_edges)
  assert(by_corners == "11011" .. "01010" .. "1010-" .. "11011", by_corners)
end)

test("a spiral is one region, and the result is described", function()
  local n = 41
  local rows = {}
  for r = 1, n do
    rows[r] = {}
    for c = 1, n do
      rows[r][c] = 0
    end
  end
  local r, c, dr, dc, length = 1, 1, 0, 1, 0
  rows[1][1] = 1
  while true do
    local function free(steps)
      local y, x = r + dr * steps, c + dc * steps
      return y >= 1 and y <= n and x >= 1 and x <= n and rows[y][x] == 0
    end
    if free(1) and (free(2) or not (r + dr * 2 >= 1 and r + dr * 2 <= n and c + dc * 2 >= 1 and c + dc * 2 <= n)) then
      r, c, length = r + dr, c + dc, length + 1
      rows[r][c] = 1
    else
      dr, dc = dc, -dr
      if not free(1) or not free(2) then break end
    end
  end
  assert(length > 600, length)
  local within = image(rows)
  local seed = image(rows) * 0
  local place = raster.coordinates(within)
  seed = place.x:lt(1) & place.y:gt(-1)
  local grown = seed:grow(within)
  assert(math.abs(grown:rename("grown"):stats().grown.mean * n * n - length - 1) < 1e-6)
  local again = raster.from_json(grown:to_json())
  assert(again:ne(grown):rename("differs"):stats().differs.max == 0)
end)

test("errors say what is wrong", function()
  local a, b = image({ { 1, 0 } }), image({ { 1 }, { 0 } })
  local function fails(pattern, ...)
    local ok, message = pcall(...)
    assert(not ok and message:find(pattern), message)
  end
  fails("grid", a.grow, a, b)
  fails("within", a.grow, a)
  fails("one band", a.grow, a, a:add_bands(a:rename("b")))
end)
