local Folder = require "spec.support.folder"
local child = require "spec.support.child"
local host = require "strobe.core.host"
local uv = require "luv"

describe("strobe test", function()
  -- strobe as it runs here, wherever it is started.
  local modules = os.getenv "STROBE_MODULES"
  local strobe = modules and { "env", "STROBE_MODULES=" .. uv.fs_realpath(modules), host.program } or { host.program }

  -- What strobe test with these words prints and returns, in a folder with these files.
  local function test(files, ...)
    local folder <close> = Folder.new(files)
    local arguments = { "100", table.unpack(strobe) }
    for _, word in ipairs { "test", ... } do
      table.insert(arguments, word)
    end
    local process <close> = child.spawn("timeout", arguments, { cwd = folder.path })
    local status = process:wait()
    return process.output.stdout, status, process.output.stderr
  end

  -- The same for one file, whose text is the body of a `describe`.
  local function test_body(body, ...)
    return test({
      ["a_spec.lua"] = 'local async = require "strobe.async" describe("a noun", function() ' .. body .. " end)",
    }, "a_spec.lua", ...)
  end

  local passing = 'it("is", function() end)'

  describe("the totals", function()
    it("of specs that hold are the last line, with status 0", function()
      assert.same({ "\n1 passed, 0 failed, 0 skipped\n", 0, "" }, { test_body(passing) })
    end)

    it("count what failed, which makes the status 1, and what was skipped", function()
      local output, status = test_body(passing .. [[
        it("fails", function() assert.is_true(false) end)
        it("raises", function() error "oops" end)
        pending "is for later"
      ]])
      assert.matches("\n1 passed, 2 failed, 1 skipped\n$", output)
      assert.equal(1, status)
    end)

    it("without any spec are 0, and nothing failed", function()
      assert.same({ "\n0 passed, 0 failed, 0 skipped\n", 0, "" }, { test_body "" })
    end)
  end)

  describe("what failed", function()
    it("is told with its full name, its place, and what was expected", function()
      local output = test_body [[describe("when asked", function()
        it("answers", function()
          assert.equal("yes", "no")
        end)
      end)]]
      assert.matches("\nFAILURE: a noun when asked answers\n  at a_spec.lua:2\n  a_spec.lua:3: Expected", output)
      assert.matches('%(string%) \'no\'\n.*%(string%) \'yes\'\n', output)
    end)

    it("by an error is told with the lines that led there, and no others", function()
      local output = test_body [[
        local function deep()
          error "oops"
        end
        it("fails", function()
          deep()
          return true
        end)]]
      assert.matches("\nERROR: a noun fails\n  at a_spec.lua:4\n  a_spec.lua:2: oops\n", output)
      local lines = "stack traceback:\n[^\n]*a_spec.lua:2: in [^\n]*\n[^\n]*a_spec.lua:5: in [^\n]*\n  again: "
      assert.matches(lines, output)
    end)

    it("by an error that is no string is told with the line", function()
      local output = test_body [[it("fails", function()
        error(async.QueueFull "no room")
      end)]]
      assert.matches("\n  a_spec.lua:2: QueueFull: no room\n", output)
    end)

    it("does not keep the others from running", function()
      local output = test_body('it("fails", function() error "oops" end) ' .. passing)
      assert.matches("\n1 passed, 1 failed, 0 skipped\n$", output)
    end)

    it("may be what stands around the specs", function()
      for hook, totals in pairs {
        before_each = "0 passed, 1 failed",
        after_each = "1 passed, 1 failed",
        setup = "0 passed, 1 failed",
        teardown = "1 passed, 1 failed",
      } do
        local output, status = test_body(hook .. '(function() error "oops" end) ' .. passing)
        assert.matches("\nERROR: a noun " .. hook .. "\n  at a_spec.lua:1\n  a_spec.lua:1: oops\n", output)
        assert.matches("\n" .. totals .. ", 0 skipped\n$", output)
        assert.equal(1, status)
      end
    end)
  end)

  describe("what is pending", function()
    it("is skipped, and its reason told", function()
      local output, status = test_body [[
        it("needs a printer", function()
          pending "there is no printer here"
        end)
        pending("prints", function() end)]]
      assert.matches("skipped: a noun needs a printer: a_spec.lua:2: there is no printer here\n", output)
      assert.matches("skipped: a noun prints: pending\n", output)
      assert.matches("\n0 passed, 0 failed, 2 skipped\n$", output)
      assert.equal(0, status)
    end)
  end)

  describe("its paths", function()
    local files = {
      ["spec/a_spec.lua"] = passing,
      ["spec/deep/b_spec.lua"] = passing,
      ["spec/helper.lua"] = "error 'not a spec'",
      ["other/c_spec.lua"] = passing,
      ["none/x.lua"] = "",
    }

    it("are files and folders, which are searched for *_spec.lua", function()
      for words, passed in pairs { ["spec"] = 2, ["spec/a_spec.lua"] = 1, ["spec/deep other"] = 2 } do
        local list = {}
        for word in words:gmatch "%S+" do
          table.insert(list, word)
        end
        assert.equal(("\n%d passed, 0 failed, 0 skipped\n"):format(passed), (test(files, table.unpack(list))))
      end
    end)

    it("are the folder spec when there are none", function()
      assert.equal("\n2 passed, 0 failed, 0 skipped\n", (test(files)))
    end)

    it("that are not there, or have no spec, are told, and nothing is run", function()
      for path, reason in pairs {
        nowhere = "no such file or folder",
        none = "no *_spec.lua in this folder",
      } do
        assert.same(
          { "", 1, ("strobe test: %s: %s\n"):format(path, reason) },
          { test(files, "spec", path) }
        )
      end
    end)
  end)

  describe("a spec file", function()
    it("that does not parse fails, with its line, and the others are run", function()
      local output, status = test({ ["spec/a_spec.lua"] = "it(\n", ["spec/b_spec.lua"] = passing })
      assert.matches("\nERROR: spec/a_spec.lua\n[^\n]*\n  spec/a_spec.lua:2: unexpected symbol near <eof>\n", output)
      assert.matches("\n1 passed, 1 failed, 0 skipped\n$", output)
      assert.equal(1, status)
    end)

    it("that raises an error fails, and the others are run", function()
      local output, status = test({ ["spec/a_spec.lua"] = "error 'at the top'", ["spec/b_spec.lua"] = passing })
      assert.matches("\n  spec/a_spec.lua:1: at the top\n", output)
      assert.matches("\n1 passed, 1 failed, 0 skipped\n$", output)
      assert.equal(1, status)
    end)
  end)

  describe("--filter", function()
    local body = 'it("sings", function() end) it("dances", function() error "never run" end)'

    it("runs only what has the pattern in its full name", function()
      for _, pattern in ipairs { "sings", "^a noun s", "noun si.gs$" } do
        assert.equal("\n1 passed, 0 failed, 0 skipped\n", (test_body(body, "--filter=" .. pattern)))
      end
    end)

    it("runs nothing when it fits nothing", function()
      assert.same({ "\n0 passed, 0 failed, 0 skipped\n", 0, "" }, { test_body(body, "--filter", "weeps") })
    end)
  end)

  describe("its clock", function()
    it("is virtual: it stands at 0 when an `it` begins, and hours pass at once", function()
      assert.equal("\n2 passed, 0 failed, 0 skipped\n", (test_body [[
        for i = 1, 2 do
          it("is " .. i, function()
            assert.equal(0, async.time())
            async.sleep(100)
            assert.equal(100, async.time())
          end)
        end]]))
    end)

    it("is the system's with --clock=live", function()
      assert.equal("\n1 passed, 0 failed, 0 skipped\n", (test_body([[
        it("is", function()
          assert.equal("live", require("strobe.core.time").mode())
        end)]], "--clock=live")))
    end)

    it("is no other", function()
      local output, status, message = test_body(passing, "--clock=x10")
      assert.same({ "", 2 }, { output, status })
      assert.matches("^strobe test: %-%-clock=x10: live or virtual expected\nusage: strobe test ", message)
    end)
  end)

  describe("an `it` that takes too long", function()
    it("is cancelled where it waits, and fails", function()
      local output, status = test_body([[it("sleeps", function()
        async.sleep(1000)
      end) ]] .. passing)
      assert.matches("\n  it took more than 120 s, and was cancelled here: a_spec.lua:2: CancelledError\n", output)
      assert.matches("\n1 passed, 1 failed, 0 skipped\n$", output)
      assert.equal(1, status)
    end)

    it("fails even if it waits for ever, or takes no notice", function()
      local output = test_body [[
        it("hangs", function() async.Future():await() end)
        it("is deaf", function() pcall(async.sleep, 1000) end)]]
      assert.matches("ERROR: a noun hangs\n.*it took more than 120 s, and was cancelled here", output)
      assert.matches("ERROR: a noun is deaf\n.*it swallowed the cancellation at its deadline", output)
      assert.matches("\n0 passed, 2 failed, 0 skipped\n$", output)
    end)
  end)

  describe("an `it` that leaves something behind", function()
    local kinds = {
      { "a task", 'async.create_task(async.sleep, 10):set_name "forgotten"', "task forgotten, which waits for sleep" },
      { "a timer", "async.get_running_loop():call_later(10, print)", "1 timer%(s%)" },
      { "a handle", 'kept = require("luv").new_timer() kept:start(60000, 0, print)', "1 handle%(s%) of type timer" },
      { "a server", 'kept = require("strobe.net").listen(nil, 0)', "1 handle%(s%) of type tcp" },
    }
    for _, kind in ipairs(kinds) do
      local name, code, message = table.unpack(kind)
      it("fails by the name of what it is: " .. name, function()
        local output, status = test_body(('it("leaves", function() %s end)'):format(code))
        assert.matches("\nERROR: a noun leaves\n  at a_spec.lua:1\n", output)
        assert.matches("\n  a_spec.lua:1: left over: " .. message .. "\n", output)
        assert.matches("0 passed, 1 failed, 0 skipped\n$", output)
        assert.equal(1, status)
      end)
    end

    it("does not disturb the next one", function()
      local output = test_body [[
        local living = #async.all_tasks()
        it("leaves a task", function()
          async.create_task(function()
            pcall(async.sleep, 50)
            async.sleep(50)
          end)
        end)
        it("fails and leaves one", function()
          async.create_task(async.sleep, 10)
          error "oops"
        end)
        it("begins anew", function()
          assert.equal(0, async.time())
          assert.equal(living, #async.all_tasks())
        end)]]
      assert.matches("\n1 passed, 2 failed, 0 skipped\n$", output)
    end)

    it("holds when what it began ends with it", function()
      assert.equal("\n1 passed, 0 failed, 0 skipped\n", (test_body [[
        it("ends what it began", function()
          local server <close> = require("strobe.net").listen(nil, 0)
          local tg <close> = async.TaskGroup()
          tg:create_task(async.sleep, 10)
        end)]]))
    end)
  end)

  describe("a `<close>` value of an `it` that fails", function()
    it("is told the error", function()
      local output = test_body [[
        it("fails", function()
          local _ <close> = setmetatable({}, { __close = function(_, e) print("closed by " .. tostring(e)) end })
          error("oops", 0)
        end)]]
      assert.matches("^closed by oops\n", output)
    end)

    it("that is a task group does not wait for its children", function()
      local output = test_body [[
        it("fails", function()
          local tg <close> = async.TaskGroup()
          tg:create_task(async.sleep, 1000)
          error("oops", 0)
        end)]]
      assert.matches("a_spec.lua:4: ExceptionGroup: unhandled errors in a TaskGroup %(1%)\n    1. oops\n", output)
    end)

    it("that is a timeout names itself", function()
      local output = test_body [[
        it("is late", function()
          local _ <close> = async.timeout(1)
          async.sleep(10)
        end)]]
      assert.matches("\n  a_spec.lua:3: TimeoutError: timed out after 1 s\n", output)
    end)
  end)

  describe("--seed", function()
    local drawing = 'it("draws", function() error("drawn " .. math.random(1000000), 0) end)'

    it("is where math.random begins in each `it`, and is told when one fails", function()
      local body = drawing .. ' it("draws again", function() error("drawn " .. math.random(1000000), 0) end)'
      local output = test_body(body, "--seed", "5")
      local first, second = output:match "drawn (%d+)\n.*drawn (%d+)\n"
      assert.equal(first, second)
      assert.equal(2, select(2, output:gsub("\n  again: strobe test %-%-seed 5 a_spec.lua\n", "")))
    end)

    it("is drawn when it is not given: what is told repeats the failure", function()
      local output = test_body(drawing)
      local seed = output:match "again: strobe test %-%-seed (%d+) a_spec.lua"
      assert.equal(output, (test_body(drawing, "--seed", seed)))
    end)
  end)

  describe("--shuffle-tasks", function()
    -- Both begin after a second. First in, first out, the settings happen to be there in time.
    local race = [[
      it("greets", function()
        local settings, greeting
        local function load()
          async.sleep(1)
          settings = { name = "Ada" }
        end
        local function greet()
          async.sleep(1)
          greeting = "Hello, " .. (settings and settings.name or "nobody")
        end
        async.gather(async.create_task(load), async.create_task(greet))
        assert.equal("Hello, Ada", greeting)
      end)]]

    it("finds a race that first in, first out hides, and tells how to see it again", function()
      assert.equal("\n1 passed, 0 failed, 0 skipped\n", (test_body(race)))
      local output, status = test_body(race, "--shuffle-tasks", "20", "--seed", "1")
      assert.equal(1, status)
      assert.matches("\nFAILURE: a noun greets\n", output)
      assert.matches("\n0 passed, 1 failed, 0 skipped\n$", output)
      assert.matches("\ntasks were shuffled by the seeds 1 to 20\n", output)
      local words = {}
      for word in output:match("again: strobe test (.-) a_spec.lua\n"):gmatch "%S+" do
        table.insert(words, word)
      end
      assert.equal("--shuffle-seed", words[3])
      for _ = 1, 2 do
        local again = test_body(race, table.unpack(words))
        assert.equal(output:match "FAILURE.-\n\n", again:match "FAILURE.-\n\n")
      end
    end)

    it("runs an `it` so many times, with what stands around it", function()
      local output = test_body([[
        before_each(function() io.write "b" end)
        after_each(function() io.write "a" end)
        it("is", function()
          finally(function() io.write "f" end)
          io.write "i"
        end)]], "--shuffle-tasks=3", "--seed=7")
      assert.equal("bifabifabifa\ntasks were shuffled by the seeds 7 to 9\n\n1 passed, 0 failed, 0 skipped\n", output)
    end)

    it("leaves alone what asks for first in, first out", function()
      local output = test_body([[
        it("is about the order", function()
          require("strobe.testing").fifo()
          io.write "once"
          local log = {}
          for i = 1, 8 do
            async.create_task(table.insert, log, i)
          end
          async.sleep(0)
          assert.same({ 1, 2, 3, 4, 5, 6, 7, 8 }, log)
        end)]], "--shuffle-tasks=20")
      assert.matches("^once\ntasks were shuffled ", output)
      assert.matches("\n1 passed, 0 failed, 0 skipped\n$", output)
    end)

    it("is at least 1, and no order is asked for besides", function()
      for words, reason in pairs {
        ["--shuffle-tasks=0"] = "--shuffle-tasks 0: at least 1 expected",
        ["--shuffle-tasks=2 --shuffle-seed=1"] = "--shuffle-seed is one order, --shuffle-tasks is many: "
          .. "one of them expected",
      } do
        local output, status, message = test_body(passing, table.unpack(require("pl.stringx").split(words)))
        assert.same({ "", 2, "strobe test: " .. reason }, { output, status, message:match "^[^\n]*" })
      end
    end)
  end)

  describe("its words", function()
    it("are explained by --help", function()
      for _, word in ipairs { "--help", "-h" } do
        local output, status = test({}, word)
        assert.matches("^usage: strobe test ", output)
        assert.equal(0, status)
      end
    end)

    it("that are unknown are told, with status 2", function()
      local output, status, message = test({}, "--what")
      assert.same({ "", 2 }, { output, status })
      assert.matches("^strobe test: unknown option %-%-what\nusage: strobe test ", message)
    end)
  end)
end)
