--- The accuracy of offsets on simulated speckle: the table and the figure of docs/accuracy.md.
---
---     perilune run scripts/accuracy.lua
---
--- Circular complex Gaussian speckle whose spectrum is flat over 0.8 of the sampling frequency in each direction; the secondary is
--- γ · reference + √(1 − γ²) · other speckle, moved by a phase ramp of the spectrum, so that the offset is exact.

local raster, correlation, plot = require "raster", require "correlation", require "plot"

local p = params {
  out = { "docs/images/offset_accuracy.png", type = "path", help = "The figure." },
  images = { 3, min = 1, help = "Pairs of images for each coherence and offset; 49 windows each." },
  seed = { 1, help = "Of the random numbers." },
}

local SIZE, WINDOW, BANDWIDTH = 512, 64, 0.8
local COHERENCES = { 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95 }
local OFFSETS = { { 0, 0 }, { 0.125, -0.25 }, { 0.25, -0.5 }, { 0.375, 0.125 }, { 0.5, -0.375 } }

math.randomseed(p.seed)

--%% Speckle

local function normal()
  local r, angle = math.sqrt(-2 * math.log(1 - math.random())), 2 * math.pi * math.random()
  return r * math.cos(angle), r * math.sin(angle)
end

-- Inverse transform of one line of `n` numbers, a power of two, from position `first` in steps of `step`.
local function transform(re, im, first, step, n)
  local j = 0
  for i = 1, n - 1 do
    local bit = n >> 1
    while j & bit ~= 0 do j, bit = j ~ bit, bit >> 1 end
    j = j | bit
    if i < j then
      local a, b = first + i * step, first + j * step
      re[a], re[b], im[a], im[b] = re[b], re[a], im[b], im[a]
    end
  end
  local length = 2
  while length <= n do
    local half, angle = length // 2, 2 * math.pi / length
    for k = 0, half - 1 do
      local c, s = math.cos(angle * k), math.sin(angle * k)
      for start = k, n - 1, length do
        local a, b = first + start * step, first + (start + half) * step
        local x, y = re[b] * c - im[b] * s, re[b] * s + im[b] * c
        re[b], im[b] = re[a] - x, im[a] - y
        re[a], im[a] = re[a] + x, im[a] + y
      end
    end
    length = length * 2
  end
end

local function signed(k) return k < SIZE // 2 and k or k - SIZE end

local function in_band(k) return math.abs(signed(k)) <= BANDWIDTH * SIZE / 2 end

