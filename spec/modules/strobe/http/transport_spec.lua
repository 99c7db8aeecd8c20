local async = require "strobe.async"
local http = require "strobe.http"
local transport = require "strobe.http.transport"

describe("transport", function()
  it("that is pushed answers instead of the network, until it is closed", function()
    local seen
    do
      local _ <close> = transport.push(function(request)
        seen = request
        return { status = 201, headers = { ["Content-Type"] = "text/plain", ["Set-Cookie"] = { "a=1", "b=2" } },
          body = "made up" }
      end)
      local response = assert(http.post("http://example.org/x?y=1", { json = { 1 }, headers = { ["X-A"] = "1" } }))
      assert.equal(201, response.status)
      assert.equal("made up", response.body)
      assert.equal("text/plain", response.headers["content-type"])
      assert.equal("1", response.cookies.a)
      assert.equal("2", response.cookies.b)
      assert.equal("POST", seen.method)
      assert.equal("http://example.org/x?y=1", seen.url)
      assert.equal("[1]", seen.body)
      assert.equal("1", seen.headers["x-a"])
      assert.equal("application/json", seen.headers["content-type"])
    end
    assert.equal("ECONNREFUSED", select(3, http.get "http://127.0.0.1:1/"))
  end)

  it("may pass a request on, and may fail", function()
    local order = {}
    local _ <close> = transport.push(function(_, _)
      table.insert(order, "below")
      return nil, "connection refused", "ECONNREFUSED"
    end)
    local above <close> = transport.push(function(request, next_transport)
      table.insert(order, "above")
      return next_transport(request)
    end)
    local response, message, code = http.get "http://example.org/"
    assert.is_nil(response)
    assert.equal("http.get http://example.org/: connection refused", message)
    assert.equal("ECONNREFUSED", code)
    assert.same({ "above", "below" }, order)
    above:close()
    above:close()
    http.get "http://example.org/"
    assert.same({ "above", "below", "below" }, order)
  end)

  it("is below redirects, retries and streams", function()
    local count = 0
    local _ <close> = transport.push(function(request)
      count = count + 1
      if request.parsed.path == "/" then
        return { status = 302, headers = { location = "/there" } }
      elseif count < 4 then
        return { status = 503, headers = {} }
      end
      local pieces = { "ab", "cd" }
      return { status = 200, body = function()
        async.sleep(1)
        return table.remove(pieces, 1)
      end }
    end)
    local response = assert(http.get("http://example.org/", { retries = 3 }))
    assert.equal("abcd", response.body)
    assert.equal("http://example.org/there", response.url)
    count = 9
    local streamed <close> = assert(http.get("http://example.org/x", { stream = true }))
    local got = {}
    for piece in streamed:chunks(1) do
      table.insert(got, piece)
    end
    assert.same({ "a", "b", "c", "d" }, got)
  end)
end)
