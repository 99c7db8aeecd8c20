local Attached = require("spec.support.attached").Attached
local json = require "strobe.json"
local near = require "strobe.attach.near"

local function ask(raw, op, fields)
  fields.id, fields.op = 1, op
  return raw:ask(json.encode(fields))
end

local function eval(raw, code)
  local answer = ask(raw, "eval", { code = code })
  assert.is_true(answer.ok, answer.error)
end

describe("the operation help", function()
  it("tells what the reference says, to who may only look on", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    assert.matches("^async.sleep%(.-may wait", ask(raw, "help", { name = "async.sleep" }).text)
    assert.matches("asyncio.gather", ask(raw, "help", { name = "asyncio.gather" }).text)
    assert.matches("in their names", ask(raw, "help", { name = "subproc" }).text)
    assert.matches("… %d+ more\n$", ask(raw, "help", { name = "e" }).text)
  end)

  it("knows a method by the object that has it", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    eval(raw, "q = async.Queue()")
    assert.matches("^async.Queue:get_nowait%(%)", ask(raw, "help", { name = "q.get_nowait" }).text)
    assert.matches("^async.Queue:get_nowait%(%)", ask(raw, "help", { name = "q:get_nowait" }).text)
  end)

  it("names what is near when nothing is called so", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local answer = ask(raw, "help", { name = "slepe" })
    assert.same({ "not_found", 3 }, { answer.code, #answer.near })
    assert.matches("^nothing is called 'slepe'; near: ", answer.error)
    assert.equal("bad_request", ask(raw, "help", { name = " " }).code)
    assert.equal("bad_request", ask(raw, "help", {}).code)
  end)

  it("tells how Lua's own functions are called", function()
    local attached <close> = Attached.new()
    assert.matches("^string.rep%(s, n, sep%?%) → string\n", ask(attached:raw(), "help", { name = "string.rep" }).text)
  end)

  it("tells the comment above a function of one's own", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    eval(raw, "\n-- Twice as much.\n-- Really.\nfunction spec_twice(x)\n  return 2 * x\nend")
    assert.equal("spec_twice(x)   (console:1:4)\n\n  Twice as much.\n  Really.\n",
      ask(raw, "help", { name = "spec_twice" }).text)
    eval(raw, "function f(x) end") -- also of one whose name is in many others
    assert.equal("f(x)   (console:2:1)\n", ask(raw, "help", { name = "f" }).text)
  end)
end)

describe("the operation src", function()
  it("tells the text of a function from the input it came with", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    eval(raw, "x = 1\nlocal function f(a)\n  return a + x\nend")
    eval(raw, "t = { f = function() end }")
    local answer = ask(raw, "src", { name = "f" })
    assert.same({ ";     function f(a)\n  return a + x\nend", "console:1", 2, 4 },
      { answer.text:gsub("^local ", ";     "), answer.file, answer.line, answer.last })
    assert.equal("t = { f = function() end }", ask(raw, "src", { name = "t.f" }).text)
  end)

  it("tells it from strobe's own files, and from those of units as they were loaded", function()
    local text = "return { version = 1, on_event = function(ctx, st, event)\n  st.n = 1\nend }\n"
    local attached <close> = Attached.new { units = { ["mm.lua"] = text } }
    attached.units:write("mm.lua", "-- another text\n")
    local raw = attached:raw()
    local answer = ask(raw, "src", { name = "json.decode" })
    assert.matches("decode%(", answer.text)
    assert.matches("strobe/json.lua$", answer.file)
    answer = ask(raw, "src", { name = "mm.on_event" })
    assert.same({ (text:gsub("\n$", "")), 1 }, { answer.text, answer.line })
  end)

  it("says so when there is none", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    assert.matches("is a C function", ask(raw, "src", { name = "string.rep" }).text)
    assert.same({ "not_found", "'string' is a table, and only functions have a source" }, {
      ask(raw, "src", { name = "string" }).code, ask(raw, "src", { name = "string" }).error,
    })
    assert.equal("'no.such' is nothing that has a source here", ask(raw, "src", { name = "no.such" }).error)
  end)
end)

describe("the operation complete", function()
  it("tells candidates with the bytes they replace, and the signature of the call", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    eval(raw, "local account = { cash = 1 }")
    local answer = ask(raw, "complete", { text = "x = account.c + 1", cursor = 13 })
    assert.same({ { { text = "cash", kind = "field" } }, 13, 13 }, { answer.list, answer.first, answer.last })
    answer = ask(raw, "complete", { text = "async.sleep(" })
    assert.matches("^async.sleep%(", answer.signature.text)
    assert.same(answer.signature, ask(raw, "signature", { text = "async.sleep(1", cursor = 12 }).signature)
    assert.is_nil(ask(raw, "signature", { text = "async.sleep(1)" }).signature)
    answer = ask(raw, "complete", { text = "attach ser", of = "TASK" })
    assert.same({ 1, 10, {} }, { answer.first, answer.last, answer.list })
  end)

  it("knows the variables of a task that is looked into, and behind them the console's", function()
    local peer <close> = near.connect {}
    peer:call("eval", { code = "local account = { cash = 1 }" })
    peer.session.pried = { variables = peer.session.evaluator.variables, frame = { variables = function()
      return { { name = "price", kind = "local", value = { cents = 1 } } }
    end } }
    for text, expected in pairs { pri = "price", ["price."] = "cents", ["account."] = "cash" } do
      assert.equal(expected, peer:call("complete", { text = text }).list[1].text)
    end
  end)

  it("is for who may only look on, and checks what it is asked", function()
    local attached <close> = Attached.new { eval = false }
    local raw = attached:raw()
    assert.same({ "gsub" }, { ask(raw, "complete", { text = "string.gs" }).list[1].text })
    assert.same({}, ask(raw, "complete", { text = "stri" }).list)
    assert.equal("bad_request", ask(raw, "complete", { text = "x", cursor = 2 }).code)
    assert.equal("bad_request", ask(raw, "complete", { cursor = 2 }).code)
  end)
end)
