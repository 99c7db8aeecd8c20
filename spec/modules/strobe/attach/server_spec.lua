local Attached = require("spec.support.attached").Attached
local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local async = require "strobe.async"
local attach = require "strobe.attach"
local descriptors = require "spec.support.descriptors"
local inspect = require "strobe.core.inspect"
local json = require "strobe.json"
local net = require "strobe.net"
local ops = require "strobe.attach.ops"
local program = require("strobe.core.host").program
local uv = require "luv"

local MIB = 1024 * 1024

local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

local function mode_of(path)
  return ("%o"):format(uv.fs_lstat(path).mode & tonumber("777", 8))
end

describe("the attach server", function()
  it("opens a socket for its user alone, and removes it", function()
    local path
    do
      local attached <close> = Attached.new()
      path = attached.server.path
      assert.equal(("%s/strobe/%d.sock"):format(attached.folder.path, uv.os_getpid()), path)
      assert.equal("600", mode_of(path))
      assert.equal("socket", uv.fs_lstat(path).type)
      attached.server:close()
      assert.is_nil((uv.fs_lstat(path)))
      attached.server:close()
    end
  end)

  it("makes the folder for its user alone, under any umask", function()
    local folder <close> = RuntimeFolder.new()
    local script = [[
      local server <close> = assert(require("strobe.attach").serve { rights = "rw" })
      print("ready " .. server.path)
      io.stdout:flush()
      require("strobe.async").sleep(60)]]
    local child <close> = Child.spawn("sh", { "-c", "umask 0; exec \"$0\" -e \"$1\"", program, script })
    local path = child:expect("stdout", "ready (%S+)")
    assert.same({ "600", "700" }, { mode_of(path), mode_of(folder.path .. "/strobe") })
  end)

  it("is off when that is asked for", function()
    local folder <close> = RuntimeFolder.new()
    assert.same({ n = 1 }, table.pack(attach.serve { rights = "off" }))
    assert.is_nil((uv.fs_lstat(folder.path .. "/strobe")))
    assert.error_matches(function()
      attach.serve { rights = "all" }
    end, "attach.serve: rights: rw, ro or off expected, got all")
  end)

  it("does not slow a virtual clock, with and without a client", function()
    local folder <close> = RuntimeFolder.new() -- luacheck: ignore folder
    local script = [[
      local async, server <close> = require "strobe.async", assert(require("strobe.attach").serve())
      print("ready " .. server.path)
      io.stdout:flush()
      local began = async.time()
      for i = 1, 20000 do async.sleep(1) end
      while server.count == 0 do async.sleep(1) end
      for i = 1, 20000 do async.sleep(1) end
      print("over", async.time() - began >= 40000)]]
    local child <close> = Child.spawn(program, { "--clock=virtual", "-e", script })
    local path = child:expect("stdout", "ready (%S+)")
    local stream <close> = assert(net.connect_unix(path)) -- luacheck: ignore stream
    child:expect("stdout", "over\ttrue") -- at 5 ms a jump it would take minutes
  end)

  it("takes the place of a socket that a killed process has left", function()
    local folder <close> = RuntimeFolder.new()
    uv.fs_mkdir(folder.path .. "/strobe", tonumber("700", 8))
    local path = ("%s/strobe/%d.sock"):format(folder.path, uv.os_getpid())
    local dead = assert(net.listen_unix(path))
    assert(uv.fs_rename(path, path .. ".kept"))
    dead:close()
    assert(uv.fs_rename(path .. ".kept", path))
    local server <close> = assert(attach.serve { rights = "ro" })
    assert.equal(path, server.path)
    local stream <close> = assert(net.connect_unix(path))
    assert.matches('"ev":"hello"', stream:read_line())
  end)

  it("leaves a socket alone at which another process listens, and a link", function()
    local folder <close> = RuntimeFolder.new { victim = "" }
    uv.fs_mkdir(folder.path .. "/strobe", tonumber("700", 8))
    local path = ("%s/strobe/%d.sock"):format(folder.path, uv.os_getpid())
    do
      local other <close> = assert(net.listen_unix(path))
      assert.same({ nil, path .. ": another process listens there", "EADDRINUSE" },
        { attach.serve { rights = "rw" } })
      other:close()
    end
    assert(uv.fs_symlink(folder.path .. "/victim", path))
    assert.same({ nil, path .. " is a link, not a socket", "ENOTSOCK" }, { attach.serve { rights = "rw" } })
    assert.truthy(uv.fs_lstat(path))
  end)

  it("opens none in a folder that is a link", function()
    local folder <close> = RuntimeFolder.new()
    uv.fs_mkdir(folder.path .. "/planted", tonumber("700", 8))
    assert(uv.fs_symlink(folder.path .. "/planted", folder.path .. "/strobe"))
    assert.same({ nil, folder.path .. "/strobe is a link, not a folder", "ENOTDIR" },
      { attach.serve { rights = "rw" } })
    assert(uv.fs_unlink(folder.path .. "/strobe"))
  end)

  it("lets another user's process not in, and says who it was", function()
    if uv.getuid() ~= 0 then
      pending "only root can change its user"
    end
    local attached <close> = Attached.new()
    -- So that the kernel lets it come to the door: only the server stands in its way now.
    local folder = attached.server.path:match "^(.*)/"
    for path, mode in pairs { [attached.folder.path] = "755", [folder] = "755", [attached.server.path] = "666" } do
      assert(uv.fs_chmod(path, tonumber(mode, 8)))
    end
    local script = [[
      local net, luv = require "strobe.net", require "luv"
      luv.setgid(65534)
      luv.setuid(65534)
      assert(luv.getuid() == 65534)
      local stream = assert(net.connect_unix(PATH))
      print("got " .. #(stream:read() or ""))]]
    local child <close> = Child.spawn(program, { "-e", (script:gsub("PATH", ("%q"):format(attached.server.path))) })
    assert.equal("0", child:expect("stdout", "got (%d+)"))
    child:wait()
    assert.same({ ("attach: a connection of user 65534, process %d was refused"):format(child.pid) },
      attached:logged())
    assert.equal(1, attached.server.refused)
  end)

  it("says hello, and who has come stands in the log", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT }, rights = "ro" }
    local raw = attached:raw()
    assert.same({
      ev = "hello", protocol = 1, strobe = require("strobe.core.host").version, pid = uv.os_getpid(), ceiling = "ro",
      units = { "mm" },
    }, raw.hello)
    assert.matches("^attach: %d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ uid=" .. uv.getuid() .. " pid="
      .. ("%d"):format(uv.os_getpid()) .. " op=connect ok$", attached:logged()[1])
  end)

  it("gives a client the rights it asks for, and at most those of the process", function()
    local attached <close> = Attached.new { rights = "rw" }
    local raw = attached:raw()
    assert.equal("rights", raw:ask('{"id":1,"op":"eval","code":"1"}').code)
    assert.same({ id = 2, ok = true, rights = "ro", console = 1 }, (raw:ask '{"id":2,"op":"open"}'))
    assert.equal("rights", raw:ask('{"id":1,"op":"eval","code":"1"}').code)
    assert.equal("rw", raw:ask('{"id":3,"op":"open","rights":"rw"}').rights)
    assert.equal("bad_request", raw:ask('{"id":3,"op":"open","rights":"all"}').code)
    assert.is_true(raw:ask('{"id":4,"op":"eval","code":"1"}').ok)
    local second = attached:raw "rw"
    assert.same({ id = 0, ok = true, rights = "rw", console = 2 }, second.opened)
  end)

  it("that is read-only refuses every operation that changes something, and writes it down", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT }, rights = "ro" }
    local raw, refused = attached:raw "rw", 0
    assert.equal("ro", raw.opened.rights)
    local request = '{"id":1,"op":"%s","unit":"mm","task":1,"code":"while true do end","target":1,"expr":"m",'
      .. '"level":"debug","stream":"ticks"}'
    for _, name in ipairs(ops.names()) do
      local rights = ops.find(name).rights
      if rights == "rw" or rights ~= "ro" and rights(json.decode(request)) == "rw" then
        assert.same({
          id = 1, ok = false, code = "rights",
          error = "this process lets nobody change it: it was started with --attach=ro",
        }, (raw:ask(request:format(name))))
        refused = refused + 1
        local lines = attached:logged()
        assert.matches((' name="spec" op=%s .*code="while true do end" rights [%%d.]+ ms$'):format(name), lines[#lines])
      end
    end
    assert.is_true(refused >= 5)
    assert.equal(1, #attached.units.runtime:gens "mm")
  end)

  it("runs nobody's code without eval, by whatever operation", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT }, eval = false }
    local raw = attached:raw "rw"
    for op, fields in pairs {
      eval = '"code":"1"', time = '"code":"1"', timeit = '"code":"1"', watch = '"expr":"1"',
      tail = '"stream":"ticks","expr":"m"',
    } do
      assert.equal("no_op", raw:ask(('{"id":1,"op":"%s",%s}'):format(op, fields)).code, op)
    end
    assert.is_true(raw:ask('{"id":1,"op":"reload","unit":"mm"}').ok)
    local list = raw:ask('{"id":1,"op":"complete","text":"string.for"}').list
    assert.equal("format", list[1].text)
  end)

  it("writes down each change: who, what, 400 bytes of code, how it ended, how long it took", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local raw = attached:raw "rw"
    raw:ask '{"id":1,"op":"reload","unit":"mm"}'
    raw:ask '{"id":1,"op":"eval","code":"error(\\"\\u001b[2J\\")"}'
    raw:ask(('{"id":1,"op":"eval","code":"return 1 --%s"}'):format(("x"):rep(1000)))
    raw:ask '{"id":1,"op":"ping"}'
    local lines = attached:logged()
    assert.matches('uid=%d+ pid=%d+ name="spec" op=open rw$', lines[2])
    assert.matches('uid=%d+ pid=%d+ name="spec" op=reload unit="mm" ok [%d.]+ ms$', lines[3])
    assert.matches('op=eval code="error%("\\x1b%[2J"%)" error [%d.]+ ms$', lines[4])
    assert.matches('op=eval code="return 1 %-%-' .. ("x"):rep(389) .. '" ok [%d.]+ ms$', lines[5])
    assert.equal(5, #lines)
  end)

  it("answers two clients at once, each its own", function()
    local attached <close> = Attached.new()
    local one, two = attached:raw "rw", attached:raw "rw"
    one:send [[{"id":1,"op":"eval","code":"require 'strobe.async'.sleep(5) return 'one'"}]]
    assert.same({ '"two"' }, two:ask([[{"id":1,"op":"eval","code":"return 'two'"}]]).values)
    assert.is_true(one:ask('{"id":2,"op":"ping"}').ok)
    assert.same({ '"one"' }, one:receive().values)
    one:ask [[{"id":3,"op":"eval","code":"x = 1"}]]
    assert.same({ "nil" }, two:ask([[{"id":3,"op":"eval","code":"x"}]]).values)
  end)

  it("answers in the order in which things are done", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    for i, seconds in ipairs { 0.3, 0.1, 0.2 } do
      raw:send(([[{"id":%d,"op":"eval","code":"require 'strobe.async'.sleep(%g)"}]]):format(i, seconds))
    end
    local ids = {}
    for i = 1, 3 do
      ids[i] = raw:receive().id
    end
    assert.same({ 2, 3, 1 }, ids)
  end)

  it("lets in eight, and tells the ninth why not", function()
    local attached <close> = Attached.new()
    local clients = {}
    for i = 1, 8 do
      clients[i] = attached:raw()
      assert.equal("hello", clients[i].hello.ev)
    end
    local ninth = attached:raw()
    assert.same({ ev = "bye", code = "too_many", error = "8 clients are connected already" }, ninth.hello)
    assert.is_nil((ninth:receive()))
    clients[1].stream:close()
    attached.wait_until(function()
      return attached.server.count == 7
    end)
    assert.equal("hello", attached:raw().hello.ev)
  end)

  it("says goodbye when the process ends", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send [[{"id":1,"op":"eval","code":"require 'strobe.async'.sleep(1000)"}]]
    async.sleep(0.01)
    attached.server:close()
    assert.same({ ev = "bye" }, (raw:receive()))
    assert.is_nil((raw:receive()))
  end)

  it("ends a client that sends what is no request, after it has said so", function()
    local attached <close> = Attached.new()
    for text, problem in pairs {
      ["hello\n"] = "a line is no JSON object",
      ["{}\n"] = "id: a whole number or a string of at most 256 bytes expected",
      ["\xff\xfe\n"] = "a line is no UTF-8",
      [("x"):rep(MIB + 1)] = "a line has more than 1048576 bytes",
    } do
      local raw = attached:raw()
      raw.stream:write(text .. '{"id":1,"op":"ping"}\n')
      assert.same({ ok = false, code = "bad_request", error = problem }, (raw:receive()))
      assert.is_nil((raw:receive()))
    end
  end)

  it("takes a line of 1 MiB, in any pieces, and fields and operations it does not know", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local request = '{"id":1,"op":"ping","more":"%s"}'
    raw.stream:write(request:format(("x"):rep(MIB - #request + 2)))
    raw.stream:write "\n"
    assert.same({ id = 1, ok = true }, (raw:receive()))
    for byte in ('{"id":2,"op":"ping"}\n'):gmatch "." do
      raw.stream:write(byte)
      async.sleep(0)
    end
    assert.same({ id = 2, ok = true }, (raw:receive()))
    assert.same({ id = "x", ok = false, code = "no_op", error = "there is no operation 'dance'" },
      (raw:ask '{"id":"x","op":"dance"}'))
    assert.same({ id = 4, ok = false, code = "bad_request", error = "op: a string expected" }, (raw:ask '{"id":4}'))
  end)

  it("forgets a client that vanishes, also in the middle of a line or of a request", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local before = descriptors()
    for _, text in ipairs {
      "", '{"id":1,"op"', '{"id":1,"op":"reload","unit":"mm"}\n',
      '{"id":1,"op":"eval","code":"require \'strobe.async\'.sleep(1000)"}\n',
    } do
      local raw = attached:raw "rw"
      raw.stream:write(text)
      async.sleep(0.001)
      raw.stream:abort()
    end
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    -- The reload went on: it is not the client's.
    attached.wait_until(function()
      return #attached.units.runtime:gens "mm" == 2
    end)
    async.sleep(0.01)
    assert.equal(before, descriptors())
    for _, task in ipairs(async.all_tasks()) do
      assert.not_matches("console", task:get_name())
    end
  end)

  it("drops events for a client that does not read, and tells it how many", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send(('{"id":1,"op":"eval","budget":5000,"code":"%s"}'):format("gate = require 'strobe.async'.Event()"
      .. " for i = 1, 3000 do print(i, ('x'):rep(1000)) end gate:wait()"))
    async.sleep(0.1)
    local other = attached:raw "rw"
    assert.is_true(other:ask('{"id":1,"op":"ping"}').ok) -- it holds up nobody
    local seen, dropped = 0, 0
    while true do
      local message = raw:receive()
      if message.ev == "out" then
        seen = seen + 1
        if seen == 500 then -- it has caught up a little: there is room again
          raw:send '{"id":2,"op":"eval","code":"gate:set()"}'
        end
      elseif message.ev == "dropped" then
        dropped = dropped + message.n
      else
        assert.is_true(message.ok)
        if message.id == 1 then
          break
        end
      end
    end
    assert.is_true(dropped > 1000)
    assert.equal(3000, seen + dropped)
  end)

  it("closes a client that does not read its answers", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local request = '{"id":%d,"op":"eval","code":'
      .. [["local t = {} for i = 1, 50 do t[i] = ('x'):rep(400) end return t, t, t"}]]
    for i = 1, 200 do
      raw.stream:send(request:format(i) .. "\n")
      async.sleep(0.001)
    end
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    local lines = attached:logged()
    assert.matches("op=disconnect it did not read what it was sent$", lines[#lines])
  end)

  it("does not wait for ever for a client that does not read, when the process ends", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send [[{"id":1,"op":"eval","code":"for i = 1, 600 do print(('x'):rep(1000)) end"}]]
    async.sleep(0.1)
    local began = async.time()
    attached.server:close()
    assert.is_true(async.time() - began <= 1.1)
  end)

  it("does a limited number of things at once for one client", function()
    local attached <close> = Attached.new()
    local raw, refused = attached:raw "rw", 0
    for i = 1, 40 do
      raw:send(([[{"id":%d,"op":"eval","code":"require 'strobe.async'.sleep(1)"}]]):format(i))
    end
    for _ = 1, 40 do
      refused = refused + (raw:receive().code == "too_many" and 1 or 0)
    end
    assert.equal(8, refused)
    assert.is_true(raw:ask([[{"id":1,"op":"eval","code":"1"}]]).ok)
  end)

  it("forgets a client that is killed, whatever it was at", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local before = descriptors()
    local script = ([[
      local client = assert(require("strobe.attach").connect(%d))
      client:call("open", { rights = "rw" })
      print "begun"
      io.stdout:flush()
      while true do
        client:call("tail", { stream = "ticks", expr = "m ~= 2" })
        client:call("watch", { expr = "1", every = 0.1 })
        client:send "top"
        client:send "streams"
        client:send "heap"
        client:send("eval", { code = "print(('x'):rep(10000)) require 'strobe.async'.sleep(1000)" })
        client:send("cancel", { task = "nobody" })
        client:call("reload", { unit = "mm" })
        client:call("ps")
      end]]):format(uv.os_getpid())
    for i = 1, 8 do
      local child <close> = Child.spawn(program, { "-e", script })
      child:expect("stdout", "begun")
      async.sleep(i * i * 0.0007)
      child:kill "sigkill"
      child:wait()
    end
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    attached.units:offer("ticks", 1, 2, 3)
    assert.is_false(inspect.times())
    assert.equal(0, #attached.units.runtime.delivery.observers)
    assert.equal(before, descriptors())
    for _, task in ipairs(async.all_tasks()) do
      assert.not_matches("console", task:get_name())
    end
    assert.equal("hello", attached:raw().hello.ev)
  end)

  it("ends with its process, and leaves no socket behind", function()
    local folder <close> = RuntimeFolder.new()
    local script = [[
      local server <close> = assert(require("strobe.attach").serve { rights = "rw" })
      print("ready " .. server.path)
      require("strobe.async").sleep(60)]]
    local child <close> = Child.spawn(program, { "-e", script })
    local path = child:expect("stdout", "ready (%S+)")
    local stream <close> = assert(net.connect_unix(path))
    assert.matches('"pid":' .. child.pid, stream:read_line())
    child:kill "sigterm"
    assert.equal('{"ev":"bye"}', stream:read_line())
    child:wait()
    assert.is_nil((uv.fs_lstat(path)))
    assert.truthy(folder)
  end)
end)
