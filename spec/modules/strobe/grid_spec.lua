local dice = require "spec.support.dice"
local grid = require "strobe.grid"

local COLUMNS = { { "ID", align = "right" }, { "NAME", flexible = true }, { "AT", flexible = true, keep_end = true } }

describe("a table", function()
  it("lines its columns up", function()
    assert.equal(table.concat({
      " ID  NAME   AT",
      "  7  main   a.lua:1",
      "128  -      long/b.lua:22",
      "  1  größe  界",
    }, "\n"), grid.text(COLUMNS, {
      { 7, "main", "a.lua:1" }, { 128, nil, "long/b.lua:22" }, { "1", "größe", "界" },
    }))
  end)

  it("cuts what is flexible when the screen is narrow, paths at their beginning", function()
    assert.equal(table.concat({
      "ID  NAME            AT",
      " 7  a name that i…  …older/b.lua:22",
    }, "\n"), grid.text(COLUMNS, {
      { 7, "a name that is long", "/some/where/in/a/folder/b.lua:22" },
    }, { width = 35 }))
  end)

  it("goes on in the next line where its last column is to be whole", function()
    assert.equal(table.concat({
      "NAME  WHAT IT IS",
      ":ps   the tasks, and",
      "      what they wait",
      "      for",
      ":q    leaves",
    }, "\n"), grid.text({ { "NAME" }, { "WHAT IT IS", flexible = true, wrap = true } }, {
      { ":ps", "the tasks, and what they wait for" }, { ":q", "leaves" },
    }, { width = 20 }))
  end)

  it("is never wider than the screen", function()
    local random = dice(1)
    for _ = 1, 200 do
      local width = 1 + random(60)
      local rows = {}
      for i = 1, 3 do
        rows[i] = { random(10000), ("ä界a"):rep(random(20)), ("x/"):rep(random(40)) }
      end
      for line in grid.text(COLUMNS, rows, { width = width }):gmatch "[^\n]+" do
        assert.is_true(grid.width(line) <= width, line)
      end
    end
  end)

  it("escapes control bytes, and takes bytes that are no UTF-8", function()
    assert.equal("NAME\na\\x1b[31mb\nx\xffy", grid.text({ { "NAME" } }, { { "a\27[31mb" }, { "x\xffy" } }))
  end)

  it("has colours only when asked for, which change no width", function()
    local columns = { { "STATE", style = function(cell)
      return cell == "bad" and "31" or nil
    end }, { "N" } }
    local rows = { { "bad", 1 }, { "good", 2 } }
    assert.equal("STATE  N\nbad    1\ngood   2", grid.text(columns, rows))
    assert.equal("\27[1mSTATE\27[0m  \27[1mN\27[0m\n\27[31mbad  \27[0m  1\ngood   2",
      grid.text(columns, rows, { color = true }))
  end)
end)

describe("a list", function()
  it("puts values beside names, and leaves out what is not known", function()
    assert.equal("task        7\nstands at   a.lua:1\n            b.lua:2", grid.list({
      { "task", "7" }, { "awaited by", nil }, { "stands at ", "a.lua:1\nb.lua:2" },
    }))
  end)

  it("goes on in the next line where it is too wide, and cuts words that are", function()
    assert.equal("name  a text that\n      is long", grid.list({ { "name", "a text that is long" } }, { width = 17 }))
    assert.equal("name  /a/long/pa…", grid.list({ { "name", "/a/long/path.lua" } }, { width = 17 }))
  end)
end)

describe("a text", function()
  it("is broken between words", function()
    assert.same({ "the tasks,", "what they", "wait for" }, grid.wrap("the tasks, what they  wait for", 10))
    assert.same({ "one", "", "two" }, grid.wrap("one\n\ntwo", 10))
    assert.same({ "größe 界", "x" }, grid.wrap("größe 界 x", 8))
  end)

  it("keeps lines that fit as they are, and words that do not", function()
    assert.same({ "  a   b", "x = { 1,  2 }" }, grid.wrap("  a   b\nx = { 1,  2 }", 13))
    assert.same({ "https://example.org/feed", "is", "long" }, grid.wrap("https://example.org/feed is long", 4))
  end)

  it("goes on behind its indentation", function()
    assert.same({ "  uri  where", "    it is" }, grid.wrap("  uri  where it is", 12))
  end)
end)
