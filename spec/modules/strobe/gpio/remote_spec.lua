local async = require "strobe.async"
local clients = require "strobe.gpio.client"
local gpio = require "strobe.gpio"
local http = require "strobe.http"
local part = require "strobe.gpio.part"
local reports = require "spec.support.reports"
local ws = require "strobe.ws"

-- A button that drives a pin low, and some trouble.
local key = part.kind {
  name = "key",
  pins = { "out" },
  attributes = { color = "red" },
  start = function(self)
    self.state.pressed = false
  end,
  press = function(self, strength)
    self.state.pressed, self.state.strength = true, strength
    self.line.out:configure { direction = "output", output_value = 0 }
    return "pressed"
  end,
  release = function(self)
    self.state.pressed = false
    self.line.out:configure { direction = "input" }
  end,
  fail = function()
    error "it is stuck"
  end,
}

-- A board with a remote and a client; f(client, board, remote).
local function served(options, f)
  local board <close> = gpio.board { name = "bench", pins = { "D2", "D3", "D13" } }
  board:add(key, { name = "key1" })
  board:wire("D2", "key1.out")
  local input <close> = assert(board:line("D2", { bias = "pull-up", consumer = "sketch" })) -- luacheck: ignore
  local remote <close> = assert(board:serve(nil, nil, options))
  local client <close> = assert(clients.connect(remote.url))
  f(client, board, remote)
end

local function refusal(code, message, ...)
  local answer, why, word = ...
  assert.is_nil(answer)
  assert.same({ code, message }, { word, why })
end

