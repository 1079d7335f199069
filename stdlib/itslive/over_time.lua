-- What is told of velocities over time: years, seasons, trends, outliers. All of it is arithmetic on stacks, so that any number of granules
-- goes through in bounded memory.
local raster, time = require "raster", require "time"
local library = require "library"

local fail = library.fail
local M = {}

local YEAR_DAYS = 365.25

--%% What a stack has to have

function M.check(where, stack, bands)
  if type(stack) ~= "userdata" or #stack == 0 then fail(("%s: the stack has no images"):format(where)) end
  local has = {}
  for _, name in ipairs(stack.bands) do has[name] = true end
  for _, name in ipairs(bands) do
    if not has[name] then
      fail(("%s: the images have no band %s; they have: %s"):format(where, name, table.concat(stack.bands, ", ")))
    end
  end
  return has
end

-- When the pair of an image begins and ends, in seconds; an image without a separation is of one moment.
local function span(where, image)
  if not image.time then fail(("%s: an image has no time; `:set_time` gives it one"):format(where)) end
  local mid, days = time.seconds(image.time), image:get("date_dt", 0)
  return mid - days * 43200, mid + days * 43200, mid
end

-- 1/σ², or 1 where errors do not count, masked where the velocity is.
local function weights(where, image, weight)
  local vx = image:select "vx"
  if weight == "none" then return (vx * 0 + 1):cast "float64":set_unit "1" end
  local e = image:select "v_error":cast "float64":set_unit "1"
  return (1 / (e * e)):mask(vx:is_valid())
end

local function plain(image, name) return image:select(name):cast "float64":set_unit "1" end

-- Sums over images of several bands that are made of each.
local function sums(images, make)
  local list = {}
  for i, image in ipairs(images) do list[i] = make(image, i) end
  return raster.stack(list):sum()
end

--%% Years

