local Folder = require "spec.support.folder"
local async = require "strobe.async"
local file = require "strobe.vcd.file"
local fs = require "strobe.async.fs"

describe("a file of a trace", function()
  it("is written in order, whoever writes", function()
    local folder <close> = Folder.new {}
    local sink = assert(file.create(folder.path .. "/a.vcd"))
    local list = {}
    for i = 1, 20 do
      list[i] = async.create_task(sink.write, sink, ("%d\n"):format(i))
    end
    for _, task in ipairs(list) do
      assert.is_true(task:await())
    end
    assert.is_true(sink:close())
    assert.is_true(sink:close())
    local lines = {}
    for line in assert(fs.read_file(folder.path .. "/a.vcd")):gmatch "[^\n]+" do
      lines[#lines + 1] = tonumber(line)
    end
    assert.equal(20, #lines)
    for i, number in ipairs(lines) do
      assert.equal(i, number)
    end
  end)

  it("is empty at first, whatever it held", function()
    local folder <close> = Folder.new { ["a.vcd"] = "old" }
    assert(assert(file.create(folder.path .. "/a.vcd")):close())
    assert.equal("", assert(fs.read_file(folder.path .. "/a.vcd")))
  end)

  it("is read in blocks up to its end, or as far as one likes", function()
    local text = ("x"):rep(150000)
    local folder <close> = Folder.new { ["a.vcd"] = text }
    local source = assert(file.open(folder.path .. "/a.vcd"))
    local blocks = {}
    for block in source.next do
      blocks[#blocks + 1] = block
    end
    assert.same({ 3, text }, { #blocks, table.concat(blocks) })
    source.close()
    source.close()
    local left = assert(file.open(folder.path .. "/a.vcd"))
    assert.equal(64 * 1024, #left.next())
    left.close()
    assert.is_nil(left.next())
  end)

  it("that cannot be is told with its path and why", function()
    for _, open in ipairs { file.create, file.open } do
      local none, message, code = open "/nowhere/a.vcd"
      assert.same({ nil, "ENOENT" }, { none, code })
      assert.matches("^open /nowhere/a.vcd: no such file or directory", message)
    end
    local folder <close> = Folder.new {}
    local source = assert(file.open(folder.path))
    local _, message, code = source.next()
    assert.equal("EISDIR", code)
    assert.matches("^read .*: illegal operation on a directory", message)
    source.close()
  end)
end)
