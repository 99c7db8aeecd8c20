local Child = require "spec.support.child"
local DebugClient = require "spec.support.debug_client"
local Folder = require "spec.support.folder"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local command = require "strobe.debug.command"
local net = require "strobe.net"
local program = require("strobe.core.host").program
local protocol = require "strobe.debug.protocol"
local time = require "strobe.core.time"

local SCRIPT = [[
local async = require "strobe.async"
local ticks = 0
async.create_task(function()
  while true do
    async.sleep(0.01)
    ticks = ticks + 1
  end
end)
local function add(a, b)
  local c = a + b
  return c
end
print("sum", add(...))
async.sleep(0.01)
io.stderr:write "to stderr\n"
os.exit(7)
]]

local function client_of(stream)
  local client = DebugClient.new(function(message)
    assert(stream:write(protocol.frame((protocol.encode(message)))))
  end)
  client.reader = async.create_task(function()
    local decoder = protocol.Decoder()
    while true do
      local bytes = stream:read()
      if not bytes or bytes == "" then
        return
      end
      local texts, problem = decoder:feed(bytes)
      assert(not problem, problem)
      for _, text in ipairs(texts) do
        client:take((protocol.decode(text)))
      end
    end
  end)
  return client
end

-- A client and the adapter at the ends of a pipe in memory.
local function connected(options)
  if time.mode() == "virtual" then
    time.mode("scaled", 1) -- the program's time is the real one
  end
  local ours, theirs = net.pipe()
  local served = async.create_task(command.serve, command.editor_of(theirs), options)
  local client = client_of(ours)
  client.served = served
  return client, cleanup(function()
    ours:close()
    async.wait { served, client.reader }
    theirs:close()
  end)
end

