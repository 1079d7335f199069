local progress = require "progress"

test("loops like ipairs", function()
  local seen = {}
  for i, value in progress.each({ "a", "b", "c" }, "letters") do
    seen[#seen + 1] = i .. value
  end
  assert(table.concat(seen, " ") == "1a 2b 3c")
  for _ in progress.each({}) do
    error("an empty list has no entries")
  end
end)

test("loops can be left and nested", function()
  local count = 0
  for i in progress.each({ 1, 2, 3 }, "outer") do
    for j in progress.each({ 1, 2, 3 }, "inner") do
      count = count + 1
      if j == 2 then break end
    end
    if i == 2 then break end
  end
  assert(count == 4)
  assert_error(function()
    for _ in progress.each({ 1, 2 }) do error("mine") end
  end, "progress.lua:%d+: mine")
  for i in progress.each({ 1 }) do assert(i == 1) end
end)

test("counts steps and passes results on", function()
  local a, b = progress.run(10, "steps", function(step)
    step()
    step(9)
    return 1, 2
  end)
  assert(a == 1 and b == 2)
  assert_error(function() progress.run(10, "x", function() error("mine") end) end, "progress.lua:%d+: mine")
  assert_error(function() progress.run(10, "x", function(step) step(-1) end) end, "n must be an integer of at least 0")
  assert_error(function() progress.each(5) end, "list must be a list, got 5")
end)
