local Certificates = require "spec.support.certificates"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local luv = require "luv"
local net = require "strobe.net"
local proxies = require "strobe.proxy"
local raised = require("spec.support.errors").raised
local ws = require "strobe.ws"

-- Carries the bytes of one connection to another, until either ends.
local function relay(from, to)
  repeat
    local bytes = from:read()
  until not bytes or bytes == "" or not to:write(bytes)
  to:shutdown()
end

-- A proxy: tunnels to `options.port` of 127.0.0.1 whatever the host's name, or answers `options.answer`. It
-- keeps the heads it got. Its tasks end with it.
local function proxy(options)
  local listener = assert(net.listen("127.0.0.1", 0, { tls = options.tls }))
  local heads = {}
  local function serve(conn)
    local open <close> = conn -- luacheck: ignore
    heads[#heads + 1] = conn:read_until "\r\n\r\n"
    if options.answer then
      conn:write(options.answer)
      return conn:read()
    end
    local target <close> = assert(net.connect("127.0.0.1", options.port))
    conn:write "HTTP/1.0 200 Connection established\r\nContent-Length: 5\r\n\r\n"
    local group <close> = async.TaskGroup()
    group:create_task(relay, target, conn)
    relay(conn, target)
  end
  local serving = async.create_task(function()
    local group <close> = async.TaskGroup()
    for conn in listener:accept() do
      group:create_task(serve, conn)
    end
  end)
  local made = { heads = heads, text = ("http%s://%%slocalhost:%d"):format(options.tls and "s" or "", listener:port()) }
  function made:at(user)
    return self.text:format(user and user .. "@" or "")
  end
  return setmetatable(made, {
    __close = function()
      listener:close() -- tunnels end with their clients
      async.wait({ serving }, { timeout = 5 })
      serving:cancel()
      async.wait { serving }
    end,
  })
end

local function echo(options)
  return assert(ws.serve(function(connection)
    for message in connection:messages() do
      connection:send(message)
    end
  end, "127.0.0.1", 0, options))
end

-- Sets variables of the environment for the rest of the block.
local function environment(variables)
  for name, value in pairs(variables) do
    luv.os_setenv(name, value)
  end
  return cleanup(function()
    for name in pairs(variables) do
      luv.os_unsetenv(name)
    end
  end)
end

describe("a proxy", function()
  it("is named by a URI", function()
    for text, expected in pairs {
      ["http://h:3128"] = { scheme = "http", host = "h", port = 3128 },
      ["HTTPS://h/"] = { scheme = "https", host = "h", port = 443 },
      ["h"] = { scheme = "http", host = "h", port = 80 },
      ["h:8080"] = { scheme = "http", host = "h", port = 8080 },
      ["http://[::1]:3128"] = { scheme = "http", host = "::1", port = 3128 },
      ["http://a%40b:p%3a@h"] = { scheme = "http", host = "h", port = 80, user = "a@b:p:" },
    } do
      assert.same(expected, proxies.parse(text))
    end
    assert.equal("http://[::1]:3128", proxies.name(proxies.parse "http://x:y@[::1]:3128"))
  end)

  it("that is none is refused, and no password shown", function()
    for _, text in ipairs {
      "", "http://", "http://h:0", "http://h:65536", "http://a b", "socks5://u:pw@h:1", "http://h/x", "http://u:pw@h:x",
    } do
      local parsed, message = proxies.parse(text)
      assert.is_nil(parsed, text)
      assert.is_nil(message:find("pw", 1, true))
    end
    assert.matches("there are no others", select(2, proxies.parse "socks5://h:1"))
  end)

  describe("of the environment", function()
    -- The host of the proxy for a scheme and host, in an environment.
    local function chosen(variables, scheme, host, port)
      local function getenv(name)
        return variables[name]
      end
      local found, message = proxies.from_environment(scheme or "wss", host or "feed.example", port or 443, getenv)
      return found and found.host, message
    end

    it("is the first of the names for what is to be spoken", function()
      for variables, expected in pairs {
        [{}] = {},
        [{ all_proxy = "all" }] = { ws = "all", wss = "all", http = "all", https = "all" },
        [{ http_proxy = "h" }] = { ws = "h", http = "h" },
        [{ https_proxy = "s", http_proxy = "h" }] = { ws = "s", wss = "s", http = "h", https = "s" },
        [{ ws_proxy = "w", wss_proxy = "ww", https_proxy = "s" }] = { ws = "w", wss = "ww", https = "s" },
        [{ HTTPS_PROXY = "S" }] = { ws = "S", wss = "S", https = "S" },
        [{ HTTPS_PROXY = "S", https_proxy = "s" }] = { ws = "s", wss = "s", https = "s" },
        [{ HTTPS_PROXY = "S", https_proxy = "" }] = {},
        [{ HTTP_PROXY = "H" }] = { ws = "H", http = "H" },
        [{ HTTP_PROXY = "H", REQUEST_METHOD = "GET" }] = {},
      } do
        for _, scheme in ipairs { "ws", "wss", "http", "https" } do
          assert.equal(expected[scheme], (chosen(variables, scheme)))
        end
      end
    end)

    it("is not for those in no_proxy", function()
      for list, hosts in pairs {
        ["*"] = { "a.example", "10.0.0.1" },
        ["example.org"] = { "example.org", "www.Example.org", "example.org." },
        [".example.org, other"] = { "example.org", "x.example.org", "other" },
        ["*.example.org"] = { "x.example.org" },
        ["example.org:443"] = { "example.org" },
        ["10.0.0.0/8 192.168.1.7"] = { "10.255.0.1", "192.168.1.7" },
        ["172.16.0.0/12"] = { "172.31.255.255" },
        ["fd00::/8,[2001:db8::1]"] = { "fd12::3", "2001:db8:0:0:0:0:0:1" },
      } do
        for _, host in ipairs(hosts) do
          assert.is_nil(chosen({ https_proxy = "s", no_proxy = list }, "wss", host), list .. " " .. host)
        end
      end
    end)

    it("is for all others", function()
      for list, host in pairs {
        [""] = "a.example", ["example.org"] = "badexample.org", ["www.example.org"] = "example.org",
        ["example.org:80"] = "example.org", ["10.0.0.0/8"] = "11.0.0.1", ["172.16.0.0/12"] = "172.32.0.0",
        ["fd00::/8"] = "fe00::1", ["10.0.0.0/33"] = "10.0.0.0", ["1.2.3"] = "1.2.3.4", ["::/0"] = "1.2.3.4",
        [".,:,/,[]"] = "a.example",
      } do
        assert.equal("s", (chosen({ https_proxy = "s", no_proxy = list }, "wss", host)), list)
      end
    end)

    it("is never for this machine", function()
      for _, host in ipairs { "localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1" } do
        assert.is_nil(chosen({ all_proxy = "p" }, "ws", host))
      end
    end)

    it("is told about when it is wrong", function()
      local _, message = chosen { all_proxy = "socks5://h:1080" }
      assert.matches('^all_proxy "socks5://h:1080": a proxy is', message)
    end)
  end)
end)

describe("ws.connect through a proxy", function()
  it("asks it for a tunnel, and says who we are if it is told", function()
    local server <close> = echo()
    local between <close> = proxy { port = server:port() }
    for user, expected in pairs { [false] = "", ["me:p%3a"] = "Proxy%-Authorization: Basic bWU6cDo=\r\n" } do
      local client <close> = assert(ws.connect("ws://feed.example/ticks", { proxy = between:at(user or nil) }))
      client:send "through"
      assert.equal("through", (client:recv()))
      assert.matches("^CONNECT feed.example:80 HTTP/1.1\r\nHost: feed.example:80\r\n" .. expected .. "\r\n$",
        table.remove(between.heads))
    end
  end)

  it("speaks TLS with the server, with the proxy, or with both", function()
    local certificates <close> = Certificates.new()
    local identity = { cert = certificates.good.cert, key = certificates.good.key }
    local trust = { ca = certificates.ca.cert }
    for scheme, tls in pairs { ws = false, wss = identity } do
      local server <close> = echo { tls = tls or nil }
      for _, secure in ipairs { false, identity } do
        local between <close> = proxy { port = server:port(), tls = secure or nil }
        local client <close> = assert(ws.connect(scheme .. "://localhost/", {
          proxy = between:at(), tls = trust, proxy_tls = trust,
        }))
        local large = ("through "):rep(50000)
        client:send(large)
        assert.is_true(large == client:recv())
      end
    end
  end)

  it("does not trust any proxy or server that comes along", function()
    local certificates <close> = Certificates.new()
    local identity = { cert = certificates.good.cert, key = certificates.good.key }
    local server <close> = echo { tls = identity }
    local between <close> = proxy { port = server:port(), tls = identity }
    local _, message, code = ws.connect("wss://localhost/", { proxy = between:at() })
    assert.equal("EBADCERT", code)
    assert.matches("connect localhost:443: proxy https://localhost:%d+: tls handshake", message)
    _, message, code = ws.connect("wss://x.example/", {
      proxy = between:at(), proxy_tls = { ca = certificates.ca.cert }, tls = { ca = certificates.ca.cert },
    })
    assert.equal("EBADCERT", code)
    assert.matches("connect x.example:443: tls handshake", message)
  end)

  it("takes the environment's, unless it is told not to", function()
    local server <close> = echo()
    local between <close> = proxy { port = server:port() }
    local _ <close> = environment { http_proxy = between:at(), no_proxy = "inside.example" }
    local client <close> = assert(ws.connect "ws://feed.example/")
    assert.equal(1, #between.heads)
    assert.equal("open", client:state())
    assert.is_nil(ws.connect("ws://no..such..name/", { proxy = false }))
    assert.is_nil(ws.connect "ws://no..such.inside.example/")
    local direct <close> = assert(ws.connect(("ws://127.0.0.1:%d/"):format(server:port())))
    assert.equal("open", direct:state())
    assert.equal(1, #between.heads)
  end)

  it("tells of a variable that names none", function()
    local _ <close> = environment { all_proxy = "socks5://h:1" }
    local _, message, code = ws.connect "ws://feed.example/"
    assert.equal("EINVAL", code)
    assert.matches('^ws.connect ws://feed.example/: all_proxy "socks5://h:1": .*set it anew', message)
    assert.equal("EINVAL", raised(async.ConnectionError, ws.reconnecting "ws://feed.example/").code)
  end)

  it("tells what the proxy answered, and what to do", function()
    for answer, expected in pairs {
      ["407 Who?"] = "answered 407 Who%?: the proxy wants a name and a password: http://name:password@host:port$",
      ["403 No"] = "answered 403 No: the proxy does not let us connect there",
      ["502 Bad Gateway\r\nContent-Length: 14"] = "answered 502 Bad Gateway: no such host$",
      ["302 Found\r\nLocation: ws://evil.example/"] = "answered 302 Found$",
    } do
      local between <close> = proxy { answer = "HTTP/1.1 " .. answer .. "\r\n\r\nno such host\r\n" }
      local client, message, code, response = ws.connect("ws://feed.example/", { proxy = between:at() })
      assert.is_nil(client)
      assert.equal("EPROXY", code)
      assert.matches("^ws.connect ws://feed.example/: connect feed.example:80: proxy http://localhost:%d+ " .. expected,
        message)
      assert.same({ tonumber(answer:sub(1, 3)), proxies.name(proxies.parse(between:at())) },
        { response.status, response.proxy })
    end
    local between <close> = proxy { answer = "HTTP/1.1 407 Who?\r\n\r\n" }
    local _, message = ws.connect("ws://feed.example/", { proxy = between:at "me:wrong" })
    assert.matches("does not take this name and password$", message)
    assert.is_nil(message:find("wrong", 1, true))
    local e = raised(async.ConnectionError, ws.reconnecting("ws://a.b/", { proxy = between:at() }))
    assert.equal(407, e.response.status)
  end)

  it("tells when nobody is there, when it hangs up, and when it is none", function()
    local listener = assert(net.listen("127.0.0.1", 0))
    local gone = ("http://127.0.0.1:%d"):format(listener:port())
    listener:close()
    local _, message, code = ws.connect("ws://feed.example/", { proxy = gone })
    assert.equal("ECONNREFUSED", code)
    assert.matches("proxy http://127.0.0.1:%d+: connect 127.0.0.1:%d+: connection refused", message)
    local mute <close> = proxy { answer = "" }
    local connecting = async.create_task(ws.connect, "ws://feed.example/", { proxy = mute:at(), open_timeout = 3 })
    assert.equal("ETIMEDOUT", select(3, connecting:await()))
    local other <close> = proxy { answer = "SSH-2.0-x\r\n\r\n" }
    _, message, code = ws.connect("ws://feed.example/", { proxy = other:at() })
    assert.equal("EPROTO", code)
    assert.matches("proxy http://localhost:%d+: no HTTP answer", message)
  end)

  it("can be cancelled anywhere", function()
    local certificates <close> = Certificates.new()
    local identity = { cert = certificates.good.cert, key = certificates.good.key }
    local server <close> = echo { tls = identity }
    local between <close> = proxy { port = server:port(), tls = identity }
    local trust = { ca = certificates.ca.cert }
    local options = { proxy = between:at(), tls = trust, proxy_tls = trust, close_timeout = 1 }
    for turns = 0, 40 do
      local connecting = async.create_task(ws.connect, "wss://localhost/", options)
      for _ = 1, turns do
        async.sleep(0)
      end
      connecting:cancel()
      local ok, connection = pcall(connecting.await, connecting)
      if ok and connection then
        connection:abort()
      end
    end
  end)

  it("refuses an option that is none", function()
    assert.error_matches(function()
      ws.connect("ws://h/", { proxy = "socks5://h:1" })
    end, "ws.connect: proxy: \"socks5://h:1\": a proxy is http://")
    assert.error_matches(function()
      net.connect("h", 1, { proxy = 5 })
    end, "net.connect: proxy: a string, true or false expected, got number")
  end)
end)

describe("net.connect through a proxy", function()
  it("gives a stream to the host", function()
    local server <close> = assert(net.listen("127.0.0.1", 0))
    local between <close> = proxy { port = server:port() }
    local _ <close> = environment { http_proxy = between:at() }
    for _, option in ipairs { between:at(), true } do
      local client <close> = assert(net.connect("feed.example", 9001, { proxy = option, timeout = 5 }))
      local peer <close> = assert(server:accept_one())
      client:write "hello"
      assert.equal("hello", peer:read())
      peer:write "and back"
      assert.equal("and back", client:read())
    end
    assert.matches("^CONNECT feed.example:9001 ", between.heads[1])
  end)

  it("writes an IPv6 address in brackets", function()
    local between <close> = proxy { answer = "HTTP/1.1 500 X\r\n\r\n" }
    net.connect("2001:db8::1", 80, { proxy = between:at() })
    assert.matches("^CONNECT %[2001:db8::1%]:80 HTTP/1.1\r\nHost: %[2001:db8::1%]:80\r\n", between.heads[1])
  end)

  it("lets no host make another line", function()
    local between <close> = proxy { answer = "HTTP/1.1 500 X\r\n\r\n" }
    local _, message, code = net.connect("a\r\nX: y", 80, { proxy = between:at() })
    assert.equal("EINVAL", code)
    assert.matches("a host without blanks expected", message)
  end)
end)
