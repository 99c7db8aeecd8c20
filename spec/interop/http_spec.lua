-- strobe's HTTP server and other people's clients: curl, aiohttp and http.client for Python, and Node's http.
-- The programs are in peers/; their heads say what each story is. All of them visit spec/support/site.lua.

local Certificates = require "spec.support.certificates"
local json = require "strobe.json"
local path = require "spec.support.path"
local peer = require "spec.support.peer"
local reports_of = require("spec.support.reports").of
local site = require "spec.support.site"

local MB = 1000000

-- The end of a client's story is the server's too: what it counted is read before it closes.
local function visited(options, f)
  local server <close> = site.serve(nil, options)
  f(server, ("%s://127.0.0.1:%d"):format(options and options.tls and "https" or "http", server:port()))
end

local CLIENTS = {
  { name = "http.client for Python", line = peer.python "http.client", program = "http_client.py",
    why = "there is no python3 (apt-get install python3)" },
  { name = "aiohttp for Python", line = peer.python "aiohttp", program = "aiohttp_client.py", full = true,
    why = "python3 has no aiohttp (apt-get install python3-aiohttp)" },
  { name = "Node's http", line = peer.node "http", program = "http_client.js", full = true,
    why = "there is no node (apt-get install nodejs)" },
}

for _, client in ipairs(CLIENTS) do
  describe(client.name, function()
    local shows = peer.stories(_ENV, client.line, client.why)

    -- Has it tell a story; what that says, and how many connections it took.
    local function told(story, options, ca)
      local said, server
      visited(options, function(at, base)
        server = at
        said = peer.run(client.line, { peer.file(client.program), base, story, ca })
      end)
      return said, server.connections
    end

    shows("gets back what it posts, empty to 1 MB, on one connection", function()
      assert.same({ "echoed 7\n", 1 }, { told "echo" })
    end)

    shows("gets back what it posts in chunks", function()
      assert.same({ "echoed 7\n", 1 }, { told "chunked" })
    end)

    shows("downloads 20 MB by their length, and 3 MB in chunks", function()
      assert.same({ "downloaded\n", 1 }, { told "download" })
    end)

    shows("reads the begin of an answer before its end exists", function()
      assert.same({ "streamed\n", 2 }, { told "streamed" })
    end)

    shows("asks 100 times on one connection", function()
      assert.same({ "asked 100\n", 1 }, { told "reuse" })
    end)

    shows("is not confused by answers without a body", function()
      assert.same({ "empty\n", 1 }, { told "empty" })
    end)

    shows("goes on after an answer that did not wait for its body", function()
      assert.same({ "refused\n", 1 }, { told "refused" })
    end)

    shows("comes again after we have closed an idle connection", function()
      assert.same({ "asked 3\n", 3 }, { told("idle", { keep_alive_timeout = 0.1 }) })
    end)

    shows("does the same over TLS", function()
      local certificates <close> = Certificates.new()
      local options = { tls = certificates.good }
      for story, said in pairs { echo = "echoed 7\n", download = "downloaded\n", reuse = "asked 100\n" } do
        assert.same({ said, 1 }, { told(story, options, certificates.ca.cert) })
      end
    end)

    if client.full then
      shows("gets back a body that goes through, before that has ended", function()
        assert.same({ "echoed 7\n", 1 }, { told "through" })
      end)

      shows("sends its body when we say 100", function()
        assert.same({ "echoed 7\n", 1 }, { told "expect" })
      end)

      shows("asks 200 times at once on a pool of 10", function()
        assert.same({ "asked 200\n", 10 }, { told "pool" })
      end)
    end

    if client.program == "aiohttp_client.py" then
      shows("has a WebSocket and pages from one port", function()
        assert.equal("echoed 14\n", (told "websocket"))
      end)
    end
  end)
end

