--- A source for specs: a generator that counts.

local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"

--- A generator of 1, 2, 3, …, n, one every `period` seconds, that notes its end.
---@param n integer
---@param period? number by default it does not wait
---@param log? string[] gets "closed"
---@return strobe.Generator
local function counter(n, period, log)
  return async.generator(function(yield)
    local _ <close> = cleanup(function()
      async.sleep(0) -- cleanup may wait
      if log then
        log[#log + 1] = "closed"
      end
    end)
    for i = 1, n do
      if period then
        async.sleep(period)
      end
      yield(i)
    end
  end)()
end

return counter
