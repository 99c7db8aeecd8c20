--- Multicast on the loopback, for specs with real sockets: on a port of their own.

local Link = require "strobe.discovery.link"
local async = require "strobe.async"
local interfaces = require "strobe.discovery.interface"
local uv = require "luv"

local GROUP = "239.255.83.66"

local multicast = {}

local function free_port()
  local udp = uv.new_udp "inet"
  udp:bind("127.0.0.1", 0)
  local port = udp:getsockname().port
  udp:close()
  return port
end

local function loopback()
  for _, interface in ipairs(interfaces.all()) do
    if interface.loopback then
      return interface
    end
  end
end

-- What is wrong with multicast on the loopback; nothing when it works.
local function trouble(port)
  local interface = loopback()
  if not interface then
    return "there is no loopback interface"
  end
  local link <close>, message = Link.open { group = GROUP, port = port, interfaces = { interface } }
  local sent
  if link then
    sent, message = link:multicast("hello", 1)
  end
  if not sent then
    return message
  end
  local heard, bytes = async.move_on_after(1, link.receive, link)
  return not (heard and bytes == "hello") and "what is sent to all reaches nobody" or nil
end

--- A group for one spec, such as 239.255.83.66:40000; nil and why not.
---@async
---@return string? group
---@return string? reason
function multicast.group()
  local port = free_port()
  local reason = trouble(port)
  if reason then
    return nil, "no multicast on the loopback: " .. reason
  end
  return ("%s:%d"):format(GROUP, port)
end

--- The function of an `it` that needs a group; without multicast it is skipped, and says why.
---@param f fun(group: string)
---@return fun()
function multicast.with_group(f)
  return function()
    local group, reason = multicast.group()
    if not group then
      pending(reason) -- luacheck: ignore
    else
      f(group)
    end
  end
end

return multicast