-- All that was printed, of a category.
local function printed(client, category)
  local texts = {}
  for _, message in ipairs(client.messages) do
    if message.event == "output" and message.body.category == category then
      texts[#texts + 1] = message.body.output
    end
  end
  return table.concat(texts)
end

describe("strobe debug", function()
  it("runs a script that stops at a breakpoint while its other tasks go on, and tells how it ended", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = SCRIPT }
    local client, done = connected {}
    local _ <close> = done
    client.folder = folder
    client:must("initialize", { adapterID = "strobe" })
    client:must("launch", { program = folder.path .. "/main.lua", args = { 3, 4 } })
    client:event "initialized"
    local set = client:breakpoints("main.lua", { 10 })
    assert.is_true(set[1].verified)
    client:must "configurationDone"
    local thread = client:event("stopped").threadId
    local frame = client:top(thread)
    assert.same({ a = '"3"', b = '"4"' }, (client:scope(frame, "Locals")))
    local names = {}
    for i, each in ipairs(client:must("threads").threads) do
      names[i] = each.name
    end
    assert.same({ "main" }, { names[1], names[3] })
    assert.equal(2, #names)
    local frames = client:must("stackTrace", { threadId = thread }).stackFrames
    local before = tonumber(client:evaluate(frames[2], "ticks"))
    repeat -- it goes on
      async.sleep(0.01)
    until tonumber((client:evaluate(frames[2], "ticks"))) > before
    client:must("next", { threadId = thread })
    client:event "stopped"
    assert.equal("7", client:evaluate((client:top(thread)), "c"))
    client:must("continue", { threadId = thread })
    assert.same({ exitCode = 7 }, client:event "exited")
    client:event "terminated"
    assert.equal(7, client.served:await())
    assert.equal("sum\t7\n", printed(client, "stdout"))
    assert.matches("to stderr\n$", printed(client, "stderr"))
    for i, message in ipairs(client.messages) do
      assert.equal(i, message.seq)
    end
    assert.truthy(sockets)
  end)

  it("stops all tasks with one when that is asked for, and at the first line", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = SCRIPT }
    local client, done = connected { program = folder.path .. "/main.lua", args = { "1", "2" } }
    local _ <close> = done
    client.folder = folder
    client:must("initialize", {})
    client:must("launch", { stopAll = true, stopOnEntry = true })
    client:breakpoints("main.lua", { 10 })
    client:must "configurationDone"
    local event = client:event "stopped"
    assert.same({ "entry", true }, { event.reason, event.allThreadsStopped })
    assert.equal(1, client:top(event.threadId).line)
    client:must("continue", { threadId = event.threadId })
    event = client:event "stopped"
    assert.equal("breakpoint", event.reason)
    local frames = client:must("stackTrace", { threadId = event.threadId }).stackFrames
    local before = client:evaluate(frames[2], "ticks")
    async.sleep(0.1)
    assert.equal(before, client:evaluate(frames[2], "ticks"))
    client:must("continue", { threadId = event.threadId })
    client:event "terminated"
    assert.truthy(sockets)
  end)

  it("pauses a program that spins, and in a coroutine too", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = [[
local n, go_on = 0, true
local function spin()
  while go_on do
    n = n + 1
  end
end
spin()
go_on = true
coroutine.wrap(spin)()
print "over"]] }
    local client, done = connected { program = folder.path .. "/main.lua" }
    local _ <close> = done
    client:must("initialize", {})
    client:must("launch", {})
    client:must "configurationDone"
    client:event "process"
    for _ = 1, 2 do
      local thread = client:must("threads").threads[1].id
      client:must("pause", { threadId = thread })
      client:event "stopped"
      local frame = client:top(thread)
      assert.equal("spin", frame.name)
      assert.is_true(frame.line >= 3 and frame.line <= 5)
      assert.equal("", client:evaluate(frame, "go_on = false"))
      client:must("continue", { threadId = thread })
    end
    assert.equal(0, client:event("exited").exitCode)
    assert.equal("over\n", printed(client, "stdout"))
    assert.truthy(sockets)
  end)

  it("ends the program when the editor wants that, or has gone", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = 'require("strobe.async").sleep(1000)' }
    local client, done = connected {}
    do
      local _ <close> = done
      client:must("initialize", {})
      client:must("launch", { program = folder.path .. "/main.lua" })
      client:must "configurationDone"
      client:must("terminate", {})
      assert.equal(143, client:event("exited").exitCode)
      client:event "terminated"
    end
    client, done = connected {}
    local pid
    do
      local _ <close> = done
      client:must("initialize", {})
      client:must("launch", { program = folder.path .. "/main.lua" })
      client:must "configurationDone"
      pid = client:event("process").systemProcessId
    end
    assert.equal(143, client.served:await())
    assert.is_nil((require("luv").kill(pid, 0)))
    assert.truthy(sockets)
  end)

  it("gives a program that was asked to end its time, and its text whole", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = [[
local async = require "strobe.async"
io.stdout:write(os.getenv "GREETING", "\n", "\xc3"):flush()
local ok = pcall(async.sleep, 1000)
io.stdout:write "\xa9 \xff"
async.shield(async.create_task(async.sleep, 1.2)):await() -- more than is given to one that does not answer
print "cleaned up"]] }
    local client, done = connected { last_words = 1 }
    local _ <close> = done
    client:must("initialize", {})
    client:must("launch", { program = folder.path .. "/main.lua", env = { GREETING = "hello" } })
    client:must "configurationDone"
    repeat
    until client:event("output").output:find "hello"
    client:must("terminate", {})
    client:event "exited"
    client:event "terminated"
    assert.equal("hello\né \u{FFFD}cleaned up\n", printed(client, "stdout"))
    assert.truthy(sockets)
  end)

  it("says that a program has ended before it could be debugged", function()
    local sockets <close> = RuntimeFolder.new()
    local client, done = connected { flags = { "--no-such-flag" } }
    local _ <close> = done
    client:must("initialize", {})
    local _, message = client:request("launch", { program = "x.lua" })
    assert.matches("has ended before it could be debugged, with status %d", message)
    assert.matches("no%-such%-flag", printed(client, "stderr"))
    assert.truthy(sockets)
  end)

  it("says what it cannot start, and that something has to come first", function()
    local sockets <close> = RuntimeFolder.new()
    local client, done = connected {}
    local _ <close> = done
    assert.same({ nil, "launch or attach comes first" }, { client:request "threads" })
    assert.same({ nil, "initialize comes first" }, { client:request("launch", { program = "x" }) })
    client:must("initialize", {})
    assert.same({ nil, "program: the file to run is missing" }, { client:request("launch", {}) })
    assert.matches("number of a process expected", select(2, client:request("attach", { processId = "x" })))
    assert.matches("there is no process 4194305", select(2, client:request("attach", { processId = 4194305 })))
    client:must("disconnect", {})
    client:event "terminated"
    assert.equal(0, client.served:await())
    assert.truthy(sockets)
  end)

  it("speaks on its standard streams, and on a port", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = "print 'ran'" }
    local child <close> = Child.spawn(program, { "debug", "--port", "0", folder.path .. "/main.lua" })
    local port = math.tointeger(tonumber(child:expect("stderr", "127%.0%.0%.1:(%d+)")))
    local stream <close> = assert(net.connect("127.0.0.1", port))
    local client = client_of(stream)
    client:must("initialize", {})
    client:must("launch", {})
    client:must "configurationDone"
    assert.equal(0, client:event("exited").exitCode)
    client:event "terminated"
    async.wait { client.reader }
    assert.equal(0, child:wait())
    assert.equal("ran\n", child.output.stdout)

    local function text(seq, name, arguments)
      return protocol.frame((protocol.encode { seq = seq, type = "request", command = name, arguments = arguments }))
    end
    local spoken <close> = Child.spawn(program, { "debug", folder.path .. "/main.lua" }, {
      input = text(1, "initialize", {}) .. text(2, "launch", {}) .. text(3, "configurationDone", {}),
    })
    spoken:wait()
    assert.matches('"command":"initialize"', spoken.output.stdout)
    assert.truthy(sockets)
  end)

  it("on a port is not ended by who is no editor, and then takes no second one", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = "print 'ran'" }
    local child <close> = Child.spawn(program, { "debug", "--port", "0", folder.path .. "/main.lua" })
    local port = math.tointeger(tonumber(child:expect("stderr", "127%.0%.0%.1:(%d+)")))
    local body = '{"seq":1,"type":"request","command":"initialize"}'
    for _, bytes in ipairs { "", "\0\255", "Content-Length: 70\r\n\r\n" .. body,
      protocol.frame "{" .. protocol.frame "7",
      ("POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body) } do
      local stream <close> = assert(net.connect("127.0.0.1", port))
      assert(stream:write(bytes))
      assert(stream:shutdown())
      repeat
        local answer = stream:read()
        assert.is_nil((answer or ""):find "capabilit")
      until not answer or answer == ""
    end
    assert.matches("is no message: a line of a header is no field", child.output.stderr)
    local stream <close> = assert(net.connect("127.0.0.1", port))
    local client = client_of(stream)
    client:must("initialize", {})
    assert.equal("ECONNREFUSED", select(3, net.connect("127.0.0.1", port)))
    client:must("launch", {})
    client:must "configurationDone"
    client:event "terminated"
    async.wait { client.reader }
    assert.equal(0, child:wait())
    assert.truthy(sockets)
  end)

  it("tells what an editor has to be told", function()
    local child <close> = Child.spawn(program, { "debug", "--help" })
    child:wait()
    assert.matches("dap.adapters.strobe", child.output.stdout)
    assert.matches('"debugServer": 4711', child.output.stdout)
  end)
end)

