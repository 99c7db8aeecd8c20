--- A passive buzzer: sounds at the frequency with which the level between its two pins changes, whichever is driven
-- (`tone` on one of them, the other at GND).
--
-- `state.sounding`, and `state.frequency` in Hz: what it sounds, or has sounded last. Below 20 Hz nobody hears it.

local part = require "strobe.gpio.part"
local watchdog = require "strobe.gpio.watchdog"

local SECOND = 1000 * 1000 * 1000 -- in ns
local LOWEST = 20 -- Hz

local volts = { ["0"] = 0, ["1"] = 1 }

-- Where the membrane is pulled: -1, 0 or 1.
local function pull(self)
  local a, b = volts[self.line["1"]:level()], volts[self.line["2"]:level()]
  return a and b and a - b or 0
end

---@class strobe.gpio.Buzzer: strobe.gpio.Part
---@field state { sounding: boolean, frequency: number } Hz
return part.kind {
  name = "buzzer",
  pins = { "1", "2" },
  start = function(self)
    local pulled, rose = 0, nil
    self.state.sounding, self.state.frequency = false, 0
    local quiet = watchdog.new(self, 1 / LOWEST, function()
      self.state.sounding, rose = false, nil
    end)
    local function move(_, time)
      local before = pulled
      pulled = pull(self)
      if pulled > before then
        if rose then
          self.state.sounding, self.state.frequency = true, SECOND / (time - rose)
        end
        rose = time
        quiet:feed()
      end
    end
    self:on_edge("1", "change", move)
    self:on_edge("2", "change", move)
  end,
}
