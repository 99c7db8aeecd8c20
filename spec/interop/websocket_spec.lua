-- WebSockets between strobe and two others, in both directions: `websockets` for Python, which is
-- what $PYTHON (or python3) imports, and `ws` for Node, in NODE_PATH or where Debian puts it.
-- The programs at the other end are in peers/; their heads say what each story is.

local async = require "strobe.async"
local child = require "spec.support.child"
local uv = require "luv"
local ws = require "strobe.ws"

local BURST = 10000
local SIZES = { 0, 1, 2, 125, 126, 127, 128, 65535, 65536, 65537, 1024 * 1024 }
local FOLDER = debug.getinfo(1, "S").source:match "^@(.*/)" .. "peers/"

local function runs(line)
  return os.execute(line .. " >/dev/null 2>&1") == true
end

local function python()
  for _, program in ipairs { os.getenv "PYTHON" or "/usr/bin/python3", "python3" } do
    if runs(program .. " -c 'import websockets'") then
      return { program }
    end
  end
end

local function node()
  local line = { "env", ("NODE_PATH=%s:/usr/share/nodejs"):format(os.getenv "NODE_PATH" or ""), "node" }
  return runs(table.concat(line, " ") .. [[ -e 'require("ws")']]) and line or nil
end

local PEERS = {
  { name = "websockets for Python", line = python(), client = "websockets_client.py",
    server = "websockets_server.py", why = "python3 has no websockets (apt-get install python3-websockets)" },
  { name = "ws for Node", line = node(), client = "ws_client.js", server = "ws_server.js",
    why = "node has no ws (apt-get install node-ws)" },
}

local function at_exit(f)
  return setmetatable({}, { __close = f })
end