-- White noise over the band.
local function spectrum()
  local re, im = {}, {}
  for i = 0, SIZE * SIZE - 1 do
    if in_band(i // SIZE) and in_band(i % SIZE) then
      re[i], im[i] = normal()
    else
      re[i], im[i] = 0, 0
    end
  end
  return re, im
end

local grid = raster.grid { rows = SIZE, cols = SIZE }

-- The complex image of a spectrum, which is used up.
local function image(re, im)
  for row = 0, SIZE - 1 do
    if in_band(row) then transform(re, im, row * SIZE, 1, SIZE) end
  end
  for col = 0, SIZE - 1 do transform(re, im, col, SIZE, SIZE) end
  local function rows(values)
    local out = {}
    for row = 0, SIZE - 1 do out[row + 1] = table.move(values, row * SIZE, row * SIZE + SIZE - 1, 1, {}) end
    return raster.from_table(grid, out)
  end
  return raster.complex(rows(re), rows(im))
end

-- The spectrum γ a + √(1 − γ²) b, moved by (dx, dy) pixels.
local function mixed(a_re, a_im, b_re, b_im, coherence, dx, dy)
  local re, im, rest = {}, {}, math.sqrt(1 - coherence * coherence)
  for i = 0, SIZE * SIZE - 1 do
    local x, y = coherence * a_re[i] + rest * b_re[i], coherence * a_im[i] + rest * b_im[i]
    local angle = -2 * math.pi * (signed(i % SIZE) * dx + signed(i // SIZE) * dy) / SIZE
    local c, s = math.cos(angle), math.sin(angle)
    re[i], im[i] = x * c - y * s, x * s + y * c
  end
  return re, im
end

--%% Matching

local points = {}
for y = 64, 448, 64 do
  for x = 64, 448, 64 do points[#points + 1] = { x, y } end
end

local METHODS = {
  { name = "ampcor", label = "ampcor", color = "C0", run = correlation.ampcor, options = {} },
  { name = "isce2", label = "ampcor, parity = isce2", color = "C1", run = correlation.ampcor,
    options = { parity = "isce2", oversampling = 64 } },
  { name = "phase", label = "phase", color = "C2", run = correlation.phase, options = {} },
}

-- Errors along x and y of every window, for each method, coherence and offset.
local errors = {}
for m = 1, #METHODS do
  errors[m] = {}
  for c = 1, #COHERENCES do
    errors[m][c] = {}
    for o = 1, #OFFSETS do errors[m][c][o] = { windows = 0, failed = 0 } end
  end
end

for _ = 1, p.images do
  local a_re, a_im = spectrum()
  local reference = image(table.move(a_re, 0, #a_re, 0, {}), table.move(a_im, 0, #a_im, 0, {}))
  for c, coherence in ipairs(COHERENCES) do
    local b_re, b_im = spectrum()
    for o, offset in ipairs(OFFSETS) do
      local secondary = image(mixed(a_re, a_im, b_re, b_im, coherence, offset[1], offset[2]))
      for m, method in ipairs(METHODS) do
        local options = { points = points, window = WINDOW, search = 8 }
        for name, value in pairs(method.options) do options[name] = value end
        local cell = errors[m][c][o]
        for _, row in ipairs(method.run(reference, secondary, options)) do
          cell.windows = cell.windows + 1
          local x = row.dx_px and row.dx_px - offset[1]
          local y = row.dy_px and row.dy_px - offset[2]
          if x and math.max(math.abs(x), math.abs(y)) < 0.5 then
            cell[#cell + 1], cell[#cell + 2] = x, y
          else
            cell.failed = cell.failed + 1
          end
        end
      end
    end
  end
end

--%% Figures of merit

-- Bias and spread of a list of errors.
local function moments(list)
  local sum, squares = 0, 0
  for _, e in ipairs(list) do sum, squares = sum + e, squares + e * e end
  local mean = sum / #list
  return mean, math.sqrt(math.max(squares / #list - mean * mean, 0))
end

-- All offsets of a coherence together: the largest bias along an axis, the spread, and the share of outliers.
local function summary(of_coherence)
  local worst, variance, count, windows, failed = 0, 0, 0, 0, 0
  for _, cell in ipairs(of_coherence) do
    for axis = 1, 2 do
      local list = {}
      for i = axis, #cell, 2 do list[#list + 1] = cell[i] end
      if #list > 1 then
        local mean, spread = moments(list)
        if math.abs(mean) > math.abs(worst) then worst = mean end
        variance, count = variance + spread * spread * #list, count + #list
      end
    end
    windows, failed = windows + cell.windows, failed + cell.failed
  end
  return { bias = worst, std = count > 0 and math.sqrt(variance / count) or 0 / 0, outliers = failed / windows }
end

-- Standard deviation in pixels, from N independent samples of 1/B pixels each.
local N = (WINDOW * BANDWIDTH) ^ 2
local function coherent(g) return math.sqrt(3 / (2 * N)) * math.sqrt(1 - g * g) / (math.pi * g) / BANDWIDTH end
local function incoherent(g)
  return math.sqrt(3 / (10 * N)) * math.sqrt(2 + 5 * g ^ 2 - 7 * g ^ 4) / (math.pi * g * g) / BANDWIDTH
end

local table_lines = { "| coherence | bound, complex | expected, amplitude |", "|---|---|---|" }
for _, method in ipairs(METHODS) do
  table_lines[1] = table_lines[1] .. (" %s: bias | std | outliers |"):format(method.label)
  table_lines[2] = table_lines[2] .. "---|---|---|"
end
local found = {}
for c, coherence in ipairs(COHERENCES) do
  local line = ("| %.2f | %.4f | %.4f |"):format(coherence, coherent(coherence), incoherent(coherence))
  for m in ipairs(METHODS) do
    found[m] = found[m] or {}
    local s = summary(errors[m][c])
    found[m][c] = s
    line = line .. (" %+.4f | %.4f | %.1f %% |"):format(s.bias, s.std, 100 * s.outliers)
  end
  table_lines[#table_lines + 1] = line
end
print(table.concat(table_lines, "\n"))

--%% Figure

local figure = plot.figure { cols = 2, width = 7, height = 3, letters = true, dpi = 300 }
local axes = figure:axes {
  x_label = "Coherence", y_label = "Standard deviation (pixels)", y_scale = "log", grid = true,
  y_limits = { 0.002, 1 }, legend = "upper right",
}
local theory, bound = {}, {}
local fine = {}
for i = 0, 65 do
  fine[#fine + 1] = 0.3 + i / 100
  theory[#fine], bound[#fine] = incoherent(fine[#fine]), coherent(fine[#fine])
end
axes:line(fine, theory, { label = "expected of amplitudes", color = "0.4", style = "dashed" })
axes:line(fine, bound, { label = "Cramér–Rao bound, complex", color = "0.4", style = "dotted" })
for m, method in ipairs(METHODS) do
  local y = {}
  for c in ipairs(COHERENCES) do y[c] = found[m][c].std end
  axes:line(COHERENCES, y, { label = method.label, color = method.color, marker = "circle", marker_size = 4, line_width = 1 })
end

-- Bias along x at a coherence of 0.8, with its standard error.
local at
for c, coherence in ipairs(COHERENCES) do at = coherence == 0.8 and c or at end
axes = figure:axes { x_label = "Offset (pixels)", y_label = "Bias along x (pixels)", legend = "none", grid = true }
axes:horizontal_line(0)
for m, method in ipairs(METHODS) do
  local x, y, e = {}, {}, {}
  for o, offset in ipairs(OFFSETS) do
    local list, cell = {}, errors[m][at][o]
    for i = 1, #cell, 2 do list[#list + 1] = cell[i] end
    local mean, spread = moments(list)
    x[o], y[o], e[o] = offset[1] + (m - 2) * 0.01, mean, spread / math.sqrt(#list)
  end
  axes:error_bars(x, y, e, { color = method.color, marker_size = 4, label = method.label })
end
print(figure:write(p.out))
