local async = require "strobe.async"
local client = require "spec.support.http"
local http = require "strobe.http"
local reports_of = require("spec.support.reports").of

local GET, ask, ask_raw, serve, telling = client.GET, client.ask, client.ask_raw, client.serve, client.telling

describe("an answer of an HTTP server", function()
  it("has the handler's status, headers and body, and says its length, type and date", function()
    local server <close> = serve(function()
      return 201, { ["X-Key"] = "v", ["X-Count"] = 7, ["X-List"] = { "a", "b" } }, "made"
    end)
    local answer = ask(server, GET)
    assert.equal(201, answer.status)
    assert.equal("made", answer.body)
    assert.matches("^HTTP/1.1 201 Created\r\nX%-Count: 7\r\nX%-Key: v\r\nX%-List: a\r\nX%-List: b\r\n", answer.head)
    assert.equal("text/plain; charset=utf-8", answer.headers["content-type"])
    assert.equal("4", answer.headers["content-length"])
    assert.equal("Wed, 01 Jan 2020 00:00:0", answer.headers.date:sub(1, 24))
    assert.is_nil(answer.headers.connection)
  end)

  it("is JSON for a table, unless another type is told", function()
    local server <close> = serve(function(request)
      return 200, request.path == "/own" and { ["content-type"] = "application/x" } or nil, { user = "Ada" }
    end)
    local answer = ask(server, GET)
    assert.same({ '{"user":"Ada"}', "application/json" }, { answer.body, answer.headers["content-type"] })
    answer = ask(server, "GET /own HTTP/1.1\nHost: x\n\n")
    assert.equal("application/x", answer.headers["content-type"])
  end)

  it("has no body for nil, 204 and 304", function()
    local status
    local server <close> = serve(function()
      return status, nil, status ~= 200 and "dropped" or nil
    end)
    for code, length in pairs { [200] = "0", [204] = "none", [304] = "none" } do
      status = code
      local conn <close> = client.connect(server)
      client.send(conn, GET .. GET)
      for _ = 1, 2 do
        local answer = client.read(conn)
        assert.same({ code, length }, { answer.status, answer.headers["content-length"] or "none" })
      end
    end
  end)

  it("comes in chunks when its length is not known, each as soon as it is there", function()
    local server <close> = serve(function()
      local count = 0
      return 200, nil, function()
        async.sleep(1)
        count = count + 1
        return ({ "one", "", "three" })[count]
      end
    end)
    local conn <close> = client.connect(server)
    client.send(conn, GET)
    conn:read_until "\r\n\r\n"
    local begun = async.time()
    assert.equal("3\r\none\r\n", conn:read_exactly(8))
    assert.equal(1, math.floor(async.time() - begun + 0.5))
    assert.equal("5\r\nthree\r\n0\r\n\r\n", conn:read_exactly(15))
    client.send(conn, GET)
    assert.same({ "one", "three" }, client.read(conn).pieces)
  end)

  it("comes from a generator, which is closed", function()
    local ended = 0
    local count = async.generator(function(yield)
      local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
      for i = 1, 3 do
        yield(tostring(i))
      end
    end)
    local server <close> = serve(function()
      return 200, nil, count()
    end)
    assert.equal("123", ask(server, GET).body)
    assert.equal("", ask(server, "HEAD / HTTP/1.1\nHost: x\n\n").body)
    assert.equal(1, ended) -- the other has not begun
  end)

  it("to HEAD is the same without the body", function()
    local server <close> = serve(function(request)
      if request.path == "/file" then
        return 200, { ["Content-Length"] = 1000000 }
      end
      return 200, nil, request.path == "/text" and "text" or function() end
    end)
    local conn <close> = client.connect(server)
    for target, field in pairs {
      ["/text"] = "Content%-Length: 4\r\n", ["/file"] = "Content%-Length: 1000000\r\n",
      ["/pieces"] = "Transfer%-Encoding: chunked\r\n",
    } do
      client.send(conn, ("HEAD %s HTTP/1.1\nHost: x\n\n"):format(target))
      assert.matches(field, client.read(conn, "HEAD").head)
    end
  end)

  it("ends with the connection for HTTP/1.0, which may ask it to stay", function()
    local server <close> = serve(function(request)
      return 200, nil, request.path == "/" and "text" or coroutine.wrap(function()
        coroutine.yield "a"
        coroutine.yield "b"
      end)
    end)
    assert.matches("Connection: close\r\n.*\r\n\r\ntext$", ask_raw(server, "GET / HTTP/1.0\n\n"))
    local answer = ask_raw(server, "GET /pieces HTTP/1.0\nConnection: keep-alive\n\n")
    assert.matches("Connection: close\r\n.*\r\n\r\nab$", answer)
    local conn <close> = client.connect(server)
    for _ = 1, 2 do
      client.send(conn, "GET / HTTP/1.0\nConnection: keep-alive\n\n")
      local one = client.read(conn)
      assert.same({ "keep-alive", "text" }, { one.headers.connection, one.body })
    end
  end)

  it("is cut short rather than wrong when a producer gives less or more than its length", function()
    for _, text in ipairs { "short", "much too long" } do
      local server <close> = serve(function()
        local given
        return 200, { ["Content-Length"] = 8 }, function()
          if not given then
            given = true
            return text
          end
        end
      end)
      local answer
      local reports = reports_of(function()
        answer = ask_raw(server, GET)
      end)
      assert.is_true(#answer:match "\r\n\r\n(.*)$" < 8)
      assert.matches("^error in the handler of GET /\n.*Content%-Length", reports[1].message)
    end
  end)

  it("of a large string arrives whole", function()
    local large = ("0123456789abcdef"):rep(256 * 1024)
    local server <close> = serve(function()
      return 200, nil, large
    end)
    assert.is_true(ask(server, GET).body == large)
  end)
end)

describe("an HTTP handler's mistake", function()
  it("answers 500, is reported with its traceback, and ends nothing else", function()
    local server <close> = telling(function(request)
      return request.path == "/bad" and error "boom" or "fine"
    end)
    local conn <close> = client.connect(server)
    local reports = reports_of(function()
      client.send(conn, "GET /bad HTTP/1.1\nHost: x\n\n")
      local answer = client.read(conn)
      assert.same({ 500, "internal error\n" }, { answer.status, answer.body })
    end)
    assert.equal(1, #reports)
    assert.matches("^error in the handler of GET /bad\n.*boom\nstack traceback", reports[1].message)
    client.send(conn, GET)
    assert.equal("fine", client.read(conn).body)
  end)

  it("is 500 too when it returns what is no answer", function()
    local results
    local server <close> = serve(function()
      return table.unpack(results, 1, 3)
    end)
    for _, case in ipairs {
      { {}, "status: a whole number from 200 to 599 expected, got nil" },
      { { "200" }, "status: a whole number" },
      { { 199 }, "status: a whole number" },
      { { 200, { ["X-A"] = "b\r\nX-C: d" } }, 'header "X%-A": a name without blanks, and a value of one line' },
      { { 200, { ["X A"] = "b" } }, 'header "X A"' },
      { { 200, { ["X-A"] = true } }, 'header "X%-A"' },
      { { 200, { ["Transfer-Encoding"] = "gzip" } }, "Transfer%-Encoding is the server's to say" },
      { { 200, { ["Content-Length"] = "five" } }, "Content%-Length: a size expected, got five" },
      { { 200, nil, 7 }, "body: nil, a string, a table or a function expected, got number" },
      { { 200, nil, { print } }, "body: json: " },
    } do
      results = case[1]
      local reports = reports_of(function()
        assert.equal(500, ask(server, GET).status)
      end)
      assert.matches(case[2], reports[1].message)
    end
  end)

  it("in a body that has begun cuts it, and is reported", function()
    local server <close> = serve(function()
      local begun
      return 200, nil, function()
        if begun then
          error("broken pipe of thoughts", 0)
        end
        begun = true
        return "begun"
      end
    end)
    local answer
    local reports = reports_of(function()
      answer = ask_raw(server, GET)
    end)
    assert.matches("5\r\nbegun\r\n$", answer)
    assert.matches("broken pipe of thoughts", reports[1].message)
  end)

  it("of a kind has its own status", function()
    local server <close> = serve(function()
      error(http.error(404, "no such user", { ["X-Hint"] = "ask" }))
    end)
    local reports = reports_of(function()
      local answer = ask(server, GET)
      assert.same({ 404, "no such user\n", "ask" }, { answer.status, answer.body, answer.headers["x-hint"] })
    end)
    assert.same({}, reports)
  end)
end)
