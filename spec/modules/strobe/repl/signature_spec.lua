local signature = require "strobe.repl.signature"

local variables = {
  order = function(side, size, ...)
    return side, size, ...
  end,
  book = { place = function(self, price)
    return self, price
  end },
}

local function at(text, cursor)
  return signature.at(text, cursor or #text, variables)
end

describe("a signature", function()
  for text, expected in pairs {
    ["order("] = { "order(side, size, ...)", 1 },
    ["order(1, "] = { "order(side, size, ...)", 2 },
    ["order({1, 2}, f(3, 4), "] = { "order(side, size, ...)", 3 },
    ["order(1, {a = 1, b"] = { "order(side, size, ...)", 2 },
    ["x = book:place("] = { "book:place(price)", 1 },
    ["book.place("] = { "book.place(self, price)", 1 },
    ["order(book:place(1), unknown("] = { "order(side, size, ...)", 2 },
    ["order(string.rep("] = { "string.rep(s, n, sep?) → string", 1 },
    ["x = ('a'):rep(3, "] = { "rep(n, sep?) → string", 2 },
    ["print("] = { "print(...)", 1 },
  } do
    it(("for %q tells the call around the cursor"):format(text), function()
      local found = at(text)
      assert.same(expected, { found.text, found.parameter })
    end)
  end

  it("is known for all functions of Lua's own", function()
    local standard = require "strobe.repl.standard"
    local left = { cosh = 1, sinh = 1, tanh = 1, pow = 1, frexp = 1, ldexp = 1, log10 = 1, setcstacklimit = 1 } -- old
    for _, library in ipairs { "coroutine", "debug", "io", "math", "os", "string", "table", "utf8" } do
      for name, f in pairs(_G[library]) do
        if type(f) == "function" and debug.getinfo(f, "S").what == "C" then
          local known = standard.signature(f)
          assert.truthy(known or left[name], library .. "." .. name)
        end
      end
    end
  end)

  for _, text in ipairs { "", "order", "order(1)", "function order(", "nothing(", "(", "f'x'(", "order = (1" } do
    it(("is not there for %q"):format(text), function()
      assert.is_nil(at(text))
    end)
  end

  it("is that of the place of the cursor, not of the text's end", function()
    assert.equal(1, at("order(1, 2)", 7).parameter)
  end)

  it("tells types and results of strobe's own functions, and what waits", function()
    local found = at "async.sleep("
    assert.matches("^async.sleep%(%w+: number", found.text)
    assert.is_true(found.waits)
    assert.matches("^net.connect%(host: string, port: integer, options%?: %w+%) → ", at("net.connect(").text)
  end)
end)
