local async = require "strobe.async"
local printer = require "strobe.repl.printer"

local text = printer.text

describe("the printer", function()
  it("writes plain values as Lua does, strings in quotes", function()
    assert.equal("nil", text(nil))
    assert.equal("true", text(true))
    assert.equal("42", text(42))
    assert.equal("42.0", text(42.0))
    assert.equal("0.1", text(0.1))
    assert.equal("1e+300 inf -inf", text(1e300) .. " " .. text(math.huge) .. " " .. text(-math.huge))
    assert.equal("9007199254740993 9007199254740992.0", text(2 ^ 53 | 1) .. " " .. text(2.0 ^ 53))
    assert.equal([["a\n\"\\\x1b\x00ä"]], text 'a\n"\\\27\0ä')
  end)

  it("cuts long strings, and says how much is left", function()
    assert.equal('"' .. ("x"):rep(400) .. '" … 1,234 more', text(("x"):rep(1634)))
  end)

  it("writes the list part first, then keys in order", function()
    assert.equal("{1, [3]=3}", text { 1, nil, 3 })
    assert.equal('{"a", [-1]=0, [2.5]=1, b=2, c=3, ["d e"]=4, [true]=5}',
      text { "a", [-1] = 0, [2.5] = 1, c = 3, b = 2, ["d e"] = 4, [true] = 5 })
    assert.equal("{}", text {})
  end)

  it("goes four levels deep, takes 50 entries, and says what is left", function()
    assert.equal("{a={a={a={a={…}}}}}", text { a = { a = { a = { a = { a = 1 } } } } })
    local list = {}
    for i = 1, 1060 do
      list[i] = i
    end
    assert.matches(", 50, … 1,010 more}$", text(list))
    local map = {}
    for i = 1, 60 do
      map["k" .. i] = i
    end
    assert.matches(", … 10 more}$", text(map))
  end)

  it("writes a table once, and then where it is", function()
    local inner = { 1 }
    assert.equal("{a={b={1}}, c=<table .a.b>}", text { a = { b = inner }, c = inner })
    local self = {}
    self[1] = self
    assert.equal("{<table .>}", text(self))
    assert.equal("{{1}, <table [1]>}", text { inner, inner })
  end)

  it("calls no metamethod but __tostring, and not for long", function()
    local hostile = setmetatable({ x = 1 }, {
      __name = "thing", __index = error, __pairs = error, __len = error, __eq = error,
    })
    assert.equal("thing {x=1}", text(hostile))
    local function with(f)
      return setmetatable({}, { __tostring = f })
    end
    assert.equal("<a\\x1bb>", text(with(function()
      return "<a\27b>"
    end)))
    assert.equal("<its __tostring failed: broken>", text(with(function()
      error("broken", 0)
    end)))
    assert.equal("<its __tostring runs for too long>", (text(with(function()
      while true do
      end
    end)):gsub("failed: its __tostring ", "")))
    assert.equal("{}", text(with(function()
      return 5
    end)))
    assert.matches("^<its __tostring ", text(with(function()
      async.sleep(1)
      return "x"
    end)))
  end)

  it("puts wide tables on several lines, when it is told the width", function()
    local value = { 1, 2, { 3 }, name = "abc", inner = { a = 1, b = { 2, 3 } } }
    assert.equal('{1, 2, {3}, inner={a=1, b={2, 3}}, name="abc"}', text(value, { width = 60 }))
    assert.equal('{\n  1, 2, {3},\n  inner={a=1, b={2, 3}},\n  name="abc"\n}', text(value, { width = 30 }))
    assert.equal('{\n  1, 2, {3},\n  inner={\n    a=1,\n    b={2, 3}\n  },\n  name="abc"\n}',
      text(value, { width = 16 }))
    local list = {}
    for i = 1, 60 do
      list[i] = i
    end
    for line in text(list, { width = 40 }):gmatch "[^\n]+" do
      assert.is_true(utf8.len(line) <= 40, line)
    end
  end)

  it("keeps to other limits", function()
    assert.equal("{1, … 2 more}", text({ 1, 2, 3 }, { items = 1 }))
    assert.equal("{{…}}", text({ { 1 } }, { depth = 1 }))
    assert.equal("{…}", text({ 1 }, { depth = 0 }))
    assert.equal('"ab" … 2 more', text("abcd", { bytes = 2 }))
    assert.equal('"a" … 3 more', text("aäb", { bytes = 2 }))
  end)

  it("ends soon with a table of tables of tables", function()
    local function nest(depth)
      local t = {}
      for i = 1, 50 do
        t[i] = depth > 0 and nest(depth - 1) or i
      end
      return t
    end
    assert.is_true(#text(nest(2)) < 100000)
  end)

  it("keeps the texts of several values short in all", function()
    assert.same({ "1", "nil", '"x"' }, printer.texts(table.pack(1, nil, "x")))
    assert.same({}, printer.texts(table.pack()))
    local many = printer.texts(table.pack(table.unpack({}, 1, 1200)))
    assert.same({ 201, "… 1,000 more" }, { #many, many[201] })
    local long = {}
    for i = 1, 200 do
      long[i] = ("\0"):rep(100000)
    end
    assert.is_true(#table.concat(printer.texts(table.pack(table.unpack(long)), { bytes = 100000 })) < 1e6)
  end)

  it("looks at a part of huge tables only", function()
    local list, map = {}, {}
    for i = 1, 300000 do
      list[i], map["k" .. i] = i, i
    end
    assert.matches(", 50, … 299,950 more}$", text(list))
    assert.matches(", … over 20,000 more}$", text(map))
  end)

  it("quotes keys that are no names", function()
    assert.equal('{["a b"]=2, ["end"]=1}', text { ["end"] = 1, ["a b"] = 2 })
    assert.matches("^{%[<table 0x%x+>%]=1}$", text { [{}] = 1 })
  end)

  it("lets what many __tostring do end, too", function()
    local slow, list = {
      __tostring = function()
        for _ = 1, 8000 do
        end
        return "slow"
      end,
    }, {}
    for i = 1, 50 do
      list[i] = {}
      for j = 1, 50 do
        list[i][j] = setmetatable({}, slow)
      end
    end
    local shown = text(list)
    assert.matches("^{{slow, slow", shown)
    assert.matches("<table 0x%x+>}, {", shown)
  end)

  it("ends a __tostring that catches its own end", function()
    local stubborn = setmetatable({}, { __tostring = function()
      while true do
        pcall(function()
          while true do
          end
        end)
      end
    end })
    assert.matches("runs for too long", text(stubborn))
  end)

  it("keeps the lines of what a value says of itself", function()
    local value = setmetatable({}, { __tostring = function()
      return "a\nb\27"
    end })
    assert.equal("a\nb\\x1b", text(value))
    assert.equal("{a\\nb\\x1b}", text { value })
  end)

  it("names functions by their place, threads and userdata by their kind", function()
    assert.matches("^<function .*printer_spec.lua:%d+>$", text(function() end))
    assert.matches("^<C function 0x%x+>$", text(string.rep))
    assert.matches("^<thread 0x%x+>$", text(coroutine.create(print)))
    assert.matches("^file %(0x", text(io.stdout))
  end)
end)
