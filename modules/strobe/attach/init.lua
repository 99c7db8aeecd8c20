--- Running processes as others see them: a socket in each, to look at its tasks and units, and to reload these.
--
--   local attach = require "strobe.attach"
--   local server <close> = assert(attach.serve { runtime = runtime })      -- in the process; `strobe live` does that
--
--   local client <close> = assert(attach.connect(4242))                    -- in another one
--   client:call("open", { rights = "rw", name = "me" })
--   local answer, message, code = client:call("reload", { unit = "mm" })
--
-- The socket is $XDG_RUNTIME_DIR/strobe/PID.sock (or below /tmp/strobe-UID): for its user, and root, alone. What is
-- changed through it stands in the log. JSON goes both ways, an object a line: `socat - UNIX-CONNECT:…` can talk to it.

local client = require "strobe.attach.client"
local server = require "strobe.attach.server"

---@class strobe.attach
local attach = {}

--- Opens this process's socket.
---@async
---@param options? strobe.attach.ServeOptions
---@return strobe.attach.Server? server a `<close>` value; nil without a message when it is off
---@return string? message
---@return string? code "EPERM" or "ENOTDIR" for a folder that others could enter, "ENAMETOOLONG", "EADDRINUSE", …
function attach.serve(options)
  return server.serve(options)
end

--- Connects to a running process.
---@async
---@param pid integer
---@param options? strobe.attach.ClientOptions
---@return strobe.attach.Client? client a `<close>` value
---@return string? message
---@return string? code "ESRCH" when there is no such process, "ETIMEDOUT" when it is busy
function attach.connect(pid, options)
  return client.connect(pid, options)
end

--- The processes that can be connected to, by their numbers.
---@return {pid: integer, path: string}[] some may have ended
function attach.list()
  return require("strobe.attach.directory").list()
end

return attach
