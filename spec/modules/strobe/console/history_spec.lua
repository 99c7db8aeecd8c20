local Folder = require "spec.support.folder"
local History = require "strobe.console.history"
local json = require "strobe.json"
local lock = require("strobe.core.journal").lock
local uv = require "luv"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function mode(path)
  return ("%o"):format(assert(uv.fs_stat(path)).mode & tonumber("777", 8))
end

describe("the history of a console", function()
  local folder, path

  before_each(function()
    folder = Folder.new {}
    path = folder.path .. "/state/strobe/history"
  end)

  after_each(function()
    folder:__close()
  end)

  local function entries()
    return (History.new(path):load())
  end

  it("is empty as long as there is no file", function()
    assert.same({}, entries())
    assert.is_nil(select(2, History.new(path):load()))
  end)

  it("is for our eyes only", function()
    History.new(path):append "x = 1"
    assert.equal("600", mode(path))
    assert.equal("700", mode(folder.path .. "/state/strobe"))
  end)

  it("keeps inputs of several lines whole, one JSON string per line", function()
    local history = History.new(path)
    history:append "for i = 1, 2 do\n  print(i)\nend"
    history:append 'print "größer\tals"'
    assert.same({ "for i = 1, 2 do\n  print(i)\nend", 'print "größer\tals"' }, entries())
    assert.equal(2, select(2, read(path):gsub("\n", "")))
  end)

  it("keeps neither what repeats the last entry nor what begins with a blank", function()
    local history = History.new(path)
    for _, text in ipairs { "a", "a", " key = 'secret'", "\tx", "", "b", "a" } do
      assert.is_true(history:append(text))
    end
    assert.same({ "a", "b", "a" }, entries())
    history = History.new(path)
    history:load()
    history:append "a"
    assert.same({ "a", "b", "a" }, entries())
  end)

  it("passes over lines that are broken, and goes on behind one that was cut short", function()
    History.new(path):append "a"
    local file = assert(io.open(path, "ab"))
    file:write('{"no": "string"}\nnonsense\n"b"\n"cut sh')
    file:close()
    assert.same({ "a", "b" }, entries())
    History.new(path):append "c"
    assert.same({ "a", "b", "c" }, entries())
  end)

  it("is shared by consoles: what both type is there", function()
    local one, two = History.new(path), History.new(path)
    for i = 1, 50 do
      one:append("one " .. i)
      two:append("two " .. i)
    end
    local list = entries()
    assert.equal(100, #list)
    assert.equal("one 50", list[99])
    assert.equal("two 50", list[100])
  end)

  it("waits for who has the lock, without waiting", function()
    local history = History.new(path)
    history:append "a"
    local fd = assert(uv.fs_open(path, "a", 0))
    assert(lock(fd))
    assert.is_false(history:append "b")
    assert.same({ "a" }, entries())
    uv.fs_close(fd)
    assert.is_true(history:append "c")
    assert.same({ "a", "b", "c" }, entries())
  end)

  it("is written anew when it is a fifth over its limit", function()
    local lines = {}
    for i = 1, 12000 do
      lines[i] = json.encode("old " .. i)
    end
    History.new(path):append "first"
    local file = assert(io.open(path, "wb"))
    file:write(table.concat(lines, "\n"), "\n")
    file:close()
    local history, other = History.new(path), History.new(path)
    assert.equal(10000, #history:load())
    for i = 1, 2001 do
      history:append("new " .. i)
    end
    local list = entries()
    assert.equal(10000, #list)
    assert.equal("new 2001", list[10000])
    assert.equal("600", mode(path))
    assert.is_nil(uv.fs_stat(("%s.%d"):format(path, uv.os_getpid())))
    assert.is_true(select(2, read(path):gsub("\n", "")) <= 12001)
    other:append "it is the new file that I write to"
    assert.equal("it is the new file that I write to", entries()[10000])
  end)

  it("says why it cannot be kept", function()
    local blocked = Folder.new { ["file"] = "" }
    local done, message = History.new(blocked.path .. "/file/strobe/history"):append "a"
    assert.is_nil(done)
    assert.matches("not a directory", message)
    blocked:__close()
    assert.is_true(History.new(nil):append "a")
  end)
end)
