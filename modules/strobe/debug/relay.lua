--- Carries the messages of the Debug Adapter Protocol between an editor and the attach socket of a process.
--
-- It runs beside the process: neither an editor that is slow nor a program that spins or ends reaches the other.

local attach = require "strobe.attach"
local protocol = require "strobe.debug.protocol"
local Queue = require("strobe.async.queue").Queue
local tasks = require "strobe.async.task"

---@class strobe.debug.Editor the client's end
---@field read fun(): string? bytes, or nil at the end; waits
---@field write fun(bytes: string): boolean? waits

---@class strobe.debug.Relay
---@field problem? string why nothing more of the editor's is taken
---@field private editor strobe.debug.Editor
---@field private outgoing strobe.Queue
local Relay = {}
Relay.__index = Relay

local relays = {}

local END = {}
-- Seconds that the editor has to take what is left; bytes that may wait for it.
local LAST_WORDS, MOST_QUEUED = 1, 64 * 1024 * 1024

---@param editor strobe.debug.Editor
---@return strobe.debug.Relay
function relays.new(editor)
  return setmetatable({ editor = editor, outgoing = Queue(), seq = 0, queued = 0 }, Relay)
end

--- Sends the text of a message, under the next number.
---@param text string which begins with its number
function Relay:send(text)
  self.seq, self.queued = self.seq + 1, self.queued + #text
  if self.queued <= MOST_QUEUED then
    self.outgoing:put_nowait(protocol.frame((text:gsub('^{"seq":%d+', ('{"seq":%d'):format(self.seq)))))
  elseif not self.overflown then
    self.overflown = true
    self.outgoing:put_nowait(END)
  end
end

--- Tells an event of its own.
---@param name string
---@param body? table
function Relay:event(name, body)
  self:send((assert(protocol.encode { seq = 0, type = "event", event = name, body = body })))
end

--- Answers a request.
---@param request table
---@param body? table
function Relay:answer(request, body)
  self:send((assert(protocol.encode {
    seq = 0, type = "response", request_seq = math.tointeger(request.seq) or 0, command = request.command,
    success = true, body = body,
  })))
end

--- Refuses a request.
---@param request table
---@param message string
function Relay:refuse(request, message)
  self:send((assert(protocol.encode {
    seq = 0, type = "response", request_seq = math.tointeger(request.seq) or 0, command = request.command,
    success = false, message = message,
  })))
end

local function write_all(relay)
  while true do
    local bytes = relay.outgoing:get()
    if bytes == END or not relay.editor.write(bytes) then
      return
    end
    relay.queued = relay.queued - #bytes
  end
end

-- Each message of the editor's, as text.
local function each_text(relay)
  local decoder, texts, i, over = protocol.Decoder(), {}, 0, false
  return function()
    while i >= #texts do
      local bytes = not over and relay.editor.read()
      if not bytes or bytes == "" then
        return nil
      end
      local problem
      texts, problem = decoder:feed(bytes)
      i, over = 0, problem ~= nil
      relay.problem = problem
    end
    i = i + 1
    return texts[i]
  end
end

-- --- The process -----------------------------------------------------------------------------------

--- Connects to the process.
---@async
---@param pid integer
---@param take fun(text: string) gets its messages; may not wait
---@return boolean? done
---@return string? message
---@return string? code
function Relay:connect(pid, take)
  local client, message, code = attach.connect(pid, {
    on_event = function(event)
      if event.ev == "dap" then
        take(event.text)
      end
    end,
  })
  if not client then
    return nil, message, code
  end
  local opened
  opened, message, code = client:call("open", { rights = "rw", name = "debugger" })
  if not opened or opened.rights ~= "rw" then
    client:close()
    return nil, message or ("process %d lets nobody change it: it was started with --attach=ro"):format(pid),
      code or "rights"
  end
  self.client = client
  return true
end

--- Passes a message on to the process. What it cannot take is refused.
---@param text string
function Relay:pass_on(text)
  local future = self.client:send("dap", { text = text })
  future:add_done_callback(function()
    local answer = not future:cancelled() and future:result()
    local request = not (answer and answer.ok) and protocol.decode(text)
    if request and request.type == "request" then
      self:refuse(request, answer and (answer.error or answer.code) or "the process has ended")
    end
  end)
end

local function read_all(relay, take)
  for text in each_text(relay) do
    take(text)
  end
end

--- Begins: each message of the editor's goes to `take`, which may wait.
---@param take fun(text: string)
---@return strobe.Task reader which ends when the editor has gone
function Relay:start(take)
  self.writer = tasks.create_task(write_all, self)
  self.reader = tasks.create_task(read_all, self, take)
  return self.reader
end

local function finish(task, seconds)
  if #tasks.wait({ task }, { timeout = seconds }) == 0 then
    task:cancel()
    tasks.wait { task }
  end
end

--- Ends: what is left for the editor is written, if it takes it. Closing twice is harmless.
---@async
function Relay:close()
  if self.closed then
    return
  end
  self.closed = true
  if self.client then
    self.client:close()
  end
  self.outgoing:put_nowait(END)
  if self.reader then
    finish(self.reader, 0)
    finish(self.writer, LAST_WORDS)
  end
end

Relay.__close = Relay.close

return relays
