local actions = require "strobe.editor.actions"
local bindings = require "strobe.editor.bindings"

describe("the keys' bindings", function()
  it("lead to actions that there are, and each action has a key", function()
    local reached = {}
    for key, action in pairs(bindings) do
      assert.is_function(actions[action], ("%s: %s"):format(key, action))
      reached[action] = true
    end
    for action in pairs(actions) do
      assert.is_true(reached[action], action)
    end
  end)

  it("have what a mirrored key does mirrored", function()
    local mirrored = { ["ctrl-left"] = "ctrl-right", ["alt-b"] = "alt-f", left = "right", ["ctrl-b"] = "ctrl-f" }
    for key, other in pairs(mirrored) do
      assert.equal(bindings[other], (bindings[key]:gsub("left", "right")))
    end
  end)
end)
