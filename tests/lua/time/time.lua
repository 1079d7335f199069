local time = require "time"

test("times are read in the forms that products use", function()
  for text, expected in pairs {
    ["2020-01-05"] = "2020-01-05",
    ["20200105"] = "2020-01-05",
    ["20200105T101530"] = "2020-01-05T10:15:30Z",
    ["20200105T101530Z"] = "2020-01-05T10:15:30Z",
    ["2020-01-05T10:15:30.5Z"] = "2020-01-05T10:15:30.5Z",
    ["2020-01-05T02:00:00+02:00"] = "2020-01-05",
    [" 2020-01-05T10:15 "] = "2020-01-05T10:15:00Z",
  } do
    local parsed = time.parse(text)
    assert(parsed == expected, text .. " became " .. parsed)
  end
  assert(time.parse("05.01.2020", "%d.%m.%Y") == "2020-01-05")
  assert(time.parse("2020036", "%Y%j") == "2020-02-05")
end)

test("what is no time is an error", function()
  for _, text in ipairs { "yesterday", "20201305", "2020-02-30", "01/02/2020", "", "2020010" } do
    assert_error(function() time.parse(text) end, "time%.parse: text must be")
  end
  assert_error(function() time.parse("5.1.", "%d.%m.%Y") end, 'is not a time of the form "%%d%.%%m%.%%Y"')
  assert_error(function() time.format("2020-01-01", "%Y-%") end, "format must be a format such as")
end)

test("formats", function()
  assert(time.format("2020-01-05T10:15:30Z", "%Y-%m-%d %H:%M") == "2020-01-05 10:15")
  assert(time.format("2020-01-05T23:59:59Z") == "20200105")
  assert(time.format(0) == "19700101")
end)

test("calendar and clock amounts", function()
  assert(time.add("2020-01-31", { months = 1 }) == "2020-02-29")
  assert(time.add("2019-01-31", { months = 1 }) == "2019-02-28")
  assert(time.add("2020-02-29", { years = -1 }) == "2019-02-28")
  assert(time.add("2020-01-01", { weeks = 1, days = 2, hours = 12 }) == "2020-01-10T12:00:00Z")
  assert(time.add("2020-01-01", 0.5) == "2020-01-01T12:00:00Z")
  assert(time.add("2020-03-01", -1) == "2020-02-29")
  assert_error(function() time.add("2020-01-01", { day = 1 }) end, "unknown option `amount%.day`; did you mean `amount%.days`")
  assert_error(function() time.add("2020-01-01", { hours = 0 / 0 }) end, "amount%.hours must be a finite number, got nan")
  assert_error(function() time.add("2020-01-01", "1d") end, "amount must be a number of days or a table")
  assert_error(function() time.add("2020-01-01", { years = 100000 }) end, "time%.add")
end)

test("differences", function()
  assert(time.difference("2020-03-01", "2020-02-01") == 29)
  assert(time.difference("2020-02-01", "2020-03-01") == -29)
  assert_close(time.difference("2020-01-01T00:00:01.5Z", "2020-01-01", "seconds"), 1.5)
  assert_error(function() time.difference("2020-01-01", "2020-01-01", "day") end, 'unit must be "days" or .* did you mean "days"')
end)

test("ranges do not drift and end", function()
  local months = time.range("2020-01-31", "2020-05-31", { months = 1 })
  assert(table.concat(months, " ") == "2020-01-31 2020-02-29 2020-03-31 2020-04-30 2020-05-31")
  assert(table.concat(time.range("2020-01-01", "2020-01-30", 12), " ") == "2020-01-01 2020-01-13 2020-01-25")
  assert(table.concat(time.range("2020-01-03", "2020-01-01", -1), " ") == "2020-01-03 2020-01-02 2020-01-01")
  assert(#time.range("2020-01-02", "2020-01-01", 1) == 0)
  assert_error(function() time.range("2020-01-01", "2021-01-01", 0) end, "step must be a step that leads on")
  assert_error(function() time.range("2020-01-01", "2021-01-01", { seconds = 1 }) end, "more than 1000000 times")
end)

test("parts and seconds", function()
  local parts = time.parts("2020-02-05T10:15:30.25Z")
  assert(parts.year == 2020 and parts.month == 2 and parts.day == 5 and parts.hour == 10 and parts.minute == 15)
  assert(parts.second == 30.25 and parts.weekday == 3 and parts.day_of_year == 36)
  assert(time.seconds("1970-01-02") == 86400)
  assert(time.difference(time.now(), time.today(), "hours") < 24.1)
end)
