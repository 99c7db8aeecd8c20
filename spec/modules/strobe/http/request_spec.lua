local async = require "strobe.async"
local client = require "spec.support.http"
local http = require "strobe.http"

-- What f(request) returns while a server is asked.
local function handled(text, f, options)
  local results
  local server <close> = assert(http.serve(function(request)
    results = table.pack(f(request))
    return 200, nil, "seen"
  end, "127.0.0.1", 0, options))
  local answer = client.ask(server, text)
  return answer, table.unpack(results, 1, results.n)
end

local function post(body, headers)
  return ("POST / HTTP/1.1\nHost: x\nContent-Length: %d\n%s\n%s"):format(#body, headers or "", body)
end

describe("a request", function()
  it("has method, path, query, headers and peer", function()
    local text = "GET /a%20b/c?x=1&y=%26&x=2&z HTTP/1.1\nHost: example.org\nX-A: 1\nx-a: 2\nCookie: k\n\n"
    local _, request = handled(text, function(request)
      return request, request.remote, request.query
    end)
    assert.equal("GET", request.method)
    assert.equal("/a b/c", request.path)
    assert.equal("/a%20b/c?x=1&y=%26&x=2&z", request.target)
    assert.equal("x=1&y=%26&x=2&z", request.query_string)
    assert.same({ x = "2", y = "&", z = "" }, request.query)
    assert.same({ host = "example.org", ["x-a"] = "1, 2", cookie = "k" }, request.headers)
    assert.same({ "1.1", "example.org", "http", "127.0.0.1" },
      { request.version, request.host, request.scheme, request.remote })
    assert.equal("<HTTP request GET /a%20b/c?x=1&y=%26&x=2&z>", tostring(request))
  end)

  it("in a proxy's form names its own host", function()
    local _, path, host, query = handled("GET http://y.example?q HTTP/1.1\nHost: x\n\n", function(request)
      return request.path, request.host, request.query_string
    end)
    assert.same({ "/", "y.example", "q" }, { path, host, query })
  end)

  it("gives its body whole, as often as it is asked", function()
    local _, first, second = handled(post "hello", function(request)
      return request:read(), (request:read())
    end)
    assert.same({ "hello", "hello" }, { first, second })
    local _, empty = handled("GET / HTTP/1.1\nHost: x\n\n", function(request)
      return (request:read())
    end)
    assert.equal("", empty)
  end)

  it("gives its body as it comes", function()
    local server <close> = assert(http.serve(function(request)
      local sizes = {}
      for bytes in request:chunks() do
        sizes[#sizes + 1] = #bytes
      end
      return 200, nil, table.concat(sizes, " ")
    end, "127.0.0.1", 0))
    local conn <close> = client.connect(server)
    client.send(conn, "POST / HTTP/1.1\nHost: x\nContent-Length: 6\n\n")
    for _, bytes in ipairs { "a", "bc", "def" } do
      async.sleep(1)
      conn:send(bytes)
    end
    assert.equal("1 2 3", client.read(conn).body)
  end)

  it("gives its JSON, or 400", function()
    local _, value = handled(post '{"a":[1,null]}', function(request)
      return request:json()
    end)
    assert.equal(1, value.a[1])
    local answer = handled(post "{", function(request)
      local _, e, code = request:json()
      assert.same({ 400, "EPROTO" }, { e.status, code })
      return 1
    end)
    assert.equal(200, answer.status)
  end)

  it("gives its form, or 415", function()
    local kind = "Content-Type: Application/X-WWW-Form-URLEncoded; charset=utf-8\n"
    local _, form = handled(post("a=1+2&b=%C3%BC&c", kind), function(request)
      return request:form()
    end)
    assert.same({ a = "1 2", b = "ü", c = "" }, form)
    local _, none, e = handled(post "a=1", function(request)
      return request:form()
    end)
    assert.same({ nil, 415 }, { none, e.status })
  end)

  it("with Expect is told to continue when its body is wanted", function()
    local server <close> = assert(http.serve(function(request)
      async.sleep(5)
      return 200, nil, request.path == "/read" and request:read() or "unread"
    end, "127.0.0.1", 0))
    local conn <close> = client.connect(server)
    local head = "POST %s HTTP/1.1\nHost: x\nExpect: 100-Continue\nContent-Length: 2\n\n"
    client.send(conn, head:format "/read")
    assert.equal("HTTP/1.1 100 Continue\r\n\r\n", conn:read_until "\r\n\r\n")
    assert.equal(5, math.floor(async.time() + 0.5))
    conn:send "ok"
    assert.equal("ok", client.read(conn).body)
    client.send(conn, head:format "/no")
    local answer = client.read(conn)
    assert.same({ "unread", "close" }, { answer.body, answer.headers.connection })
  end)

  it("with Expect is told to continue before the head of an answer that reads on, never after it", function()
    local server <close> = assert(http.serve(function(request)
      local done
      return request.path == "/refused" and 403 or 200, nil, function()
        if not done then
          done = true
          return request:read() or "nothing came"
        end
      end
    end, "127.0.0.1", 0))
    local conn <close> = client.connect(server)
    local head = "POST %s HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 2\n\n"
    for _ = 1, 2 do
      client.send(conn, head:format "/taken")
      assert.equal("HTTP/1.1 100 Continue\r\n\r\n", conn:read_until "\r\n\r\n")
      conn:send "ok"
      assert.equal("ok", client.read(conn).body)
    end
    client.send(conn, head:format "/refused")
    local answer = client.read(conn)
    assert.same({ 403, "nothing came", "close" }, { answer.status, answer.body, answer.headers.connection })
  end)

  it("with Expect and no body has nothing to wait for", function()
    local server <close> = assert(http.serve(function(request)
      return 200, nil, request.path == "/read" and #request:read() .. " bytes" or "unread"
    end, "127.0.0.1", 0))
    local conn <close> = client.connect(server)
    for path, body in pairs { ["/read"] = "0 bytes", ["/no"] = "unread" } do
      for _, length in ipairs { "", "Content-Length: 0\n" } do
        client.send(conn, ("POST %s HTTP/1.1\nHost: x\nExpect: 100-continue\n%s\n"):format(path, length))
        local answer = client.read(conn)
        assert.same({ 200, body }, { answer.status, answer.body })
      end
    end
  end)

  it("whose body nobody reads makes way for the next, if that is short", function()
    local server <close> = assert(http.serve(function(request)
      return 200, nil, request.path
    end, "127.0.0.1", 0))
    local conn <close> = client.connect(server)
    client.send(conn, post(("x"):rep(60000)) .. "GET /next HTTP/1.1\nHost: x\n\n")
    assert.equal("/", client.read(conn).body)
    assert.equal("/next", client.read(conn).body)
    client.send(conn, post(("x"):rep(70000)))
    assert.equal("close", client.read(conn).headers.connection)
  end)

  it("is 413 when its body is too large, whatever the handler makes of that", function()
    local options = { max_body = 10 }
    local chunked = "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n6\nabcdef\n6\nghijkl\n0\n\n"
    local answer, none, e, code = handled(chunked, function(request)
      return request:read()
    end, options)
    assert.same({ 413, "a body of more than 10 bytes\n" }, { answer.status, answer.body })
    assert.same({ nil, 413, "EMSGSIZE" }, { none, e.status, code })
    assert.equal("close", answer.headers.connection)
    answer = handled(chunked, function(request)
      local chunks = request:chunks()
      return chunks(), chunks(), chunks()
    end, { max_body = 12 })
    assert.equal(200, answer.status)
    local server <close> = assert(http.serve(function(request)
      local body, why = request:read()
      if not body then -- as assert() does
        error(why)
      end
      return 200, nil, body
    end, "127.0.0.1", 0, options))
    assert.equal(413, client.ask(server, chunked).status)
  end)

  it("is 400 when its body is malformed", function()
    local text = "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n1\nab"
    local answer, none, e, code = handled(text, function(request)
      return request:read()
    end)
    assert.same({ 400, nil, 400, "EPROTO" }, { answer.status, none, e.status, code })
  end)

  it("gives no more once it was answered", function()
    local kept
    handled(post "abc", function(request)
      kept = request
    end)
    local none, _, code = kept:read()
    assert.same({ nil, "ECANCELED" }, { none, code })
  end)
end)
