local Folder = require "spec.support.folder"
local reach = require "strobe.live.reach"

-- The texts and paths that a folder's mm.lua reaches, without that folder's name, sorted.
local function reached(folder)
  local lists = {}
  for i, set in ipairs { reach({ folder.path }, folder.path .. "/mm.lua") } do
    lists[i] = {}
    for path in pairs(set) do
      table.insert(lists[i], path:sub(#folder.path + 2))
    end
    table.sort(lists[i])
  end
  return lists
end

describe("what a unit's file reaches", function()
  it("is what it requires, and what that requires, without running any", function()
    local folder <close> = Folder.new {
      ["mm.lua"] = 'local a = require "a" error "not run"', ["a.lua"] = "return require 'lib.b'",
      ["lib/b/init.lua"] = "return require('a')", ["other.lua"] = "",
    }
    assert.same({
      { "a.lua", "lib/b/init.lua", "mm.lua" }, { "a.lua", "lib/b.lua", "lib/b/init.lua", "mm.lua" },
    }, reached(folder))
  end)

  it("has the paths at which something missing could come", function()
    local folder <close> = Folder.new { ["mm.lua"] = "local later = require 'later'" }
    assert.same({ { "mm.lua" }, { "later.lua", "later/init.lua", "mm.lua" } }, reached(folder))
    local empty <close> = Folder.new {}
    assert.same({ {}, { "mm.lua" } }, reached(empty))
  end)
end)
