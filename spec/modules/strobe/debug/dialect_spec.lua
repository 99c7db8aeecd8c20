local Folder = require "spec.support.folder"
local dialects = require "strobe.debug.dialect"
local uv = require "luv"

local LINE = "aé€😀z" -- 1, 2, 3, 4 and 1 bytes; the fourth has two units

describe("the columns of a client", function()
  it("are UTF-16 units from 1, unless it says from 0", function()
    local from_one, from_zero = dialects.new {}, dialects.new { columnsStartAt1 = false }
    for units, bytes in pairs { [0] = 0, 1, 3, 6, [5] = 10, [6] = 11 } do
      assert.equal(bytes, from_one:bytes_before(LINE, units + 1))
      assert.equal(bytes, from_zero:bytes_before(LINE, units))
      assert.equal(units + 1, from_one:column_behind(LINE:sub(1, bytes)))
      assert.equal(units, from_zero:column_behind(LINE:sub(1, bytes)))
    end
  end)

  it("within a character are behind it, and outside of the line its ends", function()
    local dialect = dialects.new {}
    assert.equal(10, dialect:bytes_before(LINE, 5))
    assert.same({ 0, 0, 11, 11, 0 }, {
      dialect:bytes_before(LINE, 0), dialect:bytes_before(LINE, -7), dialect:bytes_before(LINE, 8),
      dialect:bytes_before(LINE, 1e9 // 1 | 0), dialect:bytes_before("", 3),
    })
  end)

  it("are found in what is no UTF-8, too", function()
    local dialect = dialects.new {}
    for _, text in ipairs { "\x80\x80a", "a\xff\xfeb", "\xf0", "é\x80b", ("\x80"):rep(100000) } do
      local last = 0
      for column = 1, 8 do
        local bytes = dialect:bytes_before(text, column)
        assert.is_true(bytes >= last and bytes <= #text)
        last = bytes
      end
      assert.equal(#text, last)
    end
  end)
end)

describe("the lines of a client", function()
  it("are from 1, unless it says from 0", function()
    local from_one, from_zero = dialects.new {}, dialects.new { linesStartAt1 = false }
    assert.same({ 7, 7 }, { from_one:line(7), from_one:told_line(7) })
    assert.same({ 8, 6 }, { from_zero:line(7), from_zero:told_line(7) })
  end)
end)

describe("the files of a client", function()
  it("are paths, or URIs", function()
    local paths, uris = dialects.new { pathFormat = "path" }, dialects.new { pathFormat = "uri" }
    assert.same({ name = "a b.lua", path = "/x/a b.lua" }, paths:source "/x/a b.lua")
    assert.equal("/x/a b.lua", paths:path "/x/a b.lua")
    assert.same({ name = "ä b%.lua", path = "file:///x/%C3%A4%20b%25.lua" }, uris:source "/x/ä b%.lua")
    assert.equal("/x/ä b%.lua", uris:path "file:///x/%c3%a4%20b%25.lua")
    assert.equal("/x/y", uris:path "FILE://localhost/x/y")
    for _, strange in ipairs { "", "/plain", "file:", "file://host", "http://x/y", "untitled:1", "file:///%zz%" } do
      assert.is_string(uris:path(strange))
    end
  end)

  it("keep the names that it has for them, though links lead there", function()
    local folder <close> = Folder.new { ["real/main.lua"] = "return 1\n" }
    assert(uv.fs_symlink(folder.path .. "/real", folder.path .. "/link"))
    local real = assert(uv.fs_realpath(folder.path .. "/real/main.lua"))
    local dialect = dialects.new {}
    assert.equal(real, dialect:source(real).path)
    local name = folder.path .. "/link/main.lua"
    assert.equal(name, dialect:path(name))
    assert.equal(name, dialect:source(real).path)
  end)
end)
