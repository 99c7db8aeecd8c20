--- Remote access to a board: a page that shows it, and a WebSocket on the same port to read, drive and watch its
-- pins and to press its buttons.
--
--   local remote <close> = assert(board:serve("127.0.0.1", 8000))     -- the page: http://127.0.0.1:8000/
--
-- The WebSocket is at /board. Messages are JSON objects; each request may have an `id`, a number or a text, which its
-- answer repeats. Answers come in the order of their requests, but for calls and steps that wait:
--
--   {"id": 1, "do": "get", "pin": "D2"}                  → {"id": 1, "ok": true, "value": 1, "level": "1"}
--   {"id": 2, "do": "set", "pin": "D3", "value": 0}      → {"id": 2, "ok": true}
--   {"id": 3, "do": "call", "part": "b1", "method": "press"}  → {"id": 3, "ok": true}
--   {"id": 4, "do": "get", "pin": "Q"}                   → {"id": 4, "ok": false, "code": "ENOENT", "error": "…"}
--
-- Others are list, release, watch, unwatch, follow, pause, resume and step, see `actions`. Unasked come
--
--   {"event": "edges", "watch": 1, "events": [[pin, level, time_ns, seq], …], "overruns": 0}
--   {"event": "state", "now_ns": 5, "running": true, "size": 9, "levels": {pin: level}, "parts": {part: {…}}}
--
-- the first after `watch`, the second, which has only what is new, after `follow`. Another `size` than that of `list`
-- says that pins or parts were added.
--
-- `seq` counts the changes of a watch; where the client is too slow the oldest go, and `overruns` says how many.
--
-- A pin that a client drives is its own until it lets go or leaves; one that the program has cannot be driven. What
-- a part lets clients call are the methods of its kind. Whoever reaches the port may do all this: it is for
-- loopback, and for browsers only with pages of the same port, or of those which `origins` names.

local Line = require "strobe.gpio.line"
local async = require "strobe.async"
local duration = require "strobe.gpio.duration"
local errors = require "strobe.async.error"
local host = require "strobe.core.host"
local http = require "strobe.http"
local json = require "strobe.json"
local mistake = require "strobe.mistake"
local shallow = require "strobe.shallow"
local snapshot = require "strobe.gpio.snapshot"
local ws = require "strobe.ws"

local remote = {}

local PATH, PAGE = "/board", "strobe/gpio/remote.html"
local MAX_SIZE = 64 * 1024 -- bytes of a request
local MAX_WATCHES, MAX_WATCHED = 64, 4096 -- of a client; pins of a watch
local MAX_ARGUMENTS = 16
local MAX_CALLS = 64 -- of a client, that wait
local BATCH, CAPACITY = 1000, 16 * 1024 -- events
local BATCH_PAUSE = 0.02 -- seconds between two batches, so that they have some size
local FASTEST, SLOWEST = 0.02, 10 -- seconds between two messages of `follow`
local LONGEST_STEP = 3600 -- seconds

---@class strobe.gpio.RemoteOptions
---@field read_only? boolean clients may look, and change nothing
---@field origins? string[] pages that may connect too: "http://localhost:3000"
---@field max_clients? integer (16)
---@field allow? fun(part: strobe.gpio.Part, method: string): boolean? what may be called (all methods of the part's
--- kind)

---@class strobe.gpio.Remote a `<close>` value
---@field url string of the page
---@field private server strobe.http.Server
local Remote = {}
Remote.__index = Remote
Remote.__name = "gpio.Remote"

-- --- Refusals ---------------------------------------------------------------------------------

-- What a request was refused for: raised by actions, and sent.
local Refusal = { __name = "gpio.Refusal" }

function Refusal.__tostring(refusal)
  return refusal.message
end

local function refuse(code, format, ...)
  error(setmetatable({ code = code, message = format:format(...) }, Refusal), 0)
end

