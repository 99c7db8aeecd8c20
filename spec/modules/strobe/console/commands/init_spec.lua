local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local async = require "strobe.async"
local commands = require "strobe.console.commands"
local inspect = require "strobe.core.inspect"
local refusal = require "strobe.console.commands.refusal"
local repl = require "strobe.repl"
local time = require "strobe.core.time"

describe("commands", function()
  it("are known by their names, others by any beginning that is clear", function()
    assert.equal("ps", commands.find("ps").name)
    assert.equal("ps", commands.find("tasks").name)
    assert.equal("where", commands.find("why").name)
    assert.equal("quit", commands.find("q").name)
    assert.equal("metrics", commands.find("metr").name)
    assert.equal("h", commands.find("h").name)
    assert.equal("time", commands.find("time").name)
    assert.same({ nil, ":w may be :watch, :where, :why" }, { commands.find "w" })
    assert.same({ nil, "no such command; :help" }, { commands.find "nonsense" })
  end)

  it("have a name, a text and rights each, and no name twice", function()
    local seen = {}
    for _, command in ipairs(commands.list()) do
      assert.is_nil(seen[command.name])
      seen[command.name] = true
      local line = command.help:match "^[^\n]*"
      assert.is_true(utf8.len(line) > 3 and utf8.len(line) <= 53, command.name) -- beside its name on 80 columns
      assert.is_true(command.rights == "-" or command.rights == "ro" or command.rights == "rw", command.name)
    end
    for name in ([[help h src load save edit reload rollback gens ps tree where cancel top streams inbox tail watch
      unwatch time timeit bg fg prof heap pry metrics log clock advance step vars set clear quit]]):gmatch "%a+" do
      assert.is_true(seen[name], name)
    end
  end)

  it("are told from Lua by their colon and letter", function()
    assert.same({ "ps", "mm  x" }, { commands.parse "  :ps  mm  x " })
    assert.same({ "save!", "f.lua" }, { commands.parse ":save! f.lua" })
    assert.is_nil(commands.parse "::label::")
    assert.is_nil(commands.parse "x = 1")
    assert.equal("a command begins with : and a letter; :help", (select(2, commands.run({}, "x = 1"))))
  end)
end)

describe("a command that is cancelled", function()
  it("leaves nothing behind, wherever it waits", function()
    local attached <close> = Attached.new {
      units = { ["mm.lua"] = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }' },
    }
    for _, line in ipairs {
      ":time async.sleep(10)", ":timeit async.sleep(1)", ":top", ":streams", ":heap", ":reload mm", ":tree", ":fg 1",
      ":cancel nobody",
    } do
      Console.both(attached, function(console)
        for turns = 0, 6 do
          local task = async.create_task(commands.run, console, line)
          for _ = 1, turns do
            async.sleep(0)
          end
          task:cancel()
          async.wait { task }
        end
      end)
    end
    attached.wait_until(function()
      return attached.server.count == 0 and not inspect.times()
    end)
    assert.equal(0, #attached.units.runtime.delivery.observers)
  end)
end)

describe("a command of one's own", function()
  it("gets the rest of the line, and its result is printed", function()
    repl.command("shout", function(text, console)
      return console.prefix .. text:upper()
    end, "shouts")
    assert.equal("> HEY", commands.run({ prefix = "> " }, ":shout hey"))
    assert.equal("shouts", commands.find("shout").help)
    repl.command("shout", function() end)
    assert.equal("", commands.run({}, ":shout"))
  end)

  it("tells its errors at the prompt", function()
    repl.command("broken", function()
      error "no"
    end)
    assert.matches("^:broken failed: .*_spec.lua:%d+: no$", (select(2, commands.run({}, ":broken"))))
    repl.command("broken", function()
      refusal.raise("%d is too many", 3)
    end)
    assert.same({ nil, "3 is too many" }, { commands.run({}, ":broken") })
  end)

  it("lets virtual time pass that stands still at the prompt", function()
    repl.command("doze", function()
      async.sleep(10)
      return "awake"
    end)
    time.hold()
    local console = {
      pass_time = function()
        time.release()
        return setmetatable({}, { __close = time.hold })
      end,
    }
    assert.equal("awake", commands.run(console, ":doze"))
    time.release()
  end)

  it("may wait, and be cancelled", function()
    repl.command("slow", function()
      async.sleep(1000)
    end)
    local task = async.create_task(commands.run, {}, ":slow")
    async.sleep(0.1)
    task:cancel()
    async.wait { task }
    assert.is_true(task:cancelled())
  end)

  it("takes the place of none of ours", function()
    for _, case in ipairs {
      { "there is a command :ps already", "ps", print },
      { "name: letters, digits and _ expected, got a b", "a b", print },
      { "a function expected, got nil", "fine", nil }, { "help: a string expected, got number", "fine", print, 7 },
    } do
      local ok, e = pcall(repl.command, table.unpack(case, 2, 4))
      assert.is_false(ok)
      assert.matches("repl.command: " .. case[1], e, 1, true)
    end
    local ok, e = pcall(function()
      repl.command("ps", print)
    end)
    assert.is_false(ok)
    assert.matches("init_spec.lua:%d+: repl.command", e) -- whose mistake it is
  end)
end)
