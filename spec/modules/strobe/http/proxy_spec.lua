local Certificates = require "spec.support.certificates"
local RawServer = require "spec.support.raw_server"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local http = require "strobe.http"
local net = require "strobe.net"
local uv = require "luv"

local NAMES = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
  "HTTP_PROXY" }

-- Has the environment say that until the end of the block.
local function environment(values)
  local before = {}
  for _, name in ipairs(NAMES) do
    before[name] = os.getenv(name)
    uv.os_unsetenv(name)
  end
  for name, value in pairs(values) do
    uv.os_setenv(name, value)
  end
  return cleanup(function()
    for _, name in ipairs(NAMES) do
      uv.os_unsetenv(name)
      if before[name] then
        uv.os_setenv(name, before[name])
      end
    end
  end)
end

local function pass(from, to)
  for piece in function() return from:read() end do
    if piece == "" or not to:write(piece) then
      break
    end
  end
  to:close()
end

-- A proxy for CONNECT that asks for a password.
local function tunnel()
  return RawServer.new(function(connection, request)
    if not request.head:find "Proxy%-Authorization: Basic YWRhOnNlY3JldA==" then
      connection:write(RawServer.response("", "407 Who are you", "Proxy-Authenticate: Basic\r\n"))
      return
    end
    local host, port = request.target:match "^(.*):(%d+)$"
    local target <close> = assert(net.connect(host, tonumber(port)))
    connection:write "HTTP/1.1 200 Connected\r\nX-Proxy: 1\r\n\r\n"
    local back = async.create_task(pass, target, connection)
    pass(connection, target)
    back:await()
    return "close"
  end)
end

describe("HTTP proxies", function()
  it("that are none are told", function()
    local _ <close> = environment { http_proxy = "ftp://one" }
    local _, message, code = http.get "http://a.example/"
    assert.matches('http_proxy "ftp://one": a proxy is http://host:port or https://host:port', message)
    assert.equal("EINVAL", code)
    _, message, code = http.get("http://127.0.0.1/", { proxy = "http://a b/" })
    assert.matches('"http://a b/": no proxy', message)
    assert.equal("EINVAL", code)
  end)

  it("are not for this machine, nor for what $no_proxy names, and not when the option says false", function()
    local server <close> = RawServer.of(RawServer.response "direct")
    local _ <close> = environment { http_proxy = "http://127.0.0.1:1" }
    assert.equal("direct", assert(http.get(server.url)).body)
    assert.equal("ECONNREFUSED", select(3, http.get("http://127.0.0.1:1/", { proxy = false })))
  end)

  it("for http get the whole URL, and their password", function()
    local _ <close> = environment {}
    local server <close> = RawServer.of(RawServer.response "by proxy")
    local through = server.url:gsub("//", "//ada:secret@")
    local response = assert(http.get("http://no.such.host/x?y", { proxy = through }))
    assert.equal("by proxy", response.body)
    assert.equal("http://no.such.host/x?y", server.requests[1].target)
    assert.equal("no.such.host", server:header "Host")
    assert.equal("Basic YWRhOnNlY3JldA==", server:header "Proxy-Authorization")
  end)

  it("of the environment are used", function()
    local server <close> = RawServer.of(RawServer.response "by proxy")
    local _ <close> = environment { http_proxy = ("http://localhost:%d"):format(server.port), no_proxy = "direct" }
    assert.equal("by proxy", assert(http.get "http://no.such.host/").body)
  end)

  it("for https make a tunnel, and see nothing of what is in it", function()
    local _ <close> = environment {}
    local certificates <close> = Certificates.new()
    local server <close> = RawServer.of(RawServer.response "secret", { tls = certificates.good })
    local between <close> = tunnel()
    local session <close> = http.Session { tls = { ca = certificates.ca.cert },
      proxy = ("http://ada:secret@localhost:%d"):format(between.port) }
    local response = assert(session:get(server.url, { headers = { ["X-Own"] = "1" } }))
    assert.equal("secret", response.body)
    assert.is_nil(response.headers["x-proxy"])
    assert.equal("CONNECT", between.requests[1].method)
    assert.is_nil(between:header("X-Own", between.requests[1]))
    assert.is_nil(server:header "Proxy-Authorization")
  end)

  it("that refuse a tunnel are a failure", function()
    local _ <close> = environment {}
    local between <close> = tunnel()
    local _, message, code = http.get("https://127.0.0.1/", { proxy = between.url })
    assert.matches("407", message)
    assert.equal("EPROTO", code)
  end)
end)