describe("a board that is served", function()
  it("lists its pins and parts", function()
    served({}, function(client)
      local list = assert(client:ask "list")
      assert.same({ "bench", true, false }, { list.board, list.running, list.read_only })
      local names = {}
      for i, pin in ipairs(list.pins) do
        names[i] = pin.name .. "@" .. pin.net
      end
      assert.same({ "D2@D2", "D3@D3", "D13@D13", "key1.out@D2" }, names)
      assert.equal("sketch", list.pins[1].consumer)
      local its = list.parts[1]
      assert.same({ "key1", "key", { "fail", "press", "release" } }, { its.name, its.kind, its.methods })
      assert.same({ { color = "red" }, { pressed = false } }, { its.attributes, its.state })
    end)
  end)

  it("has its pins read and driven; a driven pin is the client's until it leaves", function()
    served({}, function(client, board)
      assert.same({ 1, "1" }, { assert(client:get "D2").value, client:get("D2").level })
      assert(client:set("D3", 1))
      assert.equal("1", assert(client:get "D3").level)
      assert.equal("remote 1", board:line_info("D3").consumer)
      assert(client:set("D3", false))
      assert.equal("0", assert(client:get "D3").level)
      assert(client:ask("release", { pin = "D3" }))
      assert.equal("z", assert(client:get "D3").level)
      assert(client:set("D13", 1))
      client:close()
      async.sleep(0)
      assert.is_nil(board:line_info("D13").consumer)
    end)
  end)

  it("has its buttons pressed", function()
    served({}, function(client, board)
      assert.equal("pressed", assert(client:call("key1", "press", 2)).result)
      assert.equal(2, math.tointeger(board.parts.key1.state.strength))
      assert.equal("0", assert(client:get "D2").level)
      assert(client:call("key1", "release"))
      assert.equal("1", assert(client:get "D2").level)
    end)
  end)

  it("tells changes of pins in batches, in order, with numbers", function()
    served({}, function(client, board)
      local watch = assert(client:watch { "D2", "D3" }).watch
      local line <close> = assert(board:line("D3", { direction = "output" }))
      for i = 1, 5 do
        board:sleep(0.01)
        line:set_value(i % 2)
      end
      local seen, seqs = {}, {}
      while #seen < 6 do
        local message = client:next_event()
        assert.same({ "edges", watch, 0 }, { message.event, message.watch, message.overruns })
        for _, event in ipairs(message.events) do
          seen[#seen + 1], seqs[#seqs + 1] = event[1] .. event[2], math.tointeger(event[4])
        end
      end
      assert.same({ "D30", "D31", "D30", "D31", "D30", "D31" }, seen)
      assert.same({ 1, 2, 3, 4, 5, 6 }, seqs)
      assert(client:ask("unwatch", { watch = watch }))
      refusal("ENOENT", "unwatch: there is no watch 1.0", client:ask("unwatch", { watch = watch }))
    end)
  end)

  it("drops the oldest events of a client that is too slow, and says how many", function()
    served({}, function(client, board)
      local line <close> = assert(board:line("D3", { direction = "output" }))
      board:pause()
      line:pwm(1000000, 0.5)
      assert(client:watch { "D3" })
      assert(board:step(0.05)) -- 100,000 changes at once
      line:set_value(0)
      local events, overruns, last = 0, 0, 0
      while last < 100000 do
        local message = client:next_event()
        events, overruns = events + #message.events, message.overruns
        last = message.events[#message.events][4]
      end
      assert.is_true(overruns > 0)
      assert.equal(last, events + overruns)
    end)
  end)

  it("tells levels and states as they change", function()
    served({}, function(client)
      assert(client:ask("follow", { interval = 0.05 }))
      local first = client:next_event()
      assert.equal("1", first.levels.D2)
      assert.is_false(first.parts.key1.pressed)
      assert(client:call("key1", "press"))
      local message
      repeat
        message = client:next_event()
      until next(message.levels)
      assert.same({ D2 = "0", ["key1.out"] = "0" }, message.levels)
      assert.same({ key1 = { pressed = true } }, message.parts)
      assert(client:ask("follow", { interval = 0 }))
    end)
  end)

  it("is paused, stepped and resumed", function()
    served({}, function(client, board)
      assert(client:ask "pause")
      local before = board:now_ns()
      assert.equal(before + 250000000, math.tointeger(assert(client:ask("step", { seconds = 0.25 })).now_ns))
      assert.is_false(assert(client:ask "list").running)
      assert(client:ask "resume")
      assert.is_true(assert(client:ask "list").running)
    end)
  end)

  it("names what is wrong", function()
    served({ allow = function(_, method) return method ~= "release" end }, function(client)
      refusal("ENOENT", "board bench has no pin Q", client:get "Q")
      refusal("ENOENT", "board bench has no part Q", client:call("Q", "press"))
      refusal("ENOENT", "part key1 (key) has no method stop", client:call("key1", "stop"))
      refusal("EPERM", "part key1: release may not be called from here", client:call("key1", "release"))
      refusal("EINVAL", "it is stuck", client:call("key1", "fail"))
      refusal("EBUSY", "board bench: pin D2 is in use by sketch", client:set("D2", 1))
      refusal("EPERM", "set: key1.out belongs to part key1: call its methods", client:set("key1.out", 1))
      refusal("EINVAL", "set: value: 0, 1, true, false or \"z\" expected", client:set("D3", 7))
      refusal("EPERM", "release: D3 is not yours", client:ask("release", { pin = "D3" }))
      refusal("ENOSYS", "there is no action jump", client:ask "jump")
      refusal("EINVAL", "watch: pins: a list of 1 to 4096 names expected", client:watch {})
      refusal("EINVAL", "follow: interval: 0, or 0.02 to 10 s expected", client:ask("follow", { interval = -1 }))
      refusal("EINVAL", "step: seconds: 0 to 3600 expected", client:ask("step", { seconds = 1e9 }))
      refusal("EINVAL", "call: method: a string expected", client:ask("call", { part = "key1" }))
    end)
  end)

  for _, text in ipairs { "", "7", "null", "[", '{"do":{}}', '{"do":"set","pin":{"a":1}}', '{"do":"watch","pins":[{}]}',
    '{"do":"call","part":"key1","method":"press","arguments":[[]]}', '{"do":"call","part":"key1","method":"__index"}',
    '{"do":"unwatch","watch":1.5}', "\0\255" } do
    it(("bears %q"):format(text), function()
      served({}, function(client, _, remote)
        local connection <close> = assert(ws.connect((remote.url:gsub("^http", "ws")) .. "board"))
        assert(connection:send_bytes(text))
        assert.matches('"ok":false', (assert(connection:recv())))
        if not text:find "\255" then
          assert(connection:send(text))
          assert.matches('"ok":false', (assert(connection:recv())))
        end
        assert(client:get "D2")
      end)
    end)
  end

  -- A board with an encoder whose turns wait, and time that stands still.
  local function standing(f)
    local board <close> = gpio.board { name = "bench", paused = true }
    local encoder = board:add("rotary_encoder", { name = "knob" })
    local remote <close> = assert(board:serve())
    local client = assert(clients.connect(remote.url))
    f(client, board, encoder)
    client:close()
  end

  it("hears a client while one of its calls waits", function()
    standing(function(client, _, encoder)
      local turning = async.create_task(client.call, client, "knob", "turn", 3)
      async.sleep(0.1)
      assert(client:ask "list")
      assert.equal(0, encoder.state.position)
      assert(client:ask "resume")
      assert.is_true(assert(turning:await()).ok)
      assert.equal(3, encoder.state.position)
    end)
  end)

  it("has so many calls of a client wait, and ends them when it leaves", function()
    standing(function(client, board)
      local waiting = {}
      for i = 1, 64 do
        waiting[i] = async.create_task(client.call, client, "knob", "turn", 1)
      end
      async.sleep(0.1)
      refusal("ENOBUFS", "call: 64 calls wait already", client:call("knob", "turn", 1))
      refusal("ENOBUFS", "step: 64 calls wait already", client:ask("step", { seconds = 1 }))
      client:close()
      for _, task in ipairs(waiting) do
        assert.equal("ECONNRESET", (select(3, task:await())))
      end
      async.sleep(0.1)
      assert.equal(0, board:stats().events)
    end)
  end)

  it("repeats ids that can be sent", function()
    served({}, function(_, _, remote)
      local connection <close> = assert(ws.connect((remote.url:gsub("^http", "ws")) .. "board"))
      for given, repeated in pairs { ["7"] = '"id":7', ['"x"'] = '"id":"x"', ["1e999"] = "", ["[1e999]"] = "" } do
        assert(connection:send(('{"id":%s,"do":"get","pin":"D3"}'):format(given)))
        local answer = assert(connection:recv())
        assert.matches('"ok":true', answer)
        assert.equal(repeated, answer:match '"id":[^,}]*' or "")
      end
    end)
  end)

  it("may be looked at only, if so wished", function()
    served({ read_only = true }, function(client)
      assert.is_true(assert(client:ask "list").read_only)
      assert.equal("1", assert(client:get "D2").level)
      for _, action in ipairs { "set", "release", "call", "pause", "resume", "step" } do
        refusal("EROFS", action .. ": this board may be looked at only", client:ask(action))
      end
    end)
  end)

  it("keeps out pages of others, and too many clients", function()
    served({ max_clients = 2, origins = { "http://trusted.example" } }, function(_, _, remote)
      local url = remote.url:gsub("^http", "ws") .. "board"
      local port = remote:port()
      for _, origin in ipairs { "http://evil.example", "null", "https://localhost:" .. port, "http://127.0.0.1" } do
        local stranger, message = ws.connect(url, { origin = origin })
        assert.is_nil(stranger)
        assert.matches("403", message)
      end
      local rebound = ws.connect(url, { -- a name of theirs that leads to us
        origin = "http://evil.example:" .. remote:port(), headers = { Host = "evil.example:" .. remote:port() },
      })
      assert.is_nil(rebound)
      local own = remote.url:sub(1, -2)
      for _, origin in ipairs { own, "http://localhost:" .. remote:port(), "http://trusted.example" } do
        local connection = assert(ws.connect(url, { origin = origin }))
        connection:close()
        async.sleep(0.1)
      end
      local second <close> = assert(ws.connect(url)) -- luacheck: ignore
      local third = assert(ws.connect(url))
      local _, e = third:recv()
      assert.same({ 1013, "too many clients" }, { e.code, e.reason })
    end)
  end)

  it("serves a page", function()
    served({}, function(_, _, remote)
      local response = assert(http.get(remote.url))
      assert.equal(200, response.status)
      assert.matches("^text/html", response.headers["content-type"])
      assert.matches("<title>strobe board</title>", response:text())
      assert.equal(404, assert(http.get(remote.url .. "x")).status)
      assert.equal(405, assert(http.post(remote.url, { body = "x" })).status)
    end)
  end)

  it("tells its clients when it closes, and leaves nothing behind", function()
    local board = gpio.board { pins = { "D2" } }
    local remote = assert(board:serve())
    local client = assert(clients.connect(remote.url))
    assert(client:watch { "D2" })
    assert(client:ask("follow", { interval = 1 }))
    local told = reports.of(function()
      board:close()
      while client:next_event() do end -- luacheck: ignore
      refusal("ECONNRESET", "the board has closed the connection", client:get "D2")
      client:close()
      remote:close()
    end)
    assert.same({}, told)
  end)

  it("leaves nothing behind wherever it is cancelled, with a trace, a view and a client", function()
    local nothing = { write = function() end }
    local function all()
      local board <close> = gpio.board { pins = { "D2", "D3" } }
      local trace <close> = assert(board:trace(function() return true end)) -- luacheck: ignore
      local view <close> = board:view { stream = nothing, size = function() return 80, 24 end } -- luacheck: ignore
      local remote <close> = assert(board:serve())
      local client <close> = assert(clients.connect(remote.url))
      assert(client:watch { "D2" })
      assert(client:ask("follow", { interval = 0.02 }))
      local line = assert(board:line("D2", { direction = "output" }))
      line:pwm(1000, 0.5)
      board:sleep(0.3)
    end
    local told = reports.of(function()
      for turns = 0, 24 do
        local task = async.create_task(all)
        for _ = 1, turns do
          async.sleep(0)
        end
        if turns % 8 == 0 then
          async.sleep(0.01) -- by then all is there
        end
        task:cancel()
        assert.is_false(pcall(task.await, task))
      end
    end)
    assert.same({}, told)
  end)

  it("says when its port is taken, and refuses mistakes", function()
    served({}, function(_, board, remote)
      local second, _, code = board:serve("127.0.0.1", remote:port())
      assert.same({ nil, "EADDRINUSE" }, { second, code })
      assert.has_error(function() board:serve "unix:/tmp/x" end,
        "board:serve: host: a name or address expected, got unix:/tmp/x")
      assert.has_error(function() board:serve(nil, nil, { readonly = true }) end,
        "board:serve: there is no option readonly")
    end)
  end)
end)
