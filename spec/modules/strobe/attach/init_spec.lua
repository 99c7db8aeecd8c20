local Child = require "spec.support.child"
local Folder = require "spec.support.folder"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local attach = require "strobe.attach"
local program = require("strobe.core.host").program

-- A unit that says a word ten times a second.
local function beating(word)
  return ([[
    return { version = 1, subscribe = {}, main = function(ctx)
      ctx:timer("beat", 0.1, function() print "%s" end)
      for _ in ctx:inbox() do end
    end }]]):format(word)
end

local function live(folder, ...)
  local process = Child.spawn(program, { "live", "mm.lua", ... }, { cwd = folder.path })
  process:expect("stdout", "old\n")
  return process
end

local function reload(process, ...)
  local command <close> = Child.spawn(program, { "reload", tostring(process.pid), ... })
  local status = command:wait()
  return status, command.output.stdout, command.output.stderr
end

describe("a process that strobe live runs", function()
  it("is reloaded by strobe reload, as often as one likes, and writes down who did it", function()
    local runtime <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["mm.lua"] = beating "old" }
    local process <close> = live(folder)
    for i = 1, 2 do
      local file <close> = assert(io.open(folder.path .. "/mm.lua", "w"))
      file:write(beating("new " .. i))
      file:close()
      local status, output = reload(process, "mm")
      assert.equal(0, status)
      assert.matches(("^mm: committed, generation %d takes over"):format(i + 1), output)
      process:expect("stdout", ("new %d\n"):format(i))
    end
    assert.equal(1, (reload(process, "other")))
    process:expect("stderr", 'op=reload unit="mm" ok')
    process:kill "sigterm"
    assert.equal(0, process:wait())
    assert.same({}, attach.list())
    assert.truthy(runtime)
  end)

  it("says by --attach what others may do", function()
    local runtime <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["mm.lua"] = beating "old" }
    do
      local process <close> = live(folder, "--attach=ro")
      local status, _, complaint = reload(process, "mm")
      assert.equal(3, status)
      assert.matches("strobe: reload: this process lets nobody change it", complaint)
    end
    do
      local process <close> = live(folder, "--attach=off")
      assert.equal(1, (reload(process, "mm")))
    end
    local wrong <close> = Child.spawn(program, { "live", folder.path .. "/mm.lua", "--attach=all" })
    assert.equal(2, wrong:wait())
    assert.matches("--attach all: rw or ro or off expected", wrong.output.stderr, 1, true)
    assert.truthy(runtime)
  end)

  it("runs code for those who may, unless --no-eval says otherwise", function()
    local runtime <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["mm.lua"] = beating "old" }
    for _, case in ipairs { { "--attach=rw" }, { "--no-eval", "no_op" } } do
      local process <close> = live(folder, case[1])
      local client <close> = assert(attach.connect(process.pid))
      client:call("open", { rights = "rw" })
      local answer, _, code = client:call("eval", { code = "6 * 7" })
      assert.equal(case[2], code)
      assert.same(case[2] == nil and { "42" } or nil, answer and answer.values)
    end
    assert.truthy(runtime)
  end)
end)
