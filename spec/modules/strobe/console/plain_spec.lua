local Plain = require "strobe.console.plain"
local async = require "strobe.async"
local standard = require "strobe.async.standard"

describe("a console without an editor", function()
  local stdin, stdout, stderr = standard.stdin, io.stdout, io.stderr
  local shown, lines, told

  -- What is written goes there, prompts in brackets.
  local function file(form)
    return {
      write = function(_, text)
        shown[#shown + 1] = form:format(text)
      end,
      flush = function() end,
    }
  end

  local function open()
    return Plain.open {
      prompt = "> ", more = ">> ",
      is_complete = function(text)
        return not text:find "do$"
      end,
      on_submit = function(text)
        told[#told + 1] = text
      end,
      on_interrupt = function(empty)
        told[#told + 1] = empty and "empty" or "given up"
      end,
      on_eof = function()
        told[#told + 1] = "eof"
      end,
    }
  end

  before_each(function()
    shown, told, lines = {}, {}, async.Queue()
    io.stdout, io.stderr = file "%s", file "[%s]" -- luacheck: ignore
    standard.stdin = { readline = function() -- luacheck: ignore
      return lines:get()
    end }
  end)

  after_each(function()
    io.stdout, io.stderr = stdout, stderr -- luacheck: ignore
    standard.stdin = stdin
  end)

  it("asks for a line when it is ready, and for more while that is not complete", function()
    local plain <close> = open()
    async.sleep(1)
    assert.same({}, shown)
    plain:ready()
    lines:put_nowait "do\r\n"
    lines:put_nowait "end\n"
    async.sleep(1)
    assert.same({ "do\nend" }, told)
    assert.same({ "[> ]", "[>> ]" }, shown) -- and no prompt while the input is at work
  end)

  it("gives up what is not complete by Ctrl-C, and asks anew", function()
    local plain <close> = open()
    plain:ready()
    lines:put_nowait "do\n"
    async.sleep(1)
    plain:interrupt()
    plain:interrupt()
    assert.same({ "given up", "empty" }, told)
    assert.same({ "[> ]", "[>> ]", "[\n]", "[> ]", "[\n]", "[> ]" }, shown)
  end)

  it("ends with its input", function()
    local plain <close> = open()
    plain:ready()
    lines:put_nowait ""
    async.sleep(1)
    assert.same({ "eof" }, told)
  end)

  it("prints as it comes what an input prints, notes, and what comes from the background", function()
    local plain <close> = open()
    plain:print "a"
    plain:note "b"
    plain:above("source", "c\n")
    plain:set_input "d"
    plain:pin {}
    assert.equal("ab\nc\nd\n", table.concat(shown))
    assert.equal(7, plain:lend(function()
      return 7
    end))
    plain:close()
  end)
end)
