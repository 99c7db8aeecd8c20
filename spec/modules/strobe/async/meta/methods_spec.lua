local async = require "strobe.async"
local help = require "strobe.help"
local sh = require("spec.support.shell").run

-- What the Lua side of strobe keeps with a task; not for users.
local INTERNAL = { get_detail = true, set_detail = true }

-- The documented methods of a class, by name: true.
local function documented(class)
  local names = {}
  for _, entry in ipairs(help.entries()) do
    local of, name = entry.full:match "([%w_]+):([%w_]+)$"
    if of == class and entry.module:find "^strobe.async" then
      names[name] = true
    end
  end
  return names
end

local function methods(object)
  local names = {}
  for name, value in pairs(debug.getmetatable(object)) do
    if type(value) == "function" and not name:find "^__" and not INTERNAL[name] then
      names[name] = true
    end
  end
  return names
end

describe("the methods in C", function()
  it("of a Future are documented, all of them and no others", function()
    local f = async.Future()
    assert.same(methods(f), documented "Future")
  end)

  it("of a Task are documented, those of Futures among them", function()
    local t = async.create_task(function() end)
    local all = documented "Task"
    for name in pairs(documented "Future") do
      all[name] = not name:find "^set_" or nil
    end
    all.set_name = true
    assert.same(methods(t), all)
    t:await()
  end)

  it("are shown by strobe help", function()
    local output, status = sh "$S help Task.cancel"
    assert.equal(0, status)
    assert.matches("^Task:cancel%(message%)", output)
    assert.matches("CancelledError is raised where it waits", output)
    output = sh "$S help Future.result"
    assert.matches("^Future:result%(%)", output)
    output = sh "$S help Task.get_stack"
    assert.matches("Task:get_stack%(limit%)", output)
  end)
end)
