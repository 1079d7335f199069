-- The files are made by scripts/parquet_oracles, which also reads what perilune writes.
local tables = require "tables"

local function same(a, b)
  return a == b or (a ~= a and b ~= b)
end

test("tables of pandas and polars", function()
  for _, maker in ipairs { "pandas", "polars" } do
    local t = tables.read(fixture("tables/" .. maker .. ".parquet"))
    assert(table.concat(t.names, " ") == "flag count number text time", maker)
    local types = {}
    for i, name in ipairs(t.names) do types[i] = t.types[name] end
    assert(table.concat(types, " ") == "boolean integer number string time", maker)
    assert(#t == 3 and next(t[2]) == nil, "the second row is missing throughout")
    assert(t[1].flag == true and t[3].flag == false)
    assert(t[1].count == 9007199254740993 and t[3].count == math.mininteger)
    assert(t[1].number == 0.1 and t[3].number == -1e300)
    assert(t[1].text == 'a, "b"' and t[3].text == "Münster")
    assert(t[1].time == "2020-01-05T10:30:00.123456Z" and t[3].time == "1969-12-31T23:59:59Z")
  end
end)

test("types of Parquet", function()
  local t = tables.read(fixture "tables/types.parquet")
  local expected = {
    flag = { "boolean", true, false },
    int8 = { "integer", -128, 127 },
    uint32 = { "integer", 0, 4294967295 },
    count = { "integer", 9007199254740993, math.mininteger },
    uint64 = { "integer", math.maxinteger, 1 },
    -- No integer of 64 bits with a sign.
    large = { "string", "18446744073709551615", "1" },
    half = { "number", 0.5, -2 },
    single = { "number", 0.25, nil },
    number = { "number", 0.1, -1e300 },
    money = { "number", 12.34, -0.01 },
    digits = { "string", "123456789012345678901", "1" },
    text = { "string", 'a, "b"', "Münster" },
    class = { "string", "water", "land" },
    day = { "time", "2020-02-29", "1800-01-01" },
    second = { "time", "1970-01-01T00:00:01Z", "1969-12-31T23:59:59Z" },
    milli = { "time", "1970-01-01T00:00:00.001Z", "1969-12-31T23:59:59.999Z" },
    -- datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=-36 * 10**15)
    micro = { "time", "0829-03-16T08:00:00Z", "1970-01-01T00:00:00.000001Z" },
    nano = { "time", "1970-01-01T00:00:00.000000001Z", "2001-09-09T01:46:40Z" },
    nothing = { "number", nil, nil },
  }
  for name, wanted in pairs(expected) do
    assert(t.types[name] == wanted[1], name .. " is a " .. tostring(t.types[name]))
    assert(t[2][name] == nil, name)
    assert(same(t[1][name], wanted[2]) and same(t[3][name], wanted[3]), name .. ": " .. tostring(t[1][name]) .. ", " .. tostring(t[3][name]))
  end
end)

test("written tables read back the same", function()
  for _, name in ipairs { "types", "pandas", "polars" } do
    local t = tables.read(fixture("tables/" .. name .. ".parquet"))
    t:write("t.parquet")
    local back = tables.read("t.parquet")
    assert(back:to_csv() == t:to_csv(), name)
    for column, kind in pairs(t.types) do assert(back.types[column] == kind, column) end
  end
  local csv = tables.from_csv("a,b,c,d\n1,0.5,x,2020-01-05\n,,,\n3,nan,,2020-01-06\n")
  csv:write("t.parquet")
  assert(tables.read("t.parquet"):to_csv() == csv:to_csv())
  csv:filter({ a = 7 }):write("t.pq")
  local none = tables.read("t.pq")
  assert(#none == 0 and none.types.c == "string" and none.types.d == "time")
  csv:write("t.tsv")
  assert(tables.read("t.tsv"):to_csv() == csv:to_csv())
end)

test("more rows than are read at a time, and columns of a choice", function()
  local list = {}
  for i = 1, 200000 do list[i] = i end
  local t = tables.new({ i = list }):with_column("x", list):cast("x", "number"):with_column("name", "a long name of a station")
  t:write("long.parquet")
  local back = tables.read("long.parquet", { columns = { "name", "i" } })
  assert(table.concat(back.names, " ") == "name i" and #back == 200000)
  assert(back[200000].i == 200000 and back[131073].name == "a long name of a station")
  assert(back:aggregate("sum", "i") == 200000 * 200001 // 2)
  t:write_csv("long.csv")
  assert(tables.read("long.csv", { columns = "x" }):aggregate("max", "x") == 200000)
end)

test("what cannot be read says so", function()
  local strange = fixture "tables/strange.parquet"
  assert_error(function() tables.read(strange) end, "strange%.parquet: column `wait` is of type Duration.*name the columns to read, of: id")
  assert(#tables.read(strange, { columns = "id" }) == 2)
  assert_error(function() tables.read(strange, { columns = "ids" }) end, "no column `ids`; did you mean `id`")
  assert_error(function() tables.read(strange, { delimiter = ";" }) end, "is Parquet, where the option `delimiter` means nothing")
  local t = tables.new({ { x = 1 } })
  assert_error(function() t:write("x.parquet", { delimiter = ";" }) end, "`delimiter` means nothing")
  assert_error(function() t:write("x.xlsx") end, "path must be a name that ends with %.csv.*got `.*x%.xlsx`")
  assert_error(function() t:write("no/x.parquet") end, "does not exist; create it first")
  require("fs").write("cut.parquet", "PAR1 and no more")
  assert_error(function() tables.read("cut.parquet") end, "cut%.parquet: cannot be read as Parquet")
end)
