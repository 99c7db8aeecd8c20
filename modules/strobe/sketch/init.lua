--- strobe.sketch: circuits of components that talk over WebSocket, each in a process of its own or all in one.
--
--   local IOPin = sketch.component "IOPin"
--   function IOPin:setup() self.state = 0 end                    -- once
--   function IOPin:loop(channel, message)                        -- for each message that comes
--     self.state = 1 - self.state
--     self:out(self.state)                                       -- prints "[ IOPin ] 1"
--     return self.state                                          -- the acknowledgement; "n/a" without
--   end
--   assert(IOPin():run("127.0.0.1", 8765))
--
-- The channel is who sent a message: the name of that component in lower case. On the wire everything is plain
-- text, so that any WebSocket client may join in:
--
--   ws://HOST:PORT/clock            each message of the "clock" is answered with one acknowledgement, in order
--   ws://HOST:PORT/buzzer?listen    the "buzzer" is told what the component pushes; it sends nothing
--   ws://HOST:PORT/                 is the channel "peer"; the answer's header `Component` has our name
--
-- Components find each other by name, on one machine or on a network, when they are announced:
--
--   IOPin():serve("0.0.0.0", 0, { announce = true })             -- as "iopin", on any port that is free
--   Clock():connect "iopin"
--
-- A component's loop takes one message at a time, whoever sends them: two components whose loops wait for each
-- other wait for ever. What is pushed waits for nobody and is not acknowledged; a listener that cannot
-- follow is closed with 1008.

local Link = require "strobe.sketch.link"
local async = require "strobe.async"
local place = require "strobe.sketch.place"
local words = require "strobe.sketch.words"
local ws = require "strobe.ws"

local NOBODY = "peer" -- the channel of who does not say its name

---@class strobe.sketch.Component what `sketch.component` makes; `setup`, `loop` and the like are for you to define
---@field name string
---@field private lock strobe.Lock  held while the loop runs
---@field private ended strobe.async.Event
---@field private server? strobe.ws.Server
---@field private listeners table<strobe.ws.Connection, true>
---@field private place? strobe.sketch.Place while it is announced
local Component = {}

-- luacheck: push ignore 212

--- Called once, with the arguments of the constructor, before anything else. Yours to define.
---@async
---@param ... any
function Component:setup(...)
end

--- Called for each message. Yours to define; it may wait, and the next message waits for it then.
---@async
---@param channel string who sent it
---@param message string
---@return any acknowledgement sent back as tostring gives it; nothing is 'n/a'
function Component:loop(channel, message)
end

--- Called when another component has connected. Yours to define.
---@param channel string
function Component:joined(channel)
end

-- luacheck: pop

--- Called when it has gone. Prints why, unless you define it.
---@param _ string channel
---@param why string e.g. "the clock has closed: 1001 (going away)"
function Component:left(_, why)
  self:out(why)
end

--- Called when another component was found by its name. Prints where, unless you define it.
---@param name string
---@param where string e.g. "127.0.0.1:41234"
function Component:found(name, where)
  self:out(("found %s at %s"):format(name, where))
end

--- Called when it was announced, or could not be. Prints what is not as wanted, unless you define it.
---@param name? string nil when it is not announced
---@param wanted string
---@param why? string
function Component:announced(name, wanted, why)
  if not name then
    self:out("not announced: " .. why)
  elseif name ~= wanted then
    self:out(("there is another %s: announced as %s"):format(wanted, name))
  end
end

local function escaped(character)
  return ("\\%03d"):format(character:byte())
end

--- Prints a line with the component's name: `[ IOPin ] text`. Control characters, which a message from
--- elsewhere may have, come as \027.
---@param text any
function Component:out(text)
  io.stdout:write(("[ %s ] %s\n"):format(self.name, (tostring(text):gsub("%c", escaped))))
  io.stdout:flush()
end

local function react(component, channel, message)
  local held <close> = component.lock:acquire() -- luacheck: ignore
  local acknowledgement = component:loop(channel, message)
  return acknowledgement == nil and "n/a" or tostring(acknowledgement)
end

-- Answers each message until the connection ends; why it has.
local function acknowledge_all(component, channel, connection)
  local message, why = connection:recv()
  while message do
    local ok
    ok, why = connection:send(react(component, channel, message))
    if not ok then
      break
    end
    message, why = connection:recv()
  end
  return why
end

-- Waits until a listener has gone; why it has.
local function attend(connection)
  local message, why = connection:recv()
  if message then
    connection:close(1008, "who listens sends nothing")
    why = connection:closed()
  end
  return why
