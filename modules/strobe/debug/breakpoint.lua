--- A breakpoint: a line, and what must be true there; or a text that is written in passing.

---@class strobe.debug.Breakpoint
---@field id integer
---@field path? string nil for one in no file
---@field line integer where it is, which may be behind where it was asked for
---@field verified boolean there is code
---@field message? string why it is not
---@field hits integer
---@field private condition? fun(environment: table): boolean, any
---@field private hit_test? fun(hits: integer): boolean
---@field private log? fun(environment: table): string
local Breakpoint = {}
Breakpoint.__index = Breakpoint

local breakpoints = {}

local comparisons = {
  ["="] = function(a, b)
    return a == b
  end,
  ["=="] = function(a, b)
    return a == b
  end,
  [">"] = function(a, b)
    return a > b
  end,
  [">="] = function(a, b)
    return a >= b
  end,
  ["<"] = function(a, b)
    return a < b
  end,
  ["<="] = function(a, b)
    return a <= b
  end,
  ["%"] = function(a, b)
    return b > 0 and a % b == 0
  end,
}

-- "5" the fifth time, ">= 5" from then on, "% 5" each fifth time.
local function read_hits(text)
  local sign, number = text:match "^%s*([=<>%%]*)%s*(%d+)%s*$"
  local compare = number and comparisons[sign == "" and "=" or sign]
  if not compare then
    return nil, ("hit count '%s': a number, or one behind =, >, >=, <, <= or %% expected"):format(text)
  end
  local wanted = math.tointeger(tonumber(number))
  return function(hits)
    return compare(hits, wanted)
  end
end

local function filled(text)
  return text ~= "" and text or nil
end

-- An expression as f(environment) → whether it could be computed, its value; or nil and why it is none.
local function compile(text)
  local scope = {}
  local chunk, message = load("return " .. text, "=condition", "t", setmetatable({}, scope))
  return chunk and function(environment)
    scope.__index, scope.__newindex = environment, environment
    return pcall(chunk)
  end, message
end

-- What an expression of a text is, as text.
local function fill_in(compute, environment)
  local ok, value = compute(environment)
  local told, as_text = pcall(tostring, value)
  as_text = told and as_text or "?"
  return ok and as_text or ("{error: %s}"):format(as_text)
end

-- A text whose {expressions} are compiled, as f(environment) → what it is there.
local function compile_text(text)
  local computes = {}
  for braces in text:gmatch "%b{}" do
    local compute, message = compile(braces:sub(2, -2))
    computes[braces] = compute or function()
      return false, message
    end
  end
  return function(environment)
    return (text:gsub("%b{}", function(braces)
      return fill_in(computes[braces], environment)
    end))
  end
end

--- Makes one.
---@param id integer
---@param path string
---@param line integer
---@param wanted {condition?: string, hitCondition?: string, logMessage?: string} as DAP names them
---@return strobe.debug.Breakpoint
function breakpoints.new(id, path, line, wanted)
  local breakpoint = setmetatable({
    id = id, path = path, line = line, verified = true, hits = 0, condition = filled(wanted.condition or ""),
    log = filled(wanted.logMessage or ""),
  }, Breakpoint)
  breakpoint.log = breakpoint.log and compile_text(breakpoint.log)
  local hit_condition = filled(wanted.hitCondition or "")
  if hit_condition then
    breakpoint.hit_test, breakpoint.message = read_hits(hit_condition)
    breakpoint.verified = breakpoint.hit_test ~= nil
  end
  if breakpoint.condition then
    local compute, message = compile(breakpoint.condition)
    breakpoint.condition = compute
    if not compute then
      breakpoint.verified, breakpoint.message = false, message
    end
  end
  return breakpoint
end

--- Makes one that is nowhere.
---@param id integer
---@param path? string
---@param line integer where it was asked for
---@param message string why
---@return strobe.debug.Breakpoint
function breakpoints.unverified(id, path, line, message)
  return setmetatable({ id = id, path = path, line = line, verified = false, message = message, hits = 0 }, Breakpoint)
end

--- A task has come there. What is computed may not wait.
---@param environment table what its code sees
---@return boolean stops
---@return string? text to be written
function Breakpoint:reach(environment)
  if not self.verified then
    return false
  elseif self.condition then
    local ok, value = self.condition(environment)
    if not ok then
      local told = self.told
      self.told = true
      return false, not told and ("the condition of line %d failed: %s"):format(self.line, tostring(value)) or nil
    elseif not value then
      return false
    end
  end
  self.hits = self.hits + 1
  if self.hit_test and not self.hit_test(self.hits) then
    return false
  elseif self.log then
    return false, self.log(environment)
  end
  return true
end

return breakpoints
