-- Options: what tectonic.connect and tectonic.serve take, checked before anything is opened.

local mistake = require "strobe.mistake"

local options = {}

---@class strobe.tectonic.ConnectOptions
---@field host? string      default localhost
---@field port? integer     default 9001
---@field protocol? "poll"|"push" generation A (default), or today's server
---@field timeout? number   seconds for connecting and for each answer; default none
---@field queue? integer    "push": updates kept until they are taken (65,536)

---@class strobe.tectonic.ServeOptions : strobe.tectonic.SessionOptions
---@field host? string             default 127.0.0.1
---@field port? integer            default 9001; 0 takes a free one
---@field protocol? "auto"|"poll"|"push" default "auto": both, told apart by their first byte
---@field max_connections? integer default 1024; one more gets an error and is closed
---@field idle_timeout? number     seconds without a request that end a connection; default none
---@field line_limit? integer      bytes of one command of generation A (65,536)
---@field queue_limit? integer     updates queued for a subscriber (65,536)
---@field book_limit? integer      rows kept of a book (100,000)
---@field max_books? integer       default 10,000
---@field now? fun(): number       seconds since 1970, for INFO and PERF; default the wall clock
---@field flush? fun(name: string, ticks: strobe.tectonic.Tick[]): any, string? what FLUSH does: writes rows,
---which are forgotten then; falsy = failed. Default: rows stay in memory
---@field folder? string           what INFO says they are written to (db)

---@class strobe.tectonic.Rule what one option may be
---@field [1] string what is expected, in words
---@field [2] fun(value: any): any whether a value is that

local function is_integer(value, lowest, highest)
  return math.type(value) == "integer" and value >= lowest and value <= highest
end

local function port_from(lowest)
  return { ("a port from %d to 65535"):format(lowest), function(value)
    return is_integer(value, lowest, 65535)
  end }
end

local function of_type(name, words)
  return { words, function(value)
    return type(value) == name
  end }
end

local function one_of(words, allowed)
  return { words, function(value)
    return allowed[value]
  end }
end

local COUNT = { "an integer above 0", function(value)
  return is_integer(value, 1, math.maxinteger)
end }
local SECONDS = { "a number of seconds above 0", function(value)
  return type(value) == "number" and value > 0
end }

---@type table<string, strobe.tectonic.Rule>
options.connect = {
  host = of_type("string", "a name or an address"),
  port = port_from(1),
  protocol = one_of("poll or push", { poll = true, push = true }),
  timeout = SECONDS,
  queue = COUNT,
}

---@type table<string, strobe.tectonic.Rule>
options.serve = {
  host = of_type("string", "a name or an address"),
  port = port_from(0),
  protocol = one_of("auto, poll or push", { auto = true, poll = true, push = true }),
  max_connections = COUNT,
  idle_timeout = SECONDS,
  line_limit = COUNT,
  queue_limit = COUNT,
  book_limit = COUNT,
  max_books = COUNT,
  now = of_type("function", "a function"),
  flush = of_type("function", "a function"),
  folder = of_type("string", "a text"),
  unsubscribe_all = one_of("everyone or own", { everyone = true, own = true }),
}

---Raises, at the caller's caller, for an option that is not as expected.
---@param where string the function they were given to
---@param given table
---@param expected table<string, strobe.tectonic.Rule> options.connect or options.serve
function options.check(where, given, expected)
  mistake.options(where, given)
  for name, rule in pairs(expected) do
    local value = given[name]
    if value ~= nil and not rule[2](value) then
      error(("%s: %s: %s expected, got %s"):format(where, name, rule[1], tostring(value)), 3)
    end
  end
end

return options
