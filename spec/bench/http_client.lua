--- HTTP client: COUNT requests GET over kept-alive connections, 16 at a time.
-- usage: strobe http_client.lua PORT COUNT
local async = require "strobe.async"
local http = require "strobe.http"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local port, count = tonumber(arg[1]), tonumber(arg[2])
local AT_ONCE = 16

local session <close> = http.Session()
local url = ("http://127.0.0.1:%d/"):format(port)

local function ask()
  for _ = 1, count // AT_ONCE do
    local response = assert(session:get(url))
    assert(response.status == 200 and #response.body == 13)
  end
end

local wall, cpu = measure.best(function()
  local tasks = {}
  for i = 1, AT_ONCE do
    tasks[i] = async.create_task(ask)
  end
  async.gather(tasks)
end)
measure.result("gets_per_s", count / wall, "gets/s")
measure.result("gets_per_cpu_s", count / cpu, "gets/cpu-s")
