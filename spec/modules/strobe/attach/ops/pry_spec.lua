local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"
local captured = require "spec.support.captured"
local inspect = require "strobe.core.inspect"
local pries = require "strobe.repl.pries"

local function parked()
  return (captured.run(function()
    local task = async.create_task(function()
      local price = 5
      pries.wait()
      return price
    end)
    async.sleep(0.01)
    return task
  end))
end

describe("the operation pry", function()
  it("tells the variables, sets them by eval, and lets the task go on", function()
    local attached <close> = Attached.new()
    local raw, task = attached:raw "rw", parked()
    local told = raw:ask(('{"id":1,"op":"pry","task":%d}'):format(inspect.id(task)))
    assert.same({ name = "price", kind = "local", type = "integer", text = "5" }, told.variables[1])
    assert.matches("pry_spec.lua$", told.file)
    raw:ask '{"id":2,"op":"eval","code":"price = price + 1"}'
    assert.is_true(raw:ask('{"id":3,"op":"pry","go":true}').gone)
    assert.equal(6, task:await())
    assert.same({}, raw:ask('{"id":4,"op":"vars"}').variables)
  end)

  it("is of one session alone", function()
    local attached <close> = Attached.new()
    local one, other, task = attached:raw "rw", attached:raw "rw", parked()
    one:ask(('{"id":1,"op":"pry","task":%d}'):format(inspect.id(task)))
    assert.same({ "nil" }, other:ask('{"id":1,"op":"eval","code":"price"}').values)
    assert.equal("not_found", other:ask('{"id":2,"op":"pry","go":true}').code)
    assert.equal(1, #other:ask('{"id":3,"op":"pry"}').parked)
    one.stream:close()
    other:ask(('{"id":4,"op":"pry","task":%d}'):format(inspect.id(task)))
    other:ask '{"id":5,"op":"pry","go":true}'
    assert.equal(5, task:await())
  end)

  it("refuses tasks that do not wait there", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    for _, task in ipairs { "1", '"main"', "99999", '"nobody"', "{}", "1.5" } do
      assert.equal("not_found", raw:ask(('{"id":1,"op":"pry","task":%s}'):format(task)).code)
    end
  end)
end)
