--- A script's own options: `--name value`, `--name=value`, and flags.
--
-- The defaults say what there is and of what type: a string, a number, an integer,
-- or false for a flag. `arguments.text`, `.number` and `.integer` stand for options
-- without a default, `.texts` for one that may be given again and again: a list.

local arguments = {}

arguments.text = { type = "text" }
arguments.number = { type = "number" }
arguments.integer = { type = "integer" }
arguments.texts = { type = "text", many = true }

local function type_of(default)
  if type(default) == "table" then
    return default.type
  elseif type(default) == "boolean" then
    return "flag"
  end
  return math.type(default) == "integer" and "integer" or type(default) == "number" and "number" or "text"
end

local converters = {
  text = function(value)
    return value
  end,
  number = tonumber,
  integer = function(value)
    return math.tointeger(tonumber(value))
  end,
}

-- The value of one option, and how many words it took.
local function convert(name, kind, value, next_word)
  if kind == "flag" then
    if value then
      return nil, ("--%s takes no value"):format(name)
    end
    return true, 0
  end
  local text, words = value, 0
  if not text then
    text, words = next_word, 1
  end
  if not text then
    return nil, ("--%s: a value is missing"):format(name)
  end
  local result = converters[kind](text)
  if result == nil then
    return nil, ("--%s: %s expected, got '%s'"):format(name, kind == "integer" and "a whole number" or "a number", text)
  end
  return result, words
end

local function initial(defaults)
  local options = {}
  for name, default in pairs(defaults) do
    if type(default) ~= "table" then
      options[name] = default
    elseif default.many then
      options[name] = {}
    end
  end
  return options
end

--- Reads options and the words that are none: all behind a `--` are words.
---@param defaults table<string, any> name → default; - in an option is _ in its name
---@param words string[]
---@return table? options the words that are no options are its list part
---@return string? message
function arguments.read(defaults, words)
  local options, i = initial(defaults), 1
  while i <= #words do
    if words[i] == "--" then
      table.move(words, i + 1, #words, #options + 1, options)
      break
    end
    local name, value = words[i]:match "^%-%-([^=]+)=?(.*)$"
    if not name then
      options[#options + 1] = words[i]
    else
      value = words[i]:find("=", 1, true) and value or nil
      local key = name:gsub("-", "_")
      local default = defaults[key]
      if default == nil then
        return nil, ("unknown option --%s"):format(name)
      end
      local result, taken = convert(name, type_of(default), value, words[i + 1])
      if result == nil then
        return nil, taken
      end
      if type(options[key]) == "table" then
        table.insert(options[key], result)
      else
        options[key] = result
      end
      i = i + taken
    end
    i = i + 1
  end
  return options
end

--- The same for a script: prints its usage for --help and ends it; a mistake is told
--- on stderr, with exit status 2.
---@param usage string
---@param defaults table<string, any>
---@param words? string[] default: the global `arg`
---@return table options
function arguments.parse(usage, defaults, words)
  words = words or arg
  for _, word in ipairs(words) do
    if word == "--help" or word == "-h" then
      print(usage)
      os.exit(0)
    end
  end
  local options, message = arguments.read(defaults, words)
  if not options then
    io.stderr:write(message, "\n", usage, "\n")
    os.exit(2)
  end
  return options
end

return arguments
