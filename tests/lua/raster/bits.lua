-- Masks and bits. Expected numbers: numpy 2.3, `&`, `|`, `~`, `<<`, `>>` on arrays of the types named.
local raster = require "raster"

local function image(values, dtype)
  return raster.from_table(raster.grid { rows = 1, cols = #values }, { values }, { dtype = dtype })
end

local function assert_values(found, expected, dtype)
  local row = found:read():totable()[1]
  for i, want in ipairs(expected) do
    assert(row[i] == want or (want ~= want and row[i] ~= row[i]), ("%d is %s, not %s"):format(i, row[i], want))
  end
  assert(found.dtypes.b1 == dtype, found.dtypes.b1)
end

test("integers combine bit by bit, and masks by their truth", function()
  local a, b = image({ 12, 255, 0, false }, "uint8"), image({ 10, 256, 5, 1 }, "uint16")
  assert_values(a & b, { 8, 0, 0, 0 / 0 }, "uint16")
  assert_values(a | b, { 14, 511, 5, 0 / 0 }, "uint16")
  assert_values(a & 4, { 4, 4, 0, 0 / 0 }, "uint8")
  assert_values(~a, { 243, 0, 255, 0 / 0 }, "uint8")
  assert_values(~image({ 0, 5, -1 }, "int16"), { -1, -6, 0 }, "int16")
  assert_values(image({ -1, 7 }, "int8") & image({ 200, 12 }, "uint8"), { 200, 4 }, "int16")
  local mask = a:gt(10) & b:gt(10)
  assert_values(mask, { 0, 1, 0, 0 / 0 }, "uint8")
  assert_values(~mask, { 1, 0, 1, 0 / 0 }, "uint8")
  -- 12 and 10 have no common truth but bits: a mask of a mask stays one.
  assert_values(~(a:ne(0) | b:eq(5)), { 0, 0, 0, 0 / 0 }, "uint8")
end)

test("integers of 32 and 64 bits", function()
  assert_values(image({ 4294967295, 2147483648 }, "uint32") & image({ 2863311530, 4294967295 }, "uint32"), { 2863311530, 2147483648 }, "uint32")
  local wide = image({ 9007199254740993, 1 << 62, -1 }, "int64")
  assert_values(wide & 3, { 1, 0, 3 }, "int64")
  assert_values(wide | image({ 2, 1, 0 }, "uint8"), { 9007199254740995, (1 << 62) + 1, -1 }, "int64")
  assert_values(wide >> 1, { 4503599627370496, 1 << 61, -1 }, "int64")
  assert_values(~wide, { -9007199254740994, ~(1 << 62), 0 }, "int64")
  assert_values(wide:bits(53), { 1, 0, 1 }, "uint8")
  assert_values(wide:bits(0, 62), { 9007199254740993, 1 << 62, math.maxinteger }, "uint64")
end)

test("shifts take the type that holds their results", function()
  local a = image({ 255, 1, 0 }, "uint8")
  assert_values(a << 1, { 510, 2, 0 }, "uint16")
  assert_values(a << 20, { 255 << 20, 1 << 20, 0 }, "uint32")
  assert_values(a << 40, { 255 << 40, 1 << 40, 0 }, "uint64")
  assert_values(a >> 4, { 15, 0, 0 }, "uint8")
  assert_values(image({ -128, 127 }, "int8") >> 3, { -16, 15 }, "int8")
  assert_error(function() return a << 57 end, "shift must be at most 56 of uint8 values: results have 64 bits, got 57")
  assert_error(function() return a >> -1 end, "a whole number of bits from 0 to 63")
end)

test("bits as numbers, a single one as a mask", function()
  local qa = image({ 21824, 22280, 23888 }, "uint16")
  assert_values(qa:bits(8, 9), { 1, 3, 1 }, "uint8")
  local clouds = qa:bits(3) | qa:bits(4)
  assert_values(clouds, { 0, 1, 1 }, "uint8")
  assert_values(~clouds, { 1, 0, 0 }, "uint8")
  assert_error(function() qa:bits(16) end, "bits must be first and last of 0 to 15.*got 16 and 16")
  assert_error(function() qa:bits(4, 3) end, "got 4 and 3")
  assert_error(function() (qa * 1):bits(3) end, "band `b1` must be of integers, which have bits.*got float32")
end)

test("what is neither is refused", function()
  local a, mask = image({ 1, 2 }, "float32"), image({ 1, 2 }, "uint8"):gt(1)
  assert_error(function() return a & a end, "the sides of `&` must be two masks.*got a band of float32 and a band of float32")
  assert_error(function() return mask | image({ 1, 2 }, "uint8") end, "make a mask of it first: .*`a:ne%(0%)`, got a mask and a band of uint8")
  assert_error(function() return mask & 1 end, "got a mask and the number 1")
  assert_error(function() return ~a end, "band `b1` must be a mask.*got a band of float32")
  assert_error(function() return image({ 1 }, "uint8") & 256 end, "one that uint8 holds, got 256")
  assert_error(function() return (mask + mask) & mask end, "a band of float32")
  -- A sum of masks is no mask again.
  assert_values(~(mask + mask):cast "uint8", { 255, 253 }, "uint8")
end)

test("masks stay masks in files, moved, chosen and unmasked", function()
  local mask = image({ 1, 2, false }, "uint8"):gt(1)
  mask:write "mask.tif"
  assert_values(~raster.open "mask.tif", { 1, 0, 0 / 0 }, "uint8")
  assert_values(~mask:unmask(0), { 1, 0, 1 }, "uint8")
  assert_values(~raster.where(mask, mask, mask), { 1, 0, 0 / 0 }, "uint8")
  assert_values(~mask:crop { rows = 1, cols = 2 }, { 1, 0 }, "uint8")
  assert_values(~mask:mask(mask), { 0 / 0, 0, 0 / 0 }, "uint8")
end)

test("images are not compared by ==, and stacks count from 1", function()
  local a, b = image({ 1 }, "uint8"), image({ 1 }, "uint8")
  assert_error(function() return a == b end, "to compare pixels write `a:eq%(b%)`")
  assert_error(function() return raster.stack({ a })[0] end, "index must be from 1.*got 0")
  assert(raster.stack({ a })[2] == nil)
end)
