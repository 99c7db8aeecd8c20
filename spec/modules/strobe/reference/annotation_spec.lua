local annotation = require "strobe.reference.annotation"

local function parse(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return annotation.parse(lines)
end

describe("an annotation", function()
  it("has a text, which ends with the first tag, and says where the name comes from", function()
    local block = parse "Waits.\n\nFor long. asyncio.sleep\n@async\n@return nil"
    assert.equal("Waits.\n\nFor long.", block.text)
    assert.equal("asyncio.sleep", block.origin)
    assert.is_true(block.async)
    assert.equal("asyncio.Queue.get", parse "Takes an item. asyncio.Queue.get\n\nRaises." .origin)
    assert.equal("Takes an item.\n\nRaises.", parse "Takes an item. asyncio.Queue.get\n\nRaises." .text)
    assert.is_nil(parse "As asyncio.gather does, it waits.".origin)
  end)

  it("has parameters: name, whether it may be left out, type and text, over several lines", function()
    local block = parse "@param path string where\n@param options? {mode?: integer} bits\n of a file\n@param ... any"
    assert.same({
      { name = "path", optional = false, type = "string", text = "where" },
      { name = "options", optional = true, type = "{mode?: integer}", text = "bits\nof a file" },
      { name = "...", optional = false, type = "any", text = "" },
    }, block.parameters)
  end)

  it("has results", function()
    local block = parse '@return fun(): string?, integer next the next one\n@return "a"|"b" # which'
    assert.same({
      { type = "fun(): string?, integer", text = "next the next one" },
      { type = '"a"|"b"', text = "which" },
    }, block.returns)
  end)

  it("has types of several lines, and functions that may wait", function()
    local block = parse "@param options? {a?: integer,\n  b?: string} what\n it is\n@param f? async fun(x: any) called"
    assert.same({
      { name = "options", optional = true, type = "{a?: integer, b?: string}", text = "what\nit is" },
      { name = "f", optional = true, type = "async fun(x: any)", text = "called" },
    }, block.parameters)
  end)

  it("says that its result must not be dropped, and what its types stand for", function()
    local block = parse "Declares.\n@generic T: table\n@nodiscard\n@return T"
    assert.same({ "T: table", true }, { block.generic, block.nodiscard })
    assert.is_nil(parse("Declares.\n@return T").nodiscard)
  end)

  it("is hidden when it is not for users", function()
    for _, tag in ipairs { "private", "package", "protected" } do
      assert.is_true(parse("For parts.\n@" .. tag).hidden)
    end
    assert.is_nil(parse("For parts.").hidden)
  end)

  it("has classes with parents and those fields that are for users", function()
    local block = parse "@class a.B : a.C what it is\n@field x? number seconds\n@field private y any\n@field [1] string"
    assert.same({ {
      name = "a.B", parents = { "a.C" }, text = "what it is",
      fields = {
        { name = "x", optional = true, type = "number", text = "seconds" },
        { name = "1", optional = false, type = "string", text = "" },
      },
    } }, block.classes)
    assert.same({ { name = "a.S", type = "string|number", text = "" } }, parse("@alias a.S string|number").aliases)
  end)

  it("has the parameters and results of its ---@type", function()
    local kind = "fun(url: string, options?: {a: integer, b: fun(x: string): string}, ...: any): T?, string?"
    local block = parse("Gets.\n@type " .. kind)
    assert.equal("url options ...", ("%s %s %s"):format(block.parameters[1].name, block.parameters[2].name,
      block.parameters[3].name))
    assert.equal("{a: integer, b: fun(x: string): string}", block.parameters[2].type)
    assert.is_true(block.parameters[2].optional)
    assert.same({ { type = "T?", text = "" }, { type = "string?", text = "" } }, block.returns)
  end)
end)

describe("a type", function()
  it("ends where the text begins, whatever is in it", function()
    for _, kind in ipairs {
      "string", "string?", "string[]", '"a b"|"c"', "string | number", "table<string, integer>",
      "{a: string, b?: integer}", "fun(a: string, ...): boolean?, string?", "(fun(): any)?", "{ n: integer }[]",
    } do
      assert.same({ kind, "and its text" }, { annotation.split_type(kind .. " and its text") })
      assert.same({ kind, "" }, { annotation.split_type(kind) })
    end
  end)

  it("that is broken ends with the line", function()
    for _, kind in ipairs { "fun(", '"a', "{a: string", "table<", "" } do
      local found = annotation.split_type(kind)
      assert.equal(kind, found)
    end
  end)
end)