describe("strobe attach --dap", function()
  it("debugs a process that runs, which goes on when the editor has gone", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = [[
local async, attach = require "strobe.async", require "strobe.attach"
local server <close> = attach.serve { rights = "rw" }
print "ready"
local n = 0
while n < 1e9 do
  async.sleep(0.005)
  n = n + 1
end]] }
    local child <close> = Child.spawn(program, { folder.path .. "/main.lua" })
    child:expect("stdout", "ready")
    local client, done = connected { pid = child.pid }
    do
      local _ <close> = done
      client.folder = folder
      client:must("initialize", {})
      client:must("attach", {})
      client:event "initialized"
      client:breakpoints("main.lua", { 7 })
      client:must "configurationDone"
      local event = client:event "stopped"
      local frame = client:top(event.threadId)
      local n = tonumber((client:scope(frame, "Locals").n))
      client:must("continue", { threadId = event.threadId })
      event = client:event "stopped"
      assert.equal(n + 1, tonumber(client:evaluate((client:top(event.threadId)), "n")))
      client:must("disconnect", {})
      client:event "terminated"
    end
    local again, over = connected { pid = child.pid }
    local _ <close> = over
    again:must("initialize", {})
    again:must("attach", {})
    local thread = again:must("threads").threads[1].id
    again:must("pause", { threadId = thread })
    again:event "stopped"
    local first = tonumber((again:evaluate((again:top(thread)), "n")))
    again:must("continue", { threadId = thread })
    repeat
      async.sleep(0.01)
      again:must("pause", { threadId = thread })
      again:event "stopped"
      local now = tonumber((again:evaluate((again:top(thread)), "n")))
      again:must("continue", { threadId = thread })
    until now > first
    again:must("disconnect", {})
    assert.is_nil(child.status)
    assert.truthy(sockets)
  end)

  it("lets all that is stopped go on when the editor vanishes, and tells a second one that there is one", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = [[
local async, attach = require "strobe.async", require "strobe.attach"
local server <close> = attach.serve { rights = "rw" }
print "ready"
local list = {}
for i = 1, 20 do
  list[i] = async.create_task(function()
    while not go do
      async.sleep(0.005)
    end
    local x = i
    return x
  end)
end
async.wait(list)
print "all went on"]] }
    local child <close> = Child.spawn(program, { folder.path .. "/main.lua" })
    child:expect("stdout", "ready")
    local client, done = connected { pid = child.pid }
    do
      local _ <close> = done
      client.folder = folder
      client:must("initialize", {})
      client:must("attach", { stopAll = false })
      client:breakpoints("main.lua", { 10 })
      client:must "configurationDone"
      local second, over = connected { pid = child.pid }
      do
        local _ <close> = over
        second:must("initialize", {})
        assert.equal("another debugger is at work in this process", select(2, second:request("attach", {})))
      end
      client:must("evaluate", { expression = "go = true" })
      for _ = 1, 20 do
        client:event "stopped"
      end
      client.send { type = "request", seq = 0, command = "evaluate", arguments = { expression = "1 + 1" } }
    end
    child:expect("stdout", "all went on")
    assert.equal(0, child:wait())
    assert.truthy(sockets)
  end)

  it("is refused by a process that lets nobody change it", function()
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = [[
local server <close> = require("strobe.attach").serve { rights = "ro" }
print "ready"
require("strobe.async").sleep(1000)]] }
    local child <close> = Child.spawn(program, { folder.path .. "/main.lua" })
    child:expect("stdout", "ready")
    local client, done = connected { pid = child.pid }
    local _ <close> = done
    client:must("initialize", {})
    assert.matches("lets nobody change it", select(2, client:request("attach", {})))
    assert.truthy(sockets)
  end)
end)
