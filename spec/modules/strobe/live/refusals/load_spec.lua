-- What is refused before the running code is touched: reading and executing the files.

local Folder = require "spec.support.folder"
local RefusedUnit = require "spec.support.refused_unit"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local shell = require "spec.support.shell"
local uv = require "luv"

-- A reload with these files is refused, and the old code goes on.
local function is_refused(code, files, place, text, options)
  local old <close> = RefusedUnit.new(nil, options)
  local report = old:reload(files)
  old:assert_refused(report, code, place, text)
  assert.is_nil(old.frozen)
  old:assert_goes_on()
  return report
end

local new = RefusedUnit.text "new"

describe("a reload is refused with", function()
  it("syntax, for a file that does not compile, with the line", function()
    is_refused("syntax", "local a = 1\nlocal b =\nreturn {", "mm.lua:3", "mm.lua:3: unexpected symbol near 'return'")
    is_refused("syntax", { ["mm.lua"] = "require 'a'\n" .. new, ["a.lua"] = "#!/bin/lua\n\nx x" }, "a.lua:3")
  end)

  it("load, for a module that raises, with the line and the trace", function()
    local text = "local function f()\n  error 'no luck'\nend\nf()\nreturn {}"
    local report = is_refused("load", text, "mm.lua:2", "no luck")
    assert.matches("mm.lua:4: in main chunk", report.trace)
    is_refused("load", "\nerror({})", "mm.lua:2")
    is_refused("load", "error('no place', 0)", "mm.lua:1", "^no place$")
    is_refused("load", "error(setmetatable({}, { __tostring = function() error 'mute' end }))", "mm.lua:1", "mute")
    is_refused("load", { ["mm.lua"] = "\n\nrequire 'a'", ["a.lua"] = "\nerror 'deep'" }, "a.lua:2", "deep")
    is_refused("load", "\nlocal ws = require 'strobe.ws'", "mm.lua:2", "use a port")
  end)

  it("empty, for a file that was saved half, or whose result is no table", function()
    is_refused("empty", "", "mm.lua:1")
    is_refused("empty", " \n\t\r\n", "mm.lua:1")
    is_refused("empty", "local x = 1", "mm.lua:1", "returned boolean")
    is_refused("empty", "return 5", "mm.lua:1", "returned number, not the unit's table")
  end)

  it("missing, for a file that is gone, and a module that never was", function()
    local old <close> = RefusedUnit.new()
    os.remove(old.path .. "/mm.lua")
    old:assert_refused(old.units:reload "mm", "missing", "mm.lua:1")
    old:assert_goes_on()
    is_refused("missing", "\nlocal a = require 'nowhere'\n" .. new, "mm.lua:2", "there is no module 'nowhere'")
  end)

  it("missing, for a module that was there before", function()
    local text = "require 'a' " .. RefusedUnit.text "old"
    local old <close> = RefusedUnit.new { ["mm.lua"] = text, ["a.lua"] = "return 1" }
    os.remove(old.path .. "/a.lua")
    old:assert_refused(old:reload("require 'a' " .. new), "missing", "a.lua:1")
    old:assert_goes_on()
  end)

  it("unstable, for a file that somebody still writes after a second", function()
    local old <close> = RefusedUnit.new()
    local writer <close> = async.TaskGroup()
    writer:create_task(function()
      for i = 1, 100 do
        old.units:write("mm.lua", new .. (" "):rep(i))
        async.sleep(0.03)
      end
    end)
    local began = async.time()
    old:assert_refused(old.units:reload "mm", "unstable", "mm.lua:1", "still being written")
    assert.is_true(async.time() - began < 1.2)
    writer:cancel()
    old:assert_goes_on()
  end)

  it("cycle, for modules that require each other, as a path", function()
    is_refused("cycle", { ["mm.lua"] = "require 'a'", ["a.lua"] = "\nrequire 'b'", ["b.lua"] = "\n\nrequire 'a'" },
      "b.lua:3", "/a.lua %-> .*/b.lua %-> .*/a.lua$")
    is_refused("cycle", "require 'mm'", "mm.lua:1", "/mm.lua %-> .*/mm.lua$")
  end)

  it("await, for a module that waits while it is loaded", function()
    is_refused("await", "local async = require 'strobe.async'\nasync.sleep(1)", "mm.lua:2", "cannot wait")
    is_refused("await", "\ncoroutine.yield()", "mm.lua:2", "yields while it is loaded")
    is_refused("await", "local x <close> = setmetatable({}, { __close = function() while true do end end })\n\n"
      .. "coroutine.yield()", "mm.lua:3", "yields while it is loaded")
    is_refused("await", "\nrequire 'strobe.async'.gather()", "mm.lua:2", "async.gather while the module is loaded")
  end)

  it("effect, for a module that sends, or makes a task or timer", function()
    is_refused("effect", "\nprint 'here'", "mm.lua:2", "print while the module is loaded")
    for _, call in ipairs { "create_task(print)", "every(1, print)", "timer(1)(print)", "ThreadPoolExecutor()" } do
      is_refused("effect", "\nrequire 'strobe.async'." .. call, "mm.lua:2")
    end
    is_refused("effect", "\nrequire 'strobe.live'.request_reload()", "mm.lua:2")
  end)

  it("global, for a global or a table of the runtime that is written", function()
    is_refused("global", "\nx = 1", "mm.lua:2", "the global 'x' was written")
    is_refused("global", "\nstring.trim = print", "mm.lua:2", "string.trim was written")
    is_refused("global", "\nmath.random = print", "mm.lua:2", "math.random was written")
    is_refused("global", "\nrequire 'strobe.async'.sleep = 1", "mm.lua:2", "async.sleep was written")
  end)

  it("budget, for a module that takes too many instructions, whatever it catches", function()
    is_refused("budget", "\nfor i = 1, 1e9 do end", "mm.lua:2", "more than 5000000 instructions")
    is_refused("budget", "\npcall(function() while true do end end)\nwhile true do end", "mm.lua:3")
    is_refused("budget", "\ncoroutine.wrap(function() while true do end end)()", "mm.lua:2")
  end)

  it("contract, for a table that is no unit", function()
    is_refused("contract", "return { version = 1 }", "mm.lua:1", "exactly one of main, on_event and on_batch")
  end)

  it("subscribe, for a stream that no feed has", function()
    is_refused("subscribe", (new:gsub('"ticks"', '"ticks", "quotes"')), "mm.lua:1", "quotes", { streams = { "ticks" } })
  end)

  it("native, for a module of the process that is another one by now", function()
    local library <close> = Folder.new { ["strobe/spec_native.lua"] = "return { n = 1 }" }
    local path = package.path
    package.path = library.path .. "/?.lua;" .. path
    local _ <close> = cleanup(function()
      package.path, package.loaded["strobe.spec_native"] = path, nil
    end)
    local text = "local native = require 'strobe.spec_native' "
    local old <close> = RefusedUnit.new { ["mm.lua"] = text .. RefusedUnit.text "old" }
    local file <close> = assert(io.open(library.path .. "/strobe/spec_native.lua", "w"))
    file:write("return { n = 2000 }"):flush()
    local report = old:reload(text .. new)
    old.path, old.kept = library.path, old.path
    old:assert_refused(report, "native", "strobe/spec_native.lua:1", "the process runs what it was")
    old:assert_goes_on()
  end)

  it("path, for a file that is really outside of the project", function()
    local outside <close> = Folder.new { ["a.lua"] = "return 1" }
    local old <close> = RefusedUnit.new()
    assert(uv.fs_symlink(outside.path .. "/a.lua", old.path .. "/a.lua"))
    old:assert_refused(old:reload("local a = require 'a' " .. new), "path", "a.lua:1", "outside of")
    old:assert_goes_on()
  end)

  it("perms, for a file or folder that everybody may write", function()
    for name, mode in pairs { ["/mm.lua"] = "666", [""] = "777" } do
      local old <close> = RefusedUnit.new()
      assert(uv.fs_chmod(old.path .. name, tonumber(mode, 8)))
      old:assert_refused(old:reload(new), "perms", "mm.lua:1", "may be written by everybody")
      assert(uv.fs_chmod(old.path, tonumber("700", 8)))
      old:assert_goes_on()
    end
  end)

  it("memory, when there is not enough of it", function()
    is_refused("memory", "\nerror('not enough memory', 0)", "mm.lua:2") -- the error that Lua raises
    local output, status = shell.run("ulimit -v 150000; $S --clock=virtual $F", [[
      local RefusedUnit = require "spec.support.refused_unit"
      local old <close> = RefusedUnit.new()
      local report = old:reload "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(1 << 23) .. i end"
      old:assert_refused(report, "memory", "mm.lua:1")
      old:assert_goes_on()
      print "it goes on"]])
    if output:find("Sanitizer", 1, true) then
      pending "a sanitizer needs more memory than a process may have here"
      return
    end
    assert.matches("it goes on\n", output)
    assert.equal(0, status)
  end)
end)
