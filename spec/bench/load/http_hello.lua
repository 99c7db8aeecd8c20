--- HTTP server on 127.0.0.1 that answers `hello PATH`; to /heap how many bytes Lua's objects take, and to
-- /big a mebibyte. Prints `PORT n` and serves until it is ended.
-- usage: strobe http_hello.lua
local async = require "strobe.async"
local http = require "strobe.http"

local text = { ["Content-Type"] = "text/plain" }
local big = ("b"):rep(1024 * 1024)

local function hello(request)
  local path = request.path
  if path == "/heap" then
    collectgarbage()
    collectgarbage()
    return 200, text, ("%d"):format(collectgarbage "count" * 1024)
  elseif path == "/big" then
    return 200, text, big
  end
  return 200, text, "hello " .. path
end

local server = assert(http.serve(hello, "127.0.0.1", 0))
print("PORT " .. server:port())
io.stdout:flush()
async.Event():wait()
