-- What tests say of values, and where its errors point.
local check = require "check"

test("the same is the same, to any depth", function()
  check.equal(1, 1.0)
  check.equal({ 1, { a = { "x" } }, b = false }, { 1, { a = { "x" } }, b = false })
  check.equal(0 / 0, 0 / 0)
  check.equal(nil, nil)
end)

test("what differs is named with its place", function()
  local message = check.error(function() check.equal({ 1, { a = 2 } }, { 1, { a = 3 } }) end, "expected 3 at %[2%]%[\"a\"%], got 2$")
  assert(message:match "^tests/lua/check/check%.lua:12: ", message)
  check.error(function() check.equal({ a = 1 }, {}) end, "expected nil at %[\"a\"%], got 1")
  check.error(function() check.equal({}, { a = 1 }) end, "expected 1 at %[\"a\"%], got nil")
  check.error(function() check.equal("1", 1) end, "expected 1, got \"1\"")
  check.error(function() check.equal(1, 0 / 0) end, "expected %-?nan, got 1")
end)

test("numbers are close or not", function()
  check.close(1, 1 + 1e-9)
  check.close(10, 12, 2)
  local message = check.error(function() check.close(10, 12, 1) end, "expected 12 ± 1, got 10")
  assert(message:match "^tests/lua/check/check%.lua:23: ", message)
  check.error(function() check.close(0 / 0, 1) end, "got %-?nan")
  check.error(function() check.close("1", 1) end, "got 1")
end)

test("errors are wanted by their words", function()
  local message = check.error(function() error "a bad thing" end, "bad")
  assert(message:find "a bad thing")
  check.error(function() check.error(function() end, "x") end, "the call succeeded")
  check.error(function() check.error(function() error "y" end, "^x") end, "expected an error like `%^x`, got: .*y")
  check.error(function() check.error(function() error {} end, "x") end, "expected a string as error, got table")
end)

test("what cannot be tried here says why", function()
  local _, message = pcall(check.skip, "needs a GPU")
  check.equal(message, "skipped: needs a GPU")
  -- Also where an error is expected.
  _, message = pcall(check.error, function() check.skip "needs a GPU" end, "needs")
  check.equal(message, "skipped: needs a GPU")
end)