local function check_field(request, name, kind)
  local value = request[name]
  if type(value) ~= kind then
    refuse("EINVAL", "%s: %s: a %s expected", request["do"], name, kind)
  end
  return value
end

local function find_pin(client, request, name)
  if type(name) ~= "string" then
    refuse("EINVAL", "%s: the name of a pin expected", request["do"])
  end
  return client.board.pins[name] or refuse("ENOENT", "board %s has no pin %s", client.board.name, name)
end

local function find_part(client, request)
  local name = check_field(request, "part", "string")
  return client.board.parts[name] or refuse("ENOENT", "board %s has no part %s", client.board.name, name)
end

local function must(value, message, code)
  if not value then
    refuse(code or "EINVAL", "%s", message)
  end
  return value
end

-- --- Watching ---------------------------------------------------------------------------------

local function send(client, message)
  local text = json.encode(message)
  return client.connection:send(text)
end

-- Up to a batch of what was watched, the event that was waited for first.
local function gather(watch, level, time, index, _, seq)
  local events = { { watch.names[index], level, time, seq } }
  local levels, times, indexes, _, seqs = watch.subscription:read(BATCH - 1)
  for i = 1, #levels do
    events[i + 1] = { watch.names[indexes[i]], levels[i], times[i], seqs[i] }
  end
  return events
end

local function run_watch(client, watch)
  while true do
    local event = table.pack(watch.subscription:wait())
    if not event[1] then
      return
    end
    local message = {
      event = "edges", watch = watch.id, events = gather(watch, table.unpack(event, 1, event.n)),
      overruns = watch.subscription:overruns(),
    }
    if not send(client, message) then
      return
    end
    async.sleep(BATCH_PAUSE)
  end
end

local function end_watch(client, watch)
  client.watches[watch.id] = nil
  client.watch_count = client.watch_count - 1
  watch.subscription:close()
  watch.task:cancel()
end

local function watched_lines(client, request)
  local wanted, lines, names = check_field(request, "pins", "table"), {}, {}
  if #wanted == 0 or #wanted > MAX_WATCHED then
    refuse("EINVAL", "watch: pins: a list of 1 to %d names expected", MAX_WATCHED)
  end
  for i, name in ipairs(wanted) do
    lines[i], names[i] = find_pin(client, request, name).core, name
  end
  return lines, names
end

-- --- Following --------------------------------------------------------------------------------

-- What of a snapshot is not in the last; nil when nothing is.
local function news(now, last)
  local levels, parts, any = {}, {}, now.running ~= last.running or now.size ~= last.size
  for name, level in pairs(now.levels) do
    if last.levels[name] ~= level then
      levels[name], any = level, true
    end
  end
  for name, state in pairs(now.parts) do
    if not last.parts[name] or not shallow.equal(state, last.parts[name]) then
      parts[name], any = state, true
    end
  end
  if any or now.now_ns ~= last.now_ns then
    return {
      event = "state", now_ns = now.now_ns, running = now.running, size = now.size, levels = levels, parts = parts,
    }
  end
end

local function run_follow(client, interval)
  local last = { levels = {}, parts = {} }
  while not client.board.closed do
    local now = snapshot.states(client.board)
    local message = news(now, last)
    if message and not send(client, message) then
      return
    end
    last = now
    async.sleep(interval)
  end
end

-- --- Actions ----------------------------------------------------------------------------------

-- action(client, request) → the answer's fields, or nothing.
local actions = {}

-- What changes the board.
local changing = { set = true, release = true, call = true, pause = true, resume = true, step = true }

-- All there is: {"do": "list"} → board, now_ns, running, read_only, pins, parts.
function actions.list(client)
  local list = snapshot.list(client.board)
  list.read_only = client.options.read_only == true
  return list
end

-- {"do": "get", "pin": NAME} → value, as a program would read it, and level.
function actions.get(client, request)
  local pin = find_pin(client, request, request.pin)
  local level = pin.core:level()
  return { value = (pin.core:get()), level = level }
