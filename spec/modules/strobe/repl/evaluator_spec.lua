local Evaluator = require "strobe.repl.evaluator"
local async = require "strobe.async"

-- A console without a session, and what it has pushed and logged.
local function new_console(options)
  local console = { pushed = {}, logged = {} }
  console.evaluator = Evaluator.new {
    number = 7, near = options and options.near,
    push = options and options.push or function(event)
      table.insert(console.pushed, event)
    end,
    log = function(_, text)
      table.insert(console.logged, text)
    end,
  }

  function console.start(text, more)
    local chunk, refused = console.evaluator:compile(text)
    assert(chunk, refused and refused.message)
    return console.evaluator:start(chunk, more or {})
  end

  --- The answer of an input.
  function console.run(text, more)
    return console.start(text, more):wait()
  end

  --- Its values as one text, or what went wrong.
  function console.show(text)
    local answer = console.run(text)
    return answer.ok and table.concat(answer.values, " ") or answer.error
  end

  return console
end

describe("an evaluator", function()
  it("keeps variables for the next input, and lets the process's globals alone", function()
    local console = new_console()
    console.run "local x, y = 1, 2; spec_variable = 3"
    assert.equal("1 2 3", console.show "x, y, spec_variable")
    assert.is_nil(rawget(_G, "spec_variable"))
    assert.equal("true", console.show "print ~= nil and string == _G.string")
  end)

  it("knows strobe's modules by their names, unless a variable or global has that name", function()
    local console = new_console()
    assert.equal("true", console.show "async == require 'strobe.async'")
    assert.equal("true", console.show "json.decode '[1]'[1] == 1")
    assert.equal("5", (console.run "json = 5" and console.show "json"))
    assert.equal("nil", console.show "no_such_module")
    setmetatable(_G, { __index = function(_, name)
      error("no global " .. name, 0)
    end })
    local shown = { console.show "net == require 'strobe.net'", console.show "no_such_module" }
    setmetatable(_G, nil)
    assert.same({ "true", "no global no_such_module" }, shown)
  end)

  it("tells no value, nil, and several values apart", function()
    local console = new_console()
    assert.same({}, console.run("x = 1").values)
    assert.same({ "nil" }, console.run("nil").values)
    assert.same({ "nil", "nil" }, console.run("nil, nil").values)
    assert.same({ '"a"', "{1}" }, console.run("'a', {1}").values)
  end)

  it("has the last results by name", function()
    local console = new_console()
    console.run "10, 11"
    assert.equal("10 10 nil", console.show "_, _1, _2")
    console.run "20"
    console.run "x = 5"
    assert.equal("20 20 10 10", console.show "_, _1, _2, _3")
    console.run "_ = 1; _1 = 2"
    assert.equal("20", console.show "_2")
    console.run "nil, 3"
    assert.equal("2 nil 3", console.show "_all.n, _all[1], _all[2]")
  end)

  it("keeps the last failure", function()
    local console = new_console()
    console.run "error { code = 7 }"
    assert.equal('7 "{code=7}"', console.show "_err.value.code, _err.message")
    console.run "local function f() error 'oops' end f()"
    assert.equal('"console:3:1: oops"', console.show "_err.message")
    assert.equal("true", console.show "_err.trace:find('in main chunk', 1, true) ~= nil")
    assert.matches("console 7:3", console.show "_err.task")
  end)

  it("keeps context variables that were set at the prompt, for as long as it lives", function()
    local console = new_console()
    console.run "v = async.ContextVar('v', 0)"
    console.run "v:set(1)"
    assert.equal("1", console.show "v:get()")
    console.run "v:set(2) error 'x'"
    assert.equal("2", console.show "v:get()")
    console.run "async.create_task(function() v:set(3) end):await()"
    assert.equal("2", console.show "v:get()")
    assert.equal("2", console.show "async.create_task(function() return v:get() end):await()")
    assert.equal("0", new_console().show "async.ContextVar('w', 0):get()")
  end)

  it("lets an input wait, and what it has spawned live on", function()
    local console = new_console()
    assert.equal("5", console.show "async.sleep(10, 5)")
    assert.equal("false", console.show "t = async.create_task(async.sleep, 100, 'over') return t:done()")
    assert.equal('"over"', console.show "t:await()")
  end)

  it("tells whose what was printed is: the input's as long as it is in the foreground", function()
    local console = new_console()
    console.run([[
      print('a', nil)
      async.create_task(function() async.sleep(0.1) print 'b' async.sleep(10) print 'c' end)]], { id = 4 })
    console.run("async.sleep(1) print 'd'", { id = 5 })
    async.sleep(20)
    local told = {}
    for i, event in ipairs(console.pushed) do
      told[i] = ("%s %s"):format(event.id, event.text)
    end
    assert.same({ "4 a\tnil\n", "nil b\n", "5 d\n", "nil c\n" }, told)
  end)

  it("gives a number to all but what is incomplete", function()
    local console = new_console()
    console.run "1"
    assert.equal("incomplete", select(2, console.evaluator:compile "if x then").code)
    assert.equal("console:2:1: unexpected symbol near '='", select(2, console.evaluator:compile "x = = 1").message)
    assert.equal("console:3:1: oops", console.show "error 'oops'")
  end)

  it("keeps the text of the last inputs, not of all", function()
    local console = new_console()
    local long = "x = '" .. ("a"):rep(1024 * 1024) .. "'"
    for _ = 1, 6 do
      console.run(long)
    end
    assert.is_nil(console.evaluator.texts["console:1"])
    assert.equal(long, console.evaluator.texts["console:6"])
  end)

  it("says where a failure was, with source lines, and without frames of its own", function()
    local console = new_console()
    console.run "local function f(x)\n  return x.y.z\nend\nfunction g()\n  local v = f {}\n  return v\nend"
    local answer = console.run "g()"
    assert.equal("console:1:2: attempt to index a nil value (field 'y')", answer.error)
    assert.equal(table.concat({
      "  console:1:2: in global 'f'", "    return x.y.z",
      "  console:1:5: in global 'g'", "    local v = f {}",
      "  console:2:1: in main chunk", "    g()",
    }, "\n"), answer.trace)
    assert.not_matches("strobe:", answer.trace)
    assert.not_matches("evaluation.lua", answer.trace)
    assert.matches("evaluation.lua", console.run("error 'x'", { full = true }).trace)
    assert.is_nil(answer.chain)
  end)

  it("tells a frame once that is there many times", function()
    local console = new_console()
    console.run "function f(n) if n == 0 then error 'oops' end return 1 + f(n - 1) end"
    local answer = console.run "f(15)"
    assert.equal(table.concat({
      "  console:1:1: in global 'f'", "    function f(n) if n == 0 then error 'oops' end return 1 + f(n - 1) end",
      "  … 16 times", "  console:2:1: in main chunk", "    f(15)",
    }, "\n"), answer.trace)
  end)

  it("tells the tasks which an error has crossed", function()
    local console = new_console()
    local answer = console.run [[
      local inner = async.create_task(function() error "oops" end)
      inner:set_name "inner"
      local outer = async.create_task(function() inner:await() end)
      outer:set_name "outer"
      outer:await()]]
    assert.equal("console:1:1: oops", answer.error)
    assert.same({ "inner", "outer", "console 7:1" }, answer.chain)
    assert.matches("^in inner:\n  console:1:1: in .*\nawaited by outer:\n  console:1:3:.*\nawaited by console 7:1:",
      answer.trace)
  end)

  it("tells the failure of a task that it has returned, unless somebody has seen it", function()
    local console = new_console()
    console.run "async.create_task(function() async.sleep(1) error 'oops' end)"
    console.run "t = async.create_task(function() async.sleep(1) error 'seen' end) return t"
    assert.equal("console:2:1: seen", console.show "t:await()")
    async.sleep(2)
    assert.equal(1, #console.pushed)
    assert.matches("^Task%-%d+ failed: console:1:1: oops\n  console:1:1: in .*\n$", console.pushed[1].text)
  end)

  it("tells who was cancelled, and why", function()
    local console = new_console()
    local evaluation = console.start "async.sleep(100)"
    async.sleep(1)
    evaluation.task:cancel "ctrl-c"
    local answer = evaluation:wait()
    assert.same({ "interrupted", "it was cancelled: ctrl-c" }, { answer.code, answer.error })
  end)

  it("gives up waiting for what does not end when it is interrupted", function()
    local console = new_console()
    local evaluation = console.start "pcall(async.sleep, 1000) async.sleep(10) return 'late'"
    async.create_task(function()
      async.sleep(1)
      evaluation:interrupt "ctrl-c"
    end)
    local answer = evaluation:wait()
    assert.same({ "interrupted", 1 }, { answer.code, answer.job })
    assert.equal("'console 7:1' has not ended within 1 s of its cancellation: it goes on as job 1", answer.error)
    async.sleep(20)
    assert.same({ "job", 1, { '"late"' } }, {
      console.pushed[1].ev, console.pushed[1].job, table.move(console.pushed[1].values, 1, 9, 1, {}),
    })
  end)

  it("interrupts what has a budget and does not wait", function()
    local answer = new_console().run("while true do end", { seconds = 0.01 })
    assert.same({ "interrupted", "console:1:1: after running 10 ms without waiting" }, { answer.code, answer.error })
    assert.matches("console:1:1: in", answer.trace)
    assert.equal("7", table.concat(new_console().run("async.sleep(1) return 7", { seconds = 0.01 }).values))
  end)

  it("lets Ctrl-C know what is in the foreground of this process's own console", function()
    local interrupt, told = require "strobe.core.interrupt", {}
    local before = interrupt.evaluation
    interrupt.evaluation = function(task)
      table.insert(told, task and task:get_name() or "none")
    end
    local console, far = new_console { near = true }, new_console()
    console.run "1"
    far.run "1"
    console.start("async.sleep(1)"):to_background()
    async.sleep(2)
    interrupt.evaluation = before
    assert.same({ "console 7:1", "none", "console 7:2", "none" }, told)
  end)

  it("tells the log of a job's failure when nobody else listens", function()
    local console = new_console { push = function()
      return false
    end }
    console.start("error 'oops'"):to_background()
    async.sleep(1)
    assert.same({ "console 7:1, in the background: console:1:1: oops" }, console.logged)
  end)
end)
