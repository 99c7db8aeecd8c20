local gpio = require "strobe.gpio"
local mistake = require "strobe.mistake"

-- What a line of a user's file "user" raises.
local function raised_by(line, ...)
  local ok, e = pcall(assert(load(line, "=user")), ...)
  assert.is_false(ok)
  return tostring(e)
end

describe("a caller's mistake", function()
  it("is told with the line of the first caller that is none of strobe's modules", function()
    local function deeper(f)
      f("%s: %d", "wrong", 7)
      return nil
    end
    local line = "local raise = ...\nraise('%s: %d', 'wrong', 7)\nreturn nil"
    assert.equal("user:2: wrong: 7", raised_by(line, mistake.raise))
    line = "local deeper, f = ... deeper(f)"
    assert.matches("mistake_spec.lua:%d+: wrong: 7$", raised_by(line, deeper, mistake.raise))
  end)

  it("is told with the line where the board of a circuit was called", function()
    local board <close> = gpio.board { name = "bench", pins = { "D1" } }
    for _, call in ipairs {
      function() board:line("D1", { bias = "up" }) end,
      function() board:line("D1", { debounce_period = -1 }) end,
      function() board:add("clock", { duty = 7 }) end,
      function() board:add("clock", { name = "a.b" }) end,
      function() board:wire("D1", "D9") end,
      function() board:trace("x", { pins = { "D9" } }) end,
      function() board:trace("x", 7) end,
      function() board:serout("D1", 1, { -1 }) end,
      function() board:view(7) end,
      function() board:random(1) end,
      function() board:load_diagram(7) end,
    } do
      local ok, e = pcall(call)
      assert.is_false(ok)
      assert.equal(debug.getinfo(call, "S").linedefined, tonumber(e:match "mistake_spec.lua:(%d+): "), e)
    end
  end)

  it("has no line where strobe alone has called", function()
    assert.same({ false, "wrong" }, { coroutine.wrap(pcall)(mistake.raise, "wrong") })
  end)

  it("is an option, or options, of another type", function()
    assert.same({}, mistake.options("f", nil))
    local options = {}
    assert.equal(options, mistake.options("f", options))
    assert.equal(7, mistake.expect("f", "x", "number", 7))
    assert.equal("user:1: f: options: a table expected, got number", raised_by("(...)('f', 7) return", mistake.options))
    assert.equal("user:1: f: x: a string expected, got nil",
      raised_by("(...)('f', 'x', 'string') return", mistake.expect))
  end)

  -- Whatever public functions are given, who called them is told what was expected, at his own line.
  for line, message in pairs {
    ["require('strobe.net').connect(nil)"] = "net.connect: host: a string expected, got nil",
    ["require('strobe.net').connect('::1', 'x')"] = "net.connect: port: a port from 1 to 65535 expected, got x",
    ["require('strobe.net').connect('::1', 1, 2)"] = "net.connect: options: a table expected, got number",
    ["require('strobe.net').listen(nil, 70000)"] = "net.listen: port: a port from 0 to 65535 expected, got 70000",
    ["require('strobe.net').listen_fd(-1)"] = "net.listen_fd: fd: a file descriptor expected, got -1",
    ["require('strobe.ws').serve(print, nil, nil)"] = "net.listen: port: a port from 0 to 65535 expected, got nil",
    ["require('strobe.ws').connect(nil)"] = "ws.connect: uri: a string expected, got nil",
    ["require('strobe.http').get('http://x', 7)"] = "http.get: options: a table expected, got number",
    ["require('strobe.json').array(7)"] = "json.array: list: a table expected, got number",
    ["require('strobe.tectonic').connect(7)"] = "tectonic.connect: options: a table expected, got number",
    ["require('strobe.discovery').find('x', 7)"] = "discovery.find: options: a table expected, got number",
    ["require('strobe.async').open_connection(nil)"] = "net.connect: host: a string expected, got nil",
    ["require('strobe.async').as_completed(nil)"] = "as_completed: a list of awaitables expected, got nil",
    ["require('strobe.async').gather({}, 7)"] = "gather: options: a table expected, got number",
    ["require('strobe.async').gather(7)"] = "gather: an awaitable or a function expected at place 1, got 7",
    ["require('strobe.async').shield(nil)"] = "create_task: a coroutine object or a function expected, got nil",
    ["require('strobe.async.fs').stat('x', 7)"] = "fs.stat: options: a table expected, got number",
    ["require('strobe.attach').connect('x')"] = "attach.connect: pid: a number expected, got string",
    ["require('strobe.live').Runtime({}):start('mm')"] = "runtime:start: path: a string expected, got nil",
    ["require('strobe.live').Runtime({}):add_feed()"] = "add_feed: feed: a table expected, got nil",
    ["require('strobe.async').copy_context():run(7)"] = "Context:run: f: a function expected, got number",
    ["require('strobe.async').Condition():wait_for()"] = "Condition:wait_for: predicate: a function expected, got nil",
    ["require('strobe.async').iter({}):lines(7)"] = "lines: options: a table expected, got number",
    ["require('strobe.live').Runtime(7)"] = "live.Runtime: options: a table expected, got number",
  } do
    it("of " .. line:match "'%)%.(.*)$" .. " is told to who made it", function()
      assert.equal("user:2: " .. message, raised_by("local _\n_ = " .. line))
    end)
  end
end)
