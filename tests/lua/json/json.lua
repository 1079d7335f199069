local json = require "json"

test("values survive the way there and back", function()
  local text = '{"id":"S1A","bbox":[10,50.5,11,51],"ok":true,"none":null}'
  local value = json.decode(text)
  assert(value.id == "S1A" and value.bbox[2] == 50.5 and value.ok and value.none == json.null)
  assert(math.type(value.bbox[1]) == "integer")
  local again = json.decode(json.encode(value))
  assert(again.bbox[4] == 51 and again.none == json.null)
end)

test("an empty list stays a list", function()
  assert(json.encode(json.array()) == "[]")
  assert(json.encode({}) == "{}")
  assert(json.encode(json.decode("[]")) == "[]")
end)

test("pretty text has lines", function()
  assert(json.encode(nil, { pretty = true }) == "null")
  assert(json.encode({ a = 1 }, { pretty = true }) == '{\n  "a": 1\n}')
end)

test("what is not JSON is named with its place", function()
  assert_error(function() json.decode("{a}") end, "json%.decode: not JSON: .* line 1 column 2")
  assert_error(function() json.encode(print) end, "json%.encode: cannot be written as JSON")
  local loop = {}
  loop.loop = loop
  assert_error(function() json.encode(loop) end, "json%.encode")
end)

test("names are in order, so that a file is the same from run to run", function()
  local many = {}
  for i = 99, 10, -1 do many["k" .. i] = { z = i, a = { y = 1, b = 2 } } end
  local text, last = json.encode(many), ""
  for name in text:gmatch '"(k%d+)":{"a":{"b":2,"y":1},"z"' do
    assert(name > last, name)
    last = name
  end
  assert(last == "k99")
end)
