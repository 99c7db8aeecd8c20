local Folder = require "spec.support.folder"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local collector = require "spec.support.collector"
local host = require "strobe.core.host"
local reports = require "spec.support.reports"
local start = require("spec.support.tasks").start
local uv = require "luv"

local fs = async.fs

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function rename(from, to)
  assert(os.rename(from, to))
end

-- The changes that come within so many seconds, as "kind name, …".
local function changes_of(watch, folder, seconds)
  local list = {}
  async.move_on_after(seconds or 1, function()
    for change in watch do
      list[#list + 1] = change.kind .. " " .. change.path:gsub("^" .. folder:gsub("%p", "%%%0") .. "/?", "")
    end
  end)
  return table.concat(list, ", ")
end

describe("async.fs.watch", function()
  local folder, path, file

  before_each(function()
    folder = Folder.new { ["unit.lua"] = "return 1", ["other.lua"] = "x", ["sub/inner.lua"] = "y" }
    path = folder.path
    file = path .. "/unit.lua"
  end)

  after_each(function()
    folder:__close()
  end)

  describe("tells once of a file that is saved", function()
    local number = 0

    -- A text that is another one each time.
    local function text()
      number = number + 1
      return "return " .. number
    end

    local styles = {
      ["in place"] = function()
        write(file, text())
      end,
      ["in place, in pieces, after it was cut to nothing"] = function()
        write(file, "")
        async.sleep(0.05)
        write(file, "half")
        async.sleep(0.05)
        write(file, text())
      end,
      ["by another one renamed over it"] = function()
        write(path .. "/unit.lua.tmp", text())
        rename(path .. "/unit.lua.tmp", file)
      end,
      ["by moving the old one away"] = function()
        rename(file, file .. "~")
        write(file, text())
        assert(os.remove(file .. "~"))
      end,
      ["by removing the old one"] = function()
        assert(os.remove(file))
        write(file, text())
      end,
      ["as vim does, which tries a name first"] = function()
        write(path .. "/4913", "")
        os.remove(path .. "/4913")
        write(path .. "/.unit.lua.swp", "")
        rename(file, file .. "~")
        write(file, text())
        os.remove(file .. "~")
        os.remove(path .. "/.unit.lua.swp")
      end,
      ["by write_file, atomically"] = function()
        assert(fs.write_file(file, text(), { atomic = true }))
      end,
    }

    for name, save in pairs(styles) do
      it(name, function()
        for _, content in ipairs { false, true } do
          local watch <close> = fs.watch(file, { content = content })
          changes_of(watch, path, 0.01)
          for _ = 1, 3 do
            save()
            assert.equal("modified unit.lua", changes_of(watch, path))
          end
        end
      end)

      it(name .. ", in a folder", function()
        local watch <close> = fs.watch(path, { ignore = { "%.tmp$" } })
        changes_of(watch, path, 0.01)
        for _ = 1, 3 do
          save()
          assert.equal("modified unit.lua", changes_of(watch, path))
        end
      end)
    end
  end)

  it("tells of one that is touched, unless the content is what counts", function()
    local watch <close> = fs.watch(file)
    local reader <close> = fs.watch(file, { content = true })
    for seconds = 1, 2 do
      assert(uv.fs_utime(file, seconds, seconds))
      assert.equal("modified unit.lua", changes_of(watch, path))
      assert.equal("", changes_of(reader, path, 5))
    end
    write(file, "return 2")
    assert.equal("modified unit.lua", changes_of(reader, path))
  end)

  it("tells of what comes and goes", function()
    local watch <close> = fs.watch(path .. "/new.lua")
    write(path .. "/new.lua", "here")
    assert.equal("created new.lua", changes_of(watch, path))
    os.remove(path .. "/new.lua")
    assert.equal("deleted new.lua", changes_of(watch, path))
    write(path .. "/new.lua", "again")
    assert.equal("created new.lua", changes_of(watch, path))
  end)

  it("misses nothing that happens before one asks, and tells of it once", function()
    local watch <close> = fs.watch(file)
    write(file, "a")
    write(file, "ab")
    async.sleep(5)
    assert.equal("modified unit.lua", changes_of(watch, path))
    write(file, "abc")
    async.sleep(5)
    write(file, "abcd")
    async.sleep(5)
    assert.equal("modified unit.lua", changes_of(watch, path))
  end)

  it("tells of a change as soon as it has settled, and of one that never does in time", function()
    local watch <close> = fs.watch(file)
    changes_of(watch, path, 0.01)
    local began = async.time()
    write(file, "once")
    watch:next()
    assert.near(0.1, async.time() - began, 0.001)
    local writer = start(function()
      for i = 1, 100 do
        write(file, ("x"):rep(i))
        async.sleep(0.05)
      end
    end)
    began = async.time()
    watch:next()
    assert.near(1, async.time() - began, 0.001)
    writer:cancel()
    async.wait { writer }
  end)

  it("does not care for other files, of the folder or that editors leave there", function()
    local watch <close> = fs.watch(file)
    local looks, stat = 0, fs.stat
    local _ <close> = cleanup(function()
      fs.stat = stat
    end)
    changes_of(watch, path, 0.01)
    fs.stat = function(...)
      looks = looks + 1
      return stat(...)
    end
    async.move_on_after(0.5, watch.next, watch)
    for i = 1, 5 do
      write(path .. "/other.lua", ("x"):rep(i))
    end
    assert.equal("", changes_of(watch, path, 0.5))
    assert.equal(0, looks)
    local all <close> = fs.watch(path)
    for _, name in ipairs { "4913", ".unit.lua.swp", "unit.lua~", ".#unit.lua", "#unit.lua#" } do
      write(path .. "/" .. name, "x")
    end
    assert.equal("", changes_of(all, path, 5))
  end)

  it("ignores what it is told to", function()
    local patterns <close> = fs.watch(path, { ignore = { "%.log$", "^build$" } })
    local judge <close> = fs.watch(path, {
      ignore = function(name)
        return name:find "other" ~= nil
      end,
    })
    write(path .. "/a.log", "x")
    write(path .. "/other.lua", "yy")
    assert.equal("modified other.lua", changes_of(patterns, path))
    assert.equal("created a.log", changes_of(judge, path))
  end)

  describe("of a folder", function()
    it("tells of its entries", function()
      local watch <close> = fs.watch(path)
      write(path .. "/a.lua", "a")
      os.remove(path .. "/other.lua")
      write(file, "changed")
      assert.equal("created a.lua, deleted other.lua, modified unit.lua", changes_of(watch, path))
      write(path .. "/sub/inner.lua", "changed")
      assert.equal("", changes_of(watch, path, 5), "not of those of its folders")
    end)

    it("tells of those of its folders, new ones too", function()
      local watch <close> = fs.watch(path, { recursive = true })
      write(path .. "/sub/inner.lua", "changed")
      assert.equal("modified sub/inner.lua", changes_of(watch, path))
      assert(fs.mkdir(path .. "/sub/a/b", { parents = true }))
      write(path .. "/sub/a/b/c.lua", "c")
      assert.equal("created sub/a, created sub/a/b, created sub/a/b/c.lua", changes_of(watch, path))
      write(path .. "/sub/a/b/c.lua", "cc")
      assert.equal("modified sub/a/b/c.lua", changes_of(watch, path))
    end)

    it("that goes and comes back is found again", function()
      local watch <close> = fs.watch { path .. "/sub", path .. "/sub/inner.lua" }
      changes_of(watch, path, 0.01)
      for _ = 1, 2 do
        rename(path .. "/sub", path .. "/gone")
        assert.equal("deleted sub, deleted sub/inner.lua", changes_of(watch, path, 1))
        rename(path .. "/gone", path .. "/sub")
        assert.equal("created sub, created sub/inner.lua", changes_of(watch, path, 1))
        write(path .. "/sub/inner.lua", "changed" .. async.time())
        assert.equal("modified sub/inner.lua", changes_of(watch, path, 1))
      end
    end)

    it("in whose place comes another one is that other one", function()
      assert(fs.mkdir(path .. "/next"))
      write(path .. "/next/inner.lua", "next")
      local watch <close> = fs.watch(path .. "/sub/inner.lua")
      changes_of(watch, path, 0.01)
      rename(path .. "/sub", path .. "/old")
      rename(path .. "/next", path .. "/sub")
      assert.equal("modified sub/inner.lua", changes_of(watch, path, 1))
      write(path .. "/old/inner.lua", "nobody looks here")
      assert.equal("", changes_of(watch, path, 5))
      write(path .. "/sub/inner.lua", "here")
      assert.equal("modified sub/inner.lua", changes_of(watch, path, 1))
    end)

    it("may have too many entries", function()
      local watch, message, code = fs.watch(path, { limit = 2 })
      assert.is_nil(watch)
      assert.matches("more than 2 entries", message)
      assert.equal("EOVERFLOW", code)
      assert.equal("EOVERFLOW", select(3, fs.watch(path, { limit = 3, recursive = true })))
      watch = fs.watch(path, { limit = 3 })
      write(path .. "/more.lua", "x")
      local ok, e = pcall(watch.next, watch)
      assert.is_false(ok)
      assert.equal("EOVERFLOW", e.code)
      watch:close()
    end)
  end)

  it("follows symbolic links at each look, as a deployment changes them", function()
    for _, version in ipairs { "v1", "v2" } do
      assert(fs.mkdir(path .. "/releases/" .. version, { parents = true }))
      write(path .. "/releases/" .. version .. "/unit.lua", version)
    end
    assert(fs.symlink("releases/v1", path .. "/current"))
    assert(fs.symlink("current/unit.lua", path .. "/link.lua"))
    local watch <close> = fs.watch(path .. "/link.lua")
    changes_of(watch, path, 0.01)
    write(path .. "/releases/v1/unit.lua", "changed")
    assert.equal("modified link.lua", changes_of(watch, path, 1))
    for _, version in ipairs { "v2", "v1", "v2" } do
      assert(fs.symlink("releases/" .. version, path .. "/next"))
      rename(path .. "/next", path .. "/current")
      assert.equal("modified link.lua", changes_of(watch, path, 1))
    end
    write(path .. "/releases/v1/unit.lua", "changed again")
    assert.equal("", changes_of(watch, path, 5))
    write(path .. "/releases/v2/unit.lua", "changed again")
    assert.equal("modified link.lua", changes_of(watch, path, 1))
  end)

  it("takes links that lead nowhere, or in a circle, for nothing", function()
    assert(fs.symlink("none", path .. "/dangling"))
    assert(fs.symlink("round", path .. "/round"))
    local watch <close> = fs.watch { path .. "/dangling", path .. "/round" }
    assert.equal("", changes_of(watch, path, 5))
    write(path .. "/none", "now")
    assert.equal("created dangling", changes_of(watch, path, 1))
  end)

  it("takes paths as they are given, also relative ones with dots", function()
    local here = uv.cwd()
    local _ <close> = cleanup(function()
      uv.chdir(here)
    end)
    uv.chdir(path)
    local watch <close> = fs.watch { "unit.lua", "./sub/../other.lua" }
    changes_of(watch, path, 0.01)
    write(file, "changed")
    write(path .. "/other.lua", "changed")
    assert.equal("modified ./sub/../other.lua, modified unit.lua", changes_of(watch, path, 1))
  end)

  it("may be told of more files and of fewer, also while a task waits", function()
    local watch <close> = fs.watch {}
    local waiting = start(watch.batch, watch)
    assert.is_true(watch:add(file))
    assert.is_true(watch:add(file))
    assert.is_true(watch:add(path .. "/other.lua"))
    write(file, "changed")
    write(path .. "/other.lua", "changed")
    local batch = waiting:await()
    assert.equal(2, #batch)
    assert.equal(file, batch[2].path)
    assert.is_true(watch:remove(file))
    assert.is_false(watch:remove(file))
    write(file, "changed again")
    write(path .. "/other.lua", "changed again")
    assert.equal("modified other.lua", changes_of(watch, path))
    assert.equal("<watch of 1 paths>", tostring(watch))
  end)

  it("gives the changes one by one, or those together that have settled together", function()
    local watch <close> = fs.watch(path)
    write(file, "changed")
    write(path .. "/other.lua", "changed")
    assert.equal(path .. "/other.lua", watch:next().path)
    local rest = watch:batch()
    assert.equal(1, #rest)
    assert.equal(file, rest[1].path)
  end)

  it("ends with its loop, and for who waits when it is closed", function()
    write(file, "x")
    local first
    local waiting = start(function()
      for change in fs.watch(path) do
        first = first or change
        if first then
          break
        end
      end
    end)
    while not first do
      write(file, "changed" .. async.time())
      async.sleep(0.2)
    end
    assert.equal(file, first.path)
    waiting:await()
    local watch = fs.watch(path)
    local reader = start(watch.next, watch)
    async.sleep(0.5)
    watch:close()
    watch:close()
    assert.is_nil(reader:await())
    assert.is_nil(watch:batch())
    assert.is_true(watch:add(file))
    assert.equal("<watch of 1 paths, closed>", tostring(watch))
  end)

  it("waits in one task at a time", function()
    local watch <close> = fs.watch(path)
    local waiting = start(watch.next, watch)
    local ok, message = pcall(watch.next, watch)
    assert.is_false(ok)
    assert.matches("another task waits for this one already", message)
    waiting:cancel()
    async.wait { waiting }
    write(file, "changed")
    assert.equal("modified unit.lua", changes_of(watch, path))
  end)

  it("may be cancelled at each wait, and has lost nothing", function()
    local watch <close> = fs.watch(path, { debounce = 0 })
    local cancelled, last = 0, 60
    for turns = 0, last do
      write(file, ("x"):rep(turns))
      local t = async.create_task(watch.next, watch)
      for _ = 1, turns do
        fs.stat "/"
      end
      t:cancel()
      async.wait { t }
      if t:cancelled() then
        cancelled = cancelled + 1
        assert.equal("modified unit.lua", changes_of(watch, path, 0.1))
      end
    end
    assert.is_true(cancelled > 10 and cancelled < last)
  end)

  it("finds what the system does not tell", function()
    local new_fs_event = uv.new_fs_event
    local _ <close> = cleanup(function()
      uv.new_fs_event = new_fs_event
    end)
    uv.new_fs_event = function()
      local handle = new_fs_event()
      return {
        start = function()
          return 0
        end,
        close = function()
          return handle:close()
        end,
        is_closing = function()
          return handle:is_closing()
        end,
      }
    end
    local watch <close> = fs.watch(file)
    changes_of(watch, path, 0.01)
    write(file, "changed")
    assert.equal("modified unit.lua", changes_of(watch, path, 2.2))
  end)

  it("goes on without the system's word, and says so once", function()
    local new_fs_event = uv.new_fs_event
    local _ <close> = cleanup(function()
      uv.new_fs_event = new_fs_event
    end)
    uv.new_fs_event = function()
      return {
        start = function()
          return nil, "ENOSPC: no space left on device", "ENOSPC"
        end,
        close = function() end,
      }
    end
    local told = reports.of(function()
      local watch <close> = fs.watch { file, path .. "/sub/inner.lua" }
      changes_of(watch, path, 0.01)
      write(file, "changed")
      assert.equal("modified unit.lua", changes_of(watch, path, 3))
    end)
    assert.equal(1, #told)
    assert.matches("ENOSPC: no space left on device%): looking every 2 s instead; raise fs.inotify", told[1].message)
  end)

  it("that is dropped watches no longer", function()
    local function handles()
      return host.statistics().handles_by_type.fs_event or 0
    end
    do
      local watch = fs.watch { file, path .. "/sub/inner.lua" }
      changes_of(watch, path, 0.01)
      assert.equal(2, handles())
    end
    collector.collect()
    assert.equal(0, handles())
  end)

  it("names mistakes", function()
    for _, wrong in ipairs { "", 5, false, "a\0b" } do
      local ok, message = pcall(fs.watch, wrong)
      assert.is_false(ok)
      assert.matches("fs.watch: path: a path expected, got ", message)
    end
    assert.is_false(pcall(fs.watch))
    assert.is_false(pcall(fs.watch, { file, 5 }))
    for name, wrong in pairs { debounce = -1, most = "x", poll = 0 / 0, limit = 0, ignore = 5 } do
      local ok, message = pcall(fs.watch, path, { [name] = wrong })
      assert.is_false(ok)
      assert.matches("fs.watch: " .. name .. ": ", message)
    end
    assert.matches("there is no option recursiv", select(2, pcall(fs.watch, path, { recursiv = true })))
    local watch <close> = fs.watch(path)
    assert.matches("watch:add: path: a path expected", select(2, pcall(watch.add, watch)))
  end)
end)
