local log = require "log"

-- What the messages look like is tested on the program itself, in tests/cli/modules.rs.
test("levels are set and checked", function()
  assert(log.level() == "info")
  assert(log.level("error") == "error" and log.level() == "error")
  log.info("not shown", {}, nil)
  assert_error(function() log.level("eror") end, 'name must be .*; did you mean "error"')
end)

test("formats that do not fit are errors", function()
  log.level("info")
  assert_error(function() log.info("%d", "x") end, "log%.lua:13: bad argument #2 to 'format' %(number expected, got string%)")
end)
