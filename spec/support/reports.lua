--- What strobe reports: errors and warnings that nobody handles.

local collector = require "spec.support.collector"
local report = require "strobe.report"

local reports = {}

--- Runs f, then collects what it dropped; returns the reports made meanwhile.
---@async
---@param f fun()
---@return table[] contexts as an exception handler gets them
function reports.of(f)
  local contexts = {}
  local restore <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      report.set_handler(nil)
    end,
  })
  report.set_handler(function(context)
    table.insert(contexts, context)
  end)
  f()
  collector.collect()
  return contexts
end

return reports
