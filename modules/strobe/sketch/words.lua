--- What goes wrong between components, in words that say what to do next.

local errors = require "strobe.async.error"
local ws = require "strobe.ws"

local words = {}

local listening = {
  EADDRINUSE = "port %d on %s is in use: stop the other program, or take another port (0 takes a free one)",
  EACCES = "port %d on %s may not be taken by this user: take one above 1023",
  EADDRNOTAVAIL = "port %d on %s: this machine has no such address; 127.0.0.1 is for programs on this machine, "
    .. "0.0.0.0 for the network too",
}

local connecting = {
  ECONNREFUSED = "nobody listens on port %d of %s: start the other component first",
  ETIMEDOUT = "no answer from port %d of %s: is the machine on, and the port open?",
  EPROTO = "what listens on port %d of %s is no component: %s",
}

-- What the layers below say, without their names.
local function bare(message)
  return (message:gsub("^ws%.%w+ ?[^ ]*: ", ""))
end

--- Why a component cannot listen.
---@param host string
---@param port integer
---@param message string what ws.serve said
---@param code? string
---@return string
function words.listen(host, port, message, code)
  return (listening[code] or "port %d on %s: %s"):format(port, host, bare(message))
end

--- Why a component cannot reach another one.
---@param host string
---@param port integer
---@param message string what ws.connect said
---@param code? string
---@return string
function words.connect(host, port, message, code)
  return (connecting[code] or "port %d of %s: %s"):format(port, host, bare(message))
end

local closed_by = {
  peer = "the %s has closed: %s",
  us = "the %s was told to go: %s",
  link = "the %s has gone without a word: %s",
}

--- How a connection has ended.
---@param channel string whose
---@param e any a ConnectionClosed, or the error that ended it
---@return string
function words.left(channel, e)
  if errors.is(e, ws.ConnectionClosed) then
    return closed_by[e.by]:format(channel, e.message:match "^closed [^:]+: (.*)$" or e.message)
  elseif errors.is(e, errors.CancelledError) then
    return closed_by.us:format(channel, "1001 (going away)")
  end
  return ("the %s was sent away, for the loop has failed: %s"):format(channel, tostring(e))
end

return words
