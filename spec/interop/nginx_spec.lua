-- nginx before our HTTP server, as it stands in peers/nginx.conf: nginx's clients are curl, our own WebSocket
-- client and http.client for Python.

local Certificates = require "spec.support.certificates"
local Folder = require "spec.support.folder"
local async = require "strobe.async"
local json = require "strobe.json"
local net = require "strobe.net"
local peer = require "spec.support.peer"
local prolong = require("strobe.testing").clock.prolong
local site = require "spec.support.site"
local ws = require "strobe.ws"

local MB = 1000000

describe("nginx before our server", function()
  local nginx, curl, python = peer.command "nginx", peer.command "curl", peer.python "http.client"
  local shows = peer.stories(_ENV, nginx and curl and python,
    "there is no nginx, curl or python3 (apt-get install nginx-light curl python3)")

  local function configuration(values)
    local file <close> = assert(io.open(peer.file "nginx.conf"))
    return (file:read "a":gsub("%$(%l+)", values)) -- nginx's own variables are not among them
  end

  local function wait_for(process, port)
    while true do
      local connection = net.connect("127.0.0.1", port)
      if connection then
        return connection:close()
      end
      assert(not process.status, process.output.stderr)
      async.sleep(0.02)
    end
  end

  local function secured(options, certificates)
    local copy = { tls = certificates.good }
    for name, value in pairs(options or {}) do
      copy[name] = value
    end
    return copy
  end

  local function write_file(name, text)
    local file <close> = assert(io.open(name, "w"))
    file:write(text)
    return name
  end

  -- Runs f(base, front) with nginx before three servers, front.tcp, front.unix and front.tls; nginx, which may find
  -- fault while it does what is in `faults`, complains of nothing else.
  local function behind(options, f, faults)
    local folder <close> = Folder.new {}
    local certificates <close> = Certificates.new()
    local socket = ("unix:%s/socket"):format(folder.path)
    local tcp <close> = site.serve(nil, options)
    local unix <close> = site.serve(socket, options)
    local tls <close> = site.serve(nil, secured(options, certificates))
    local front = { port = site.free_port(), tcp = tcp, unix = unix, tls = tls }
    local file = write_file(folder.path .. "/nginx.conf", configuration {
      listen = "127.0.0.1:" .. front.port, unix = socket, ca = certificates.ca.cert,
      tcp = "127.0.0.1:" .. tcp:port(), tls = "127.0.0.1:" .. tls:port(),
    })
    peer.with(nginx, { "-p", folder.path, "-e", "stderr", "-c", file }, function(process)
      wait_for(process, front.port)
      f("http://127.0.0.1:" .. front.port, front)
      for complaint in process.output.stderr:gmatch "[^\n]* upstream[^\n]*" do
        assert.is_true(faults and faults[complaint:match " while ([%l ]+) upstream"] or complaint)
      end
    end)
    unix:close()
    os.remove(folder.path .. "/socket")
  end

  local function ask(...)
    return (peer.run(curl, { "-sS", "--max-time", "300", ... }))
  end

  shows("hands on what it is asked, on connections that stay", function()
    behind(nil, function(base, front)
      for _, way in ipairs { "tcp", "unix", "tls" } do
        assert.equal(("hello"):rep(30), ask(("%s/%s/hello?[1-30]"):format(base, way)))
        assert.same({ 1, 30 }, { front[way].connections, front[way].requests })
        assert.is_true(ask(("%s/%s/pieces/30/1000"):format(base, way)) == site.numbered(1000):rep(30))
        assert.matches("Content%-Length: 5000", ask("-I", ("%s/%s/bytes/5000"):format(base, way)))
        for _, status in ipairs { 204, 304, 404, 500 } do
          assert.equal(tostring(status), ask("-o", "/dev/null", "-w", "%{http_code}",
            ("%s/%s/status/%d"):format(base, way, status)))
        end
        assert.equal(1, front[way].connections)
      end
    end)
  end)

  shows("tells us whom it speaks for", function()
    behind(nil, function(base, front)
      local seen = json.decode(ask("-H", "X-Forwarded-For: 192.0.2.1", base .. "/tcp/what?a=1"))
      assert.same({ "/what?a=1", "127.0.0.1:" .. front.port, "192.0.2.1, 127.0.0.1", "http" },
        { seen.target, seen.host, seen.headers["x-forwarded-for"], seen.headers["x-forwarded-proto"] })
    end)
  end)

  shows("carries 20 MB both ways, gathered or as they come, by their length or in chunks", function()
    prolong(300) -- ten times 20 MB, under a sanitizer and on a busy machine
    behind({ max_body = 32 * MB }, function(base)
      local body = site.numbered(20 * MB)
      local folder <close> = Folder.new { body = body }
      for _, way in ipairs { "tcp", "unix", "tls", "through", "old" } do
        -- Not /through: nginx sends no more of a body once the answer has begun.
        local place = ("%s/%s/echo"):format(base, way)
        assert.is_true(ask("-T", folder.path .. "/body", place) == body, place)
        assert.is_true(ask("-T", folder.path .. "/body", "-H", "Transfer-Encoding: chunked", place) == body, place)
      end
    end)
  end)

  shows("hands on the begin of an answer before its end exists", function()
    behind(nil, function(base)
      peer.with(curl, { "-sSN", base .. "/through/waits" }, function(process)
        process:expect("stdout", "^one")
        assert.equal("", ask(base .. "/tcp/go"))
        process:expect("stdout", "^onetwo")
        assert.equal(0, process:wait())
      end)
    end)
  end)

  shows("hands on that we refuse a body while it comes", function()
    behind({ max_body = 3 * MB }, function(base)
      local folder <close> = Folder.new { body = site.numbered(5 * MB) }
      for _, way in ipairs { "tcp", "unix", "tls", "through", "old" } do
        local place = ("%s/%s/echo"):format(base, way)
        assert.equal("413", ask("-o", "/dev/null", "-w", "%{http_code}", "-T", folder.path .. "/body", place), place)
      end
    end)
  end)

  shows("serves what the stories of http.client ask", function()
    behind({ max_body = 32 * MB }, function(base)
      for _, way in ipairs { "tcp", "unix", "tls", "through", "old" } do
        for story, said in pairs { echo = "echoed 7\n", chunked = "echoed 7\n", empty = "empty\n",
          refused = "refused\n" } do
          -- nginx drops a client whose body it has not read when the answer comes, without a word.
          if way ~= "through" or story ~= "refused" then
            local words = { peer.file "http_client.py", ("%s/%s"):format(base, way), story }
            assert.equal(said, (peer.run(python, words)))
          end
        end
      end
    end)
  end)

  shows("has no 502 for whom we close an idle connection", function()
    -- About as long as curl's pause: the end of a connection sometimes meets a request, while nginx sends it or
    -- after; it sends that again then, as it may be sent twice.
    behind({ keep_alive_timeout = 0.02 }, function(base, front)
      local said = ask("--rate", "45/s", "-o", "/dev/null", "-w", "%{http_code}\n", base .. "/tcp/hello?[1-80]",
        "-o", "/dev/null", base .. "/unix/hello?[1-80]")
      assert.equal(("200\n"):rep(160), said)
      assert.is_true(front.tcp.connections > 1)
    end, { ["sending request to"] = true, ["reading response header from"] = true })
  end)

  shows("has no 502 while one of our servers closes and another begins", function()
    behind(nil, function(base, front)
      local port = front.tcp:port()
      assert.equal("hello", ask(base .. "/tcp/hello"))
      front.tcp:close()
      local next_one <close> = site.serve(nil, nil, port)
      assert.equal("hellohello", ask(base .. "/tcp/hello?[1-2]"))
      assert.equal(1, next_one.connections)
    end)
  end)

  shows("carries a WebSocket, which closes on both sides", function()
    behind(nil, function(base)
      for _, compression in ipairs { false, true } do
        local client = assert(ws.connect(base:gsub("^http", "ws") .. "/ws", { compression = compression }))
        for _, size in ipairs { 0, 1, 125, 126, 65535, 65536, 1000000 } do
          local text = site.numbered(size)
          client:send(text)
          assert.is_true(client:recv() == text)
          client:send_bytes(text)
          assert.same({ #text, "binary" }, { #client:recv(), "binary" })
        end
        client:close(4000, "bye")
        assert.same({ 4000, "us" }, { client:closed().code, client:closed().by })
      end
      assert.equal("426", ask("-o", "/dev/null", "-w", "%{http_code}", base .. "/ws"))
    end)
  end)
end)
