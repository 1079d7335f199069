---@meta test

--- Names something that a file of tests tries, and how. `perilune test` runs the files in the folder `tests` of a project, each in a virtual
--- machine of its own whose working folder is empty; it is only there in these files. Whatever `body` raises is a failure; `check` has what tests say of values.
---
--- Beside it such a file has `folder`, the path of that working folder, where it may write, and `fixture(path)`, a path in the folder
--- `tests/fixtures` of the project, where it may read. Modules of the project, and its libraries, are required as its scripts do.
---
--- ```lua
--- local check = require "check"
---
--- test("numbers are written as they are", function()
---   check.equal(require("json").encode { 1, 2.5 }, "[1,2.5]")
--- end)
--- ```
---@param name string What holds, in words: it is shown where it does not.
---@param body fun() Tries it.
function test(name, body) end
