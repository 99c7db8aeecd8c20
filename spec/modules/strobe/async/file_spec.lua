local Folder = require "spec.support.folder"
local async = require "strobe.async"

local fs = async.fs

describe("an open file", function()
  local folder, path

  before_each(function()
    folder = Folder.new { ["a.txt"] = "one\ntwo\r\nthree" }
    path = folder.path
  end)

  after_each(function()
    folder:__close()
  end)

  it("has the words of a StreamReader, which go on where the last one ended", function()
    local file <close> = assert(fs.open(path .. "/a.txt")) -- one\ntwo\r\nthree
    assert.equal("o", file:read(1))
    assert.equal("ne\n", file:readline())
    assert.equal("tw", file:readexactly(2))
    assert.equal("o\r\n", file:readuntil "\r\n")
    assert.equal(9, file:seek())
    assert.equal("three", file:lines()())
    file:seek("cur", -2)
    assert.equal("ee", file:readline())
    assert.equal("", file:readline())
    assert.equal("", file:readexactly(0))
    assert.equal("", file:read(5))
  end)

  it("says what is missing at the end, and what there was", function()
    local file <close> = assert(fs.open(path .. "/a.txt"))
    assert.same({ "EOF", "one\ntwo\r\nthree" }, { select(3, file:readexactly(100)) })
    file:seek "set"
    assert.same({ "EOF", "one\ntwo\r\nthree" }, { select(3, file:readuntil "none") })
    file:seek "set"
    local data, message, code, clear = file:readuntil("three", 5)
    assert.is_nil(data)
    assert.matches("no separator within 5 bytes", message)
    assert.same({ "EMSGSIZE", 9 }, { code, clear })
    assert.equal("EMSGSIZE", select(3, file:readline(2)))
    assert.equal("one\n", file:readline(3))
    assert.has_error(function()
      return file:readuntil "", nil
    end)
    assert.has_error(function()
      return file:readexactly(-1), nil
    end)
  end)

  it("gives its bytes in chunks", function()
    local file <close> = assert(fs.open(path .. "/a.txt"))
    assert.same({ "one\nt", "wo\r\nt", "hree" }, async.iter(file:chunks(5)):to_list())
    assert.same({}, async.iter(file:chunks()):to_list())
  end)

  it("reads again what was written meanwhile", function()
    local file <close> = assert(fs.open(path .. "/a.txt", "r+"))
    assert.equal("one\n", file:readline())
    assert(file:write "TWO")
    assert.equal("\r\n", file:readline())
    assert.equal("three", file:readline())
  end)

  it("finds lines and separators across what is read at once", function()
    local large = ("x"):rep(256 * 1024 - 2)
    assert(fs.write_file(path .. "/large", large .. "\r\n" .. large .. "<end>" .. large .. "\n\nlast"))
    local file <close> = assert(fs.open(path .. "/large"))
    assert.is_true(large == file:lines()())
    assert.is_true(large .. "<end>" == file:readuntil "<end>")
    assert.is_true(large .. "\n" == file:readline())
    assert.equal("\n", file:readline())
    assert.equal("last", file:readline())
  end)

  it("loses no bytes when a read is cancelled", function()
    local text = ("0123456789abcdef\n"):rep(60000)
    assert(fs.write_file(path .. "/large", text))
    local file <close> = assert(fs.open(path .. "/large"))
    local parts = {}
    for requests = 1, 4 do
      local t = async.create_task(file.read_all, file)
      for _ = 1, requests do
        fs.stat "/"
      end
      t:cancel()
      async.wait { t }
      parts[#parts + 1] = t:cancelled() and assert(file:readline()) or assert(t:result())
    end
    assert.is_true(text == table.concat(parts) .. file:read_all())
  end)

  it("gives its lines, the last without an end", function()
    local file <close> = assert(fs.open(path .. "/a.txt"))
    local list = {}
    for line in file:lines() do
      list[#list + 1] = line
    end
    assert.same({ "one", "two", "three" }, list)
  end)

  it("bounds its lines", function()
    local file <close> = assert(fs.open(path .. "/a.txt"))
    local lines = file:lines(3)
    assert.equal("one", lines())
    local ok, e = pcall(function()
      return lines(), lines()
    end)
    assert.is_false(ok)
    assert.is_true(async.is(e, async.LimitOverrunError))
  end)

  it("fails its lines with an error that has the code", function()
    local file = assert(fs.open(path .. "/a.txt"))
    local lines = file:lines()
    file:close()
    local ok, e = pcall(lines)
    assert.is_false(ok)
    assert.equal("EBADF", e.code)
  end)
end)
