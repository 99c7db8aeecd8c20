local async = require "strobe.async"
local printer = require "strobe.attach.printer"

local text = printer.text

describe("the printer", function()
  it("writes plain values as Lua does, strings in quotes", function()
    assert.equal("nil", text(nil))
    assert.equal("true", text(true))
    assert.equal("42", text(42))
    assert.equal("42.0", text(42.0))
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

  it("names functions by their place, threads and userdata by their kind", function()
    assert.matches("^<function .*printer_spec.lua:%d+>$", text(function() end))
    assert.matches("^<C function 0x%x+>$", text(string.rep))
    assert.matches("^<thread 0x%x+>$", text(coroutine.create(print)))
    assert.matches("^file %(0x", text(io.stdout))
  end)
end)
