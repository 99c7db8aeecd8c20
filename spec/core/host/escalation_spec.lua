local child = require "spec.support.child"
local host = require "strobe.core.host"
local program = host.program
local time = require "strobe.core.time"

-- A console in small: each of the functions given is an input. It says how each of them ended.
local CONSOLE = [[
  local async = require "strobe.async"
  local core = require "strobe.core.interrupt"
  local host = require "strobe.core.host"
  host.slow_step(99)
  local input
  local function say(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    io.stdout:write(table.concat(words, " "), "\n")
    io.stdout:flush()
  end
  host.on_interrupt(function()
    if input then input:cancel "ctrl-c" else say "prompt" end
  end, function() say "redraw" end)
  local function console(...)
    for _, f in ipairs { ... } do
      input = async.create_task(f)
      core.evaluation(input)
      say("ended", pcall(input.await, input))
      input = nil
      core.evaluation()
    end
    say("hook", debug.gethook())
  end
  local spins
  local function spin()
    if not spins then
      spins = true
      say "spins"
    end
    while true do local _ = {} end -- the thread sanitizer lets no signal into an empty loop
  end
  local function long_call(seconds)
    say "in C"
    require "luv".sleep(seconds * 1000)
  end
]]

-- Starts it with some more lines.
local function start(code)
  return child.spawn(program, { "--clock=live", "-e", CONSOLE .. code })
end

-- Ctrl-C as often as a pattern comes on a stream.
local function interrupt_at(process, ...)
  for _, pattern in ipairs { ... } do
    process:expect("stdout", pattern)
    process:kill "sigint"
  end
end

describe("Ctrl-C at a console", function()
  describe("while an input waits", function()
    it("cancels it; its cleanup runs", function()
      local process <close> = start [[
        console(function()
          local _ <close> = setmetatable({}, { __close = function() async.sleep(0.01) say "clean" end })
          say "waits"
          async.sleep(100)
        end, function() return "next" end)]]
      interrupt_at(process, "waits")
      assert.equal(0, process:wait())
      assert.equal("waits\nclean\nended false CancelledError: ctrl-c\nended true next\nhook nil\n",
        process.output.stdout)
    end)

    it("cancels one that gives way all the time", function()
      local process <close> = start "console(function() say 'waits' while true do async.sleep(0) end end)"
      interrupt_at(process, "waits")
      assert.equal(0, process:wait())
      assert.matches("ended false CancelledError: ctrl%-c\n", process.output.stdout)
    end)
  end)

  describe("while none runs", function()
    it("is heard between two turns, each time", function()
      local process <close> = start [[
        say "one" async.sleep(0.3) say "two" async.sleep(0.3)]]
      interrupt_at(process, "one", "two")
      assert.equal(0, process:wait())
      assert.equal("one\nprompt\ntwo\nprompt\n", process.output.stdout)
    end)
  end)

  describe("while an input does not wait", function()
    for name, loop in pairs {
      ["in a loop"] = "spin()",
      ["in an empty loop"] = "say 'spins' while true do end",
      ["in a coroutine in a coroutine"] = [[
        coroutine.wrap(function() coroutine.wrap(spin)() end)()]],
      ["in a coroutine that is being closed"] = [[
        local co = coroutine.create(function()
          local _ <close> = setmetatable({}, { __close = spin })
          coroutine.yield()
        end)
        coroutine.resume(co)
        assert(coroutine.close(co))]],
      ["in coroutines that are made again and again"] = [[
        say "spins"
        while true do coroutine.wrap(function() end)() end]],
      ["in a task that it awaits"] = "async.create_task(spin):await()",
      ["in a task of a group"] = "local group <close> = async.TaskGroup() group:create_task(spin)",
      ["in a generator"] = "for _ in async.generator(spin)() do end",
      ["in our own code"] = [[
        say "spins"
        local queue = async.Queue()
        while true do queue:put_nowait(1) queue:get_nowait() end]],
    } do
      it(("interrupts it %s, and says where it was"):format(name), function()
        if name == "in an empty loop" and host.allocator ~= "mimalloc" then
          return pending "a sanitizer may let no signal into an empty loop"
        end
        local process <close> = start(([[
          local served = 0
          async.create_task(function() while true do served = served + 1 async.sleep(0.001) end end)
          console(function() async.sleep(0.01) %s end, function()
            local before = served
            async.sleep(0.02)
            return served > before
          end)]]):format(loop))
        interrupt_at(process, "spins")
        assert.equal(0, process:wait())
        assert.matches("ended false .*Interrupted: %(command line%):%d+: after running %d+ ms without waiting\n",
          process.output.stdout)
        assert.matches("\nended true true\nhook nil\n$", process.output.stdout)
        assert.not_matches("runs since", process.output.stderr)
        assert.not_matches("without waiting", process.output.stderr) -- the error has said so
      end)
    end

    it("raises once, and at every instruction when it comes again", function()
      local process <close> = start [[
        console(function()
          say(select(2, pcall(spin)))
          while true do pcall(spin) end
        end)]]
      interrupt_at(process, "spins", "Interrupted: ")
      assert.equal(0, process:wait())
      assert.matches("spins\nInterrupted: [^\n]+\nended false Interrupted: [^\n]+\nhook nil\n", process.output.stdout)
    end)

    it("raises at every instruction when it goes on for a second", function()
      local process <close> = start "console(function() while true do pcall(spin) end end)"
      interrupt_at(process, "spins")
      assert.equal(0, process:wait())
      assert.matches("ended false Interrupted: [^\n]+\nhook nil\n", process.output.stdout)
    end)

    it("puts the hook of a debugger back", function()
      local process <close> = start [[
        local count, ended = 0
        console(function()
          debug.sethook(function() count = count + 1 end, "", 100000)
          pcall(spin)
          local before = count
          for i = 1, 1e6 do end
          ended = count > before
          debug.sethook()
        end)
        say("counts", ended)]]
      interrupt_at(process, "spins")
      assert.equal(0, process:wait())
      assert.matches("counts true\n", process.output.stdout)
    end)
  end)

  describe("while somebody else's step does not wait", function()
    local UNIT = [[
      local inspect = require "strobe.core.inspect"
      local served = 0
      async.create_task(function() while true do served = served + 1 async.sleep(0.001) end end)
      local unit = async.create_task(function() async.sleep(0.01) %s end)
      unit:set_name "mm main"
      inspect.own(unit, "mm", 3)
      unit:add_done_callback(function(t) say("unit", (t:exception())) end)
    ]]

    it("names the unit after a second, and interrupts it when it comes again", function()
      local process <close> = start(UNIT:format "spin()" .. [[
        pcall(unit.await, unit)
        local before = served
        async.sleep(0.02)
        say(served > before)]])
      interrupt_at(process, "spins")
      process:expect("stderr", "unit mm runs since %d+.%d s without yielding; Ctrl%-C again interrupts it\n")
      process:kill "sigint"
      assert.equal(0, process:wait())
      assert.matches("spins\nredraw\nunit Interrupted: %(command line%):%d+: after running %d+ ms [^\n]+\ntrue\n",
        process.output.stdout)
    end)

    it("leaves it alone when it does not come again, and names it anew after three seconds", function()
      local process <close> = start(UNIT:format [[
        say "spins"
        local began = os.clock() while os.clock() - began < 6 do end]] .. "unit:await()")
      interrupt_at(process, "spins")
      process:expect("stderr", "unit mm runs since %d+.%d s")
      time.sleep(3.3)
      process:kill "sigint"
      process:expect("stderr", "unit mm runs since [4-9].%d s")
      assert.equal(0, process:wait())
      assert.equal("spins\nredraw\nunit nil\n", process.output.stdout)
    end)

    it("does not take the time that the loop waited for that of a callback", function()
      local process <close> = start [[
        local timer = require "luv".new_timer()
        timer:start(4000, 0, function()
          say "callback"
          local began = os.clock() while os.clock() - began < 0.3 do end
          timer:close()
        end)
        async.sleep(6)]]
      interrupt_at(process, "callback")
      assert.equal(0, process:wait())
      assert.not_matches("runs since [4-9]", process.output.stderr)
    end)

    it("names a task and a callback as well", function()
      local process <close> = start [[
        local seconds = 1.3
        local function work() local began = os.clock() while os.clock() - began < seconds do end end
        async.create_task(function() say "task" work() end):set_name "a task"
        async.sleep(0)
        async.get_running_loop():call_soon(function() say "callback" work() end)
        async.sleep(0)
        async.sleep(0)]]
      interrupt_at(process, "task", "callback")
      assert.equal(0, process:wait())
      assert.matches("strobe: 'a task' runs since %d+.%d s", process.output.stderr)
      assert.matches("strobe: a callback runs since %d+.%d s", process.output.stderr)
    end)
  end)

  describe("in a C function", function()
    it("says so after a second; the input is interrupted when that is over", function()
      local process <close> = start [[
        console(function() long_call(2) spin() end, function() return "next" end)]]
      interrupt_at(process, "in C")
      process:expect("stderr", "in a C function since %d+.%d s; three more Ctrl%-C end the process\n")
      assert.equal(0, process:wait())
      assert.matches("ended false Interrupted: [^\n]+\nended true next\n", process.output.stdout)
    end)

    it("ends the process when it comes three times more", function()
      local process <close> = start "console(function() long_call(100) end)"
      interrupt_at(process, "in C")
      process:expect("stderr", "three more Ctrl%-C")
      for _ = 1, 2 do
        process:kill "sigint"
        time.sleep(0.3)
      end
      assert.is_nil(process.status)
      while not process.status do -- two that come at the same time are one
        process:kill "sigint"
        time.sleep(0.3)
      end
      assert.equal(130, process:wait())
      assert.matches("ended without cleaning up\n$", process.output.stderr)
    end)
  end)

  it("is SIGINT of scripts again when nobody sits there", function()
    local process <close> = start [[
      host.on_interrupt()
      say "script"
      async.sleep(100)]]
    interrupt_at(process, "script")
    assert.equal(130, process:wait())
  end)

  it("ends the process at once behind SIGTERM", function()
    local process <close> = start [[
      local _ <close> = setmetatable({}, { __close = function() say "cleans up" async.sleep(100) end })
      say "script"
      async.sleep(100)]]
    process:expect("stdout", "script")
    process:kill "sigterm"
    interrupt_at(process, "cleans up")
    assert.equal(130, process:wait())
  end)

  it("takes functions only", function()
    assert.has_error(function()
      host.on_interrupt(1)
    end, "bad argument #1 to 'on_interrupt' (function expected, got number)")
  end)
end)
