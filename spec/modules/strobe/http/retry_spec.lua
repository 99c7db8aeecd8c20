local RawServer = require "spec.support.raw_server"
local async = require "strobe.async"
local http = require "strobe.http"
local net = require "strobe.net"

-- Answers by that status so many times, then well.
local function server_failing(times, status, fields)
  return RawServer.new(function(connection, _, count)
    connection:write(count <= times and RawServer.response("later", status or "503 Busy", fields)
      or RawServer.response "now")
  end)
end

describe("retries", function()
  it("are none unless asked for", function()
    local server <close> = server_failing(1)
    assert.equal(503, assert(http.get(server.url)).status)
    assert.equal(1, #server.requests)
  end)

  it("try again after 429, 502, 503 and 504, with pauses that double and vary", function()
    for _, status in ipairs { "429 Too Many", "502 Bad Gateway", "503 Busy", "504 Late" } do
      local server <close> = server_failing(3, status)
      local began = async.time()
      local response = assert(http.get(server.url, { retries = 3 }))
      assert.equal("now", response.body)
      local taken = async.time() - began -- 0.5, 1 and 2 s, each at least by half
      assert.is_true(taken >= 1.75 and taken <= 3.5)
    end
  end)

  it("give up after so many, with the last response", function()
    local server <close> = server_failing(9)
    assert.equal(503, assert(http.get(server.url, { retries = 2 })).status)
    assert.equal(3, #server.requests)
  end)

  it("do what Retry-After says, unless that is too long", function()
    local server <close> = server_failing(1, "503 Busy", "Retry-After: 30\r\n")
    assert.equal("now", assert(http.get(server.url, { retries = 1 })).body)
    assert.equal(30, async.time())
    for _, fields in ipairs { "Retry-After: 121\r\n", "Retry-After: 30\r\n" } do
      local other <close> = server_failing(1, "503 Busy", fields)
      local options = { retries = 1, timeout = fields:find "121" and 300 or 20 }
      assert.equal(503, assert(http.get(other.url, options)).status)
      assert.equal(30, async.time())
    end
  end)

  it("wait until the date that Retry-After says, by the server's clock", function()
    for fields, seconds in pairs {
      ["Date: Sun, 06 Nov 1994 08:49:00 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"] = 37,
      ["Date: Sun, 06 Nov 1994 08:49:00 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:48:00 GMT\r\n"] = 0,
    } do
      local server <close> = server_failing(1, "503 Busy", fields)
      local began = async.time()
      assert.equal("now", assert(http.get(server.url, { retries = 1 })).body)
      assert.equal(seconds, async.time() - began)
    end
  end)

  it("pause as if nothing was said for a Retry-After that is neither", function()
    local server <close> = server_failing(1, "503 Busy", "Retry-After: soon\r\n")
    local began = async.time()
    assert.equal("now", assert(http.get(server.url, { retries = 1 })).body)
    local taken = async.time() - began
    assert.is_true(taken >= 0.25 and taken <= 0.5)
  end)

  it("try again when there is no connection, or it breaks", function()
    local listener = assert(net.listen(nil, 0))
    local port = listener:port()
    listener:close()
    async.create_task(function()
      async.sleep(0.3)
      local server <close> = assert(net.listen(nil, port))
      server:accept_one():abort() -- breaks
      local connection <close> = assert(server:accept_one())
      RawServer.read(connection)
      connection:write(RawServer.response "at last")
    end)
    assert.equal("at last", assert(http.get(("http://127.0.0.1:%d/"):format(port), { retries = 4 })).body)
  end)

  it("are for requests that may be made twice, and statuses that may pass", function()
    local server <close> = server_failing(9)
    assert.equal(503, assert(http.post(server.url, { retries = 3 })).status)
    assert.equal(1, #server.requests)
    assert(http.put(server.url, { retries = 1, body = "x" }))
    assert.equal(3, #server.requests)
    assert(http.put(server.url, { retries = 1, body = function() end }))
    assert.equal(4, #server.requests)
    local wrong <close> = server_failing(9, "500 Wrong")
    assert.equal(500, assert(http.get(wrong.url, { retries = 3 })).status)
    assert.equal(1, #wrong.requests)
  end)
end)
