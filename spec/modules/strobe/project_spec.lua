local Folder = require "spec.support.folder"
local fs = require "strobe.async.fs"
local json = require "strobe.json"
local sh = require("spec.support.shell").run

-- `strobe init` in a folder, for a user whose home is another one.
local function init(folder, words)
  return sh(("cd '%s/mine'; HOME='%s/home' XDG_DATA_HOME= $S init %s"):format(folder.path, folder.path, words or ""))
end

local function new_folder(files)
  files = files or {}
  files["mine/"], files["home/"] = "", ""
  return Folder.new(files)
end

local function text_of(folder, name)
  return assert(fs.read_file(folder.path .. "/mine/" .. name))
end

describe("strobe init", function()
  it("makes settings for the editor, for luacheck, and a first script that runs", function()
    local folder <close> = new_folder()
    local output, status = init(folder)
    assert.equal(0, status, output)
    assert.equal(".luarc.json: written\n.luacheckrc: written\nmain.lua: written\n"
      .. "editors read about strobe in ~/.local/share/strobe/library\n", output)
    assert.same({
      ["runtime.version"] = "Lua 5.4",
      ["runtime.path"] = { "?.lua", "?/init.lua" },
      ["workspace.library"] = { "~/.local/share/strobe/library" },
      ["workspace.checkThirdParty"] = false,
      ["diagnostics.disable"] = { "await-in-sync" },
    }, json.decode(text_of(folder, ".luarc.json")))
    output, status = sh(("cd '%s/mine'; $S --clock=virtual main.lua"):format(folder.path))
    assert.equal(0, status, output)
    assert.matches("^0%.5 s  5 prices", output)
  end)

  it("writes the stubs where the settings say that they are", function()
    local folder <close> = new_folder()
    assert.equal(0, select(2, init(folder)))
    local stub = assert(fs.read_file(folder.path .. "/home/.local/share/strobe/library/strobe/async.lua"))
    assert.matches("^%-%-%-@meta strobe%.async\n", stub)
  end)

  it("puts them into XDG_DATA_HOME if there is one", function()
    local folder <close> = new_folder()
    local output, status = sh(("XDG_DATA_HOME='%s/data' $S init '%s/mine'"):format(folder.path, folder.path))
    assert.equal(0, status, output)
    assert.is_true(fs.exists(folder.path .. "/data/strobe/library/strobe/ws.lua"))
    assert.same({ folder.path .. "/data/strobe/library" },
      json.decode(text_of(folder, ".luarc.json"))["workspace.library"])
  end)

  it("names the stubs that are installed beside it, and writes none", function()
    local folder <close> = new_folder { ["share/strobe/library/strobe/async.lua"] = "", ["bin/"] = "" }
    local line = "cp $S '%s/bin/strobe'; cd '%s/mine'; HOME='%s/home' XDG_DATA_HOME= '%s/bin/strobe' init"
    local output, status = sh((line:gsub("%%s", (folder.path:gsub("%%", "%%%%")))))
    assert.equal(0, status, output)
    local library = folder.path .. "/share/strobe/library"
    assert.is_truthy(output:find("editors read about strobe in " .. library .. "\n", 1, true), output)
    assert.same({ library }, json.decode(text_of(folder, ".luarc.json"))["workspace.library"])
    assert.is_false(fs.exists(folder.path .. "/home/.local"))
  end)

  it("makes the folder that it is given", function()
    local folder <close> = new_folder()
    local output, status = init(folder, "new/mine")
    assert.equal(0, status, output)
    assert.matches("^new/mine/%.luarc%.json: written\n", output)
    assert.matches("^%-%- A first script", text_of(folder, "new/mine/main.lua"))
  end)

  it("leaves a file alone that is there, prints what it lacks, and says so by its status", function()
    local mine = '{ "runtime": { "version": "Lua 5.4" }, "Lua.workspace.library": ["/mine"], "other": 1 }\n'
    local folder <close> = new_folder { ["mine/.luarc.json"] = mine, ["mine/main.lua"] = "print 'mine'\n" }
    local output, status = init(folder)
    assert.equal(1, status)
    assert.equal(mine, text_of(folder, ".luarc.json"))
    assert.equal("print 'mine'\n", text_of(folder, "main.lua"))
    assert.equal([[
.luarc.json: is there, left alone; it lacks
  "runtime.path": ["?.lua","?/init.lua"]
  "workspace.library": ["~/.local/share/strobe/library"]
  "workspace.checkThirdParty": false
  "diagnostics.disable": ["await-in-sync"]
.luacheckrc: written
main.lua: is there, left alone
editors read about strobe in ~/.local/share/strobe/library
]], output)
  end)

  it("finds nothing lacking in what it has written itself", function()
    local folder <close> = new_folder()
    init(folder)
    local output, status = init(folder)
    assert.equal(1, status)
    assert.matches("^%.luarc%.json: is there, left alone\n%.luacheckrc: is there, left alone\n", output)
  end)

  it("says all settings for a file that is no plain JSON", function()
    local mine = { ["mine/.luarc.json"] = "// mine\n{}\n", ["mine/.luacheckrc"] = "globals = {}\n" }
    local folder <close> = new_folder(mine)
    local output = init(folder)
    for _, line in ipairs { '  "runtime.version": "Lua 5.4"\n', '"workspace.checkThirdParty": false\n' } do
      assert.is_truthy(output:find(line, 1, true), output)
    end
    assert.is_truthy(output:find('.luacheckrc: is there, left alone; it lacks\n  std = "lua54"\n', 1, true), output)
  end)

  it("overwrites with --force", function()
    local folder <close> = new_folder { ["mine/main.lua"] = "print 'mine'\n" }
    local output, status = init(folder, "--force")
    assert.equal(0, status, output)
    assert.matches("^%-%- A first script", text_of(folder, "main.lua"))
  end)

  it("makes a script and settings with which luacheck is content", function()
    local text = "describe('x', function() it('y', function() end) end)\n"
    local folder <close> = new_folder { ["mine/a_spec.lua"] = text }
    init(folder)
    local output, status = sh(("cd '%s/mine'; luacheck --no-color main.lua a_spec.lua"):format(folder.path))
    if status == 127 then
      pending "there is no luacheck here"
      return
    end
    assert.equal(0, status, output)
  end)

  it("makes a folder in which a checker of LuaCATS finds nothing, and then what is wrong", function()
    local folder <close> = new_folder { ["mine/unit.lua"] = [[
---@type strobe.Unit
local unit = {
  version = 1, subscribe = { "btc_usd" },
  on_event = function(ctx, _, m)
    ctx:emit("out", m.data.price)
  end,
}
return unit
]] }
    init(folder)
    local line = ("cd '%s/mine'; HOME='%s/home' emmylua_check . --warnings-as-errors"):format(folder.path, folder.path)
    local output, status = sh(line)
    if status == 127 then
      pending "there is no emmylua_check here: cargo install emmylua_check"
      return
    end
    assert.message(output).equal(0, status)
    local file <close> = assert(io.open(folder.path .. "/mine/wrong.lua", "w"))
    file:write 'local async = require "strobe.async"\nasync.slep(1)\nasync.Queue(5):putt(1)\nasync.sleep "x"\n'
    file:close()
    output = sh(line)
    for _, finding in ipairs { "wrong.lua:2:7", "wrong.lua:3:16", "wrong.lua:4:13" } do
      assert.is_truthy(output:find(finding, 1, true), output)
    end
  end)

  it("tells what it cannot do", function()
    local folder <close> = new_folder { ["mine/file"] = "" }
    local output, status = init(folder, "file")
    assert.equal(1, status)
    assert.matches("^strobe: init: .*file", output)
    output, status = init(folder, "a b")
    assert.equal(2, status)
    assert.equal("strobe: init: one folder expected; see 'strobe init --help'\n", output)
    assert.equal(2, select(2, init(folder, "--no-such")))
    output, status = init(folder, "--help")
    assert.equal(0, status)
    assert.matches("^usage: strobe init %[DIR%] %[%-%-force%]\n", output)
  end)
end)
