local Folder = require "spec.support.folder"
local route = require "strobe.async.watch.route"
local uv = require "luv"

-- Follows a path below a folder: where it ends, and the names that decide, below that folder too.
local function follow(folder, path)
  local root = assert(uv.fs_realpath(folder.path))
  local noted = {}
  local real = route.follow(root .. "/" .. path, function(at, name)
    if (at .. "/"):sub(1, #root + 1) == root .. "/" then
      noted[#noted + 1] = (at .. "/" .. name):sub(#root + 2)
    end
  end, {})
  return real and real:sub(#root + 2), noted
end

describe("the way to a path", function()
  it("is one name where there are no links", function()
    local folder <close> = Folder.new { ["a/b/mm.lua"] = "" }
    assert.same({ "a/b/mm.lua", { "a/b/mm.lua" } }, { follow(folder, "a/b/mm.lua") })
    assert.same({ "a/b/mm.lua", { "a/b/mm.lua" } }, { follow(folder, "a/./b/../b//mm.lua") })
  end)

  it("has the name of every link on it: that of a deployment", function()
    local folder <close> = Folder.new { ["v2/mm.lua"] = "" }
    assert(uv.fs_symlink("v2", folder.path .. "/current"))
    assert.same({ "v2/mm.lua", { "current", "v2/mm.lua" } }, { follow(folder, "current/mm.lua") })
  end)

  it("follows links to absolute paths, and upwards", function()
    local folder <close> = Folder.new { ["v1/mm.lua"] = "", ["etc/x"] = "" }
    assert(uv.fs_symlink(uv.fs_realpath(folder.path) .. "/v1", folder.path .. "/all"))
    assert(uv.fs_symlink("../v1/mm.lua", folder.path .. "/etc/mm.lua"))
    assert.same({ "v1/mm.lua", { "all", "v1/mm.lua" } }, { follow(folder, "all/mm.lua") })
    assert.same({ "v1/mm.lua", { "etc/mm.lua", "v1/mm.lua" } }, { follow(folder, "etc/mm.lua") })
  end)

  it("ends where something is missing, which would tell of its return", function()
    local folder <close> = Folder.new { ["a/x"] = "" }
    assert.same({ nil, { "a/none" } }, { [2] = select(2, follow(folder, "a/none/mm.lua")) })
    assert.is_nil((follow(folder, "a/none/mm.lua")))
  end)

  it("does not go round in a circle", function()
    local folder <close> = Folder.new {}
    assert(uv.fs_symlink("b", folder.path .. "/a"))
    assert(uv.fs_symlink("a", folder.path .. "/b"))
    assert.is_nil((follow(folder, "a")))
  end)
end)
