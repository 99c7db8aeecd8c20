--- The operation that tells the variables of a console.

local printer = require "strobe.repl.printer"
local protocol = require "strobe.attach.protocol"

-- What the console itself sets.
local RESULTS = { _ = true, _1 = true, _2 = true, _3 = true, _all = true, _err = true }

local MOST, MOST_TEXT = 500, 400

local function add(list, name, value)
  if #list < MOST then
    list[#list + 1] = {
      name = name, type = math.type(value) or type(value), text = printer.text(value):sub(1, MOST_TEXT),
    }
  end
end

local function sorted_names(variables, hidden)
  local names = {}
  for name in next, variables do
    names[#names + 1] = type(name) == "string" and not RESULTS[name] and not hidden[name] and name or nil
  end
  table.sort(names)
  return names
end

-- Those of a task that is looked into hide the console's.
local function vars(session)
  local pried, list, hidden = session.pried, protocol.list(), {}
  for _, variable in ipairs(pried and pried.frame:variables() or {}) do
    hidden[variable.name] = true
    add(list, variable.name, variable.value)
  end
  local variables = pried and pried.variables or session.evaluator and session.evaluator.variables or {}
  local names = sorted_names(variables, hidden)
  for _, name in ipairs(names) do
    add(list, name, rawget(variables, name))
  end
  return { variables = list }
end

return { vars = { rights = "ro", run = vars } }
