---@meta progress

--- Shows how far a script is: a bar on a terminal, a line now and then elsewhere, nothing with `--quiet`.
---
--- Writing and reducing images show progress by themselves; their bars stand below that of the loop around them.
---@class progress
local progress = {}

--- Goes through a list like `ipairs`, and shows how far the loop is.
---
--- ```lua
--- local progress = require "progress"
--- local sum = 0
--- for i, value in progress.each({ 10, 20, 30 }, "adding") do
---   sum = sum + i * value
--- end
--- assert(sum == 140)
--- ```
---@generic T
---@param list T[] A table, or an object with a length and entries such as a Stack.
---@param label? string What the bar is called.
---@return fun(list: T[], index: integer): integer, T iterator
---@return T[] list
---@return integer start
---@return table closing Removes the bar when the loop is left.
function progress.each(list, label) end

--- Shows progress of work that is no loop over a list: calls `fn` with a function that counts steps.
---
--- ```lua
--- local progress = require "progress"
--- local result = progress.run(100, "counting", function(step)
---   for _ = 1, 10 do step(10) end
---   return "done"
--- end)
--- assert(result == "done")
--- ```
---@param total integer Steps in all.
---@param label string What the bar is called.
---@param fn fun(step: fun(n?: integer)): ... `step(n)` says that n more steps are done, one unless given.
---@return ... results What `fn` returns.
function progress.run(total, label, fn) end

return progress
