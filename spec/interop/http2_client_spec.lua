-- Our HTTP client and Node's HTTP/2 server; what that serves is said in the head of peers/http2_server.js.

local Certificates = require "spec.support.certificates"
local async = require "strobe.async"
local child = require "spec.support.child"
local cleanup = require "spec.support.cleanup"
local http = require "strobe.http"

local SERVER = debug.getinfo(1, "S").source:match "^@(.*/)" .. "peers/http2_server.js"
local BIG = 8 * 1024 * 1024

-- Runs f(session, base) against the server.
local function with_server(f)
  return function()
    if os.execute "node -e 'require(\"http2\")' >/dev/null 2>&1" ~= true then
      pending "there is no node (apt-get install nodejs)"
      return
    end
    local certificates <close> = Certificates.new()
    local server <close> = child.spawn("timeout", { "30", "node", SERVER, certificates.good.key,
      certificates.good.cert })
    local _ <close> = cleanup(function()
      server:kill "sigterm" -- which `timeout` passes on
      server:wait()
    end)
    local base = "localhost:" .. server:expect("stdout", "PORT (%d+)\n")
    local session <close> = http.Session { base_url = ("https://%s/"):format(base),
      tls = { ca = certificates.ca.cert } }
    f(session, base)
  end
end

describe("HTTP/2 with Node", function()
  it("is what TLS negotiates", with_server(function(session, base)
    local response = assert(session:get "path?q=1")
    assert.equal("2", response.version)
    assert.equal("", response.reason)
    assert.equal(base .. "/path?q=1", response.body)
    assert.same({ a = "1", b = "2" }, response.cookies)
  end))

  it("answers many requests at a time", with_server(function(session, base)
    local tasks = {}
    for i = 1, 50 do
      tasks[i] = async.create_task(session.get, session, "n" .. i)
    end
    for i = 1, 50 do
      assert.equal(("%s/n%d"):format(base, i), assert(tasks[i]:await()).body)
    end
  end))

  it("brings bodies whole, in pieces to a slow reader, and in part", with_server(function(session)
    assert.equal(BIG, #assert(session:get "big").body)
    local response <close> = assert(session:get("big", { stream = true }))
    local size, pieces = 0, 0
    for piece in response:chunks() do
      size, pieces = size + #piece, pieces + 1
      if pieces % 20 == 0 then
        async.sleep(0.005)
      end
    end
    assert.equal(BIG, size)
    do
      local left <close> = assert(session:get("big", { stream = true }))
      assert.equal("xx", left:read(2))
    end
    local slow <close> = assert(session:get("slow", { stream = true }))
    assert.equal("a", slow:read())
    assert.equal("b", slow:read())
    assert.equal("", slow:read())
  end))

  it("takes bodies whole and in pieces", with_server(function(session)
    assert.equal("3000000", assert(session:post("", { body = ("x"):rep(3000000) })).headers["x-size"])
    local left = 100
    local response = assert(session:post("", { body = function()
      left = left - 1
      if left % 30 == 0 then
        async.sleep(0.005)
      end
      return left >= 0 and ("x"):rep(10000) or nil
    end }))
    assert.equal("1000000", response.headers["x-size"])
  end))

  it("ends one request without the others", with_server(function(session, base)
    local slow = async.create_task(session.get, session, "slow")
    assert.equal("ETIMEDOUT", select(3, session:get("slow", { timeout = 0.05 })))
    assert.equal(base .. "/other", assert(session:get "other").body)
    assert.equal("ab", assert(slow:await()).body)
  end))
end)
