--- The ports that every runtime has: "out" prints a line, "file" appends one, "http" sends and asks.

local fs = require "strobe.async.fs"

local function print_line(value)
  io.stdout:write(tostring(value), "\n")
  return true
end

-- Appends a line.
local function append_file(value)
  if type(value) ~= "table" or type(value.path) ~= "string" then
    return nil, "file: {path=, text=} expected", "EINVAL"
  end
  local file <close>, message, code = fs.open(value.path, "a")
  if not file then
    return nil, message, code
  end
  return file:write(tostring(value.text) .. "\n")
end

local function request_http(value)
  local http = require "strobe.http"
  local response, message, code = http.request(value.method or "POST", value.url, value.options)
  if not response then
    return nil, message, code
  end
  return { status = response.status, body = response.body }
end

local function get_http(value)
  return request_http { method = "GET", url = type(value) == "table" and value.url or value }
end

---@type table<string, strobe.live.PortFunctions>
return {
  out = { send = print_line, immediate = true },
  file = { send = append_file },
  http = { send = request_http, query = get_http },
}
