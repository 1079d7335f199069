local fs = require "fs"

test("files are written, read, appended to and measured", function()
  fs.write("a.txt", "one\n\0two")
  assert(fs.read("a.txt") == "one\n\0two" and fs.size("a.txt") == 8)
  fs.append("a.txt", "\r\nthree")
  local lines = {}
  for line in fs.lines("a.txt") do
    lines[#lines + 1] = line
  end
  assert(#lines == 3 and lines[1] == "one" and lines[2] == "\0two" and lines[3] == "three")
  assert(fs.modified("a.txt"):match("^20%d%d%-%d%d%-%d%d"))
  fs.write("a.txt", "new")
  assert(fs.read("a.txt") == "new")
end)

test("what is missing is named with its folder", function()
  assert_error(function() fs.read("none.txt") end, "fs%.read: no such file: none%.txt %(looked in /.*%)")
  assert_error(function() fs.size("no/none.txt") end, "looked in .*/no%)")
  assert_error(function() fs.list("none") end, "no such file: none")
  assert_error(function() fs.write("no/a.txt", "x") end, "does not exist; create it first")
  assert_error(function() fs.read("") end, "path must be a path, got an empty string")
end)

test("outside the working folder nothing is touched", function()
  for _, call in ipairs {
    function() fs.read("/etc/hostname") end,
    function() fs.list("/etc") end,
    function() fs.glob("/etc/*") end,
    function() fs.exists("/etc") end,
    function() fs.mkdir("/etc/perilune") end,
    function() fs.remove("/etc/hostname") end,
    function() fs.write("a/../../../../../../../etc/x", "") end,
    function() fs.copy("a.txt", "/etc/x") end,
    function() fs.rename("a.txt", "/etc/x") end,
  } do
    assert_error(call, "is outside the working folder .*%-%-allow%-write")
  end
end)

test("folders", function()
  fs.mkdir("deep/er/still")
  fs.mkdir("deep/er/still")
  assert(fs.is_folder("deep/er") and fs.exists("deep") and not fs.is_folder("a.txt") and not fs.exists("shallow"))
  fs.write("deep/b.txt", "")
  assert(table.concat(fs.list("deep"), " ") == "b.txt er")
  assert_error(function() fs.remove("deep") end, "not empty; remove it with { recursive = true }")
  assert(fs.remove("deep/er/still") and not fs.exists("deep/er/still"))
  assert(fs.remove("deep", { recursive = true }) and not fs.exists("deep"))
  assert(fs.remove("deep") == false)
  assert_error(function() fs.remove(".", { recursive = true }) end, "the working folder itself")
  assert_error(function() fs.remove("x", { recusive = true }) end, "did you mean `recursive`")
end)

test("copies and renames", function()
  fs.write("c.txt", "see")
  assert(fs.copy("c.txt", "d.txt") == 3 and fs.read("d.txt") == "see")
  fs.rename("d.txt", "e.txt")
  assert(not fs.exists("d.txt") and fs.read("e.txt") == "see")
  assert_error(function() fs.copy("none", "f.txt") end, "no such file: none")
end)

test("patterns", function()
  fs.mkdir("g/2020/01")
  fs.mkdir("g/2021")
  for _, name in ipairs { "g/x_VV.tif", "g/2020/a_VV.tif", "g/2020/a_VH.tif", "g/2020/01/b_VV.tif", "g/2021/.hidden.tif" } do
    fs.write(name, "")
  end
  local function found(pattern)
    return table.concat(fs.glob(pattern), " ")
  end
  assert(found("g/*.tif") == "g/x_VV.tif")
  assert(found("g/**/*_VV.tif") == "g/2020/01/b_VV.tif g/2020/a_VV.tif g/x_VV.tif")
  assert(found("g/20*/a_V[HX].tif") == "g/2020/a_VH.tif")
  assert(found("g/*/*_{VV,VH}.tif") == "g/2020/a_VH.tif g/2020/a_VV.tif")
  assert(found("g/2020/a_{VV,VH}.tif") == "g/2020/a_VH.tif g/2020/a_VV.tif")
  assert(found("g/2021/*") == "" and found("g/2021/.*") == "g/2021/.hidden.tif")
  assert(found("g/2020") == "g/2020" and found("g/none*") == "" and found("none/*") == "")
  assert(found(folder .. "/g/x_V?.tif") == folder .. "/g/x_VV.tif")
  assert_error(function() fs.glob("[a") end, "pattern must be a pattern with")
end)

test("parts of paths", function()
  assert(fs.join("a", "b/", "c.tif") == "a/b/c.tif" and fs.join("a", "/b") == "/b" and fs.join() == "")
  assert(fs.basename("a/b.tif") == "b.tif" and fs.basename("a/b.tif", ".tif") == "b" and fs.basename("a/b/") == "b")
  assert(fs.basename(".tif", ".tif") == ".tif")
  assert(fs.dirname("a/b/c") == "a/b" and fs.dirname("c") == "." and fs.dirname("/c") == "/" and fs.dirname("/") == "/")
  assert(fs.extension("a/b.tar.gz") == "gz" and fs.extension("b") == "" and fs.extension(".rc") == "")
  assert_error(function() fs.join("a", 5) end, "part 2 must be a string")
  assert(fs.working() == folder or fs.working():sub(-#folder) == folder)
end)

test("temporary folders are made", function()
  local one, two = fs.temporary(), fs.temporary()
  assert(one ~= two and fs.is_folder(one) and #fs.list(two) == 0)
  fs.write(fs.join(one, "a"), "x")
end)
