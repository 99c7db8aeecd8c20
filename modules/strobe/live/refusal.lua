--- Refusals of a reload: an error with one of the fixed codes, and what to do about it.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"

---@class strobe.live.Refusal : strobe.Error
---@field code string   "syntax", "load", … without "rejected:"
---@field place? string "file:line"
---@field remedy string what to do
---@field trace? string where it happened, of code that raised
local Refusal = core_error.class("Refusal", errors.Error)

-- One line for each code.
local remedies = {
  syntax = "fix the line, save, reload",
  load = "fix what the module does while it is loaded, save, reload",
  empty = "let the file return the unit's table; it may have been read while it was saved",
  missing = "put the file back, or take away the require of it",
  unstable = "wait until the file is no longer written, reload",
  cycle = "move what both modules need into a third one",
  await = "wait in init or main, not while the module is loaded",
  effect = "make tasks and timers, and emit, in init or main",
  global = "make it local, or keep it in st",
  budget = "move long work to init",
  contract = "see the unit's contract: strobe help live",
  subscribe = "name a stream that one of the feeds has",
  native = "restart the process",
  state_type = "keep plain data in st; functions and handles belong to modules and ctx:keep",
  state_size = "keep less in st, or drop what can be computed again in migrate",
  version = "give the unit a migrate function for this step",
  migrate = "fix migrate; it gets a copy of the state and the old version",
  init = "fix init; it may not wait for its own effects",
  init_timeout = "let init do less, or start a task in it",
  busy = "let the handler end sooner, or reload with on_drain = \"cancel\"",
  backlog = "wait until the inbox has drained, or make it larger",
  forbidden = "wait until the unit lets go of its holds",
  deadlock = "use live.request_reload, which does not wait",
  path = "keep the unit's files below the project's root",
  perms = "take away the permission of others to write the file or its directory",
  barrier = "ask again in a moment",
  shutdown = "start the process again",
  memory = "free memory, or restart",
}

local refusals = { Refusal = Refusal, remedies = remedies }

--- Makes one.
---@param code string
---@param message string
---@param place? string "file:line"
---@return strobe.live.Refusal
function refusals.new(code, message, place)
  local refusal = Refusal(message)
  refusal.code, refusal.place = code, place
  refusal.remedy = remedies[code] or error("no such code: " .. code)
  return refusal
end

--- Raises one.
---@param code string
---@param message string
---@param place? string
function refusals.raise(code, message, place)
  error(refusals.new(code, message, place), 0)
end

--- An error in words, even if it cannot say them itself.
---@param e any
---@return string
function refusals.text(e)
  local ok, text = pcall(tostring, e)
  return ok and text or ("an error whose __tostring fails: %s"):format(type(text) == "string" and text or type(text))
end

--- The refusal that an error stands for: itself if it is one, "memory" if that is why, else one of a code.
---@param e any
---@param code string
---@param place? string "file:line"
---@return strobe.live.Refusal
function refusals.of(e, code, place)
  if refusals.is(e) then
    return e
  elseif type(e) == "string" and e:find("not enough memory", 1, true) then
    return refusals.new("memory", e, place)
  end
  return refusals.new(code, refusals.text(e), place)
end

--- Whether an error is one.
---@param e any
---@return boolean
function refusals.is(e)
  return errors.is(e, Refusal)
end

return refusals