-- Runs f(process) with a program of the peer, which is over in the end.
local function with_program(peer, file, words, f)
  local line = { "100", table.unpack(peer.line) }
  table.insert(line, FOLDER .. file)
  table.move(words, 1, #words, #line + 1, line)
  local process <close> = child.spawn("timeout", line)
  local stop <close> = at_exit(function() -- luacheck: ignore
    process:kill "sigterm" -- which `timeout` passes on
    process:wait()
  end)
  f(process)
end

-- Ends the peer itself, not `timeout`, without any farewell.
local function kill_peer(process)
  uv.kill(tonumber((process:expect("stdout", "PID (%d+)"))), "sigkill")
end

-- Waits, in real time, until f() is neither nil nor false.
local function eventually(f)
  while true do
    local value = f()
    if value then
      return value
    end
    async.sleep(0.01)
  end
end

local function send(connection, message, kind)
  if kind == "text" then
    return connection:send(message)
  end
  return connection:send_bytes(message)
end

local function echo(connection)
  for message, kind in connection:messages() do
    send(connection, message, kind)
  end
end

for _, peer in ipairs(PEERS) do
  describe(peer.name, function()
    -- What a story shows needs the peer; without it the story is skipped.
    local function shows(name, story)
      it(name, function()
        if not peer.line then
          pending(peer.why)
        else
          story()
        end
      end)
    end

    describe("as the client of our server", function()
      -- Serves, and runs f(process, server) while the peer's client tells its story.
      local function visited(handler, story, f, options)
        local server <close> = assert(ws.serve(handler, "127.0.0.1", 0, options))
        local uri = ("ws://127.0.0.1:%d/feed"):format(server:port())
        local words = { uri, story.subprotocols or "-", table.unpack(story) }
        with_program(peer, peer.client, words, function(process)
          f(process, server)
        end)
      end

      -- What the client has printed when it has come to its end.
      local function told(process)
        assert.equal(0, process:wait(), process.output.stderr)
        return process.output.stdout
      end

      -- The end of a connection, seen from a handler that takes it.
      local function ending_of(story, options)
        local why
        visited(function(connection)
          why = select(2, connection:recv())
        end, story, told, options)
        return why
      end

      shows("gets back what it sends, empty to 1 MiB, text and binary", function()
        visited(echo, { "echo" }, function(process)
          assert.matches("echoed 23\nclosed 1000 \n$", told(process))
        end)
      end)

      shows("sends fragments with pings between them", function()
        visited(echo, { "fragments" }, function(process)
          assert.matches("echoed 23\nclosed 1000 \n$", told(process))
        end)
      end)

      shows("gets 10,000 messages back in order", function()
        visited(echo, { "burst" }, function(process)
          assert.matches("echoed 10000\nclosed 1000 \n$", told(process))
        end)
      end)

      shows("gets its pings answered", function()
        visited(echo, { "ping" }, function(process)
          assert.matches("\npong one\npong\nclosed 1000 \n$", told(process))
        end)
      end)

      shows("answers our pings", function()
        local latency
        visited(function(connection)
          latency = eventually(function()
            return connection:latency()
          end)
          connection:ping "unasked"
        end, { "recv" }, function(process)
          assert.matches("closed 1000 \n$", told(process))
        end, { ping_interval = 0.02 })
        assert.is_true(latency >= 0)
      end)

      shows("compresses, and reads what we have compressed, when we want that", function()
        local options = { compression = true }
        -- Not the story "echo": 1 MiB that cannot be compressed is above an old peer's limit.
        visited(echo, { "burst" }, function(process)
          assert.matches("^open None, 1 extensions.*\nechoed 10000\nclosed 1000 \n$", told(process))
        end, options)
        local answered
        visited(function(connection)
          connection:send(("compressible "):rep(1000))
          answered = connection:recv()
        end, { "send", "5000" }, told, options)
        assert.equal(("x"):rep(5000), answered)
      end)

      shows("goes on without the compression it offers", function()
        local offered, answered
        visited(function(connection)
          offered = connection.request.headers["sec-websocket-extensions"]
          connection:send(("compressible "):rep(1000))
          answered = connection:recv()
        end, { "send", "5000" }, function(process)
          assert.matches("^open None, 0 extensions", told(process))
        end)
        assert.matches("^permessage%-deflate", offered)
        assert.equal(("x"):rep(5000), answered)
      end)

      shows("takes the subprotocol we choose, or none", function()
        for offered, chosen in pairs { ["v1,v2"] = "v2", ["v1"] = "v1", ["-"] = "None" } do
          local ours
          visited(function(connection)
            ours = connection.subprotocol
          end, { "recv", subprotocols = offered }, function(process)
            assert.matches("^open " .. chosen .. ",", told(process))
          end, { subprotocols = { "v2", "v1" } })
          assert.equal(chosen, ours or "None")
        end
      end)

      shows("tells us the code and the reason of its Close", function()
        for _, code in ipairs { 1000, 1001, 1011, 1012, 1013, 1014, 3000, 4999 } do
          local why = ending_of { "close", tostring(code), "ünd tschüß" }
          assert.same({ code, "ünd tschüß", "peer" }, { why.code, why.reason, why.by })
        end
      end)

      shows("gets the code and the reason of our Close", function()
        for code, reason in pairs { [1000] = "", [1001] = "going", [1012] = "restart", [4000] = ("ü"):rep(61) } do
          visited(function(connection)
            connection:close(code, reason)
            assert.same({ code, "us" }, { connection:closed().code, connection:closed().by })
          end, { "recv" }, function(process)
            assert.matches(("closed %d %s\n$"):format(code, reason), told(process))
          end)
        end
      end)

      shows("gets what was sent before our Close", function()
        visited(function(connection)
          connection:send "last ü"
          connection:send_bytes "\0\xff"
        end, { "recv" }, function(process)
          assert.matches("\ntext last ü\nbinary 00ff\nclosed 1000 \n$", told(process))
        end)
      end)

      shows("is told 1009 when its message is too large", function()
        local why
        visited(function(connection)
          why = select(2, connection:recv())
        end, { "send", "1001" }, function(process)
          assert.matches("closed 1009", told(process))
        end, { max_size = 1000 })
        assert.equal(1009, why.code)
        assert.equal("us", why.by)
      end)

      shows("is told 1001 when the server closes", function()
        visited(echo, { "recv" }, function(process, server)
          process:expect("stdout", "^open")
          server:close()
          assert.matches("closed 1001", told(process))
        end)
      end)

      shows("is given up with 1011 when it leaves our pings unanswered", function()
        local why
        visited(function(connection)
          why = select(2, connection:recv())
        end, { "hang" }, function(process)
          process:expect("stdout", "^open")
          eventually(function()
            return why
          end)
        end, { ping_interval = 0.1, ping_timeout = 0.1, close_timeout = 0.1 })
        assert.same({ 1011, "us" }, { why.code, why.by })
      end)

      shows("is 1006 to us when it was killed", function()
        local why
        visited(function(connection)
          why = select(2, connection:recv())
        end, { "recv" }, function(process, server)
          kill_peer(process)
          eventually(function()
            return why and server:stats().connections == 0
          end)
        end)
        assert.same({ 1006, "link" }, { why.code, why.by })
        assert.is_true(async.is(why, ws.ConnectionClosedError))
      end)

      shows("does not hold up the server that closes when it is deaf", function()
        visited(function(connection)
          repeat
          until not connection:send(("x"):rep(100000))
        end, { "hang" }, function(process, server)
          process:expect("stdout", "^open")
          async.sleep(0.1)
          local began = async.time()
          server:close(0.2)
          assert.is_true(async.time() - began < 2)
        end, { close_timeout = 0.1 })
      end)
    end)

    describe("as the server of our client", function()
      -- Runs f(uri, process) with the peer's server; uri(target) is where it is.
      local function with_server(f)
        with_program(peer, peer.server, {}, function(process)
          local port = process:expect("stdout", "PORT (%d+)")
          f(function(target)
            return ("ws://127.0.0.1:%d%s"):format(port, target)
          end, process)
        end)
      end

      local function echoes(client)
        for _, size in ipairs(SIZES) do
          for _, kind in ipairs { "text", "binary" } do
            local message = (kind == "text" and "x" or "\xff"):rep(size)
            assert(send(client, message, kind))
            local back, its_kind = client:recv()
            assert.is_true(back == message and its_kind == kind, ("%s of %d bytes"):format(kind, size))
          end
        end
        local text = "ünïcode €, \u{1f600} and \0"
        client:send(text)
        assert.same({ text, "text" }, { client:recv() })
      end

      shows("sends back what we send, empty to 1 MiB, text and binary", function()
        with_server(function(uri, process)
          local client = assert(ws.connect(uri "/echo"))
          echoes(client)
          client:close()
          process:expect("stdout", "closed 1000")
        end)
      end)

      shows("sends fragments with pings between them", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/fragments"))
          echoes(client)
        end)
      end)

      shows("counts the 10,000 messages we send", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/count"))
          local size = 0
          for i = 1, BURST do
            local message = "message " .. i
            size = size + #message
            assert(send(client, message, i % 2 == 0 and "text" or "binary"))
          end
          client:send "end"
          assert.equal(("%d %d"):format(BURST, size), (client:recv()))
        end)
      end)

      shows("sends us 10,000 messages in order", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/burst"))
          local count = 0
          for message in client:messages() do
            if message == "end" then
              break
            end
            assert.equal("message " .. count, message)
            count = count + 1
          end
          assert.equal(BURST, count)
        end)
      end)

      shows("echoes 10,000 messages while they are sent", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/echo"))
          local sending = async.create_task(function()
            for i = 1, BURST do
              assert(client:send("message " .. i))
            end
          end)
          for i = 1, BURST do
            assert.equal("message " .. i, (client:recv()))
          end
          sending:await()
        end)
      end)

      shows("gets its ping answered", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/ping"))
          assert.equal("answered", (client:recv()))
        end)
      end)

      shows("answers our pings", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/echo", { ping_interval = 0.02 }))
          assert.is_true(eventually(function()
            return client:latency()
          end) >= 0)
          assert(client:ping(("x"):rep(125)))
          client:send "still there"
          assert.equal("still there", (client:recv()))
        end)
      end)

      shows("agrees on a subprotocol, or none", function()
        with_server(function(uri, process)
          local both <close> = assert(ws.connect(uri "/echo", { subprotocols = { "v3", "v1" } }))
          assert.equal("v1", both.subprotocol)
          process:expect("stdout", "open v1")
          local none <close> = assert(ws.connect(uri "/echo"))
          assert.is_nil(none.subprotocol)
          process:expect("stdout", "open None")
        end)
      end)

      shows("compresses, and reads what we have compressed, when we offer that", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/echo", { compression = true }))
          assert.matches("^permessage%-deflate", client.response.headers["sec-websocket-extensions"])
          for _, size in ipairs { 0, 1, 1000, 1024, 5000, 70000, 500000 } do
            local text = ("compressible %d "):format(size):rep(size // 10)
            client:send(text)
            assert.equal(text, (client:recv()))
            client:send_bytes(text)
            assert.same({ text, "binary" }, { client:recv() })
          end
        end)
      end)

      shows("goes on without compression, which we do not offer", function()
        with_server(function(uri)
          local client <close> = assert(ws.connect(uri "/echo"))
          assert.is_nil(client.response.headers["sec-websocket-extensions"])
          local text = ("compressible "):rep(1000)
          client:send(text)
          assert.equal(text, (client:recv()))
        end)
      end)

      shows("tells us the code and the reason of its Close", function()
        with_server(function(uri)
          for _, code in ipairs { 1000, 1001, 1011, 1012, 1013, 1014, 3000, 4999 } do
            local client = assert(ws.connect(uri(("/close/%d/bye"):format(code))))
            client:send "now"
            local _, why = client:recv()
            client:close()
            assert.same({ code, "bye", "peer" }, { why.code, why.reason, why.by })
            assert.equal("closed", client:state())
          end
        end)
      end)

      shows("gets the code and the reason of our Close", function()
        with_server(function(uri, process)
          for code, reason in pairs { [1000] = "", [1001] = "leaving", [1012] = "x", [4999] = ("ü"):rep(61) } do
            local client = assert(ws.connect(uri "/echo"))
            client:close(code, reason)
            process:expect("stdout", ("closed %d %s\n"):format(code, reason))
            assert.same({ code, reason, "us" }, { client:closed().code, client:closed().reason, client:closed().by })
          end
        end)
      end)

      shows("refuses a message that is too large with 1009", function()
        with_server(function(uri)
          local client = assert(ws.connect(uri "/echo"))
          client:send_bytes(("x"):rep(1024 * 1024 + 1))
          local _, why = client:recv()
          client:close()
          assert.same({ 1009, "peer" }, { why.code, why.by })
        end)
      end)

      shows("gets 1009 from us for a message that is too large for us", function()
        with_server(function(uri, process)
          local client = assert(ws.connect(uri "/echo", { max_size = 1000 }))
          client:send(("x"):rep(1001))
          local _, why = client:recv()
          assert.same({ 1009, "us" }, { why.code, why.by })
          client:close()
          process:expect("stdout", "closed 1009")
        end)
      end)

      shows("is 1006 to us when it was killed", function()
        with_server(function(uri, process)
          local client = assert(ws.connect(uri "/echo"))
          local flood = assert(ws.connect(uri "/burst"))
          assert.equal("message 0", (flood:recv()))
          kill_peer(process)
          local _, why = client:recv()
          assert.same({ 1006, "link" }, { why.code, why.by })
          repeat
            local message, reason = flood:recv()
            why = reason
          until not message
          assert.equal(1006, why.code)
          client:close()
          flood:close()
        end)
      end)
    end)
  end)
end
