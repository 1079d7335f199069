local catalog = require "catalog"
local fs = require "fs"

local function word(n)
  return string.pack("<I2", n)
end

-- An archive of stored members { name, bytes, crc32 }, as APPNOTE 6.3.10 lays it out.
local function zip(members)
  local body, directory = "", ""
  for _, member in ipairs(members) do
    local name, data, crc = member[1], member[2], member[3]
    local common = word(20) .. word(0x800) .. word(0) .. word(0) .. word(0x21) .. string.pack("<I4I4I4", crc, #data, #data)
      .. word(#name) .. word(0)
    directory = directory .. "PK\1\2" .. "\20\3" .. common .. ("\0"):rep(6) .. string.pack("<I4I4", 0x81a40000, #body) .. name
    body = body .. "PK\3\4" .. common .. name .. data
  end
  local count = word(#members)
  return body .. directory .. "PK\5\6\0\0\0\0" .. count .. count .. string.pack("<I4I4", #directory, #body) .. "\0\0"
end

-- The CRC-32 of "123456789" is the check value of its definition, 0xcbf43926.
local NINE = { "123456789", 0xcbf43926 }

test("archives are listed and unpacked beneath their folder", function()
  fs.write("a.zip", zip { { "s/a.txt", table.unpack(NINE) }, { "s/b.txt", "", 0 } })
  local members = catalog.zip_members("a.zip")
  assert(#members == 2 and members[1].name == "s/a.txt" and members[1].bytes == 9 and members[1].crc32 == "cbf43926")
  local out = catalog.unzip("a.zip", { into = "out", members = "s/a*" })
  assert(#out == 1 and out[1].path == "out/s/a.txt" and not out[1].present)
  assert(fs.read("out/s/a.txt") == "123456789" and not fs.exists("out/s/b.txt"))
  out = catalog.unzip("a.zip", { into = "out", delete = true })
  assert(out[1].present and not out[2].present and not fs.exists("a.zip"))
end)

test("hostile archives and wrong places are refused", function()
  fs.write("up.zip", zip { { "../up.txt", table.unpack(NINE) } })
  assert_error(function() catalog.unzip("up.zip", { into = "deep/x" }) end, "%.lua:%d+: catalog%.unzip: .*would leave the folder")
  assert(not fs.exists("deep/up.txt"))
  fs.write("a.zip", zip { { "a.txt", "123456789", 1 } })
  assert_error(function() catalog.unzip("a.zip") end, "`a%.txt` is damaged")
  assert(not fs.exists("a.txt"))
  assert_error(function() catalog.unzip("a.zip", { into = "/etc" }) end, "outside the working folder")
  assert_error(function() catalog.unzip("a.zip", { members = "b.txt" }) end, "no member `b%.txt`; did you mean `a%.txt`")
  assert_error(function() catalog.unzip("a.zip", { most_members = 0 }) end, "most_members must be an integer of at least 1")
  assert_error(function() catalog.zip_members("none.zip") end, "none%.zip")
  assert_error(function() catalog.unzip("a.zip", { inot = "x" }) end, "did you mean `into`")
end)

test("downloads are planned before anything is asked for", function()
  local function fails(files, options, pattern)
    options.dir = options.dir or "data"
    assert_error(function() catalog.download(files, options) end, pattern)
    assert(not fs.exists("data"))
  end
  fails({ "https://a.invalid/x.tif", "https://b.invalid/x.tif" }, {}, "would both be `x%.tif`.*folders = true")
  fails({ { url = "https://a.invalid/x", name = "../x" } }, {}, "name must be the name of a file inside the folder")
  fails({ { url = "https://a.invalid/x", sise = 3 } }, {}, "did you mean `files%[1%]%.size`")
  fails({ { url = "https://a.invalid/x", checksum = "12" } }, {}, "checksum must be an MD5")
  fails({ "no address" }, {}, "url must be a web address .*`no address`")
  fails({ 7 }, {}, "files%[1%] must be an address")
  fails({ "ftp://a.invalid/x.tif" }, {}, "ftp://a%.invalid/x%.tif")
  fails({ "https://a.invalid/x.tif" }, { dir = "/etc/x" }, "outside the working folder")
  fails({ "https://a.invalid/x.tif" }, { paralel = 3 }, "did you mean `parallel`")
  fails({ "https://a.invalid/x.tif" }, { on_error = "ignore" }, "on_error")
end)

test("items give their assets", function()
  local item = {
    type = "Feature", stac_version = "1.0.0", id = "S1", links = {},
    properties = { datetime = "2020-01-01T00:00:00Z" },
    assets = { vv = { href = "https://a.invalid/vv.tif" }, vh = { href = "https://a.invalid/vh.tif" } },
  }
  local items = catalog.items { item }
  assert_error(function() catalog.download(items, { dir = "data", assets = "vw" }) end, "item S1 .*did you mean `v[vh]`")
  assert_error(function() catalog.download(items, { dir = "data" }) end, "name one with `assets`; there are: v[vh], v[vh]")
  local report, totals = catalog.download(items, { dir = "data", assets = "vw", missing = "skip" })
  assert(#report == 0 and totals.files == 0)
end)

test("a server that is not there is named for each file", function()
  -- Nothing listens on port 9 of this machine.
  local report, totals = catalog.download(
    { { url = "http://127.0.0.1:9/a.tif?token=hush", name = "s/a.tif" } },
    { dir = "data", on_error = "report", dry_run = true }
  )
  assert(totals.files == 1 and report.status[1] == "failed" and report.name[1] == "s/a.tif")
  assert(report.error[1]:find("127.0.0.1:9", 1, true) and not report.error[1]:find("hush") and not report.url[1]:find("hush"))
end)
