local errors = require "spec.support.errors"
local settings = require "strobe.gpio.settings"

describe("settings of a line", function()
  it("become what the engine knows: ns, and nothing that is as it is", function()
    assert.same({ bias = "pull-up", active_low = false, debounce_period = 1500000 }, settings.check("line", {
      direction = "as-is", bias = "pull-up", active_low = false, debounce_period = 0.0015, edge = "both",
      consumer = "me", shared = true, event_buffer_size = 5,
    }))
  end)

  it("are refused with their function and name", function()
    for text, given in pairs {
      ["line: a table of settings expected, got number"] = 7,
      ["line: drive: one of open%-drain, open%-source, push%-pull expected, got weak"] = { drive = "weak" },
      ["line: edge: one of both, falling, none, rising expected, got up"] = { edge = "up" },
      ["line: consumer: a string expected, got number"] = { consumer = 7 },
      ["line: there is no setting 1"] = { "input" },
      ["line: event_buffer_size: 1 to 1048576 expected, got 0"] = { event_buffer_size = 0 },
      ["line: event_buffer_size: 1 to 1048576 expected, got many"] = { event_buffer_size = "many" },
      ["line: debounce_period: 0 seconds or more expected, got soon"] = { debounce_period = "soon" },
    } do
      assert.matches(text, errors.raised_by(settings.check, "line", given))
    end
  end)

  it("know the edges that may be waited for", function()
    settings.check_edge("wait", "rising")
    assert.matches("wait: edge: rising, falling or both expected, got none",
      errors.raised_by(settings.check_edge, "wait", "none"))
  end)
end)
