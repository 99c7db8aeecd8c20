-- Code that asks the web, tried without the web: good answers, flaky ones, slow ones, and who cannot be reached.
-- In Python: aioresponses, whose m.get(url, payload=…) takes the place of aiohttp's requests.
-- Here: mock.http takes a table of answers; while it is open no request leaves the process. `delay` is the loop's time.

local async = require "strobe.async"
local http = require "strobe.http"
local mock = require "strobe.testing.mock"

local web <close> = mock.http {
  ["GET /profile"] = { json = { user = "Ada" } }, -- each time
  ["GET /flaky"] = { { status = 503 }, { body = "well" } }, -- one after the other
  ["GET /slow"] = { delay = 60, body = "late" },
  ["GET /gone"] = { error = "ECONNREFUSED" },
  ["POST /orders"] = function(request) -- made when it is asked for
    return { status = 201, json = { symbol = request.query.symbol, bytes = #request.body } }
  end,
}

local began = async.time()

local function say(text, ...)
  print(("%4.1f s  " .. text):format(async.time() - began, ...))
end

local api <close> = http.Session { base_url = "https://api.example/" }

say("hello, %s", assert(api:get "profile"):json().user)
say("flaky: %s", assert(api:get("flaky", { retries = 1 })).body)
say("slow: %s", select(3, api:get("slow", { timeout = 2 })))
say("gone: %s", select(3, api:get "gone"))
local order = assert(api:post("orders", { params = { symbol = "BTC" }, body = "buy 1" }))
say("ordered %s: %d, %d bytes", order:json().symbol, order.status, order:json().bytes)
print(#web.calls .. " requests, and nobody was asked")
