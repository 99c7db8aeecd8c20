local RawServer = require "spec.support.raw_server"
local async = require "strobe.async"
local collector = require "spec.support.collector"
local errors = require "spec.support.errors"
local http = require "strobe.http"
local net = require "strobe.net"
local shell = require "spec.support.shell"

local function ok(body)
  return RawServer.of(RawServer.response(body or "hello"))
end

-- Answers only when the spec says so.
local function held()
  local event = async.Event()
  return RawServer.new(function(connection)
    event:wait()
    connection:write(RawServer.response "late")
  end), event
end

local function failure(response, message, code)
  assert.is_nil(response)
  return { message, code }
end

describe("http.Session", function()
  it("joins URLs to its base as a browser does", function()
    local server <close> = ok()
    local session <close> = http.Session { base_url = server.url .. "/api/v1/" }
    for _, case in ipairs { { "users/7", "/api/v1/users/7" }, { "/top?x=1", "/top?x=1" }, { "../v2/", "/api/v2/" },
      { "", "/api/v1/" }, { "?q", "/api/v1/?q" }, { server.url .. "/x", "/x" } } do
      assert(session:get(case[1]))
      assert.equal(case[2], server.requests[#server.requests].target)
    end
  end)

  it("sends its headers and params with each request, which may say otherwise", function()
    local server <close> = ok()
    local session <close> = http.Session { headers = { ["X-A"] = "1", ["X-B"] = "2" }, params = { key = "k" } }
    assert(session:get(server.url, { headers = { ["x-b"] = "3", ["X-A"] = false }, params = { q = 1 } }))
    assert.is_nil(server:header "X-A")
    assert.equal("3", server:header "X-B")
    assert.equal("/?key=k&q=1", server.requests[1].target)
  end)

  it("has a method for each of HTTP's", function()
    local server <close> = ok()
    local session <close> = http.Session()
    for _, name in ipairs { "get", "post", "put", "patch", "delete", "options" } do
      assert(session[name](session, server.url))
      assert.equal(name:upper(), server.requests[#server.requests].method)
    end
    assert(session:request("TRACE", server.url))
    assert.equal(1, server.accepted)
  end)

  it("gives its credentials to its base only", function()
    local server <close> = ok()
    local other <close> = ok()
    local session <close> = http.Session { base_url = server.url, bearer = "token" }
    assert(session:get "/")
    assert.equal("Bearer token", server:header "Authorization")
    assert(session:get(other.url))
    assert.is_nil(other:header "Authorization")
  end)

  it("refuses options that are none, and those of a request", function()
    for option, wanted in pairs { base = "there is no option 'base'", body = "body belongs to a request",
      base_url = "base_url: a string expected, got boolean", cookies = "cookies: a boolean expected" } do
      local value = true
      if option == "cookies" then
        value = "yes"
      end
      local message = errors.raised_by(http.Session, { [option] = value })
      assert.matches(wanted, message)
    end
    for _, value in ipairs { 0, -1, 1.5, "1" } do
      assert.matches("max_connections: an integer above 0 expected",
        errors.raised_by(http.Session, { max_connections = value }))
    end
    assert.matches("no URL", errors.raised_by(http.Session, { base_url = "example.org" }))
  end)

  describe("cookies", function()
    local function cookies()
      return RawServer.new(function(connection, request)
        local name = request.target:match "set=(%w+)"
        connection:write(RawServer.response("", nil, name and ("Set-Cookie: %s=1; Path=/\r\n"):format(name) or ""))
      end)
    end

    it("come back to the host that set them, and to no other", function()
      local server <close> = cookies()
      local session <close> = http.Session()
      assert(session:get(server.url .. "/?set=one"))
      assert(session:get(server.url))
      assert.equal("one=1", server:header "Cookie")
      assert(session:get(("http://localhost:%d/"):format(server.port)))
      assert.is_nil(server:header "Cookie")
    end)

    it("may be added to a request", function()
      local server <close> = cookies()
      local session <close> = http.Session()
      assert(session:get(server.url .. "/?set=one"))
      assert(session:get(server.url, { cookies = { b = "2", a = "1" } }))
      assert.equal("one=1; a=1; b=2", server:header "Cookie")
    end)

    it("are forgotten when nobody wants them, and with their session", function()
      local server <close> = cookies()
      local without <close> = http.Session { cookies = false }
      assert(without:get(server.url .. "/?set=one"))
      assert(without:get(server.url))
      assert.is_nil(server:header "Cookie")
      for _ = 1, 2 do
        local session <close> = http.Session()
        assert(session:get(server.url .. "/?set=two"))
        assert.is_nil(server:header "Cookie")
      end
    end)
  end)

  describe("connections", function()
    local function get_all(session, url, count)
      local tasks = {}
      for i = 1, count do
        tasks[i] = async.create_task(function()
          return assert(session:get(url)).body
        end)
      end
      return async.gather(tasks)
    end

    it("are as many as there are requests at a time, and used again", function()
      local server <close> = ok()
      local session <close> = http.Session()
      for _ = 1, 3 do
        get_all(session, server.url, 8)
      end
      assert.equal(8, server.accepted)
      assert.equal(24, #server.requests)
    end)

    it("are never more than max_connections: further requests wait", function()
      for _, option in ipairs { "max_connections", "max_connections_per_host" } do
        local server, event = held()
    local _ <close> = server
        local session <close> = http.Session { [option] = 2 }
        local all = async.create_task(get_all, session, server.url, 6)
        async.sleep(1)
        assert.equal(2, server.accepted)
        event:set()
        all:await()
        assert.equal(2, server.accepted)
        assert.equal(6, #server.requests)
      end
    end)

    it("that the server has closed meanwhile are no failure", function()
      local server <close> = RawServer.new(function(connection)
        connection:write(RawServer.response "bye")
        return "close"
      end)
      local session <close> = http.Session()
      for _ = 1, 3 do
        assert.equal("bye", assert(session:get(server.url)).body)
      end
      assert.equal(3, server.accepted)
    end)

    it("go when the session is closed", function()
      local closed = async.Event()
      local server <close> = RawServer.new(function(connection)
        connection:write(RawServer.response "hello")
        connection:read()
        closed:set()
        return "close"
      end)
      do
        local session <close> = http.Session()
        assert(session:get(server.url))
      end
      closed:wait()
    end)

    it("go when the session is collected", function()
      local closed = async.Event()
      local server <close> = RawServer.new(function(connection)
        connection:write(RawServer.response "hello")
        connection:read()
        closed:set()
        return "close"
      end)
      assert(http.Session():get(server.url))
      collector.collect()
      closed:wait()
    end)

    it("go through a unix socket", function()
      local path = os.tmpname()
      os.remove(path)
      local server <close> = RawServer.new(function(connection)
        connection:write(RawServer.response "by a file")
      end, { unix = path })
      local session <close> = http.Session { unix = path, base_url = "http://service/" }
      assert.equal("by a file", assert(session:get "status").body)
      assert.equal("service", server:header "Host")
      assert.equal("ENOENT", failure(session:get("x", { unix = path .. "none" }))[2])
    end)
  end)

  describe("close", function()
    it("ends requests on their way, and refuses further ones", function()
      local server <close> = held()
      local session = http.Session()
      local task = async.create_task(session.get, session, server.url)
      async.sleep(1)
      session:close()
      session:close()
      local expected = ("http.get %s/: the session, or the response, was closed"):format(server.url)
      assert.same({ expected, "ECANCELED" }, failure(task:await()))
      assert.same({ ("http.get %s/: the session is closed"):format(server.url), "ECANCELED" },
        failure(session:get(server.url)))
    end)

    it("ends requests that wait for a connection", function()
      local server <close> = held()
      local session = http.Session { max_connections = 1 }
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = async.create_task(session.get, session, server.url)
      end
      async.sleep(1)
      session:close()
      for _, task in ipairs(tasks) do
        assert.equal("ECANCELED", failure(task:await())[2])
      end
    end)

    it("cuts a response that streams", function()
      local server <close> = RawServer.new(function(connection)
        connection:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
        connection:read()
      end)
      local session = http.Session()
      local response <close> = assert(session:get(server.url, { stream = true }))
      assert.equal("hello", response:read())
      session:close()
      assert.equal("ECANCELED", failure(response:read())[2])
    end)
  end)

  describe("timeout", function()
    it("ends a request after so many seconds of the loop's clock", function()
      local server <close> = held()
      local session <close> = http.Session { timeout = 7 }
      local expected = ("http.get %s/: no answer within 7 s"):format(server.url)
      assert.same({ expected, "ETIMEDOUT" }, failure(session:get(server.url)))
      assert.equal(7, async.time())
      assert.equal("ETIMEDOUT", failure(session:get(server.url, { timeout = 1 }))[2])
      assert.equal(8, async.time())
    end)

    it("is 300 s, and false is none", function()
      local output, status = shell.lua [[
        local http, net = require "strobe.http", require "strobe.net"
        local server = assert(net.listen(nil, 0))
        async.create_task(function()
          for connection in server:accept() do
            connection:read()
            async.sleep(1000)
            connection:write "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
          end
        end)
        local url = ("http://127.0.0.1:%d/"):format(server:port())
        print(select(3, http.get(url)), async.time())
        print(assert(http.get(url, { timeout = false })).body, async.time())
        server:close()
      ]]
      assert.equal("ETIMEDOUT\t300.0\nlate\t2000.0\n", output)
      assert.equal(0, status)
    end)

    it("counts the body, and the whole of redirects", function()
      local server <close> = RawServer.new(function(connection, request)
        async.sleep(4)
        if request.target == "/body" then
          connection:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
          async.sleep(100)
        end
        connection:write(RawServer.response("", "302 Found", "Location: /body\r\n"))
      end)
      local session <close> = http.Session { timeout = 10 }
      assert.equal("ETIMEDOUT", failure(session:get(server.url))[2])
      assert.equal(10, async.time())
    end)

    it("counts the sending of a body in pieces", function()
      local listener <close> = assert(net.listen(nil, 0))
      local response, _, code = http.post(("http://127.0.0.1:%d/"):format(listener:port()), { timeout = 3,
        body = function()
          return ("x"):rep(65536)
        end })
      assert.is_nil(response)
      assert.equal("ETIMEDOUT", code)
      assert.equal(3, async.time())
    end)

    it("of a connection, with its TLS, is in real time", function()
      local output = shell.lua([[
        local http, net = require "strobe.http", require "strobe.net"
        local server = assert(net.listen(nil, 0)) -- nobody accepts
        local _, message, code = http.get(("https://127.0.0.1:%d/"):format(server:port()), { connect_timeout = 0.05 })
        print((message:gsub("%d+", "N")), code)
        server:close()
      ]], "live")
      local expected = "http.get https://N.N.N.N:N/: no connection within N.N s (SSL connection timeout)\tETIMEDOUT\n"
      assert.equal(expected, output)
    end)
  end)

  describe("max_body", function()
    it("ends a response with a larger body, whatever its head says", function()
      local big = ("x"):rep(1001)
      for _, bytes in ipairs {
        RawServer.response(big),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" .. big .. "\r\n0\r\n\r\n",
      } do
        local server <close> = RawServer.of(bytes)
        local session <close> = http.Session { max_body = 1000 }
        local expected = ("http.get %s/: the body has more than 1000 bytes: raise max_body, or stream it")
        assert.same({ expected:format(server.url), "EMSGSIZE" }, failure(session:get(server.url)))
        assert.equal(1001, #assert(session:get(server.url, { max_body = 1001 })).body)
      end
    end)
  end)

  describe("cancellation", function()
    it("is possible anywhere, and leaves nothing behind", function()
      local server <close> = RawServer.new(function(connection)
        connection:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
        async.sleep(1)
        connection:write "world"
      end)
      local session <close> = http.Session()
      local url = ("http://localhost:%d/"):format(server.port)
      for turns = 0, 30 do
        local task = async.create_task(session.post, session, url, { body = function()
          return nil
        end })
        for _ = 1, turns do
          async.sleep(0)
        end
        task:cancel()
        assert.is_true(async.is(errors.raised_by(task.await, task), async.CancelledError))
      end
      async.sleep(5)
      assert.equal("helloworld", assert(session:get(url)).body)
    end)
  end)
end)
