--- strobe.testing: for specs of programs that use strobe.
--
-- `strobe test` runs Busted specs inside the runtime: an `it` may wait, under a virtual clock that begins at 0, and
-- fails when it leaves a task, a timer or a handle behind. Here is the rest:
--
-- Time. It jumps by itself when all tasks are blocked; to stop half-way, move it by hand:
--
--   local manual <close> = testing.clock.manual()
--   testing.clock.advance(59.9)             -- runs all that is due until then
--   testing.clock.run_until_idle()          -- runs all that can run now
--
-- The other end. A stream in memory, or whoever is connected to:
--
--   local stream, peer = testing.memory_stream()
--   peer:send "PING\r\n":expect "PONG\r\n"
--   local lab <close> = testing.mock.net { ["meter:5025"] = function(stream) stream:write "+1.5\n" end }
--   local web <close> = testing.mock.http { ["GET /users/7"] = { json = { name = "Ada" } } }
--   local feed <close> = testing.mock.ws { ["/ticks"] = { "tick 1", "tick 2" } }
--
-- Bad lines. Any stream, torn, slow, or cut; the same damage with the same seed:
--
--   local stream, line = testing.faulty(connection, { seed = 7, split = 3, delay = { 0, 0.2 }, corrupt = 0.01 })
--   testing.faulty(connection, { receive = { cut = 100, code = "ECONNRESET" } })      -- for http, ws, net, …
--   ws.connect("ws://x/", { stream = stream });  http.serve_stream(handler, stream)
--   testing.mock.net({ ["feed:9001"] = serve }, { faults = { split = 1 } })           -- for tectonic, open_connection
--   local bad <close> = testing.faulty_port(server:port(), { split = 10 })            -- for http.get
--
-- Races. `strobe test --shuffle-tasks 20` runs each `it` in 20 orders of its tasks, and a failure tells the seeds that
-- repeat it: `strobe test --seed 42 --shuffle-seed 57 spec/feed_spec.lua`. What runs in the same turn of the loop
-- changes places: tasks woken together by one event, one deadline, or made one after the other. Callbacks stay in
-- their order, no task overtakes a callback that was ready before it, and sleep(0) lets all run that was ready. A spec
-- that is about that order says so by `testing.fifo()`.
--
-- Chance. math.random begins in each `it` where `--seed S` says; a failure tells S.
--
-- Leaks. `testing.leaks(f)` lists what f leaves behind, descriptors too; `testing.grows(f)` tells whether memory grows
-- with each call.
--
-- Memory. `testing.allocation_failures(f)` has each allocation of f fail once, of Lua's and of strobe's own C.

local allocation = require "strobe.testing.allocation"
local clock = require "strobe.testing.clock"
local faults = require "strobe.testing.faults"
local leaks = require "strobe.testing.leaks"
local memory = require "strobe.testing.memory"
local order = require "strobe.testing.order"

local testing = {}

--- Answers for strobe.http, peers for strobe.ws and strobe.net, without a port: `mock.http`, `mock.ws`, `mock.net`; see
--- mock.lua.
testing.mock = require "strobe.testing.mock"

--- The virtual clock: `clock.advance(seconds)`, `clock.run_until_idle()`, `clock.manual()`, `clock.now()`; see
--- clock.lua.
testing.clock = clock

--- A stream in memory, and the peer at its other end; see memory.lua.
---@type fun(options?: strobe.testing.MemoryOptions): strobe.Connection, strobe.testing.Peer
testing.memory_stream = memory.memory_stream

--- A stream with faults on top of another one: delay, split, drop, duplicate, corrupt, stall, cut; see faults.lua.
---@type fun(stream: strobe.Connection, options?: strobe.testing.FaultyOptions): strobe.Connection, strobe.testing.Line
testing.faulty = faults.faulty

--- A port that leads to another one by faulty lines; see faults.lua.
---@async
---@type fun(port: integer, options?: strobe.testing.FaultyOptions, host?: string): strobe.testing.FaultyPort
testing.faulty_port = faults.faulty_port

--- Shuffles ready tasks by a seed until it is closed; see order.lua.
---@type fun(seed: integer): table
testing.shuffle = order.shuffle

--- Says that this `it` may rely on first in, first out; see order.lua.
---@type fun()
testing.fifo = order.fifo

--- What f(…) leaves behind, a text for each; see leaks.lua.
---@async
---@type fun(f: function, ...): string[]
testing.leaks = leaks.leaks

--- Raises what f(…) leaves behind, or returns what it returns; see leaks.lua.
---@async
---@type fun(f: function, ...): any ...
testing.assert_no_leaks = leaks.assert_no_leaks

--- How many bytes each call of f keeps, or false; see leaks.lua.
---@async
---@type fun(f: fun(), options?: {rounds?: integer}): number|false
testing.grows = leaks.grows

--- Has each allocation of f fail once; see allocation.lua.
---@async
---@type fun(f: fun(), options?: {in_a_row?: integer, allow?: string[]}): integer
testing.allocation_failures = allocation.failures

return testing
