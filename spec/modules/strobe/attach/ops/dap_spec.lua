local Attached = require("spec.support.attached").Attached
local core = require "strobe.core.debugger"
local json = require "strobe.json"

local function request(id, message)
  return json.encode { id = id, op = "dap", text = type(message) == "string" and message or json.encode(message) }
end

local INITIALIZE = { seq = 1, type = "request", command = "initialize" }

-- Whether a debugger is at work in this process; then it was not opened by this.
local function is_open()
  if core.open { resolve = print, stop = print, failing = print } then
    core.close()
    return false
  end
  return true
end

describe("the operation dap", function()
  it("takes the messages of a debugger, and sends those of the process as events", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send(request(1, INITIALIZE))
    local texts = {}
    for i = 1, 2 do
      local event = raw:receive()
      assert.equal("dap", event.ev)
      texts[i] = json.decode(event.text)
    end
    assert.same({ "initialize", true, 1 }, { texts[1].command, texts[1].success, texts[1].request_seq })
    assert.equal("initialized", texts[2].event)
    assert.same({ id = 1, ok = true }, (raw:receive()))
    assert.is_true(is_open())
  end)

  it("ends its debugger with the connection", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask(request(1, INITIALIZE))
    raw.stream:abort()
    attached.wait_until(function()
      return not is_open()
    end)
  end)

  it("refuses what is no message, who may only look on, and processes in which nobody may run code", function()
    do
      local attached <close> = Attached.new()
      local raw = attached:raw "rw"
      assert.equal("bad_request", raw:ask(request(1, "{")).code)
      assert.equal("bad_request", raw:ask('{"id":2,"op":"dap"}').code)
      assert.equal("rights", attached:raw():ask(request(3, INITIALIZE)).code)
    end
    local closed <close> = Attached.new { eval = false }
    assert.equal("no_op", closed:raw("rw"):ask(request(1, INITIALIZE)).code)
    assert.is_false(is_open())
  end)

  it("writes down what changes something, and not each look", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask(request(1, INITIALIZE))
    raw:ask(request(2, { seq = 2, type = "request", command = "threads" }))
    raw:ask(request(3, { seq = 3, type = "request", command = "attach", arguments = {} }))
    attached.wait_until(function()
      local log = table.concat(attached:logged(), "\n")
      return select(2, log:gsub("op=dap", "")) == 1
    end)
  end)
end)
