local Folder = require "spec.support.folder"
local sh = require("spec.support.shell").run

local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

-- What `strobe check` says in a folder with these files.
local function check(files, words)
  local folder <close> = Folder.new(files)
  return sh(("cd '%s' && $S check %s"):format(folder.path, words))
end

describe("strobe check", function()
  it("says nothing of units that would load, with all they require", function()
    local files = { ["mm.lua"] = "local book = require 'parts.book' " .. UNIT, ["parts/book.lua"] = "return {}",
      ["other.lua"] = UNIT }
    assert.same({ "", 0 }, { check(files, "mm.lua ./other.lua") })
    assert.same({ "", 0 }, { check(files, "--root . mm.lua") })
  end)

  for text, line in pairs {
    ["return {\nversion ="] = "mm.lua:2: syntax: unexpected symbol near <eof>",
    [""] = "mm.lua:1: empty: mm.lua is empty",
    ["\nerror 'no'"] = "mm.lua:2: load: no",
    ["return { version = 0 }"] = "mm.lua:1: contract: version: a whole number of 1 or more expected, got 0",
    ["local t = 1\n\nglobal = t return {}"] = "mm.lua:3: global: the global 'global' was written",
    ["while true do end"] = "mm.lua:1: budget: mm.lua takes more than 5000000 instructions to load",
    ["require 'strobe.async'.sleep(1)"] = "mm.lua:1: await: ",
  } do
    it("tells the file, the line, the code and the text of " .. line:match "%d: (%w+)", function()
      local output, status = check({ ["mm.lua"] = text, ["good.lua"] = UNIT }, "good.lua mm.lua")
      assert.equal(line, output:sub(1, #line))
      assert.equal("\n", output:match "[^\n]*(.*)", "a line for each problem")
      assert.equal(1, status)
    end)
  end

  it("names the file at fault, not the one that requires it, and files that are missing", function()
    local files = { ["mm.lua"] = "require 'book' " .. UNIT, ["book.lua"] = "return {\n{" }
    local output, status = check(files, "mm.lua no.lua")
    assert.equal([[
book.lua:2: syntax: unexpected symbol near <eof>
no.lua:1: missing: no.lua: no such file, or it cannot be read
]], output)
    assert.equal(1, status)
  end)

  it("starts nothing: neither init nor main runs, and nothing is printed", function()
    local text = 'return { version = 1, init = function() print "init" end, main = function() print "main" end }'
    assert.same({ "", 0 }, { check({ ["mm.lua"] = text }, "mm.lua") })
  end)

  it("warns of fields that the contract does not have", function()
    local output, status = check({ ["mm.lua"] = (UNIT:gsub("version", "speed = 5, version")) }, "mm.lua")
    assert.matches("^mm.lua:1: warning: .*'speed'", output)
    assert.equal(0, status)
  end)

  it("only compiles with --syntax, whatever the file returns", function()
    local files = { ["a.lua"] = "#!/usr/bin/strobe\nreturn 5", ["b.lua"] = "global = 1", ["c.lua"] = "x = = 1" }
    assert.same({ "", 0 }, { check(files, "--syntax a.lua b.lua") })
    assert.same({ "c.lua:1: syntax: unexpected symbol near '='\n", 1 }, { check(files, "--syntax a.lua c.lua") })
    assert.matches("^no.lua:1: missing: .*no such file or directory", (check(files, "--syntax no.lua")))
  end)

  it("says how it is used", function()
    assert.matches("^usage: strobe check FILE", (check({}, "--help")))
    assert.equal(2, select(2, check({}, "")))
    assert.same({ "strobe: check: unknown option --what; see 'strobe check --help'\n", 2 }, { check({}, "--what") })
    assert.matches("^usage: strobe check FILE", (sh "$S help check"))
  end)
end)
