-- What a file of tests has beside what every script has: test, fixture; it answers with what guards a call, and the tests.
local tests, fixtures = {}, ...

function test(name, body)
  if type(name) ~= "string" or type(body) ~= "function" then
    error('test takes what holds, in words, and a function that tries it: test("one is one", function() … end)', 2)
  end
  tests[#tests + 1] = { name = name, body = body }
end

function fixture(path)
  return fixtures .. "/" .. path
end

return function(body)
  local ok, message = xpcall(body, function(message)
    message = tostring(message)
    return message:find "^skipped: " and message or debug.traceback(message, 2)
  end)
  return ok and "ok" or message
end, tests
