local Certificates = require "spec.support.certificates"
local RawServer = require "spec.support.raw_server"
local http = require "strobe.http"

local function to(location, status)
  return RawServer.response("moved", status or "302 Found", ("Location: %s\r\n"):format(location))
end

-- Redirects "/" and answers all else.
local function server_to(location, status)
  return RawServer.new(function(connection, request)
    connection:write(request.target == "/" and to(location, status) or RawServer.response "there")
  end)
end

describe("redirects", function()
  it("are followed, on the same connection, and told in the response's history", function()
    local server <close> = server_to "/there?x=1"
    local response = assert(http.get(server.url))
    assert.equal("there", response.body)
    assert.equal(server.url .. "/there?x=1", response.url)
    assert.same({ { status = 302, url = server.url .. "/", location = "/there?x=1" } }, response.history)
    assert.equal(1, server.accepted)
  end)

  it("turn a POST into a GET without its body for 301, 302 and 303, and nothing for 307 and 308", function()
    for status, expected in pairs { ["301 M"] = "GET", ["302 M"] = "GET", ["303 M"] = "GET", ["307 M"] = "POST",
      ["308 M"] = "POST" } do
      local server <close> = server_to("/there", status)
      local response = assert(http.post(server.url, { json = { 1 } }))
      assert.equal(expected, server.requests[2].method)
      assert.equal(expected, response.method)
      assert.equal(expected == "POST" and "[1]" or nil, server.requests[2].body)
      assert.equal(expected == "POST" and "application/json" or nil, server:header "Content-Type")
    end
  end)

  it("leave PUT, DELETE and HEAD as they are, but for PUT and DELETE at 303", function()
    for method, expected in pairs { PUT = "GET", DELETE = "GET", HEAD = "HEAD" } do
      local server <close> = RawServer.new(function(connection, request)
        local status = request.target:match "^/(%d+)"
        connection:write(("HTTP/1.1 %s X\r\nContent-Length: 0\r\n%s\r\n"):format(status or "200",
          status and "Location: /there\r\n" or ""))
      end)
      assert(http.request(method, server.url .. "/302"))
      assert.equal(method, server.requests[2].method)
      assert(http.request(method, server.url .. "/303"))
      assert.equal(expected, server.requests[4].method)
    end
  end)

  it("keep credentials, cookies and own headers on the same host, and secrets from another", function()
    local other <close> = server_to "/"
    local options = { auth = { "ada", "secret" }, cookies = { a = "1" }, headers = { ["X-A"] = "1" } }
    local same <close> = server_to "/there"
    assert(http.get(same.url, options))
    assert.matches("^Basic ", same:header "Authorization")
    assert.equal("a=1", same:header "Cookie")
    local server <close> = server_to(other.url .. "/there")
    assert(http.get(server.url, options))
    assert.equal("1", other:header "X-A")
    assert.is_nil(other:header "Authorization")
    assert.is_nil(other:header "Cookie")
    assert(http.get(server.url, { headers = { Cookie = "a=1", Authorization = "x", Host = "y" } }))
    assert.is_nil(other:header "Authorization")
    assert.is_nil(other:header "Cookie")
    assert.equal("127.0.0.1:" .. other.port, other:header "Host")
  end)

  it("take the cookies along that they set", function()
    local server <close> = RawServer.new(function(connection, request)
      connection:write(request.target == "/" and RawServer.response("", "302 Found",
        "Location: /there\r\nSet-Cookie: a=1\r\n") or RawServer.response "")
    end)
    local session <close> = http.Session()
    assert(session:get(server.url))
    assert.equal("a=1", server:header "Cookie")
  end)

  it("are followed five times, or as often as asked for", function()
    local server <close> = RawServer.new(function(connection, request)
      connection:write(to("/" .. (tonumber(request.target:match "%d+") or 0) + 1))
    end)
    local response, message, code = http.get(server.url)
    assert.is_nil(response)
    assert.equal(("http.get %s/5: more than 5 redirects, the last to /6"):format(server.url), message)
    assert.equal("EPROTO", code)
    assert.equal(6, #server.requests)
    assert.equal("EPROTO", select(3, http.get(server.url, { max_redirects = 0 })))
    assert.equal(7, #server.requests)
  end)

  it("are responses like others when they are not to be followed, or lead nowhere", function()
    local server <close> = server_to "/there"
    local response = assert(http.get(server.url, { allow_redirects = false }))
    assert.equal(302, response.status)
    assert.equal("moved", response.body)
    local nowhere <close> = RawServer.of(RawServer.response("no place", "302 Found"))
    assert.equal("no place", assert(http.get(nowhere.url)).body)
  end)

  it("are followed by a response that streams as well", function()
    local server <close> = server_to "/there"
    local response <close> = assert(http.get(server.url, { stream = true }))
    assert.equal("there", response:text())
    assert.equal(1, server.accepted)
  end)

  it("cannot send a body in pieces a second time", function()
    local server <close> = server_to("/there", "307 Again")
    local pieces = { "a", "b" }
    local _, message, code = http.post(server.url, { body = function()
      return table.remove(pieces)
    end })
    assert.matches("it redirects, and a body in pieces cannot be sent again", message)
    assert.equal("EPROTO", code)
  end)

  it("to what is no URL of HTTP are failures", function()
    for location, wanted in pairs { ["ftp://a/"] = "begins with http://", ["http://"] = "a host, or host:port",
      ["http://a b/"] = "a host of letters" } do
      local server <close> = server_to(location)
      local _, message, code = http.get(server.url)
      assert.matches("it redirects to", message)
      assert.matches(wanted, message)
      assert.equal("EPROTO", code)
    end
  end)

  it("are never followed from https to http", function()
    local certificates <close> = Certificates.new()
    local plain <close> = RawServer.of(RawServer.response "in the open")
    local secure <close> = RawServer.of(to(plain.url .. "/x"), { tls = certificates.good })
    local _, message, code = http.get(secure.url, { tls = { ca = certificates.ca.cert } })
    assert.equal(("http.get %s/: it redirects from https to %s/x, which is not followed"):format(secure.url, plain.url),
      message)
    assert.equal("EPROTO", code)
    assert.equal(0, plain.accepted)
  end)
end)