-- The images that reach into the year, each with the share of its span that lies in it.
local function members(where, stack, year, rule)
  local from, to = time.seconds(("%04d-01-01"):format(year)), time.seconds(("%04d-01-01"):format(year + 1))
  local images, shares = {}, {}
  for image in stack:each() do
    local first, last, mid = span(where, image)
    local share
    if rule == "mid_date" or last <= first then
      share = mid >= from and mid < to and 1 or 0
    else
      share = math.max(0, math.min(last, to) - math.max(first, from)) / (last - first)
    end
    if share > 0 then images[#images + 1], shares[#shares + 1] = image, share end
  end
  return images, shares
end

local function mean_of(where, images, shares, weight)
  local s = sums(images, function(image, i)
    local w = weights(where, image, weight)
    local x, y = plain(image, "vx"), plain(image, "vy")
    local f = w * shares[i]
    return raster.bands(
      f:rename "w", (f * x):rename "wx", (f * y):rename "wy", (f * x * x):rename "wxx", (f * y * y):rename "wyy",
      (f * x * y):rename "wxy", (f * shares[i]):rename "ww")
  end)
  local count = raster.stack(images):select "vx":count():set_unit "1"
  local x, y = s.wx / s.w, s.wy / s.w
  local v2 = x * x + y * y
  -- What scatters along the flow, by the weights.
  local xx, yy, xy = s.wxx / s.w - x * x, s.wyy / s.w - y * y, s.wxy / s.w - x * y
  local along = raster.max((x * x * xx + y * y * yy + x * y * xy * 2) / v2, 0)
  local scatter = (along / (count - 1):set_unit "1"):sqrt()
  -- Without errors to weigh by there is nothing to propagate.
  local formal = weight == "none" and scatter * 0 / 0 or s.ww:sqrt() / s.w
  return x, y, v2:sqrt(), formal, scatter, count
end

-- How much the median of normal values scatters more than their mean, and their median absolute deviation less than their standard deviation.
local MEDIAN, MAD = math.sqrt(math.pi / 2), 1.4826

local function median_of(images)
  local stack = raster.stack(images)
  local middle = stack:select("vx", "vy"):median()
  local x, y = plain(middle, "vx"), plain(middle, "vy")
  local v = (x * x + y * y):sqrt()
  local count = stack:select "vx":count():set_unit "1"
  local along = {}
  for i, image in ipairs(images) do
    along[i] = (((plain(image, "vx") - x) * x + (plain(image, "vy") - y) * y) / v):abs()
  end
  local scatter = raster.stack(along):median() * MAD * MEDIAN / count:set_unit "1":sqrt()
  -- Two values or one say nothing of a scatter.
  scatter = scatter:mask(count:gt(2))
  return x, y, v, scatter * 0 / 0, scatter, count
end

-- As `median_of`, where pairs count by their errors and by the shares of their spans.
local function weighted_median_of(where, images, shares)
  local weighed = { error = "v_error", weights = "share" }
  local function middle(make)
    local list = {}
    for i, image in ipairs(images) do list[i] = make(image):set { share = shares[i] } end
    return raster.stack(list):weighted_median(weighed)
  end
  local found = middle(function(image) return image:select("vx", "vy", "v_error") end)
  local x, y, count = plain(found, "vx_median"), plain(found, "vy_median"), found.vx_count:set_unit "1"
  local v = (x * x + y * y):sqrt()
  local spread = middle(function(image)
    local along = (((plain(image, "vx") - x) * x + (plain(image, "vy") - y) * y) / v):abs():set_unit "m/yr":rename "along"
    return raster.bands(along, image:select "v_error")
  end)
  local s = sums(images, function(image, i)
    local w = weights(where, image, "error")
    return raster.bands((w * shares[i]):rename "w", (w * w * shares[i] ^ 2):rename "squares", (w * shares[i] ^ 2):rename "ww")
  end)
  local scatter = plain(spread, "along_median") * MAD * MEDIAN * s.squares:sqrt() / s.w
  return x, y, v, s.ww:sqrt() / s.w * MEDIAN, scatter:mask(count:gt(2)), count
end

function M.yearly(where, stack, o)
  local has = M.check(where, stack, { "vx", "vy" })
  local of_medians = o.reducer == "median"
  -- A median without weights is of whole pairs.
  local rule = of_medians and o.weight == "none" and "mid_date" or o.time
  if o.weight == "error" and not has.v_error then
    fail(("%s: the images have no band v_error to weigh by; say { weight = \"none\" }"):format(where))
  end
  local years = o.years
  if not years then
    local first, last
    for image in stack:each() do
      local from, to, mid = span(where, image)
      if rule == "mid_date" then from, to = mid, mid end
      first, last = math.min(first or from, from), math.max(last or to, to)
    end
    years = {}
    for year = time.parts(first).year, time.parts(last).year do years[#years + 1] = year end
  end
  local made = {}
  for _, year in ipairs(years) do
    local images, shares = members(where, stack, year, rule)
    if #images > 0 then
      local x, y, v, formal, scatter, count
      if of_medians and o.weight == "error" then
        x, y, v, formal, scatter, count = weighted_median_of(where, images, shares)
      elseif of_medians then
        x, y, v, formal, scatter, count = median_of(images)
      else
        x, y, v, formal, scatter, count = mean_of(where, images, shares, o.weight)
      end
      local function float(band, name) return band:cast "float32":set_unit "m/yr":rename(name) end
      local image = raster.bands(float(x, "vx"), float(y, "vy"), float(v, "v"), float(formal, "v_error"), float(scatter, "v_std_error"))
      image = image:mask(count:ge(o.least)):add_bands(count:cast "uint16":rename "count")
      -- Taken as of the middle of the year.
      made[#made + 1] = image:set_time(("%04d-07-02"):format(year)):set { year = year, granules = #images }
    end
  end
  if #made == 0 then
    fail(("%s: no image lies in the years %s"):format(where, #years > 0 and table.concat(years, ", ") or "asked for"))
  end
  return raster.stack(made)
end

--%% Outliers

function M.mask_outliers(where, stack, o)
  M.check(where, stack, { "vx", "vy" })
  local components = stack:select("vx", "vy")
  local middle = components:median()
  if o.around then middle = o.around:select("vx", "vy") end
  local spread = o.spread or (components - middle):abs():median()
  local limit = raster.max(spread * (MAD * o.deviations), o.floor)
  return stack:map(function(image)
    local away = (image:select("vx", "vy") - middle):abs():le(limit)
    return image:mask(away:select "vx" & away:select "vy")
  end)
end

--%% Along the flow

-- Unit vectors of the mean flow.
local function direction(where, stack, given)
  local flow = given
  if not flow then
    local has = M.check(where, stack, { "vx", "vy" })
    local images = {}
    for image in stack:each() do images[#images + 1] = image end
    local s = sums(images, function(image)
      local w = weights(where, image, has.v_error and "error" or "none")
      return raster.bands((w * plain(image, "vx")):rename "vx", (w * plain(image, "vy")):rename "vy")
    end)
    flow = s
  end
  local x, y = plain(flow, "vx"), plain(flow, "vy")
  local length = (x * x + y * y):sqrt()
  return (x / length):cast "float32", (y / length):cast "float32"
end

function M.along_flow(where, stack, o)
  M.check(where, stack, { "vx", "vy" })
  local ux, uy = direction(where, stack, o.direction)
  return stack:map(function(image)
    local v = (image:select "vx":set_unit "1" * ux + image:select "vy":set_unit "1" * uy):rename "v":set_unit "m/yr"
    for _, name in ipairs(image.bands) do
      if name == "v_error" then v = v:add_bands(image:select "v_error") end
    end
    return v
  end)
end

--%% Seasons

-- Cholesky's factor of a symmetric matrix of images, row by row; `a[i][j]` for j ≤ i.
local function factor(a, n)
  local l = {}
  for i = 1, n do
    l[i] = {}
    for j = 1, i do
      local sum = a[i][j]
      for k = 1, j - 1 do sum = sum - l[i][k] * l[j][k] end
      -- A root of nothing or less, and what is divided by it, is masked: the times do not tell the terms apart.
      l[i][j] = i == j and sum:sqrt() or sum / l[j][j]
    end
  end
  return l
end

local function solve(l, b, n)
  local z, x = {}, {}
  for i = 1, n do
    local sum = b[i]
    for k = 1, i - 1 do sum = sum - l[i][k] * z[k] end
    z[i] = sum / l[i][i]
  end
  for i = n, 1, -1 do
    local sum = z[i]
    for k = i + 1, n do sum = sum - l[k][i] * x[k] end
    x[i] = sum / l[i][i]
  end
  return x, z
end

-- Means of cos and sin of the year over a span: those at its middle, flattened by the sinc.
local function wave(mid, days)
  local turn = 2 * math.pi * mid / YEAR_DAYS
  local half = math.pi * days / YEAR_DAYS
  local flat = half > 1e-9 and math.sin(half) / half or 1
  return flat * math.cos(turn), flat * math.sin(turn)
end

-- Days since the beginning of 2000.
local EPOCH = "2000-01-01"

function M.seasonal(where, stack, o)
  local flow = o.of == "speed" and stack or M.along_flow(where, stack, { direction = o.direction })
  local has = M.check(where, flow, { "v" })
  local weigh = o.weight == "error" and has.v_error
  if o.weight == "error" and not has.v_error then
    fail(("%s: the images have no band v_error to weigh by; say { weight = \"none\" }"):format(where))
  end
  local images, mids, days = {}, {}, {}
  local centre = 0
  for image in flow:each() do
    local _, _, mid = span(where, image)
    local i = #images + 1
    images[i], mids[i], days[i] = image, time.difference(mid, EPOCH), image:get("date_dt", 0)
    centre = centre + mids[i]
  end
  if #images < 5 then
    fail(("%s: needs 5 images at least for its four terms (a line and a wave), got %d"):format(where, #images))
  end
  centre = centre / #images
  local N = 4
  local s = sums(images, function(image, i)
    local v = plain(image, "v")
    local w
    if weigh then
      local e = plain(image, "v_error")
      w = (1 / (e * e)):mask(v:is_valid())
    else
      w = v * 0 + 1
    end
    local c, sn = wave(mids[i], o.spans and days[i] or 0)
    local row = { 1, (mids[i] - centre) / YEAR_DAYS, c, sn }
    local wv = w * v
    local bands = {}
    for r = 1, N do
      for k = 1, r do bands[#bands + 1] = (w * (row[r] * row[k])):rename(("a%d%d"):format(r, k)) end
      bands[#bands + 1] = (wv * row[r]):rename(("b%d"):format(r))
    end
    bands[#bands + 1] = (wv * v):rename "vv"
    return raster.bands(bands)
  end)
  local count = raster.stack(images):select "v":count():set_unit "1"
  local a, b = {}, {}
  for r = 1, N do
    a[r], b[r] = {}, s:select(("b%d"):format(r))
    for k = 1, r do a[r][k] = s:select(("a%d%d"):format(r, k)) end
  end
  local l = factor(a, N)
  local x, z = solve(l, b, N)
  -- What the model leaves, by the weights; z has the length of what it explains.
  local left = s:select "vv"
  for i = 1, N do left = left - z[i] * z[i] end
  local variance = raster.max(left, 0) / (count - N)
  -- The covariance of cosine and sine is the inverse of the last corner of L Lᵀ.
  local p, q, r = l[3][3], l[4][3], l[4][4]
  local cc, ss, cs = (q * q + r * r) / (p * p * r * r), 1 / (r * r), -q / (p * r * r)
  local amplitude = (x[3] * x[3] + x[4] * x[4]):sqrt()
  local ac, as = x[3] / amplitude, x[4] / amplitude
  local amplitude_error = ((ac * ac * cc + as * as * ss + ac * as * cs * 2) * variance):sqrt()
  local turn_error = ((as * as * cc + ac * ac * ss - ac * as * cs * 2) * variance):sqrt() / amplitude
  local per_turn = YEAR_DAYS / (2 * math.pi)
  local phase = raster.atan2(x[4], x[3]):set_unit "1" * per_turn
  phase = raster.where(phase:lt(0), phase + YEAR_DAYS, phase)
  local enough = count:gt(N)
  local function made(band, name, unit) return band:mask(enough):cast "float32":set_unit(unit):rename(name) end
  return raster.bands(
    made(x[1], "v_mean", "m/yr"), made(x[2], "v_slope", "m/yr/yr"), made(amplitude, "v_annual_amplitude", "m/yr"),
    made(amplitude_error, "v_annual_amplitude_std_error", "m/yr"), made(phase, "v_annual_phase", "d"),
    made(turn_error * per_turn, "v_annual_phase_std_error", "d"), made(variance:sqrt(), "v_residual", weigh and "1" or "m/yr"),
    count:cast "uint16":rename "count":set_unit "1")
end

--%% Trends

function M.trend(where, stack)
  M.check(where, stack, { "v" })
  if #stack < 3 then
    fail(("%s: needs 3 images at least, such as yearly means, got %d"):format(where, #stack))
  end
  local v = stack:select "v"
  return raster.bands(v:theil_sen():select("v_slope", "v_slope_low", "v_slope_high"), v:mann_kendall():select("v_tau", "v_p_value"))
end

return M
