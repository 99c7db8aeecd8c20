--- The socket of a process as its command line asks for it: `--attach=rw|ro|off`, and `--no-eval`.

local RIGHTS = { rw = true, ro = true, off = true }

local door = {}

-- What the options of strobe itself, before all words, have said.
local asked = {}

--- Takes the value of --attach.
---@param rights string
---@return string? message when it is none
function door.ask(rights)
  if not RIGHTS[rights] then
    return ("--attach=%s: rw, ro or off expected"):format(rights)
  end
  asked.rights = rights
end

--- Takes --no-eval: nobody may run code.
function door.refuse_eval()
  asked.eval = false
end

--- What --attach has said; nil when there was none.
---@return "rw"|"ro"|"off"|nil
function door.asked()
  return asked.rights
end

--- Opens it. That it cannot be opened is no reason not to run: it is said once.
---@async
---@param options strobe.attach.ServeOptions what they say themselves counts more than the command line
---@param warn? fun(text: string) by default a line on stderr
---@return strobe.attach.Server? server a `<close>` value; nil without a word when it is off
function door.open(options, warn)
  local copy = { rights = asked.rights, eval = asked.eval }
  for key, value in pairs(options) do
    copy[key] = value
  end
  local opened, message = require("strobe.attach.server").serve(copy)
  if opened then
    require("strobe.script").at_exit(function() -- which os.exit calls
      opened:remove()
    end)
  end
  if message then
    local text = "no strobe command can reach this process: " .. message
    if warn then
      warn(text)
    else
      io.stderr:write("strobe: ", text, "\n")
    end
  end
  return opened
end

return door
