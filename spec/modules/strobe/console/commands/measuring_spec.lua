local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local Folder = require "spec.support.folder"
local async = require "strobe.async"

local function each(f)
  local attached <close> = Attached.new()
  Console.both(attached, f)
end

-- Code of our own, in no environment of the specs.
local burn = load([[
local function inner(n)
  local x = 0
  for i = 1, n do x = x + i % 7 end
  return x
end
return function(n) return inner(n) + 1 end]], "=burning")()

describe(":timeit", function()
  it("runs code for a second", function()
    each(function(console)
      local text = console:command ":timeit 1 + 1"
      local runs = tonumber((text:match "^([%d,]+) runs: at least [%d.]+ %S+, half of them within":gsub(",", "")))
      assert.is_true(runs > 1000, text)
    end)
  end)

  it("lets others run, and code wait", function()
    local turns <close> = setmetatable({}, { __close = function() _G.turns_of_spec = nil end })
    _G.turns_of_spec = turns
    each(function(console)
      turns.count, turns.first, turns.last = 0, nil, nil
      local other = async.create_task(function()
        while true do
          async.sleep(0)
          turns.count = turns.count + 1
        end
      end)
      console:command(":timeit local turns = turns_of_spec turns.first = turns.first or turns.count "
        .. "turns.last = turns.count")
      other:cancel()
      async.wait { other }
      assert.is_true(turns.last > turns.first)
    end)
  end)

  it("shows what it has when it is interrupted", function()
    local rounds <close> = setmetatable({}, { __close = function() _G.rounds_of_spec = nil end })
    _G.rounds_of_spec = rounds
    each(function(console)
      local text
      rounds.count = 0
      local task = async.create_task(function()
        text = console:command(":timeit local rounds = rounds_of_spec rounds.count = rounds.count + 1 "
          .. "if rounds.count > 5 then async.sleep(1e6) end")
      end)
      Attached.wait_until(function()
        return rounds.count > 5
      end)
      task:cancel()
      task:await()
      assert.matches("^%d+ runs? until it was interrupted: at least", text)
    end)
  end)

  it("shows errors", function()
    each(function(console)
      assert.matches("no such luck", console:refused ":timeit error 'no such luck'")
      assert.equal("the code is incomplete", console:refused ":timeit if x then")
      assert.equal("code expected: :timeit CODE", console:refused ":timeit  ")
    end)
  end)
end)

describe(":prof", function()
  it("shows which functions instructions go to, and writes folded stacks", function()
    each(function(console)
      local folder <close> = Folder.new {}
      console:command ":prof start"
      assert.equal("a profile is being taken already: prof stop ends it", console:refused ":prof start")
      local task = async.create_task(function()
        return burn(300000)
      end)
      task:await()
      local text = console:command((":prof stop %s/out.folded"):format(folder.path))
      assert.matches("^[%d,]+ samples? in %S+ %S+\nSELF +ALL  FUNCTION\n", text)
      assert.matches("%d+%% +%d+%%  inner %(burning:1%)", text)
      assert.matches(("\nfolded stacks in %s/out.folded$"):format(folder.path:gsub("%p", "%%%0")), text)
      local file <close> = assert(io.open(folder.path .. "/out.folded"))
      assert.matches("script;[^\n]*;inner %(burning:1%) %d+\n", file:read "a")
      assert.equal("no profile is being taken: prof start begins one", console:refused ":prof stop")
    end)
  end)

  it("leaves no hook behind", function()
    each(function(console)
      console:command ":prof start"
      async.sleep(0.1)
      console:command ":prof stop"
      for _, task in ipairs(async.all_tasks()) do
        for _, thread in ipairs(task:threads()) do
          assert.is_not_function((debug.gethook(thread))) -- the watchdog's goes by itself
        end
      end
    end)
  end)

  it("knows two words", function()
    each(function(console)
      assert.equal(":prof start or :prof stop [FILE] expected", console:refused ":prof")
      assert.equal(":prof start or :prof stop [FILE] expected", console:refused ":prof restart")
    end)
  end)
end)

describe(":heap", function()
  it("shows what is alive, by type and by unit", function()
    local attached <close> = Attached.new { units = { ["hoard.lua"] = [[
      local Coin = setmetatable({}, { __index = {} })
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        st.coins = {}
        for i = 1, 3000 do st.coins[i] = { i } end
        st.text = ("x"):rep(100000)
      end }]] } }
    attached.units:offer("ticks", 1)
    Console.both(attached, function(console)
      local text = console:command ":heap 40"
      assert.matches("^TYPE +OF +COUNT +SIZE +SHARE\n", text)
      local count = text:match "table +hoard +([%d,]+) "
      count = tonumber((count:gsub(",", "")))
      assert.is_true(count >= 3000 and count < 3400, text)
      assert.matches("string +hoard +%d+ +%d+%.?%d* KiB", text)
      assert.matches("[%d,]+ objects in %S+ [MG]iB, %S+ [MG]iB in use by Lua %(.*hoard %d+", text)
      assert.equal("a number of rows expected: :heap [N]", console:refused ":heap x")
    end)
  end)
end)