end

-- {"do": "set", "pin": NAME, "value": 0, 1, true, false or "z"}: drives a pin, which is the client's from then on.
function actions.set(client, request)
  local pin, value = find_pin(client, request, request.pin), request.value
  if value ~= 0 and value ~= 1 and value ~= "z" and type(value) ~= "boolean" then
    refuse("EINVAL", "set: value: 0, 1, true, false or \"z\" expected")
  elseif pin.part or pin.rail then
    refuse("EPERM", "set: %s belongs to part %s: call its methods", pin.name, pin.part and pin.part.name or pin.name)
  end
  if value ~= "z" and type(value) == "number" then
    value = math.tointeger(value)
  end
  local line = client.lines[pin.name]
  if not line then
    client.lines[pin.name] = must(Line.request(client.board, pin, {
      direction = "output", output_value = value, consumer = client.name,
    }))
  else
    line:set_value(value)
  end
end

-- {"do": "release", "pin": NAME}: gives it back.
function actions.release(client, request)
  local pin = find_pin(client, request, request.pin)
  local line = client.lines[pin.name] or refuse("EPERM", "release: %s is not yours", pin.name)
  client.lines[pin.name] = nil
  line:release()
end

local function check_arguments(request)
  local list = request.arguments or {}
  if type(list) ~= "table" or #list > MAX_ARGUMENTS then
    refuse("EINVAL", "call: arguments: a list of up to %d expected", MAX_ARGUMENTS)
  end
  local arguments = {}
  for i, value in ipairs(list) do
    if type(value) == "table" or value == json.null then
      refuse("EINVAL", "call: arguments: numbers, texts and booleans expected")
    end
    arguments[i] = type(value) == "number" and math.tointeger(value) or value
  end
  return arguments
end

local function check_method(client, part, method)
  local allow = client.options.allow
  if not snapshot.methods(part)[method] then
    refuse("ENOENT", "part %s (%s) has no method %s", part.name, part.kind, method)
  elseif part.failure then
    refuse("EIO", "part %s has stopped: %s", part.name, part.failure)
  elseif allow and not allow(part, method) then
    refuse("EPERM", "part %s: %s may not be called from here", part.name, method)
  end
end

-- {"do": "call", "part": NAME, "method": NAME, "arguments": […]} → result, if that is a plain value.
function actions.call(client, request)
  local part, method = find_part(client, request), check_field(request, "method", "string")
  check_method(client, part, method)
  local result = part[method](part, table.unpack(check_arguments(request)))
  return { result = snapshot.is_plain(result) and result or nil }
end

-- {"do": "watch", "pins": [NAME, …]} → watch, its number. Then come their changes.
function actions.watch(client, request)
  local lines, names = watched_lines(client, request)
  if client.watch_count >= MAX_WATCHES then
    refuse("ENOBUFS", "watch: up to %d at a time: end one with unwatch", MAX_WATCHES)
  end
  client.last_watch = client.last_watch + 1
  client.watch_count = client.watch_count + 1
  local watch = {
    id = client.last_watch, names = names, subscription = client.board.core:subscribe(lines, "change", CAPACITY),
  }
  client.watches[watch.id] = watch
  watch.task = client.group:create_task(run_watch, client, watch)
  return { watch = watch.id }
end

-- {"do": "unwatch", "watch": NUMBER}
function actions.unwatch(client, request)
  local id = math.tointeger(check_field(request, "watch", "number"))
  end_watch(client, client.watches[id] or refuse("ENOENT", "unwatch: there is no watch %s", tostring(request.watch)))
end

