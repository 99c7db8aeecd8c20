--- The operation that debugs: it takes the messages of the Debug Adapter Protocol, each as the text of its JSON, and
--- sends those of the process as events: {"ev":"dap","text":"…"}.

local failures = require "strobe.attach.failure"
local program = require "strobe.debug.program"
local protocol = require "strobe.debug.protocol"

-- Requests that change something, which the log tells.
local TOLD = { "launch", "attach", "evaluate", "setVariable", "disconnect", "terminate", "terminateThreads" }
for _, name in ipairs(TOLD) do
  TOLD[name] = true
end

local function open(session)
  local debugged
  debugged = require("strobe.debug.session").new {
    on_configured = program.configured,
    on_terminate = program.terminate,
    send = function(message)
      local text, problem = protocol.encode(message)
      if not text then
        text = protocol.encode { seq = message.seq, type = message.type, command = message.command,
          event = message.event, request_seq = message.request_seq, success = false,
          message = "the answer cannot be sent: " .. problem }
      end
      if not session.push { ev = "dap", text = text } then -- whoever debugs would not know what is stopped
        debugged:close()
      end
    end,
  }
  session.stops.dap = function()
    debugged:close()
  end
  return debugged
end

local function dap(session, request)
  local message, problem = protocol.decode(failures.field(request, "text", "string"))
  if not message then
    failures.raise("bad_request", "text: " .. problem)
  elseif session.eval == false then
    failures.raise("no_op", "this process was started with --no-eval, and debugging can run code")
  end
  if not session.debugged or session.debugged.closed then
    session.debugged = open(session)
  end
  session.debugged:receive(message)
  return {}
end

local function is_small(request)
  local command = type(request.text) == "string" and request.text:match '"command"%s*:%s*"(%a+)"'
  return not TOLD[command]
end

return {
  dap = { rights = "rw", run = dap, is_small = is_small },
}
