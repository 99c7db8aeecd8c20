local async = require "strobe.async"
local evaluator = require "strobe.attach.evaluator"

-- What becomes of a text: "chunk", or a code and a message.
local function outcome(text)
  local chunk, code, message = evaluator.compile(text, "=console:1", {})
  return chunk and "chunk" or code, message
end

describe("the evaluator", function()
  for _, text in ipairs {
    "", " ", "-- only this", "1 + 1", "x = 1", "local x = 1", "f()", "return 1, 2", "::l::", "'a'", "[[\n]]", "do end",
    "function() end",
  } do
    it(("takes %q"):format(text), function()
      assert.equal("chunk", (outcome(text)))
    end)
  end

  for _, text in ipairs {
    "if x then", "1 +", "{1,", "x =", "'abc\\", "'abc\\z", "[[", "--[[", "f(", "function f()", "for i = 1, 2 do",
    "repeat", "local function", "return 1,",
  } do
    it(("asks for more behind %q"):format(text), function()
      assert.equal("incomplete", (outcome(text)))
    end)
  end

  for text, message in pairs {
    ["'abc"] = "console:1:1: unfinished string near ''abc'",
    ["x = = 1"] = "console:1:1: unexpected symbol near '='",
    ["1 2"] = "console:1:1: <eof> expected near '2'",
    ["if x then )"] = "console:1:1: unexpected symbol near ')'",
    ["x)"] = "console:1:1: syntax error near ')'",
    ["end"] = "console:1:1: <eof> expected near 'end'",
  } do
    it(("says what is wrong with %q"):format(text), function()
      local code, said = outcome(text)
      assert.equal("syntax", code)
      assert.equal(message, said)
    end)
  end

  it("takes no precompiled chunk", function()
    assert.equal("syntax", (outcome(string.dump(function() end))))
  end)

  it("runs a chunk in a task of its own, which is interrupted when it does not wait", function()
    local chunk = evaluator.compile("while true do end", "=x", {})
    local task = evaluator.start(chunk, "mine", 0.01)
    assert.equal("mine", task:get_name())
    local ok, e = pcall(task.await, task)
    assert.is_false(ok)
    assert.is_true(async.is(e, evaluator.Interrupted))
    assert.equal(7, evaluator.start(function()
      async.sleep(1)
      return 7
    end, "other", 0.01):await())
  end)
end)