-- {"do": "follow", "interval": SECONDS}: levels and states as they change, at most so often. 0 ends it.
function actions.follow(client, request)
  local interval = check_field(request, "interval", "number")
  if interval ~= 0 and not (interval >= FASTEST and interval <= SLOWEST) then
    refuse("EINVAL", "follow: interval: 0, or %g to %g s expected", FASTEST, SLOWEST)
  end
  if client.follower then
    client.follower:cancel()
  end
  client.follower = interval > 0 and client.group:create_task(run_follow, client, interval) or nil
end

function actions.pause(client)
  client.board:pause()
end

function actions.resume(client)
  client.board:resume()
end

-- {"do": "step", "seconds": NUMBER} → now_ns; the board is paused then.
function actions.step(client, request)
  local seconds = check_field(request, "seconds", "number")
  if not (seconds >= 0 and seconds <= LONGEST_STEP) then
    refuse("EINVAL", "step: seconds: 0 to %d expected", LONGEST_STEP)
  end
  client.board:pause()
  return { now_ns = must(client.board.core:step(duration.ns("step", seconds))) }
end

-- --- Clients ----------------------------------------------------------------------------------

local function perform(client, request)
  local name = request["do"]
  local action = type(name) == "string" and actions[name]
  if not action then
    refuse("ENOSYS", "there is no action %s", tostring(name))
  elseif changing[name] and client.options.read_only then
    refuse("EROFS", "%s: this board may be looked at only", name)
  elseif client.board.closed then
    refuse("ECANCELED", "board %s was closed", client.board.name)
  end
  return action(client, request) or {}
end

-- What is wrong, for the client: mistakes that methods raise too, but no cancellation.
local function explain(e)
  if errors.is(e, errors.CancelledError) then
    error(e, 0)
  elseif type(e) == "table" and getmetatable(e) == Refusal then
    return { code = e.code, error = e.message }
  end
  return { code = "EINVAL", error = (tostring(e):gsub("^[^\n]-:%d+: ", ""):match "^[^\n]*") }
end

-- Sends an answer, with the request's id.
local function reply(client, request, message)
  message.id = snapshot.is_plain(request.id) and request.id or nil
  return send(client, message)
end

local function answer(client, request)
  local ok, result = pcall(perform, client, request)
  local message = ok and result or explain(result)
  message.ok = ok
  return reply(client, request, message)
end

-- Methods of parts may wait, and time may stand still: a client is heard meanwhile.
local function answer_later(client, request)
  client.calls = client.calls + 1
  client.group:create_task(function()
    answer(client, request)
    client.calls = client.calls - 1
  end)
  return true
end

-- Answers a message; nil when the client has left.
local function hear(client, text, kind)
  local request = kind == "text" and json.decode(text)
  if type(request) ~= "table" then
    return send(client, { ok = false, code = "EBADMSG", error = "a JSON object expected" })
  elseif request["do"] ~= "call" and request["do"] ~= "step" then
    return answer(client, request)
  elseif client.calls >= MAX_CALLS then
    local why = ("%s: %d calls wait already"):format(request["do"], MAX_CALLS)
    return reply(client, request, { ok = false, code = "ENOBUFS", error = why })
  end
  return answer_later(client, request)
end

local function leave(client)
  for _, watch in pairs(client.watches) do
    watch.subscription:close()
  end
  for _, line in pairs(client.lines) do
    line:release()
  end
end

-- Talks to a client until it leaves.
local function talk(self, connection)
  self.last_client = self.last_client + 1
  local client = {
    board = self.board, options = self.options, connection = connection, name = "remote " .. self.last_client,
    watches = {}, watch_count = 0, last_watch = 0, lines = {}, calls = 0,
  }
  local left <close> = setmetatable({}, { __close = function() leave(client) end }) -- luacheck: ignore
  local group <close> = async.TaskGroup() -- luacheck: ignore
  client.group = group
  while true do
    local text, kind = connection:recv()
    if not text or not hear(client, text, kind) then
      break
    end
  end
  group:cancel()
end