describe("h11 for Python, as a judge", function()
  local line = peer.python "h11"
  local shows = peer.stories(_ENV, line, "python3 has no h11 (apt-get install python3-h11)")

  shows("finds no fault with what we send, to good requests, bad ones and many at once", function()
    local said
    local reports = reports_of(function()
      visited(nil, function(server)
        said = peer.run(line, { peer.file "h11_judge.py", tostring(server:port()) })
      end)
    end)
    assert.matches("^judged %d%d\n$", said)
    assert.equal(4, #reports) -- of the handlers that fail on purpose
  end)
end)

describe("curl", function()
  local line = peer.command "curl"
  local shows = peer.stories(_ENV, line, "there is no curl (apt-get install curl)")

  -- What it prints, and what it says of its way.
  local function curl(words, options)
    local all = { "-sSv", "--max-time", "100", table.unpack(words) }
    return peer.run(line, all, options)
  end

  -- Words in which @ is the server's base.
  local function at(base, ...)
    local words = { ... }
    for i, word in ipairs(words) do
      words[i] = word:gsub("^@", base)
    end
    return words
  end

  -- A file of a body, which goes with its block.
  local function upload(size)
    local file = { name = path.free(), body = site.numbered(size) }
    local out <close> = assert(io.open(file.name, "w"))
    out:write(file.body)
    return setmetatable(file, {
      __close = function()
        os.remove(file.name)
      end,
    })
  end

  shows("gets and heads a page", function()
    visited(nil, function(_, base)
      assert.equal("hello", (curl(at(base, "@/hello"))))
      local head = curl(at(base, "-I", "@/bytes/5000"))
      assert.matches("^HTTP/1.1 200 OK\r\n.*Content%-Length: 5000\r\n.*\r\n\r\n$", head)
      assert.matches("\r\nDate: %a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT\r\n", head)
    end)
  end)

  shows("says of itself what arrives", function()
    visited(nil, function(server, base)
      local seen = json.decode((curl(at(base, "-H", "X-One: 1", "-H", "X-One: 2", "-G", "--data-urlencode",
        "q=ü &", "@/what"))))
      assert.same({ "GET", "/what?q=%C3%BC+%26", "1.1", "http", "127.0.0.1:" .. server:port(), "1, 2" },
        { seen.method, (seen.target:gsub("%%20", "+"):gsub("%%%x%x", string.upper)), seen.version, seen.scheme,
          seen.host, seen.headers["x-one"] })
    end)
  end)

  shows("posts, and waits for our 100 before a large body", function()
    visited(nil, function(_, base)
      local said, way = curl(at(base, "-d", "a=1", "@/echo"))
      assert.equal("a=1", said)
      assert.not_matches("100 Continue", way)
      said, way = curl(at(base, "-H", "Expect: 100-continue", "--expect100-timeout", "15", "-d", "a=1", "@/echo"))
      assert.equal("a=1", said)
      assert.matches("< HTTP/1.1 100 Continue\r?\n.*< HTTP/1.1 200 OK", way)
    end)
  end)

  shows("does not send what we refuse in the place of a 100", function()
    visited({ max_body = 9 * MB }, function(_, base)
      for page, size in pairs { ["@/refused"] = 5 * MB, ["@/echo"] = 10 * MB } do
        local file <close> = upload(size)
        local said, way = curl(at(base, "--expect100-timeout", "15", "-o", "/dev/null",
          "-w", "%{http_code} %{size_upload}", "-T", file.name, page))
        assert.equal(page == "@/echo" and "413 0" or "403 0", said)
        assert.not_matches("100 Continue", way)
      end
    end)
  end)

  shows("reads why a body is refused which it sends unasked", function()
    visited({ max_body = 9 * MB }, function(_, base)
      for page, size in pairs { ["@/refused"] = 5 * MB, ["@/echo"] = 10 * MB } do
        local file <close> = upload(size)
        local said = curl(at(base, "-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "-T", file.name, page))
        assert.equal(page == "@/echo" and "413" or "403", said)
      end
    end)
  end)

  shows("sends 20 MB and gets them back", function()
    visited({ max_body = 32 * MB }, function(_, base)
      local file <close> = upload(20 * MB)
      for _, page in ipairs { "@/echo", "@/through" } do
        assert.is_true(curl(at(base, "-T", file.name, page)) == file.body)
      end
    end)
  end)

  shows("sends in chunks what it reads from a pipe", function()
    visited({ max_body = 32 * MB }, function(_, base)
      local body = site.numbered(3 * MB)
      local said, way = curl(at(base, "-T", "-", "@/echo"), { input = body })
      assert.is_true(said == body)
      assert.matches("> Transfer%-Encoding: chunked", way)
      assert.is_true(curl(at(base, "-T", "-", "-H", "Expect:", "@/through"), { input = body }) == body)
    end)
  end)

  shows("may be of HTTP/1.0, where a body of no known length ends with the connection", function()
    visited(nil, function(server, base)
      local said, way = curl(at(base, "--http1.0", "@/hello", "@/pieces/30/10000"))
      assert.is_true(said == "hello" .. site.numbered(10000):rep(30))
      assert.not_matches("Transfer%-Encoding", way)
      assert.equal(2, server.connections)
      curl(at(base, "--http1.0", "-H", "Connection: keep-alive", "@/hello", "@/hello", "@/pieces/3/10"))
      assert.equal(3, server.connections)
      local body = site.numbered(50000)
      assert.is_true(curl(at(base, "--http1.0", "-d", body, "@/echo")) == body)
    end)
  end)

  shows("asks for many pages on one connection, unless it does not want that", function()
    visited(nil, function(server, base)
      assert.equal(("hello"):rep(20), (curl(at(base, "@/hello?[1-20]"))))
      assert.same({ 1, 20 }, { server.connections, server.requests })
      assert.equal(("hello"):rep(3), (curl(at(base, "-H", "Connection: close", "@/hello?[1-3]"))))
      assert.equal(4, server.connections)
      assert.equal(("hello"):rep(40), (curl(at(base, "-Z", "--parallel-max", "8", "@/hello?[1-40]"))))
    end)
  end)

  shows("believes our certificate by its CA, under TLS 1.3 and 1.2", function()
    local certificates <close> = Certificates.new()
    visited({ tls = certificates.good, max_body = 32 * MB }, function(_, base)
      local file <close> = upload(5 * MB)
      for _, version in ipairs { "1.3", "1.2" } do
        local said, way = curl(at(base, "--cacert", certificates.ca.cert, "--tls-max", version, "@/hello", "@/what"))
        assert.matches('^hello{.*"scheme":"https"', said)
        assert.matches("TLSv" .. version, way, 1, true)
        assert.is_true(curl(at(base, "--cacert", certificates.ca.cert, "-T", file.name, "@/echo")) == file.body)
      end
      peer.with(line, at(base, "-sS", "@/hello"), function(process)
        assert.equal(60, process:wait())
      end)
    end)
  end)

  shows("offers HTTP/2, and goes on with 1.1", function()
    visited(nil, function(server, base)
      local said, way = curl(at(base, "--http2", "@/hello", "@/what", "-d", site.numbered(50000), "@/echo"))
      assert.matches("> Upgrade: h2c\r?\n", way)
      assert.matches('"upgrade":"h2c"', said, 1, true)
      assert.equal(1, server.connections)
      assert.is_true(curl(at(base, "--http2", "-d", site.numbered(50000), "@/echo")) == site.numbered(50000))
    end)
    visited(nil, function(_, base)
      peer.with(line, at(base, "-sS", "--http2-prior-knowledge", "@/hello"), function(process)
        assert.is_true(process:wait() ~= 0)
      end)
      assert.equal("hello", (curl(at(base, "@/hello"))))
    end)
  end)

  shows("asks as it would a proxy", function()
    visited(nil, function(_, base)
      local seen = json.decode((curl(at(base, "-x", base, "http://elsewhere.example/what?a"))))
      assert.same({ "elsewhere.example", "http://elsewhere.example/what?a" }, { seen.host, seen.target })
      local status = { "-o", "/dev/null", "-w", "%{http_code}" }
      assert.equal("404", (curl(at(base, "-X", "OPTIONS", "--request-target", "*", "@/", table.unpack(status)))))
      assert.equal("501", (curl(at(base, "-X", "PROPFIND", "@/hello", table.unpack(status)))))
      assert.equal("431", (curl(at(base, "-H", "X: " .. ("x"):rep(20000), "@/hello", table.unpack(status)))))
      peer.with(line, at(base, "-sSp", "-x", base, "http://elsewhere.example/hello"), function(process)
        assert.equal(56, process:wait()) -- CONNECT has 501
      end)
    end)
  end)

  shows("comes by a unix socket", function()
    local name = path.free()
    local server <close> = site.serve("unix:" .. name)
    assert.equal("hellohello", (curl { "--unix-socket", name, "http://x/hello?[1-2]" }))
    assert.equal(1, server.connections)
    server:close()
    os.remove(name)
  end)

  shows("gets what was on its way when the server closes", function()
    visited(nil, function(server, base)
      peer.with(line, at(base, "-sSN", "@/waits"), function(process)
        process:expect("stdout", "^one")
        server.go:set()
        server:close()
        assert.same({ 0, "onetwo" }, { process:wait(), process.output.stdout })
      end)
    end)
  end)

  shows("knows by its status that an answer was cut off", function()
    visited(nil, function(server, base)
      peer.with(line, at(base, "-sSN", "@/waits"), function(process)
        process:expect("stdout", "^one")
        server:close(0.05)
        assert.same({ 18, "one" }, { process:wait(), process.output.stdout })
      end)
    end)
  end)
end)
