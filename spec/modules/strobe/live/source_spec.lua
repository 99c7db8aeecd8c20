local Folder = require "spec.support.folder"
local refusals = require "strobe.live.refusal"
local shell = require "spec.support.shell"
local sources = require "strobe.live.source"
local uv = require "luv"

local function refused(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  assert.is_true(refusals.is(e), tostring(e))
  return e.code, e.place
end

-- What a text returns, and the line on which it says that it is.
local function run(raw)
  local source = sources.new("/unit.lua", raw)
  return sources.chunk(source, { line = function()
    return debug.getinfo(2, "l").currentline
  end })()
end

describe("a source", function()
  it("may begin with a byte order mark, and a line for the shell, and keeps its lines", function()
    for raw, line in pairs {
      ["return (line())"] = 1,
      ["\u{FEFF}return (line())"] = 1,
      ["#!/usr/bin/strobe\nreturn (line())"] = 2,
      ["\u{FEFF}#!/usr/bin/strobe\r\nreturn (line())"] = 2,
      ["# no program\n\nreturn (line())\n"] = 3,
      ["local a = 1\r\n\r\nreturn (line())\r\n"] = 3,
      ["return (line()) -- no newline"] = 1,
    } do
      assert.equal(line, run(raw), raw)
    end
  end)

  it("may be larger than a MiB", function()
    local lines = {}
    for i = 1, 30000 do
      lines[i] = ("do local x%d = 'value number %d' end"):format(i, i)
    end
    local raw = table.concat(lines, "\n") .. "\nreturn (line())"
    assert.is_true(#raw > 1 << 20)
    assert.equal(30001, run(raw))
  end)

  it("is compiled once, and again if it is executed again", function()
    local source = sources.new("/unit.lua", "return x")
    assert.equal(1, sources.chunk(source, { x = 1 })())
    assert.equal(2, sources.chunk(source, { x = 2 })())
  end)

  it("is named by its path, so breakpoints hold", function()
    local source = sources.new("/a/b.lua", "return 1")
    assert.equal("@/a/b.lua", debug.getinfo(sources.chunk(source, {}), "S").source)
    assert.equal("@/a/b.lua", debug.getinfo(sources.chunk(source, {}), "S").source)
  end)

  it("is refused when it is empty, does not compile, or is no text", function()
    for raw, expected in pairs {
      [""] = "empty 1", ["\n \r\n"] = "empty 1", ["\u{FEFF}"] = "empty 1", ["#!/bin/sh"] = "empty 1",
      ["return {"] = "syntax 1", ["local a\nx x"] = "syntax 2", ["#!/bin/sh\nreturn }"] = "syntax 2",
      [string.dump(function() end)] = "syntax 1",
    } do
      local code, place = refused(sources.new, "/unit.lua", raw)
      assert.equal(expected, code .. " " .. place:match "^/unit.lua:(%d+)$", raw)
    end
  end)

  it("names the line also when the path is long, or looks like a place", function()
    for _, path in ipairs { "/" .. ("folder/"):rep(20) .. "unit.lua", "/a:7:/unit.lua", "/%d+/[a]/unit.lua" } do
      local code, place = refused(sources.new, path, "\n\nx x")
      assert.same({ "syntax", path .. ":3" }, { code, place })
    end
  end)

  it("shows the names that it requires, as far as they are written down", function()
    assert.same({ "a", "b.c", "d", "e-f" }, sources.requires [[
      local a, b = require "a", require("b.c")
      require'd' ; require ( 'e-f' ) ; require(name) ]])
  end)
end)

describe("reading a file", function()
  it("gives its text, and what tells it from another, whatever the clock", function()
    local folder <close> = Folder.new { ["a.lua"] = "return 1", ["folder.lua/"] = "" }
    for _, clock in ipairs { "live", "virtual" } do
      local output = shell.lua(([[
        local sources = require "strobe.live.source"
        local raw, look = sources.read "%s/a.lua"
        print(raw, type(look), look == select(2, sources.read "%s/a.lua"))
        print((sources.read "%s/folder.lua"), (sources.read "/nowhere"))]]):gsub("%%s", folder.path), clock)
      assert.equal("return 1\tstring\ttrue\nnil\tnil\n", (output:gsub("strobe: warning: [^\n]*\n", "")))
    end
  end)
end)

describe("the place of a text", function()
  local paths = { ["/a/mm.lua"] = true, ["/a/lib.lua"] = true }

  it("is the first that is in one of the files", function()
    for text, place in pairs {
      ["/a/mm.lua:3: x"] = "/a/mm.lua:3",
      ["oh\nstack traceback:\n\t[C]: in ?\n\t/a/lib.lua:9: in f\n\t/a/mm.lua:3: in g"] = "/a/lib.lua:9",
      ["/a/mm.lua: no line; /a/mm.lua:4: x"] = "/a/mm.lua:4",
      ["/b/mm.lua:3: x"] = false,
      [""] = false,
    } do
      assert.equal(place or nil, sources.place_in(text, paths))
    end
  end)
end)

describe("the place of a file", function()
  local inside = { ["unit.lua"] = "return 1", ["sub/unit.lua"] = "return 1" }

  it("is below one of the folders, as they really are", function()
    local folder <close> = Folder.new(inside)
    local other <close> = Folder.new { ["unit.lua"] = "return 1" }
    local path = folder.path
    sources.check_place(path .. "/unit.lua", { path })
    sources.check_place(path .. "/sub/unit.lua", { path })
    sources.check_place(path .. "/unit.lua", { other.path, path })
    assert.same({ "path", path .. "/unit.lua:1" },
      { refused(sources.check_place, path .. "/unit.lua", { path .. "/sub" }) })
    assert(uv.fs_symlink(path .. "/sub", path .. "/current"))
    sources.check_place(path .. "/current/unit.lua", { path .. "/current" })
    assert(uv.fs_unlink(path .. "/current"))
    assert(uv.fs_symlink(other.path, path .. "/current"))
    assert.equal("path", (refused(sources.check_place, path .. "/current/unit.lua", { path })))
    sources.check_place(path .. "/current/unit.lua", { path .. "/current" })
  end)

  it("may not be written by everybody", function()
    local folder <close> = Folder.new(inside)
    local file = folder.path .. "/sub/unit.lua"
    for path, mode in pairs { [file] = "602", [folder.path .. "/sub"] = "703" } do
      assert(uv.fs_chmod(path, tonumber(mode, 8)))
      assert.same({ "perms", file .. ":1" }, { refused(sources.check_place, file, { folder.path }) })
      assert(uv.fs_chmod(path, tonumber("700", 8)))
      sources.check_place(file, { folder.path })
    end
  end)

  it("may not be behind a link which everybody may change", function()
    local folder <close> = Folder.new { ["real/unit.lua"] = "return 1", ["links/"] = "" }
    local link = folder.path .. "/links/unit.lua"
    assert(uv.fs_symlink("../real/unit.lua", link))
    sources.check_place(link, { folder.path })
    assert(uv.fs_chmod(folder.path .. "/links", tonumber("777", 8)))
    assert.equal("perms", (refused(sources.check_place, link, { folder.path })))
  end)
end)
