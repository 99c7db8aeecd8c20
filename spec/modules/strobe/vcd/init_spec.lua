local Folder = require "spec.support.folder"
local async = require "strobe.async"
local vcd = require "strobe.vcd"

-- A trace as a text: what `make` writes.
local function written(options, make)
  local parts = {}
  local writer = assert(vcd.open(function(bytes)
    parts[#parts + 1] = bytes
    return true
  end, options))
  make(writer)
  assert(writer:close())
  return table.concat(parts)
end

local function blink(writer)
  writer:scope "board"
  local led = writer:var("led", { initial = "0" })
  writer:upscope()
  writer:change(1000000, led, 1)
  writer:change(2000000, led, false)
end

local function all_types(writer)
  local wire = writer:var "wire"
  local bus = writer:var("bus", { width = 8 })
  local real = writer:var("real", { type = "real" })
  local text = writer:var("text", { type = "string" })
  local event = writer:var("event", { type = "event" })
  writer:var("alias", { same = wire })
  writer:change(1000, wire, "z")
  writer:change(1000, bus, 165)
  writer:change(2000, real, 1 / 3)
  writer:change(2000, text, "a b\n\\\255")
  writer:change(3000, event, true)
end

describe("a trace", function()
  describe("written", function()
    it("has a head, what there was at first, and changes", function()
      assert.equal([[
$date 2026-01-01T00:00:00Z $end
$version strobe $end
$comment a light $end
$timescale 1 us $end
$scope module board $end
$var wire 1 ! led $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
0!
$end
#1000
1!
#2000
0!
#2001
]], written({ date = "2026-01-01T00:00:00Z", comment = "a light" }, blink))
    end)

    it("is the same, byte for byte, for the same calls", function()
      assert.equal(written({ strings = true }, all_types), written({ strings = true }, all_types))
      assert.is_nil(written({}, blink):find "$date")
    end)

    it("keeps names to what viewers bear, and the originals in comments", function()
      local text = written({}, function(writer)
        writer:scope "my board"
        writer:var "A+"
        writer:var "A-"
        writer:var "bad $end"
      end)
      assert.truthy(text:find("$scope module my_board $end\n$comment my_board is my board $end", 1, true))
      assert.truthy(text:find("A_ $end\n$comment A_ is A+ $end", 1, true))
      assert.truthy(text:find("A__2 $end\n$comment A__2 is A- $end", 1, true))
      assert.equal(3, #assert(vcd.read(text)).vars)
    end)

    it("leaves out strings unless asked for, and reals if asked", function()
      local function types(options)
        local list = {}
        for i, var in ipairs(assert(vcd.read(written(options, all_types))).vars) do
          list[i] = var.type
        end
        return table.concat(list, " ")
      end
      assert.equal("wire wire real event wire", types {})
      assert.equal("wire wire string event wire", types { strings = true, reals = false })
    end)

    it("counts what was changed again within its time and what came after the limit", function()
      local parts = {}
      local writer = assert(vcd.open(function(bytes)
        parts[#parts + 1] = bytes
        return true
      end, { max_changes = 1 }))
      local led = writer:var "led"
      writer:change(0, led, 0)
      for time, value in ipairs { 1, 0, 1, 0 } do
        writer:change(1000000 + time, led, value)
      end
      writer:change(2000000, led, 1)
      writer:change(3000000, led, 0)
      writer:change(4000000, led, 1)
      assert(writer:close())
      local counters = writer:counters()
      assert.equal(3, counters.merged)
      assert.equal(1, counters.changes)
      assert.equal(2, counters.dropped)
      assert.truthy(table.concat(parts):find("it has reached 1 changes", 1, true))
    end)

    it("can be looked at while it goes on", function()
      local folder <close> = Folder.new {}
      local path = folder.path .. "/a.vcd"
      local writer <close> = assert(vcd.open(path))
      local led = writer:var "led"
      writer:change(1000, led, 1)
      assert(writer:flush())
      assert.same({ "x", "1" }, assert(vcd.read(path)).vars[1].changes.values)
    end)

    it("tells that the disk is full, and goes on telling", function()
      local writer = assert(vcd.open "/dev/full")
      local led = writer:var "led"
      local failure
      for time = 1, 100000 do
        local good, message, code = writer:change(time * 1000, led, time % 2)
        if not good then
          failure = { message, code }
          break
        end
      end
      local expected = { "write /dev/full: no space left on device (free some space, or write elsewhere)", "ENOSPC" }
      assert.same(expected, failure)
      assert.same(expected, { select(2, writer:change(1e9 // 1, led, 1)) })
      assert.same(expected, { select(2, writer:close()) })
      assert.is_true(writer:close())
    end)

    it("is whole when several tasks, and who cannot wait, write into it", function()
      local folder <close> = Folder.new {}
      local path = folder.path .. "/a.vcd"
      local writer = assert(vcd.open(path, { timescale = "1 ns" }))
      local led, time = writer:var "led", 0
      local function some()
        for _ = 1, 20000 do
          time = time + 1
          assert(writer:change(time, led, time % 2))
        end
      end
      local tasks = {}
      for i = 1, 5 do
        tasks[i] = async.create_task(some)
      end
      async.get_running_loop():call_soon(some)
      async.gather(tasks)
      assert(writer:close())
      local times = assert(vcd.read(path)).vars[1].changes.times
      assert.equal(120001, #times) -- and x at first
      assert.equal(120000, times[#times])
    end)

    it("tells that a write was cancelled, for it may lack something", function()
      local folder <close> = Folder.new {}
      local writer = assert(vcd.open(folder.path .. "/a.vcd"))
      writer:change(0, writer:var "led", 1)
      local task = async.create_task(writer.flush, writer)
      async.sleep(0)
      task:cancel()
      assert.is_false(pcall(task.await, task))
      local good, message, code = writer:close()
      assert.same({ "ECANCELED" }, { code })
      assert.matches("a.vcd: it was cancelled$", message)
      assert.is_nil(good)
    end)

    it("tells that its file cannot be", function()
      local expected = { nil, "open /nowhere/a.vcd: no such file or directory (check the path)", "ENOENT" }
      assert.same(expected, { vcd.open "/nowhere/a.vcd" })
    end)

    it("refuses mistakes of its caller", function()
      assert.has_error(function()
        vcd.open("x", { timescale = "3 us" })
      end, "vcd.open: timescale '3 us': 1, 10 or 100 of s, ms, us or ns expected")
      for message, call in pairs {
        ["vcd.open: there is no option strngs"] = function() vcd.open("x", { strngs = true }) end,
        ["vcd.open: max_size: a number expected, got string"] = function() vcd.open("x", { max_size = "1 MB" }) end,
        ["vcd.open: date: a string or boolean expected, got number"] = function() vcd.open("x", { date = 7 }) end,
        ["vcd.open: a path or a function expected, got nil"] = function() vcd.open() end,
        ["vcd.read: a path, a text or a function expected, got nil"] = function() vcd.read() end,
        ["vcd.changes: a path, a text or a function expected, got table"] = function() vcd.changes {} end,
      } do
        assert.has_error(call, message)
      end
      written({}, function(writer)
        local led = writer:var "led"
        writer:change(5, led, 1)
        assert.error_matches(function() writer:change(4, led, 1) end, "times only grow")
        assert.error_matches(function() writer:change(5, led, "q") end, "no value of this variable")
        assert.error_matches(function() writer:change(5, led, 7) end, "no value of this variable")
        assert.error_matches(function() writer:change(5, 99, 1) end, "no variable")
        assert.error_matches(function() writer:var "late" end, "not where this may be said")
      end)
    end)

    it("is whole even when it was never closed but collected", function()
      local folder <close> = Folder.new {}
      local path = folder.path .. "/a.vcd"
      do
        local writer = assert(vcd.open(path))
        writer:change(5000, writer:var "led", 1)
      end
      collectgarbage()
      collectgarbage()
      assert.equal(6000, assert(vcd.read(path)).finish)
    end)

    it("raises at the end of its block what it could not write", function()
      local good, message = pcall(function()
        local writer <close> = assert(vcd.open "/dev/full")
        writer:change(0, writer:var "led", 1)
      end)
      assert.is_false(good)
      assert.equal("write /dev/full: no space left on device (free some space, or write elsewhere)", message)
    end)
  end)

  describe("read", function()
    it("has what was written", function()
      local trace = assert(vcd.read(written({ strings = true, timescale = "1 ns" }, all_types)))
      assert.equal("1 ns", trace.timescale)
      assert.equal(3001, trace.finish)
      local values = {}
      for _, var in ipairs(trace.vars) do
        values[var.name] = var.changes.values[#var.changes.values]
      end
      assert.same({
        wire = "z", alias = "z", bus = "10100101", real = tonumber(("%.16g"):format(1 / 3)), text = "a b\n\\\255",
        event = true,
      }, values)
      assert.same({ 0, 1000 }, trace.vars[1].changes.times)
      assert.equal(trace.vars[1].changes, trace.vars[6].changes)
    end)

    it("comes change by change, from a file or from blocks", function()
      local text = written({}, blink)
      local folder <close> = Folder.new { ["blink.vcd"] = text }
      local function list(source)
        local parts = {}
        for time, var, value in assert(vcd.changes(source)) do
          parts[#parts + 1] = ("%d %s.%s=%s"):format(time, var.scope, var.name, value)
        end
        return table.concat(parts, ", ")
      end
      local expected = "0 board.led=0, 1000000 board.led=1, 2000000 board.led=0"
      assert.equal(expected, list(folder.path .. "/blink.vcd"))
      assert.equal(expected, list(text:gmatch "."))
    end)

    it("has times in nanoseconds, whatever its scale", function()
      local function times(scale)
        local text = "$timescale %s $end $var wire 1 ! a $end $enddefinitions $end #7 1!"
        local trace, message, code = vcd.read(text:format(scale))
        return trace and trace.finish or message, code
      end
      assert.equal(7000000000, times "1s")
      assert.equal(700, times "100 ns")
      assert.equal(0.07, times "10ps")
      local text = "$timescale 1 s $end $enddefinitions $end #10000000000"
      assert.same({ nil, "vcd: a time beyond 292 years", "EOVERFLOW" }, { vcd.read(text) })
    end)

    for text, message in pairs {
      ["$enddefinitions $end\n#0\n1!"] = "vcd:3:1: no $var has declared the id '!'",
      ["$var wire 1 ! a $end\n"] = "vcd:2:1: the file ends without $enddefinitions",
      ["$var wire 1 ! a $end\n$enddefinitions $end\n#5 1!\n#4"] = "vcd:4:1: the time goes back from 5 to 4",
      ["$var wire 1 ! a $end\n$enddefinitions $end\n1?"] = "vcd:3:1: no $var has declared the id '?'",
    } do
      it("says where it is broken: " .. message, function()
        assert.same({ nil, message, "EBADMSG" }, { vcd.read(text) })
      end)
    end

    it("names its file when that is broken or missing", function()
      local folder <close> = Folder.new { ["a.vcd"] = "hello" }
      local path = folder.path .. "/a.vcd"
      assert.same({ nil, path .. ":1:1: 'hello' before $enddefinitions", "EBADMSG" }, { vcd.read(path) })
      local missing = "open " .. path .. "x: no such file or directory (check the path)"
      assert.same({ nil, missing, "ENOENT" }, { vcd.changes(path .. "x") })
    end)

    it("is bounded; change by change it is not", function()
      local text = written({}, blink)
      local trace, message, code = vcd.read(text, { max_changes = 2 })
      assert.is_nil(trace)
      assert.equal("E2BIG", code)
      assert.matches("more than 2 changes; vcd.changes reads any number", message)
    end)

    it("raises in the middle of a loop, and closes the file when one is left", function()
      local broken = "$var wire 1 ! a $end $enddefinitions $end 1! q"
      local good, message = pcall(function()
        for _ in assert(vcd.changes(broken)) do -- luacheck: ignore
        end
      end)
      assert.is_false(good)
      assert.equal("vcd:1:46: 'q' is no value change", message)
      for _ in assert(vcd.changes(broken)) do -- luacheck: ignore
        break
      end
    end)
  end)
end)
