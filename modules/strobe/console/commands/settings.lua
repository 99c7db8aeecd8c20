--- :set :vars :clear :q — the console itself.

local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local quantity = require "strobe.quantity"
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"

-- --- :set ------------------------------------------------------------------------------------------

local function whole(least, most)
  return function(text)
    local number = math.tointeger(tonumber(text))
    if number and number >= least and number <= most then
      return number
    end
    return nil, ("a whole number from %d to %d expected"):format(least, most)
  end
end

local SWITCH = { on = true, off = false, yes = true, no = false, ["true"] = true, ["false"] = false }

local function switch(text)
  if SWITCH[text] ~= nil then
    return SWITCH[text]
  end
  return nil, "on or off expected"
end

local function one_of(...)
  local words = { ... }
  return function(text)
    for _, word in ipairs(words) do
      if word == text then
        return word
      end
    end
    return nil, table.concat(words, " or ") .. " expected"
  end
end

-- In the order in which they are told: what a value may be, and what it is for.
local SETTINGS = {
  { "depth", whole(0, 100), "how deep tables are printed" },
  { "items", whole(1, 10000), "entries of each table that are printed" },
  { "width", whole(20, 1000), "columns of what commands print" },
  { "trace", one_of("short", "full"), "short leaves the frames of strobe itself out" },
  { "color", switch, "colours" },
}

local function value_text(value)
  if type(value) == "boolean" then
    return value and "on" or "off"
  end
  return value == nil and "-" or tostring(value)
end

local function tell_settings(console)
  local rows = {}
  for i, setting in ipairs(SETTINGS) do
    rows[i] = { setting[1], value_text(console.settings[setting[1]]), setting[3] }
  end
  local columns = { { "SETTING" }, { "VALUE" }, { "WHAT IT IS", flexible = true, wrap = true } }
  return grid.text(columns, rows, layout.of(console))
end

local function set(console, text)
  local name, value = text:match "^(%S+)%s*(.*)$"
  if not name then
    return tell_settings(console)
  end
  for _, setting in ipairs(SETTINGS) do
    if setting[1] == name and value == "" then
      return ("%s is %s"):format(name, value_text(console.settings[name]))
    elseif setting[1] == name then
      local read, message = setting[2](value)
      if read == nil then
        refusal.raise("%s: %s", name, message)
      end
      console.settings[name] = read
      return nil
    end
  end
  refusal.raise("there is no setting '%s'; :set tells them", name)
end

-- --- :vars -----------------------------------------------------------------------------------------

local function vars(console)
  local answer = request.ask(console, "vars")
  local rows = {}
  for i, variable in ipairs(answer.variables) do
    rows[i] = { variable.name, variable.type, variable.text }
  end
  if #rows == 0 then
    return "no variables yet: x = 1 makes one"
  end
  return grid.text({ { "NAME" }, { "TYPE" }, { "VALUE", flexible = true } }, rows, layout.of(console))
end

-- --- :clear and :q -----------------------------------------------------------------------------------

local function clear(console)
  console:clear()
end

local function running_units(console)
  local answer = request.try(console, "gens", {})
  local count = 0
  for _, unit in ipairs(answer and answer.units or {}) do
    count = count + (unit.state == "running" and 1 or 0)
  end
  return count
end

local function quit(console)
  if console.near and not console.asked_to_quit then
    local count = running_units(console)
    if count > 0 then
      console.asked_to_quit = true
      return ("%s: :q once more ends %s, and the process"):format(quantity.noun(count, "unit runs", "units run"),
        count == 1 and "it" or "them")
    end
  end
  console:quit()
end

return {
  {
    name = "set", arguments = "[SETTING [VALUE]]", rights = "-", run = set,
    help = "the settings of the console, or sets one",
  },
  { name = "vars", arguments = "", rights = "-", run = vars, help = "the variables of the console, and their values" },
  { name = "clear", arguments = "", rights = "-", run = clear, help = "clears the screen" },
  {
    name = "quit", arguments = "", rights = "-", run = quit, aliases = { "q" },
    help = "leaves\n"
      .. "From afar the process goes on. The console of the process itself ends its tasks, and the process in order;\n"
      .. "when live units run it asks once.",
  },
}