end

-- The channel and whether it listens, by what was asked for; nothing when that is no name.
local function role_of(target)
  local channel, query = target:match "^/([%w_-]*)(.*)$"
  if channel and (query == "" or query == "?listen") then
    return channel == "" and NOBODY or channel:lower(), query == "?listen"
  end
end

local function handle(component, connection)
  local channel, listens = role_of(connection.request.target)
  local why
  local leave <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      component.listeners[connection] = nil
      component:left(channel, words.left(channel, e or why))
    end,
  })
  component.listeners[connection] = listens or nil
  component:joined(channel)
  why = listens and attend(connection) or acknowledge_all(component, channel, connection)
end

-- Refuses what is no component's name.
local function check_name(request)
  if not role_of(request.target) then
    return 404, nil, "connect to /NAME or /NAME?listen, with your component's name\n"
  end
end

local function check_place(where, host, port, least)
  if type(host) ~= "string" then
    error(("%s: host: a name or address expected, got %s"):format(where, type(host)), 3)
  elseif math.type(port) ~= "integer" or port < least or port > 65535 then
    error(("%s: port: a whole number from %d to 65535 expected, got %s"):format(where, least, tostring(port)), 3)
  end
end

local function copy_into(target, source)
  for name, value in pairs(source or {}) do
    target[name] = value
  end
  return target
end

-- The options with what makes the server a component.
local function serve_options(component, options)
  local headers = copy_into({ Component = component.name }, options and options.headers)
  return copy_into(copy_into({}, options), { headers = headers, process_request = check_name })
end

---@class strobe.sketch.ServeOptions : strobe.ws.ServeOptions
---@field announce? boolean|string true: others find it by its name in lower case; or by this one
---@field discovery? strobe.discovery.Options how it is announced

---@class strobe.sketch.ConnectOptions : strobe.ws.ConnectOptions
---@field discovery? strobe.discovery.Options how a name is looked for: timeout (3 s), services, …

-- The name to announce it by; nothing when it is not to be.
local function announced_name(component, options)
  local name = options and options.announce
  if name == true then
    return component.name:lower()
  elseif name and not place.is_name(name) then
    error(("serve: announce: true, or a name of letters, digits, - and _ expected, got %s"):format(tostring(name)), 3)
  end
  return name
end

--- Begins to serve, and returns. Close it, or let its block do: `local pin <close> = assert(IOPin():serve(…))`.
---@async
---@param host string 127.0.0.1 is for programs on this machine, 0.0.0.0 for the network too
---@param port integer 0 takes a free one, see `port`
---@param options? strobe.sketch.ServeOptions announce, tls, origins, …
---@return strobe.sketch.Component? self
---@return string? message e.g. "port 8765 on 127.0.0.1 is in use: …"
---@return string? code "EADDRINUSE", …
function Component:serve(host, port, options)
  check_place("serve", host, port, 0)
  if self.server then
    error("serve: the component is served already", 2)
  end
  local name = announced_name(self, options)
  local server, message, code = ws.serve(function(connection)
    handle(self, connection)
  end, host, port, serve_options(self, options))
  if not server then
    return nil, words.listen(host, port, message, code), code
  end
  self.server = server
  self.ended:clear()
  self.place = name and place.tell(self, name, host, options) or nil
  return self
end

