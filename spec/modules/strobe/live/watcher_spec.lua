local Folder = require "spec.support.folder"
local UnitFolder = require "spec.support.unit_folder"
local Watcher = require "strobe.live.watcher"
local async = require "strobe.async"
local reports = require "spec.support.reports"
local start = require("spec.support.tasks").start
local uv = require "luv"

local fs = async.fs

-- Longer than all that a save may take until it is reloaded, and than the look that nothing asked for.
local SETTLED = 5

local number = 0

-- A unit's text that is another one each time; it requires other files if they are given.
local function text(...)
  number = number + 1
  local lines = { "-- edition " .. number }
  for _, name in ipairs { ... } do
    lines[#lines + 1] = ("local _ = require '%s'"):format(name)
  end
  lines[#lines + 1] = 'return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)'
  lines[#lines + 1] = '  st.sum = (st.sum or 0) + m.data ctx:emit("out", st.sum) end }'
  return table.concat(lines, "\n")
end

local function write(path, content)
  local file <close> = assert(io.open(path, "w"))
  file:write(content)
end

local function rename(from, to)
  assert(os.rename(from, to))
end

-- Runs f while these units are watched.
local function watched(units, f)
  local watcher = Watcher.new(units.runtime)
  local task = start(watcher.run, watcher)
  async.sleep(0.5)
  f()
  watcher:close()
  async.wait { task }
end

-- The verdicts that came since the last call, once all has settled.
local function verdicts(units)
  async.sleep(SETTLED)
  local list = {}
  for i, report in ipairs(units.reports) do
    list[i] = report.verdict
    units.reports[i] = nil
  end
  return list
end

-- A folder whose unit mm runs.
local function running()
  local units = UnitFolder.new { ["mm.lua"] = text(), ["notes.txt"] = "x" }
  assert.equal("committed", units:start("mm").verdict)
  units.reports[1] = nil
  return units, units.folder.path, units.folder.path .. "/mm.lua"
end

describe("a watcher", function()
  describe("reloads once for each save", function()
    local styles = {
      ["in place"] = function(_, file, new)
        write(file, new)
      end,
      ["in place, in pieces, after it was cut to nothing"] = function(_, file, new)
        write(file, "")
        async.sleep(0.06)
        write(file, new:sub(1, 40))
        async.sleep(0.06)
        write(file, new)
      end,
      ["by another file renamed over it"] = function(_, file, new)
        write(file .. ".tmp", new)
        rename(file .. ".tmp", file)
      end,
      ["by moving the old one away, as vim and emacs do"] = function(path, file, new)
        write(path .. "/4913", "")
        assert(os.remove(path .. "/4913"))
        write(path .. "/.mm.lua.swp", "swap")
        assert(uv.fs_symlink("nobody@here.1:1", path .. "/.#mm.lua"))
        rename(file, file .. "~")
        write(file, new)
        assert(os.remove(file .. "~"))
        assert(os.remove(path .. "/.#mm.lua"))
        assert(os.remove(path .. "/.mm.lua.swp"))
      end,
      ["by a copy of the old one, then in place, as emacs does first"] = function(path, file, new)
        write(path .. "/#mm.lua#", new)
        assert(uv.fs_copyfile(file, file .. "~"))
        write(file, new)
        assert(os.remove(path .. "/#mm.lua#"))
      end,
      ["by removing the old one"] = function(_, file, new)
        assert(os.remove(file))
        write(file, new)
      end,
      ["by removing the old one, and a while later"] = function(_, file, new)
        assert(os.remove(file))
        async.sleep(0.09)
        write(file, new)
      end,
    }

    for name, save in pairs(styles) do
      it(name, function()
        local units <close>, path, file = running()
        watched(units, function()
          for i = 1, 2 do
            save(path, file, text())
            assert.same({ "committed" }, verdicts(units), "save " .. i)
          end
        end)
        units:offer("ticks", 1)
        assert.same({ 1 }, units:values())
      end)
    end
  end)

  it("does not for a touch, another name in the folder, or the same text again", function()
    local units <close>, path, file = running()
    watched(units, function()
      for seconds = 1, 2 do
        assert(uv.fs_utime(file, seconds, seconds))
        write(path .. "/notes.txt", "x" .. seconds)
        write(path .. "/other.lua", "return " .. seconds)
        assert.same({}, verdicts(units))
      end
      local same = assert(fs.read_file(file))
      write(file .. ".tmp", same)
      rename(file .. ".tmp", file)
      assert.same({}, verdicts(units))
    end)
  end)

  it("waits until a writer is quiet for 0.1 s, but not longer than a second", function()
    local units <close>, _, file = running()
    watched(units, function()
      local began = async.time()
      units.runtime.options.on_report = function(report)
        table.insert(units.reports, { verdict = report.verdict, time = async.time() - began })
      end
      write(file, text())
      async.sleep(0.05)
      write(file, text())
      async.sleep(SETTLED)
      assert.equal(1, #units.reports)
      assert.near(0.15 + 0.05, units.reports[1].time, 0.04) -- read twice, 0.05 s apart
      units.reports[1] = nil
      began = async.time()
      local last
      for _ = 1, 30 do
        last = text()
        write(file, last)
        async.sleep(0.06)
      end
      async.sleep(SETTLED)
      assert.equal(2, #units.reports)
      assert.near(1.1, units.reports[1].time, 0.15)
      assert.equal(last, units.runtime.units.mm.run.generation.graph.sources[file].raw)
    end)
  end)

  it("tells of a broken text once, and takes the next good one", function()
    local units <close>, _, file = running()
    watched(units, function()
      local good = assert(fs.read_file(file))
      write(file, "return {")
      assert.same({ "rejected:syntax" }, verdicts(units))
      write(file, text())
      assert.same({ "committed" }, verdicts(units))
      write(file, "return {")
      assert.same({ "rejected:syntax" }, verdicts(units))
      write(file, good)
      assert.same({ "committed" }, verdicts(units))
    end)
  end)

  it("has nothing to do when a broken text gives way to what runs, and tells of the same one again", function()
    local units <close>, _, file = running()
    watched(units, function()
      local runs = assert(fs.read_file(file))
      for _ = 1, 2 do
        write(file, "return {")
        assert.same({ "rejected:syntax" }, verdicts(units))
        write(file, runs)
        assert.same({}, verdicts(units))
      end
    end)
  end)

  it("does not try again what was rolled back", function()
    local units <close>, _, file = running()
    watched(units, function()
      write(file, 'return { version = 1, subscribe = { "ticks" }, on_event = function() error "no" end }')
      assert.same({ "committed" }, verdicts(units))
      units:offer("ticks", 5)
      assert.same({ "rolled_back:error" }, verdicts(units))
      assert.same({ 5 }, units:values())
      write(file, text())
      assert.same({ "committed" }, verdicts(units))
    end)
  end)

  it("tries again what was saved while another reload waited for the unit", function()
    local slow = [[return { version = 1, subscribe = { "ticks" }, on_event = function(ctx) ctx:sleep(1.5) end }]]
    local units <close> = UnitFolder.new { ["mm.lua"] = slow }
    units:start "mm"
    units.reports[1] = nil
    watched(units, function()
      units:offer("ticks", 1)
      local other = start(units.runtime.reload, units.runtime, "mm")
      async.sleep(0.1)
      write(units.folder.path .. "/mm.lua", slow .. " -- saved")
      assert.same({ "committed", "committed" }, verdicts(units))
      async.wait { other }
      assert.matches("saved$", units.runtime.units.mm.run.generation.graph.sources[units.folder.path .. "/mm.lua"].raw)
    end)
  end)

  it("reloads once for many files, all of which the unit requires", function()
    local units <close>, _, file = running()
    for i = 1, 20 do
      units:write(("part%d.lua"):format(i), "return 1")
    end
    local names = {}
    for i = 1, 20 do
      names[i] = "part" .. i
    end
    write(file, text(table.unpack(names)))
    units:reload "mm"
    verdicts(units)
    watched(units, function()
      for i = 1, 20 do
        units:write(("part%d.lua"):format(i), "return 2")
        async.sleep(0.02)
      end
      async.sleep(SETTLED)
      assert.equal(1, #units.reports)
      assert.equal(20, #units.reports[1].files)
    end)
  end)

  it("follows what is required: a file that comes later, one in a new folder, one that is required no more", function()
    local units <close>, path, file = running()
    watched(units, function()
      write(file, text "later")
      assert.same({ "rejected:missing" }, verdicts(units))
      units:write("later.lua", "return 1")
      assert.same({ "committed" }, verdicts(units))
      units:write("later.lua", "return 2")
      assert.same({ "committed" }, verdicts(units))
      write(file, text "parts.book")
      assert.same({ "rejected:missing" }, verdicts(units))
      assert(uv.fs_mkdir(path .. "/parts", tonumber("755", 8)))
      units:write("parts/book.lua", "return 1")
      assert.same({ "committed" }, verdicts(units))
      units:write("later.lua", "return 3")
      assert.same({}, verdicts(units))
    end)
  end)

  it("tells of a file that has gone once, and goes on when it is back", function()
    local units <close>, _, file = running()
    watched(units, function()
      local was = assert(fs.read_file(file))
      assert(os.remove(file))
      assert.same({ "rejected:missing" }, verdicts(units))
      assert.same({}, verdicts(units))
      write(file, was)
      assert.same({}, verdicts(units))
      write(file, text())
      assert.same({ "committed" }, verdicts(units))
    end)
  end)

  it("leaves alone a unit whose text is broken when another one is saved", function()
    local units <close>, _, file = running()
    units:write("b.lua", text())
    units:start "b"
    verdicts(units)
    watched(units, function()
      units:write("b.lua", "return {")
      assert.same({ "rejected:syntax" }, verdicts(units))
      write(file, text())
      async.sleep(SETTLED)
      assert.equal(1, #units.reports)
      assert.same({ "mm", "committed" }, { units.reports[1].unit, units.reports[1].verdict })
      assert.equal(1, units.runtime.units.b.run.generation.number)
    end)
  end)

  it("sees what was saved before it began", function()
    local units <close>, _, file = running()
    write(file, text())
    watched(units, function()
      assert.same({ "committed" }, verdicts(units))
    end)
  end)
end)

describe("a watcher of a unit behind a symbolic link", function()
  it("reloads once when the link leads to another release, also over one that was removed", function()
    local folder <close> = Folder.new { ["v1/mm.lua"] = text "book", ["v1/book.lua"] = "return 1",
      ["v2/mm.lua"] = text "book", ["v2/book.lua"] = "return 2" }
    assert(uv.fs_symlink("v1", folder.path .. "/current"))
    local units <close> = UnitFolder.new {}
    units.runtime.options.root = nil
    units.runtime:start("mm", folder.path .. "/current/mm.lua")
    verdicts(units)
    watched(units, function()
      assert(uv.fs_symlink("v2", folder.path .. "/next"))
      rename(folder.path .. "/next", folder.path .. "/current")
      assert.same({ "committed" }, verdicts(units))
      write(folder.path .. "/v1/book.lua", "return 3")
      assert.same({}, verdicts(units))
      write(folder.path .. "/v2/book.lua", "return 3")
      assert.same({ "committed" }, verdicts(units))
      assert(os.remove(folder.path .. "/current"))
      assert(uv.fs_symlink("v1", folder.path .. "/current"))
      assert.same({ "committed" }, verdicts(units))
    end)
  end)

  it("finds a folder again that was gone", function()
    local folder <close> = Folder.new { ["a/b/mm.lua"] = text() }
    local units <close> = UnitFolder.new {}
    units.runtime.options.root = nil
    units.runtime:start("mm", folder.path .. "/a/b/mm.lua")
    verdicts(units)
    watched(units, function()
      rename(folder.path .. "/a", folder.path .. "/gone")
      assert.same({ "rejected:missing" }, verdicts(units))
      rename(folder.path .. "/gone", folder.path .. "/a")
      assert.same({}, verdicts(units))
      for _ = 1, 2 do
        write(folder.path .. "/a/b/mm.lua", text())
        assert.same({ "committed" }, verdicts(units))
      end
    end)
  end)
end)

describe("a watcher that the system tells nothing", function()
  it("looks every two seconds, and warns once", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text() }
    units:start "mm"
    verdicts(units)
    local new_fs_event = uv.new_fs_event
    uv.new_fs_event = function()
      return nil, "ENOSPC: no space left on device"
    end
    local said = reports.of(function()
      watched(units, function()
        for _ = 1, 2 do
          units:write("mm.lua", text())
          assert.same({ "committed" }, verdicts(units))
        end
      end)
    end)
    uv.new_fs_event = new_fs_event
    assert.equal(1, #said)
    assert.matches("looking every 2 s instead", said[1].message)
  end)
end)
