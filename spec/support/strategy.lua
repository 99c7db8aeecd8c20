--- A strategy of scripts/strategies at work in this process: its file with other parameters, a runtime, a paper
--- broker, and what it orders as text.

local Folder = require "spec.support.folder"
local Runtime = require "strobe.live.runtime"
local async = require "strobe.async"
local broker = require "strobe.broker"

local SOURCE = "scripts/strategies/"

local function read(name)
  local file <close> = assert(io.open(SOURCE .. name .. ".lua", "rb"))
  return file:read "a"
end

local Strategy = {}
Strategy.__index = Strategy

local function with_parameters(text, parameters)
  for name, value in pairs(parameters or {}) do
    local count
    text, count = text:gsub("(\n  " .. name .. " = )[^,\n]*,", function(before)
      return ("%s%s,"):format(before, type(value) == "string" and ("%q"):format(value) or tostring(value))
    end, 1)
    assert(count == 1, "there is no parameter " .. name)
  end
  return text
end

--- The files of a strategy with these parameters, and others that are given.
function Strategy.files(name, parameters, files)
  files = files or {}
  files[name .. ".lua"] = with_parameters(read(name), parameters)
  files["position.lua"], files["top.lua"] = read "position", read "top"
  return files
end

local function describe_order(request, unit, time)
  return ("%.3f %s %s %s %s %.17g at %s"):format(time, unit, request.id, request.side, request.symbol, request.size,
    request.price and ("%.17g"):format(request.price) or "market")
end

-- Writes down what the broker is asked for.
local function listen(made)
  local paper, orders = made.paper, made.orders
  local submit, withdraw = paper.submit, paper.withdraw
  function paper:submit(request, unit, done)
    table.insert(orders, describe_order(request, unit, self:market(unit).time))
    return submit(self, request, unit, done)
  end
  function paper:withdraw(id, done)
    table.insert(orders, "cancel " .. tostring(id))
    return withdraw(self, id, done)
  end
end

--- Makes one, which runs: a `<close>` value. options: parameters, broker (of broker.Paper), runtime (of live.Runtime).
function Strategy.new(name, options)
  options = options or {}
  local folder = Folder.new(Strategy.files(name, options.parameters))
  local made = setmetatable({ name = name, folder = folder, orders = {}, lines = {}, logged = {},
    reports = {} }, Strategy)
  local settings = { root = folder.path, on_report = function(report)
    table.insert(made.reports, report)
  end, log = function(level, message)
    table.insert(made.logged, level .. ": " .. message)
  end }
  for key, value in pairs(options.runtime or {}) do
    settings[key] = value
  end
  made.runtime = Runtime.new(settings)
  made.runtime:add_port("out", { immediate = true, send = function(value)
    table.insert(made.lines, value)
    return true
  end })
  made.paper = assert(broker.Paper(options.broker or { time = "tick", cash = 10000, fee = 0.0004 }))
  made.paper:attach(made.runtime)
  listen(made)
  for _, feed in ipairs(options.feeds or {}) do
    made.runtime:add_feed(feed, { held = true })
  end
  local report = made.runtime:start(name, ("%s/%s.lua"):format(folder.path, name))
  assert(report.verdict == "committed", report.error)
  return made
end

--- Ticks one after the other, as fast as it goes; `each`: the strategy is through with one before the next comes.
function Strategy:offer(symbol, ticks, each)
  for _, tick in ipairs(ticks) do
    self.runtime:offer(symbol, tick, tick.ts, tick.seq)
    if each then
      async.sleep(0.001)
    end
  end
  async.sleep(0.001)
end

--- Writes its file anew, with these parameters, and reloads it: the report.
function Strategy:reload(parameters)
  local file <close> = assert(io.open(("%s/%s.lua"):format(self.folder.path, self.name), "wb"))
  file:write(with_parameters(read(self.name), parameters), "-- saved again\n")
  file:close()
  return self.runtime:reload(self.name)[1]
end

--- What it ordered, a line each.
function Strategy:text_of_orders()
  return table.concat(self.orders, "\n")
end

--- What it holds by now.
function Strategy:state()
  return self.runtime.units[self.name].run.st
end

Strategy.__close = function(self, e)
  self.runtime:close()
  self.paper:close()
  getmetatable(self.folder).__close(self.folder, e)
end

return Strategy
