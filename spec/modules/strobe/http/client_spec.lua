local RawServer = require "spec.support.raw_server"
local async = require "strobe.async"
local errors = require "spec.support.errors"
local http = require "strobe.http"
local json = require "strobe.json"
local net = require "strobe.net"

local function ok()
  return RawServer.of(RawServer.response "hello")
end

local function free_port()
  local server <close> = assert(net.listen(nil, 0))
  return server:port()
end

describe("http", function()
  describe("get", function()
    it("returns the response: status, reason, headers and body", function()
      local server <close> = RawServer.of(RawServer.response("hello", "200 Fine", "X-Thing: 1\r\nx-thing:  2 \r\n"))
      local response = assert(http.get(server.url .. "/path?q=1"))
      assert.equal(200, response.status)
      assert.equal("Fine", response.reason)
      assert.equal("1.1", response.version)
      assert.equal("hello", response.body)
      assert.equal("1, 2", response.headers["x-thing"])
      assert.is_true(response.ok)
      assert.equal(server.url .. "/path?q=1", response.url)
      assert.equal("GET", server.requests[1].method)
      assert.equal("/path?q=1", server.requests[1].target)
    end)

    it("takes a name for a host, and says it in the Host header", function()
      local server <close> = ok()
      assert.equal("hello", assert(http.get(("http://localhost:%d/"):format(server.port))).body)
      assert.equal("localhost:" .. server.port, server:header "Host")
    end)

    it("uses its connection again", function()
      local server <close> = ok()
      for _ = 1, 5 do
        assert(http.get(server.url))
      end
      assert.equal(1, server.accepted)
    end)

    it("returns a response for every status, and :raise_for_status() raises for those from 400 on", function()
      local server <close> = RawServer.of(RawServer.response("gone", "404 Not Found"))
      local response = assert(http.get(server.url))
      assert.is_false(response.ok)
      local e = errors.raised_by(response.raise_for_status, response)
      assert.is_true(async.is(e, http.HTTPError))
      assert.is_true(async.is(e, async.ConnectionError))
      assert.equal(404, e.status)
      assert.equal(response, e.response)
      assert.matches("404 Not Found for GET http://127", e.message)
    end)

    it("adds params to the query, in the order of their names", function()
      local server <close> = ok()
      assert(http.get(server.url .. "/?first=0", { params = { b = "x y&", a = 1, c = { 2, "é" } } }))
      assert.equal("/?first=0&a=1&b=x+y%26&c=2&c=%C3%A9", server.requests[1].target)
    end)

    it("sends headers, several of a name, empty ones, and none that was set to false", function()
      local server <close> = ok()
      assert(http.get(server.url, { headers = { ["X-One"] = 1, ["X-Two"] = { "a", "b" }, ["X-Empty"] = "",
        ["User-Agent"] = false } }))
      local head = server.requests[1].head
      assert.matches("\r\nX%-One: 1\r\n", head)
      assert.matches("\r\nX%-Two: a\r\n", head)
      assert.matches("\r\nX%-Two: b\r\n", head)
      assert.matches("\r\nX%-Empty: ?\r\n", head)
      assert.is_nil(server:header "User-Agent")
    end)

    it("says who it is: strobe, and that it takes compressed bodies", function()
      local server <close> = ok()
      assert(http.get(server.url))
      assert.matches("^strobe/%d", server:header "User-Agent")
      assert.matches("gzip", server:header "Accept-Encoding")
    end)

    it("sends user and password, of the option or of the URL, and a token", function()
      local server <close> = ok()
      assert(http.get(server.url, { auth = { "ada", "s:cret" } }))
      assert.equal("Basic YWRhOnM6Y3JldA==", server:header "Authorization")
      assert(http.get((server.url:gsub("//", "//ada:s%%3Acret@"))))
      assert.equal("Basic YWRhOnM6Y3JldA==", server:header "Authorization")
      assert(http.get(server.url, { bearer = "token" }))
      assert.equal("Bearer token", server:header "Authorization")
    end)

    it("keeps no cookies", function()
      local server <close> = RawServer.of(RawServer.response("", nil, "Set-Cookie: a=1\r\n"))
      assert.equal("1", assert(http.get(server.url)).cookies.a)
      assert(http.get(server.url))
      assert.is_nil(server:header "Cookie")
    end)
  end)

  describe("post, put, patch", function()
    it("send a string as it is, and no type that nobody gave", function()
      local server <close> = ok()
      for _, name in ipairs { "post", "put", "patch" } do
        assert(http[name](server.url, { body = "a\0b" }))
        local request = server.requests[#server.requests]
        assert.equal(name:upper(), request.method)
        assert.equal("a\0b", request.body)
        assert.is_nil(server:header "Content-Type")
        assert.is_nil(server:header "Expect")
      end
    end)

    it("say that they have no body", function()
      local server <close> = ok()
      for _, name in ipairs { "post", "put", "patch" } do
        assert(http[name](server.url))
        assert.equal("0", server:header "Content-Length")
      end
    end)

    it("send JSON", function()
      local server <close> = ok()
      assert(http.post(server.url, { json = { name = "Ada", list = { 1, 2 } } }))
      assert.same({ name = "Ada", list = { 1, 2 } }, json.decode(server.requests[1].body))
      assert.equal("application/json", server:header "Content-Type")
      assert(http.post(server.url, { json = false, headers = { ["content-type"] = "application/x+json" } }))
      assert.equal("false", server.requests[2].body)
      assert.equal("application/x+json", server:header "Content-Type")
    end)

    it("send forms", function()
      local server <close> = ok()
      assert(http.post(server.url, { form = { { "b", "x y" }, { "a", "ü" } } }))
      assert.equal("b=x+y&a=%C3%BC", server.requests[1].body)
      assert.equal("application/x-www-form-urlencoded", server:header "Content-Type")
    end)

    it("send what a function gives, chunked, and it may wait", function()
      local server <close> = ok()
      local left = 3
      assert(http.post(server.url, { body = function()
        async.sleep(1)
        left = left - 1
        return left >= 0 and ("piece %d "):format(left) or nil
      end }))
      assert.equal("piece 2 piece 1 piece 0 ", server.requests[1].body)
      assert.equal("chunked", server:header "Transfer-Encoding")
      assert.equal(4, async.time())
    end)

    it("send it with its length when that is known", function()
      local server <close> = ok()
      local pieces = { "ab", "", "cd" }
      assert(http.put(server.url, { body_size = 4, body = function()
        return table.remove(pieces, 1)
      end }))
      assert.equal("abcd", server.requests[1].body)
      assert.equal("4", server:header "Content-Length")
    end)

    it("raise what the function raises, and leave nothing behind", function()
      local server <close> = ok()
      local message = errors.raised_by(http.post, server.url, { body = function()
        error("no more of it", 0)
      end })
      assert.equal("no more of it", message)
    end)

    it("wait for 100 Continue when asked to", function()
      local listener <close> = assert(net.listen(nil, 0))
      local task = async.create_task(http.post, ("http://127.0.0.1:%d/"):format(listener:port()), { body = "hello",
        headers = { Expect = "100-continue" } })
      local connection <close> = assert(listener:accept_one())
      local request = RawServer.read(connection, false)
      assert.matches("Expect: 100%-continue", request.head)
      assert.equal(0, (connection:buffered()))
      connection:write "HTTP/1.1 100 Continue\r\n\r\n"
      assert.equal("hello", connection:read_exactly(5))
      connection:write(RawServer.response "thanks")
      assert.equal("thanks", assert(task:await()).body)
    end)

    it("send bodies of megabytes, whole or in pieces", function()
      local server <close> = ok()
      local big = ("0123456789abcdef"):rep(256 * 1024)
      assert(http.post(server.url, { body = big }))
      assert.is_true(server.requests[1].body == big)
      local at = 0
      assert(http.post(server.url, { body = function()
        at = at + 1
        return at <= 64 and big:sub(1, 65536) or nil
      end }))
      assert.is_true(server.requests[2].body == big)
    end)
  end)

  describe("delete, options, head", function()
    it("ask by their method", function()
      local server <close> = ok()
      for _, name in ipairs { "delete", "options" } do
        assert.equal("hello", assert(http[name](server.url)).body)
        assert.equal(name:upper(), server.requests[#server.requests].method)
        assert.is_nil(server:header "Content-Length")
      end
    end)

    it("head has headers and no body", function()
      local server <close> = RawServer.of "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
      local response = assert(http.head(server.url))
      assert.equal("", response.body)
      assert.equal("1000", response.headers["content-length"])
      assert.equal("HEAD", server.requests[1].method)
      assert(http.head(server.url))
      assert.equal(1, server.accepted)
    end)
  end)

  describe("request", function()
    it("asks by any method, in any case", function()
      local server <close> = ok()
      assert(http.request("PROPFIND", server.url, { body = "x" }))
      assert.equal("PROPFIND", server.requests[1].method)
      assert(http.request("get", server.url, { body = "a body" }))
      assert.equal("GET", server.requests[2].method)
      assert.equal("a body", server.requests[2].body)
    end)

    it("returns nil, what, where and why, and a word for failures of the world", function()
      local port = free_port()
      local response, message, code = http.get(("http://user:secret@127.0.0.1:%d/a"):format(port))
      assert.is_nil(response)
      assert.equal(("http.get http://127.0.0.1:%d/a: connection refused"):format(port), message)
      assert.equal("ECONNREFUSED", code)
      response, message, code = http.post "http://no..such..name/"
      assert.is_nil(response)
      assert.matches("^http%.post http://no%.%.such%.%.name/: resolve no%.%.such%.%.name: ", message)
      assert.matches("^EAI_", code)
    end)

    it("raises for a mistake, where it was made, and names what is wrong", function()
      local wrong = {
        { "url: a string expected, got nil" },
        { "it begins with http:// or https://", "ftp://127.0.0.1/" },
        { "a host, or host:port, expected", "http:///x" },
        { "a port from 1 to 65535 expected", "http://a:70000/" },
        { "it has a control character", "http://a/b\r\nX: y" },
        { "xn%-%-", "http://bücher.example/" },
        { "there is no option 'paramz'", "http://a/", { paramz = {} } },
        { "params: a table expected, got string", "http://a/", { params = "q=1" } },
        { "timeout: seconds above 0, or false, expected, got 0", "http://a/", { timeout = 0 } },
        { "retries: an integer of 0 or more expected, got 1.5", "http://a/", { retries = 1.5 } },
        { "max_body: an integer of 0 or more expected, got %-1", "http://a/", { max_body = -1 } },
        { "only one of body, json and form expected", "http://a/", { body = "x", form = {} } },
        { "only one of auth and bearer expected", "http://a/", { bearer = "x", auth = { "a", "b" } } },
        { "body: a string, or a function", "http://a/", { body = 7 } },
        { 'header "X Y": a name without blanks', "http://a/", { headers = { ["X Y"] = "1" } } },
        { 'header "X": .* a value of one line', "http://a/", { headers = { X = "1\r\nY: 2" } } },
        { "Cannot serialise function", "http://a/", { json = { print } } },
        { "tls%.verify: a boolean expected", "http://a/", { tls = { verify = "no" } } },
        { "tls%.cipher: there is no such option", "http://a/", { tls = { cipher = "x" } } },
        { "user without ':'", "http://a/", { auth = { "a:b", "c" } } },
        { "cookie \"a\": a value without ';'", "http://a/", { cookies = { a = "1; b=2" } } },
      }
      for _, case in ipairs(wrong) do
        local done, message = pcall(function()
          http.get(case[2], case[3])
        end)
        assert.is_false(done)
        assert.matches("client_spec%.lua:%d+: http%.get", message)
        assert.matches(case[1], message)
      end
      assert.matches('method: a word such as "GET" expected', errors.raised_by(http.request, "GET /x", "http://a/"))
    end)
  end)
end)
