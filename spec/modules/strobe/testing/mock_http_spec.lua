local async = require "strobe.async"
local http = require "strobe.http"
local json = require "strobe.json"
local mock = require "strobe.testing.mock"
local testing = require "strobe.testing"

describe("mock.http", function()
  it("answers by method and path, of any host, as often as it is asked", function()
    local web <close> = mock.http {
      ["GET /profile"] = { json = { user = "Ada" } },
      ["POST /profile"] = { status = 201, headers = { ["X-Id"] = "7" }, body = "made" },
    }
    for _ = 1, 2 do
      local response = assert(http.get "https://api.example/profile?full=1")
      assert.same({ 200, "OK", "application/json" },
        { response.status, response.reason, response.headers["content-type"] })
      assert.equal("Ada", response:json().user)
    end
    local response = assert(http.post("http://other.example/profile", { json = { name = "Bob" } }))
    assert.same({ 201, "7", "made" }, { response.status, response.headers["x-id"], response.body })
    assert.equal(3, #web.calls)
    local call = web:calls_of "POST /profile"[1]
    assert.same({ "POST", "/profile", "Bob" }, { call.method, call.path, json.decode(call.body).name })
    assert.equal("application/json", call.headers["content-type"])
    assert.equal("1", web.calls[1].query.full)
  end)

  it("takes the answer that says more: host, query, method, before * and any", function()
    local web <close> = mock.http {
      ["GET /a"] = { body = "path" },
      ["GET https://one.example/a"] = { body = "host" },
      ["GET /a?x=1&y=2"] = { body = "query" },
      ["* /a"] = { body = "any method" },
      ["GET /files/*.txt"] = { body = "pattern" },
      ["GET *"] = { status = 404 },
    }
    local function body(method, url)
      return assert(http.request(method, url)).body
    end
    assert.equal("path", body("GET", "https://two.example/a"))
    assert.equal("host", body("GET", "https://one.example/a"))
    assert.equal("query", body("GET", "https://two.example/a?y=2&x=1"))
    assert.equal("path", body("GET", "https://two.example/a?y=2"))
    assert.equal("any method", body("PUT", "https://two.example/a"))
    assert.equal("pattern", body("GET", "http://x/files/deep/b.txt"))
    assert.equal(404, assert(http.get "http://x/none").status)
    assert.equal(7, #web.calls)
  end)

  it("answers in turn, and refuses what is one too many", function()
    local web <close> = mock.http { ["GET /flaky"] = { { status = 503 }, { body = "well" } } }
    assert.equal(503, assert(http.get "http://x/flaky").status)
    assert.equal("well", assert(http.get "http://x/flaky").body)
    local none, message, code = http.get "http://x/flaky"
    assert.is_nil(none)
    assert.matches("GET /flaky was asked 3 times, and has 2 answers", message)
    assert.equal("ECONNREFUSED", code)
    assert.equal(3, #web:calls_of "GET /flaky")
  end)

  it("answers by a function, fails on demand, and takes its time", function()
    local web <close> = mock.http {
      ["POST /echo"] = function(call)
        return { json = { got = call.body } }
      end,
      ["GET /down"] = { error = "ECONNRESET" },
      ["GET /slow"] = { delay = 5, body = "late" },
      ["GET /pieces"] = { body = coroutine.wrap(function()
        coroutine.yield "a"
        coroutine.yield "b"
      end) },
    }
    assert.equal("x=1", assert(http.post("http://x/echo", { form = { x = 1 } })):json().got)
    assert.equal("ECONNRESET", select(3, http.get "http://x/down"))
    local begun = async.time()
    assert.equal("late", assert(http.get "http://x/slow").body)
    assert.equal(5, async.time() - begun)
    local _, message, code = http.get("http://x/slow", { timeout = 2 })
    assert.equal("ETIMEDOUT", code)
    assert.matches("no answer within 2 s", message)
    assert.equal(7, async.time() - begun)
    assert.equal("ab", assert(http.get "http://x/pieces").body)
    assert.equal(5, #web.calls)
  end)

  it("refuses what it does not know, and says what it has", function()
    local web <close> = mock.http { ["GET /a"] = {}, ["GET /b"] = {} }
    local none, message, code = http.get "http://x/c"
    assert.is_nil(none)
    assert.equal("ECONNREFUSED", code)
    assert.matches("mock.http has no answer for GET http://x/c; it has GET /a, GET /b", message)
    assert.is_nil(web.calls[1].key)
  end)

  it("works with sessions: base_url, redirects, retries, HEAD, raise_for_status", function()
    local web <close> = mock.http {
      ["GET https://api.example/v1/users"] = { status = 302, headers = { Location = "/v1/people" } },
      ["GET https://api.example/v1/people"] = { { status = 503 }, { json = { "Ada" } } },
      ["HEAD /v1/users"] = { headers = { ["Content-Length"] = "5" }, body = "never" },
      ["DELETE /v1/users"] = { status = 403 },
    }
    local api <close> = http.Session { base_url = "https://api.example/v1/", retries = 1 }
    assert.same({ "Ada" }, assert(api:get "users"):json())
    assert.equal("", assert(api:head "users").body)
    assert.error_matches(function()
      assert(api:delete "users"):raise_for_status()
    end, "403 Forbidden")
    assert.equal(5, #web.calls)
  end)

  it("ends with its block; the last of several is asked first, and may pass on", function()
    local outer <close> = mock.http { ["GET /a"] = { body = "outer" }, ["GET /b"] = { body = "outer" } }
    do
      local inner <close> = mock.http({ ["GET /a"] = { body = "inner" } }, { passthrough = true })
      assert.equal("inner", assert(http.get "http://x/a").body)
      assert.equal("outer", assert(http.get "http://x/b").body)
      assert.equal(1, #inner.calls)
    end
    assert.equal("outer", assert(http.get "http://x/a").body)
    assert.equal(2, #outer.calls)
  end)

  it("says what is wrong with what it is given", function()
    for expected, answers in pairs {
      ['"/a": a key as "GET /path"'] = { ["/a"] = {} },
      ['"get /a": a key as'] = { ["get /a"] = {} },
      ["there is no field 'sttaus'"] = { ["GET /a"] = { sttaus = 200 } },
      ["status: a number expected, got string"] = { ["GET /a"] = { status = "200" } },
      ["a table or a function expected, got string"] = { ["GET /a"] = "text" },
    } do
      assert.error_matches(function()
        mock.http(answers)
      end, expected, 1, true)
    end
    assert.error_matches(function()
      mock.http()
    end, "a table of answers expected, got nil")
  end)

  it("is a part of strobe.testing", function()
    assert.equal(mock, testing.mock)
  end)
end)
