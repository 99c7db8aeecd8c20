local input = require "strobe.repl.input"
local locals = require "strobe.repl.locals"

-- Runs inputs one after the other; what they leave.
local function run(...)
  local env = setmetatable({}, { __index = _G })
  for _, text in ipairs { ... } do
    assert(input.compile(text, "=x", env))()
  end
  return env
end

describe("a local at the top of an input", function()
  for text, rewritten in pairs {
    ["local a, b = 1, 2"] = ";     a, b = 1, 2",
    ["local a"] = ";     a = nil;",
    ["local a, b\nf()"] = ";     a, b = nil;\nf()",
    ["local function f() end"] = ";     function f() end",
    ["local a <const>, b = 1, 2"] = ";     a        , b = 1, 2",
    ["local a<const>"] = ";     a        = nil;",
    ["do local a = 1 end local b = 2"] = "do local a = 1 end ;     b = 2",
    ["function f() local a end"] = "function f() local a end",
    ["f(function() local a end)"] = "f(function() local a end)",
    ["if x then local a else local b end local c"] = "if x then local a else local b end ;     c = nil;",
    ["repeat local a until a local b"] = "repeat local a until a ;     b = nil;",
    ["while x do local a end local b"] = "while x do local a end ;     b = nil;",
    ["for i = 1, 2 do local a end local b"] = "for i = 1, 2 do local a end ;     b = nil;",
    ["local f = function() local a end local b"] = ";     f = function() local a end ;     b = nil;",
    ["x = 'local a' --local b\nlocal c"] = "x = 'local a' --local b\n;     c = nil;",
    ["local --[[ local ]] a = 1"] = ";     --[[ local ]] a = 1",
    ["locals = 1"] = "locals = 1",
  } do
    it(("is a variable of the console in %q"):format(text), function()
      local got = assert(locals.rewrite(text))
      assert.equal(rewritten, got)
      assert(load(got))
    end)
  end

  it("outlives the input", function()
    local env = run("local x = 1", "local function f() return x end", "y = f() + 1", "local x = 5", "z = f()")
    assert.same({ 5, 2, 5 }, { env.x, env.y, env.z })
  end)

  it("is nil unless it is given a value", function()
    local env = run("x, y = 1, 2", "local x, y")
    assert.is_nil(env.x)
    assert.is_nil(env.y)
  end)

  it("ends the statement before it", function()
    local env = run("local n = 0\nlocal function f() n = n + 1 return f end\nf()\nlocal g = f\ng()()")
    assert.equal(3, env.n)
  end)

  it("keeps its line and, but for <const>, says nothing", function()
    local _, message = pcall(assert(input.compile("local a\nlocal b = nil\nlocal c = b.x", "=x", {})))
    assert.matches("^x:3:", message)
    local _, notes = locals.rewrite "local a <const> = 1"
    assert.same({ "<const> of a is dropped: at the top of an input it is a variable of the console" }, notes)
    assert.same({}, select(2, locals.rewrite "local a = 1"))
  end)

  it("cannot be closed, as nothing would close it; in a block it can", function()
    local rewritten, problem = locals.rewrite "local f <close> = g()"
    assert.is_nil(rewritten)
    assert.same({ 10, 14 }, { problem.first, problem.last })
    assert.truthy(locals.rewrite "do local f <close> = g() end")
  end)
end)
