-- Our speckle filters beside those of other programs: tests/fixtures/speckle, written by scripts/speckle_oracles (Orfeo ToolBox 8.1.1's
-- Despeckle, Smoothing and BandMath; findpeaks 2.7.5).
--
-- Away from the border, where the programs differ in what they take for outside the image. OTB's variance of a window of n pixels is that of
-- a sample, s² = n/(n − 1) · v; ours is v, that of the pixels that are there. Weights hold looks and variance as L · v: with n/(n − 1) times
-- its looks we must find its numbers.

local raster, filter = require "raster", require "filter"

local function opened(name)
  local image = raster.open(fixture("speckle/" .. name .. ".tif"))
  return name:find("^otb") and image or image:set_unit("power")
end

--- The largest relative difference of two images `margin` pixels and more inside, and the share of pixels beyond `tolerance`.
local function difference(ours, theirs, margin, tolerance)
  local a, b = ours:read(), theirs:read()
  local largest, beyond, count = 0, 0, 0
  for row = margin, a.rows - margin - 1 do
    for col = margin, a.cols - margin - 1 do
      for band = 1, #ours.bands do
        local x = select(band, a:get(row, col))
        local y = select(band, b:get(row, col))
        local off = math.abs(x - y) / y
        assert(off == off, "no value")
        largest, count = math.max(largest, off), count + 1
        if off > tolerance then beyond = beyond + 1 end
      end
    end
  end
  assert(count > 100)
  return largest, beyond / count
end

test("Lee and Frost are Orfeo ToolBox's", function()
  local power, n = opened "power", 25
  local lee = difference(filter.lee(power, { size = 5, looks = 4 * n / (n - 1) }), opened "otb_lee", 2, 0)
  assert(lee < 2e-6, lee)
  local frost = difference(filter.frost(power, { size = 5, damping = 2 * n / (n - 1) }), opened "otb_frost", 2, 0)
  assert(frost < 2e-6, frost)
end)

test("Kuan is Orfeo ToolBox's", function()
  -- Its weight, (1 − Cu²/Ci²) / (1 + Cu²), has the looks in the denominator too, where no variance stands beside them.
  local power, n, looks = opened "power", 25, 4
  local ours = looks * n / (n - 1)
  local mean = filter.boxcar(power, { size = 5 })
  local kuan = mean + (filter.kuan(power, { size = 5, looks = ours }) - mean) * ((1 + 1 / ours) / (1 + 1 / looks))
  local off = difference(kuan, opened "otb_kuan", 2, 0)
  assert(off < 5e-6, off)
end)

test("Gamma MAP is Orfeo ToolBox's", function()
  -- Looks and variance do not stand together in its formula. In a window of 33 × 33 pixels s² is v to 0.1 %, and so are the results.
  local off = difference(filter.gamma_map(opened "power", { size = 33, looks = 4 }), opened "otb_gammamap", 16, 0)
  assert(off < 2e-3, off)
end)

test("Lee sigma is findpeaks'", function()
  -- Its ranges are the paper's Table I, to three digits, ours are computed: a pixel at the end of a range may fall on the other side.
  local ours = filter.lee_sigma(opened "power", { size = 7, looks = 4, sigma = 0.9, strong_percentile = 100 })
  local largest, beyond = difference(ours, opened "findpeaks_lee_sigma", 0, 2e-3)
  -- Of 49 pixels of a window about one in 25 windows has one that near to an end.
  assert(beyond < 0.06 and largest < 0.15, ("%.3f beyond, largest %.3f"):format(beyond, largest))
end)

test("Quegan is what Orfeo ToolBox's means and band arithmetic give", function()
  -- No program of Debian or PyPI has the filter; its parts are OTB's: the means of Smoothing, the formula in BandMath.
  local dates = opened "dates"
  local images = {}
  for i, band in ipairs(dates.bands) do images[i] = dates[band]:rename "VV" end
  local theirs = opened "otb_quegan"
  for i, filtered in ipairs(filter.quegan(images, { size = 5 })) do
    local off = difference(filtered, theirs[theirs.bands[i]], 2, 0)
    assert(off < 2e-6, off)
  end
end)