local function serve_client(self, connection)
  if self.clients >= (self.options.max_clients or 16) then
    return connection:close(1013, "too many clients")
  end
  self.clients = self.clients + 1
  local done <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      self.clients = self.clients - 1
    end,
  })
  talk(self, connection)
end

-- --- The server -------------------------------------------------------------------------------

-- The page, which travels with the modules.
local function read_page()
  local folder = os.getenv "STROBE_MODULES"
  if not folder then
    return assert(host.embedded("modules/" .. PAGE))
  end
  local file <close> = assert(io.open(folder .. "/" .. PAGE, "rb"))
  return file:read "a"
end

-- A browser with a page of somebody else must not press our buttons. Ours is what was asked for at an address: a name
-- might be anybody's, who has it lead here.
local function origins(self, request)
  local list = { false, table.unpack(self.allowed) }
  local host_asked = request.host or ""
  if host_asked:find "^%d+%.%d+%.%d+%.%d+:%d+$" or host_asked:find "^%[[%x:.]+%]:%d+$" then
    list[#list + 1] = "http://" .. host_asked
  end
  return list
end

local function allowed_always(self, port, name)
  local list = { name, ("http://localhost:%d"):format(port) }
  return table.move(self.options.origins or {}, 1, #(self.options.origins or {}), #list + 1, list)
end

local function check_address(address)
  if type(address) ~= "string" or address:find "^unix:" then
    mistake.raise("board:serve: host: a name or address expected, got %s", tostring(address))
  end
end

local page_headers = {
  ["Content-Type"] = "text/html; charset=utf-8",
  ["Content-Security-Policy"] =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self' ws: wss:; "
    .. "img-src data:",
  ["X-Content-Type-Options"] = "nosniff",
}

local function handler(self, page)
  return function(request)
    if request.path == PATH then
      return ws.upgrade(request, function(connection)
        serve_client(self, connection)
      end, { origins = origins(self, request), max_size = MAX_SIZE })
    elseif request.path == "/" and (request.method == "GET" or request.method == "HEAD") then
      return 200, page_headers, page
    elseif request.path == "/" then
      return 405, { Allow = "GET, HEAD" }, "GET expected\n"
    end
    return 404, nil, "not here: the page is /, the WebSocket " .. PATH .. "\n"
  end
end

local known = { read_only = "boolean", origins = "table", max_clients = "number", allow = "function" }

local function check_options(options)
  for name, value in pairs(options) do
    if not known[name] then
      error(("board:serve: there is no option %s"):format(tostring(name)), 4)
    elseif type(value) ~= known[name] then
      error(("board:serve: %s: a %s expected, got %s"):format(name, known[name], type(value)), 4)
    end
  end
end

--- board:serve
---@async
---@param board strobe.gpio.Board
---@param address? string
---@param port? integer
---@param options? strobe.gpio.RemoteOptions
---@return strobe.gpio.Remote?
---@return string? message
---@return string? code
function remote.serve(board, address, port, options)
  options = options or {}
  check_options(options)
  address = address or "127.0.0.1"
  check_address(address)
  local self = setmetatable({ board = board, options = options, clients = 0, last_client = 0 }, Remote)
  local server, message, code = http.serve(handler(self, read_page()), address, port or 0)
  if not server then
    return nil, message, code
  end
  local name = ("http://%s:%d"):format(address:find ":" and "[" .. address .. "]" or address, server:port())
  self.server, self.url = server, name .. "/"
  self.allowed = allowed_always(self, server:port(), name)
  board:at_close(function()
    if not self.closed then
      async.create_task(self.close, self)
    end
  end)
  return self
end

--- The port it listens on.
---@return integer
function Remote:port()
  return self.server:port()
end

--- Ends; clients are told. The board goes on. Closing twice is harmless.
---@async
function Remote:close()
  if not self.closed then
    self.closed = true
    self.server:close()
  end
end

Remote.__close = Remote.close

return remote
