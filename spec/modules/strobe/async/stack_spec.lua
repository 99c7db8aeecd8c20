local async = require "strobe.async"
local tasks = require "spec.support.tasks"

local function line_of(f)
  return debug.getinfo(f, "S").linedefined
end

local function lines(frames)
  local found = {}
  for i, frame in ipairs(frames) do
    assert.matches("stack_spec.lua$", frame.file)
    found[i] = frame.line
  end
  return found
end

local function printed(t, limit)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  t:print_stack(limit, file)
  file:close()
  local text = assert(io.open(path)):read "a"
  os.remove(path)
  return text
end

describe("the stack of a task", function()
  it("that waits is where it waits, the innermost frame first", function()
    local function inner()
      async.sleep(1)
    end
    local function outer()
      inner()
      return true
    end
    local t = tasks.start(outer)
    local stack = t:get_stack()
    assert.same({ line_of(inner) + 1, line_of(outer) + 1 }, lines(stack))
    assert.equal("inner", stack[1].name)
    assert.equal(line_of(inner), stack[1].defined)
    t:cancel()
  end)

  it("has no names that only strobe's own code knows", function()
    local function waiter()
      async.sleep(5)
      return true
    end
    local t = tasks.start(async.move_on_after, 3, waiter)
    local stack = t:get_stack()
    assert.equal(1, #stack)
    assert.is_nil(stack[1].name)
    assert.same(stack, t:get_stack(1))
    assert.equal(debug.getinfo(waiter, "S").linedefined, stack[1].defined)
    t:cancel()
  end)

  it("has at most `limit` frames, the innermost ones", function()
    local function deep(n)
      if n == 0 then
        async.sleep(1)
      else
        deep(n - 1)
      end
      return true
    end
    local t = tasks.start(deep, 9)
    assert.equal(10, #t:get_stack())
    assert.equal(3, #t:get_stack(3))
    assert.same({ line_of(deep) + 2, line_of(deep) + 4 }, lines(t:get_stack { limit = 2 }))
    assert.same({}, t:get_stack { limit = 0 })
    for _, wrong in ipairs { -1, 1.5, "many" } do
      local ok, message = pcall(t.get_stack, t, wrong)
      assert.is_false(ok)
      assert.matches("get_stack: a limit of 0 or more frames expected, got " .. tostring(wrong), message, 1, true)
    end
    t:cancel()
  end)

  it("that has not begun is its function", function()
    local function later() end
    local t = async.create_task(later)
    assert.same({ line_of(later) }, lines(t:get_stack()))
    t:await()
    assert.same({}, async.create_task(async.sleep, 0):get_stack()) -- a function in C
  end)

  it("that has not begun and was made of a coroutine object is the function of that", function()
    local function later() end
    local t = async.create_task(async.fn(later)())
    assert.same({ line_of(later) }, lines(t:get_stack()))
    t:await()
  end)

  it("that runs is where it runs, also inside a generator and a plain coroutine", function()
    local stacks = {}
    local function look()
      stacks[#stacks + 1] = lines(async.current_task():get_stack())
      return true
    end
    local function body()
      for _ in async.generator(function(yield)
        look()
        yield(1)
      end)() do
        coroutine.wrap(function()
          look()
        end)()
      end
      return true
    end
    async.create_task(body):await()
    assert.same({ line_of(look) + 1, line_of(body) + 2, line_of(body) + 1 }, stacks[1])
    assert.same({ line_of(look) + 1, line_of(body) + 6, line_of(body) + 5 }, stacks[2])
  end)

  it("that failed is the traceback of its error, with that of the task it came from; which stays news", function()
    local reports = require "spec.support.reports"
    local function boom()
      error "boom"
    end
    local seen = reports.of(function()
      local function outer()
        async.create_task(boom):await()
      end
      local t = tasks.start(outer)
      async.sleep(1)
      assert.same({ line_of(boom) + 1, line_of(outer) + 1 }, lines(t:get_stack()))
      local text = "Traceback for <Task .-> %(most recent call first%):\n  .-stack_spec.lua:%d+ in .-boom\n"
      assert.matches(text, printed(t))
    end)
    assert.equal(1, #seen) -- looking at a stack is not seeing the error
  end)

  it("that returned or was cancelled is empty", function()
    local t = async.create_task(function() end)
    t:await()
    assert.same({}, t:get_stack())
    assert.matches("^No stack for <Task .-finished>\n$", printed(t))
    t = tasks.start(async.sleep, 5)
    t:cancel()
    async.sleep(0)
    assert.same({}, t:get_stack())
  end)

  it("is printed with file, line and name", function()
    local function waiter()
      async.sleep(1)
      return true
    end
    local t = tasks.start(function()
      waiter()
      return true
    end)
    local text = printed(t)
    assert.matches("^Stack for <Task Task%-%d+ sleep> %(most recent call first%):\n", text)
    assert.matches("\n  [^\n]*stack_spec.lua:%d+ in waiter\n", text)
    assert.equal(2, select(2, printed(t, 1):gsub("\n", "")))
    t:cancel()
  end)

  it("never lets a name drive the terminal", function()
    local t = tasks.start(async.sleep, 1)
    t:set_name "red\27[31m\r\n\xc2\x9b bell\7 ünïcode"
    local text = printed(t)
    assert.matches("red\\x1b[31m\\x0d\\x0a\\u{9b} bell\\x07 ünïcode", text, 1, true)
    assert.is_nil(text:find "[\27\r\7]")
    t:cancel()
  end)

  it("of ten thousand levels is told; one without end up to ten thousand", function()
    local function deep(n)
      if n > 0 then
        deep(n - 1)
      else
        async.sleep(1)
      end
      return true
    end
    local t = tasks.start(deep, 12000)
    assert.equal(10000, #t:get_stack())
    assert.equal(1, #t:get_stack(1))
    t:cancel()
  end)
end)
