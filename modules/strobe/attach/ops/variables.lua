--- The operation that tells the variables of a console.

local printer = require "strobe.console.printer"
local protocol = require "strobe.attach.protocol"

-- What the console itself sets.
local RESULTS = { _ = true, _1 = true, _2 = true, _3 = true, _all = true, _err = true }

local MOST, MOST_TEXT = 500, 400

local function vars(session)
  local variables = session.evaluator and session.evaluator.variables or {}
  local names, list = {}, protocol.list()
  for name in next, variables do
    names[#names + 1] = type(name) == "string" and not RESULTS[name] and name or nil
  end
  table.sort(names)
  for i = 1, math.min(#names, MOST) do
    local value = rawget(variables, names[i])
    list[i] = { name = names[i], type = math.type(value) or type(value), text = printer.text(value):sub(1, MOST_TEXT) }
  end
  return { variables = list, more = #names - #list }
end

return { vars = { rights = "ro", run = vars } }
