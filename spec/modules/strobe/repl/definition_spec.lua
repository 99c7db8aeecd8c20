local definitions = require "strobe.repl.definition"

-- A console's variables, which were made by these inputs.
local function surroundings(texts)
  local variables = setmetatable({}, { __index = _G })
  for name, text in pairs(texts) do
    assert(load(text, "=" .. name, "t", variables))()
  end
  return { variables = variables, texts = texts }
end

describe("a definition", function()
  local around = surroundings {
    ["console:1"] = "x = 1\nfunction f(a)\n  return a\nend\nC = {}\nfunction C:m() end\nt = { [1] = f }",
    ["console:2"] = "g = load 'return 1'",
  }

  it("is the lines of the function that a name stands for", function()
    local definition = assert(definitions.of("f", around))
    assert.same({ text = "function f(a)\n  return a\nend", file = "console:1", line = 2, last = 4 }, definition)
    assert.same({ "function C:m() end", 6 }, { definitions.of("C:m", around).text, definitions.of("C.m", around).line })
  end)

  it("of a function in C says so", function()
    local definition = definitions.of("rawlen", around)
    assert.same({ text = "-- rawlen is a C function: it has no source in Lua", c = true }, definition)
  end)

  it("is there for functions only", function()
    local definition, message = definitions.of("x", around)
    assert.is_nil(definition)
    assert.equal("'x' is a number, and only functions have a source", message)
    definition, message = definitions.of("nothing.here", around)
    assert.is_nil(definition)
    assert.equal("'nothing.here' is nothing that has a source here", message)
  end)

  it("tells when its text is not there any more", function()
    local definition, message = definitions.of("g", around)
    assert.is_nil(definition)
    assert.matches("is not there any more$", message)
  end)

  it("never calls what is looked at, and takes any name", function()
    around.variables.trap = setmetatable({}, { __index = function() error "called" end })
    for _, name in ipairs { "trap.x", "", "f(", "f.", ".f", "\27[2J", "a\0b", ("a."):rep(1000) } do
      local definition, message = definitions.of(name, around)
      assert.is_nil(definition)
      assert.not_matches("[%c]", message)
    end
  end)
end)
