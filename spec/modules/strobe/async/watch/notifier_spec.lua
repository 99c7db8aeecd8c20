local Folder = require "spec.support.folder"
local Notifier = require "strobe.async.watch.notifier"
local async = require "strobe.async"
local time = require "strobe.core.time"

local function ignores(name)
  return name:find "~$" ~= nil
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

describe("the notifier", function()
  before_each(function()
    time.mode("scaled", 1) -- the system knows nothing of the virtual clock
  end)

  it("tells of the names that matter, and of no others", function()
    local folder <close> = Folder.new {}
    local notifier = Notifier.new(ignores)
    assert.is_true(notifier:watch { [folder.path] = { id = "1", names = { wanted = true } } })
    write(folder.path .. "/other", "x")
    write(folder.path .. "/wanted", "x")
    notifier.lot:park()
    assert.is_number(notifier.first)
    assert.is_true(notifier.last >= notifier.first)
    notifier:take()
    assert.is_nil(notifier.first)
    notifier:close()
  end)

  it("leaves out what is ignored where all names count", function()
    local folder <close> = Folder.new {}
    local notifier = Notifier.new(ignores)
    notifier:watch { [folder.path] = { id = "1", names = { all = true } } }
    write(folder.path .. "/mm.lua~", "x")
    assert.is_false((async.move_on_after(0.03, notifier.lot.park, notifier.lot)))
    write(folder.path .. "/mm.lua", "x")
    notifier.lot:park()
    assert.is_number(notifier.first)
    notifier:close()
  end)

  it("is new for a folder that another one has replaced, and for none else", function()
    local folder <close> = Folder.new { ["in/"] = "" }
    local notifier = Notifier.new(ignores)
    local wanted = { [folder.path] = { id = "1", names = {} } }
    assert.is_true(notifier:watch(wanted))
    assert.is_false(notifier:watch(wanted))
    wanted[folder.path] = { id = "2", names = {} }
    assert.is_true(notifier:watch(wanted))
    wanted[folder.path .. "/in"] = { id = "3", names = {} }
    assert.is_true(notifier:watch(wanted))
    assert.is_false(notifier:watch {})
    notifier:close()
  end)

  it("says why it cannot, and is silent about a folder that has gone", function()
    local folder <close> = Folder.new { file = "" }
    local notifier = Notifier.new(ignores)
    assert.is_false(notifier:watch { [folder.path .. "/none"] = { id = "1", names = {} } })
    assert.is_nil(notifier.failure)
    notifier:close()
    notifier:close()
  end)

  it("wakes who waits when it closes", function()
    local notifier = Notifier.new(ignores)
    local waits = async.create_task(function() notifier.lot:park() end)
    async.sleep(0)
    notifier:close()
    waits:await()
    assert.is_true(waits:done())
  end)
end)
