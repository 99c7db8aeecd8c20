local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local attach = require "strobe.attach"
local door = require "strobe.attach.door"
local program = require("strobe.core.host").program
local shell = require "spec.support.shell"
local uv = require "luv"

-- A script that waits, started with options.
local function start(...)
  local options = { ... }
  table.move({ "-e", "print 'ready' io.stdout:flush() require('strobe.async').sleep(60)" }, 1, 2, #options + 1, options)
  local process = Child.spawn(program, options)
  process:expect("stdout", "ready")
  return process
end

describe("the option --attach", function()
  it("opens a socket for a script, and closes it with a word at the end of the script", function()
    local folder <close> = RuntimeFolder.new()
    for _, rights in ipairs { "rw", "ro" } do
      local process <close> = start("--attach=" .. rights)
      local client <close> = assert(attach.connect(process.pid))
      assert.equal(rights, client.hello.ceiling)
      process:kill "sigterm"
      assert.equal("the process ends", client:wait_end())
      assert.equal(143, process:wait())
      assert.same({}, attach.list())
    end
    assert.truthy(folder)
  end)

  it("is off for a script by default, and can be off for all", function()
    local folder <close> = RuntimeFolder.new()
    for _, options in ipairs { {}, { "--attach=off" } } do
      local process <close> = start(table.unpack(options))
      assert.same({}, attach.list())
      assert.truthy(process)
    end
    assert.truthy(folder)
  end)

  it("leaves no socket behind when a script ends by os.exit", function()
    local folder <close> = RuntimeFolder.new()
    local count = ("ls %s/strobe | wc -l"):format(folder.path)
    local line = '$S --attach=rw -e "os.execute(\'%s\') os.exit(7)"; echo $?; %s'
    local output, status = shell.run(line:format(count, count))
    assert.equal(0, status)
    assert.matches("^1\n7\n0\n$", (output:gsub("strobe: warning: [^\n]+\n", "")))
  end)

  it("takes --no-eval beside it", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start("--attach", "rw", "--no-eval")
    local client <close> = assert(attach.connect(process.pid))
    assert.equal("rw", client:call("open", { rights = "rw" }).rights)
    assert.equal("no_op", select(3, client:call("eval", { code = "1" })))
    assert.equal("not_found", select(3, client:call("cancel", { task = "nobody" })))
    assert.truthy(folder)
  end)

  it("before the word live is for live units as well", function()
    local folder <close> = RuntimeFolder.new {
      ["mm.lua"] = [[
        return { version = 1, subscribe = {}, main = function(ctx)
          print 'ready'
          for _ in ctx:inbox() do end
        end }]],
    }
    local process <close> = Child.spawn(program, { "--attach=ro", "live", folder.path .. "/mm.lua" })
    process:expect("stdout", "ready")
    local client <close> = assert(attach.connect(process.pid))
    assert.equal("ro", client.hello.ceiling)
    assert.same({ "mm" }, client.hello.units)
  end)

  it("says what it takes", function()
    local output, status = shell.run "$S --attach=all -e 1"
    assert.equal(2, status)
    assert.matches("^strobe: %-%-attach=all: rw, ro or off expected\n", output)
  end)

  it("does not keep a script from running when there can be no socket", function()
    local folder <close> = RuntimeFolder.new()
    assert(uv.fs_symlink("/nowhere", folder.path .. "/strobe"))
    local output, status = shell.run "$S --attach=rw -e 'print(1)'"
    assert.equal(0, status)
    assert.matches("strobe: no strobe command can reach this process: [^\n]+/strobe is a link, not a folder\n", output)
    assert.matches("\n1\n", output)
    local told
    assert.is_nil(door.open({ rights = "rw" }, function(text)
      told = text
    end))
    assert.matches("^no strobe command can reach this process: .* is a link", told)
    uv.fs_unlink(folder.path .. "/strobe")
  end)

  it("lets a script that fails, or is cancelled, end as without it", function()
    local folder <close> = RuntimeFolder.new()
    local output, status = shell.run "$S --attach=rw -e 'error \"no\"'"
    assert.equal(1, status)
    assert.matches("no", output)
    assert.not_matches("script.lua", output)
    assert.same({}, attach.list())
    assert.truthy(folder)
  end)
end)
