local Folder = require "spec.support.folder"
local chunks = require "strobe.repl.chunk"

describe("the text of a chunk", function()
  it("is an input's, a file's, or a module's", function()
    local folder <close> = Folder.new { ["a.lua"] = "return 1\n" }
    assert.equal("x = 1", chunks.text("=console:1", { texts = { ["console:1"] = "x = 1" } }))
    assert.equal("return 1\n", chunks.text("@" .. folder.path .. "/a.lua", {}))
    assert.matches("^%-%-%- ", chunks.text("strobe:modules/strobe/json.lua", {}))
    assert.is_nil(chunks.text("@" .. folder.path .. "/b.lua", {}))
    assert.is_nil(chunks.text("@" .. folder.path, {}))
    assert.is_nil(chunks.text("=[C]", {}))
  end)

  it("is that of a unit's file as it was loaded, the newest generation first", function()
    local function generation(text)
      return { graph = { sources = { ["/x/mm.lua"] = { text = text } } } }
    end
    local unit = { run = { generation = generation "new" }, probation = { before = generation "old" } }
    assert.equal("new", chunks.text("@/x/mm.lua", { runtime = { order = { unit } } }))
    unit.run = nil
    assert.equal("old", chunks.text("/x/mm.lua", { runtime = { order = { unit } } }))
    unit.probation = false
    assert.is_nil(chunks.text("/x/mm.lua", { runtime = { order = { unit } } }))
  end)

  it("has lines", function()
    assert.equal("b", chunks.line("a\nb\r\n\nd", 2))
    assert.equal("", chunks.line("a\nb\r\n\nd", 3))
    assert.equal("d", chunks.line("a\nb\r\n\nd", 4))
    assert.is_nil(chunks.line("a", 5))
  end)
end)