-- An IPv6 address has brackets where a port follows.
local function place_of(host, port)
  return (host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(host, port)
end

--- Serves until it is stopped, closed or cancelled.
---@async
---@param host string
---@param port integer
---@param options? strobe.sketch.ServeOptions
---@return true?
---@return string? message as `serve`
---@return string? code
function Component:run(host, port, options)
  local served, message, code = self:serve(host, port, options)
  if not served then
    return nil, message, code
  end
  local guard <close> = self -- luacheck: ignore
  self:out("listening on ws://" .. place_of(host, self:port()))
  self.ended:wait()
  return true
end

--- The port on which it is served; nil when it is not.
---@return integer?
function Component:port()
  return self.server and self.server:port()
end

--- Tells all listeners something, and waits for nobody.
---@param message any
---@return integer count of those who were told
function Component:push(message)
  local list = {}
  for connection in pairs(self.listeners) do
    list[#list + 1] = connection
  end
  return (ws.broadcast(list, tostring(message), { slow = "close" }))
end

--- Ends `run`; within its loop also `follow`. The message at work is acknowledged first.
function Component:stop()
  self.ended:set()
end

--- Ends serving: all that are connected are told 1001. Not from within its loop, which calls `stop`.
---@async
function Component:close()
  self.ended:set()
  local announced, server = self.place, self.server
  self.place, self.server = nil, nil
  if announced then
    announced:close()
  end
  if server then
    server:close()
  end
end

local function connect_to(component, host, port, query, options)
  local name = component.name:lower()
  local uri = ("%s://%s/%s%s"):format(options and options.tls and "wss" or "ws", place_of(host, port), name, query)
  local connection, message, code = ws.connect(uri, options)
  if not connection then
    return nil, words.connect(host, port, message, code), code
  end
  local other = connection.response.headers.component or ""
  return Link.new(other:match "^[%w_-]+$" and other:lower() or NOBODY, connection)
end

-- Whether it is a name alone; then the options come instead of the port.
local function is_named(host, port)
  return place.is_name(host) and (port == nil or type(port) == "table")
end

local function check_target(where, host, port)
  if not is_named(host, port) then
    return check_place(where, host, port, 1) -- a tail call: the level of its errors is right
  end
end

-- Connects to a place or a name.
local function connect(component, host, port, options, query)
  if not is_named(host, port) then
    return connect_to(component, host, port, query, options)
  end
  local found, message, code = component:find(host, port)
  if not found then
    return nil, message, code
  end
  return connect_to(component, found.host, found.port, query, port)
end

--- Looks for another component by its name: in the list of STROBE_SERVICES, else on this machine and its networks.
---@async
---@param name string
---@param options? strobe.sketch.ConnectOptions discovery.timeout: 3 s
---@return strobe.discovery.Service? service with its `host` and `port`
---@return string? message what to do next
---@return string? code "ETIMEDOUT" when nobody has answered, …
function Component:find(name, options)
  local found, message, code = place.find(name, options)
  if not found then
    return nil, message, code
  end
  self:found(name, place_of(found.host, found.port))
  return found
end

--- Connects to another component, which acknowledges each message: `link:send(message)`.
--- `clock:connect("127.0.0.1", 8765)`, or by the name it has announced, with the options next: `clock:connect "iopin"`.
---@async
---@param host string or the name, without a port
---@param port? integer|strobe.sketch.ConnectOptions
---@param options? strobe.sketch.ConnectOptions tls, open_timeout, …
---@return strobe.sketch.Link?
---@return string? message e.g. "nobody listens on port 8765 of 127.0.0.1: start the other component first"
---@return string? code "ECONNREFUSED", …
function Component:connect(host, port, options)
  check_target("connect", host, port)
  return connect(self, host, port, options, "")
end

-- Gives what is pushed to the loop, until the other has closed.
local function hear_all(component, link)
  while not component.ended:is_set() do
    local message, text, code = link:next()
    if code == "EOF" then
      return true, text
    elseif not message then
      return nil, text, code
    end
    react(component, link.channel, message)
  end
  return true
end

--- Listens to another component: `loop` is called with each message that it pushes. Ends when its loop calls
--- `stop`, or when the other closes.
---@async
---@param host string or the name it has announced, without a port
---@param port? integer|strobe.sketch.ConnectOptions
---@param options? strobe.sketch.ConnectOptions
---@return true? nil when the other is not there, or went without a clean close
---@return string? text how the other has closed, or why it cannot be reached
---@return string? code
function Component:follow(host, port, options)
  check_target("follow", host, port)
  local link, message, code = connect(self, host, port, options, "?listen")
  if not link then
    return nil, message, code
  end
  local guard <close> = link -- luacheck: ignore
  self.ended:clear()
  self:joined(link.channel)
  return hear_all(self, link)
end

-- A component of a kind; runs its setup.
local function new(kind, ...)
  local component = setmetatable({ lock = async.Lock(), ended = async.Event(), listeners = {} }, kind)
  component:setup(...)
  return component
end

local sketch = {}

--- A kind of component, to be given `setup` and `loop`. Called, it makes a component: `IOPin(…)` runs
--- `setup(self, …)`.
---@param name string letters, digits, - and _
---@return strobe.sketch.Component|fun(...): strobe.sketch.Component
function sketch.component(name)
  if type(name) ~= "string" or not name:find "^[%w_-]+$" then
    error(("sketch.component: a name of letters, digits, - and _ expected, got %s"):format(tostring(name)), 2)
  end
  local kind = setmetatable({ name = name, __name = name }, { __index = Component, __call = new })
  kind.__index = kind
  kind.__close = function(component)
    component:close()
  end
  return kind
end

return sketch
