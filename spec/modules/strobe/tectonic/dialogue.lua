--- Dialogues with a session: what a client says, and the answer it expects.
--
-- client.says(request, body) and client.fails(request, error) check both success and body.

local assert = require "luassert"
local session = require "strobe.tectonic.session"
local session_c = require "strobe.tectonic.session_c"
local store = require "strobe.tectonic.store"

local dialogue = {}

--- A store whose clock stands still.
---@param options? table as of strobe.tectonic.store
---@return strobe.tectonic.Store
function dialogue.new_store(options)
  options = options or {}
  options.now = function() return 1517000000 end
  return store.new(options)
end

local function with(one, ask, error_end)
  local client = { session = one }
  function client.says(request, body)
    local success, answer = ask(one, request)
    assert.equal(body, answer)
    assert.is_true(success)
  end
  function client.fails(request, text)
    local success, answer = ask(one, request)
    assert.equal("ERR: " .. text .. error_end, answer)
    assert.is_false(success)
  end
  return client
end

--- A client of generation A, of a store of its own unless it gets one.
function dialogue.with_a(shared, options)
  local one = session.new(shared or dialogue.new_store(), options)
  return with(one, one.line, "\n\n")
end

--- A client of generation C; `pushed` are the updates that were pushed to it.
function dialogue.with_c(shared)
  local pushed = {}
  local one = session_c.new(shared or dialogue.new_store(), { push = function(bytes)
    pushed[#pushed + 1] = bytes
  end })
  local client = with(one, one.request, "\n")
  client.pushed = pushed
  return client
end

return dialogue
