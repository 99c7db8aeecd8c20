--- The frames of a task, as it stands: the functions that have called each other, with what they see.
--
-- Frames of strobe itself and of C are left out. In a task that a hook has stopped, Lua tells the line of the
-- instruction before, and the variable that begins with the next one has no name yet: the stop knows both.

local report = require "strobe.report"
local sources = require "strobe.debug.source"

local MOST_FRAMES, MOST_LOCALS, MOST_UPVALUES = 1000, 250, 255

---@class strobe.debug.Frame
---@field thread thread
---@field level integer
---@field line integer
---@field name string
---@field path? string of its file, if it is one
---@field source string the name of its chunk
---@field func function
---@field names? string[] of its local variables, for the innermost one of a stop
---@field private in_hook? boolean its names are not known yet
---@field values? table[] what they were: of an error that has unwound the stack
local Frame = {}
Frame.__index = Frame

local frames = {}

local function is_shown(info)
  return info.currentline > 0 and not report.is_ours(info.source:sub(2))
end

local function name_of(info, path)
  if info.what == "main" then
    return "main chunk"
  end
  return info.name or path and sources.name_at(path, info.linedefined)
    or ("function at line %d"):format(info.linedefined)
end

local function new_frame(thread, level, info)
  local path = sources.path_of(info.source)
  return setmetatable({
    thread = thread, level = level, line = info.currentline, name = name_of(info, path), source = info.source,
    path = path, func = info.func,
  }, Frame)
end

--- The frames of a thread, the innermost first.
---@param thread thread which does not run
---@param list? strobe.debug.Frame[] to which they are added
---@return strobe.debug.Frame[]
function frames.of(thread, list)
  list = list or {}
  local level, info = 0, debug.getinfo(thread, 0, "nSlf")
  while info and #list < MOST_FRAMES do
    if is_shown(info) then
      list[#list + 1] = new_frame(thread, level, info)
    end
    level = level + 1
    info = debug.getinfo(thread, level, "nSlf")
  end
  return list
end

--- The frame of a thread's innermost function, for what its code sees: it has neither name nor file, which take longer
--- to find than most conditions to compute, and learns what its variables are called when one is asked for.
---@param thread thread which is in a hook
---@return strobe.debug.Frame
function frames.innermost(thread)
  return setmetatable({ thread = thread, level = 0, func = debug.getinfo(thread, 0, "f").func, in_hook = true }, Frame)
end

--- The names of the local variables of a thread that is in a hook.
---@param thread thread
---@return string[]
function frames.names(thread)
  local names = {}
  for i = 1, MOST_LOCALS do
    local name = debug.getlocal(thread, 0, i)
    if not name or name == "(temporary)" then
      break
    end
    names[i] = name
  end
  return names
end

--- A variable of a frame. `set` is nil where it cannot be changed.
---@class strobe.debug.Variable
---@field name string
---@field value any
---@field set? fun(value: any)

local function local_variable(frame, i)
  local name, value = debug.getlocal(frame.thread, frame.level, i)
  name = frame.names and frame.names[i] or name
  if not name or frame.names and not frame.names[i] and i > 0 then
    return nil
  end
  return {
    name = name, value = value, set = function(new)
      debug.setlocal(frame.thread, frame.level, i, new)
    end,
  }
end

local function add_locals(list, frame)
  for i = 1, MOST_LOCALS do
    local variable = local_variable(frame, i)
    if not variable then
      break
    elseif not variable.name:find "^%(" then
      list[#list + 1] = variable
    end
  end
  for i = 1, MOST_LOCALS do
    local variable = local_variable(frame, -i)
    if not variable then
      break
    end
    variable.name = ("...[%d]"):format(i)
    list[#list + 1] = variable
  end
end

--- Its local variables, in the order in which they began; then its further arguments.
---@return strobe.debug.Variable[]
function Frame:locals()
  if self.values then
    return self.values
  end
  local list = {}
  add_locals(list, self)
  return list
end

--- Keeps the values of its variables: the stack is about to be unwound.
function Frame:keep()
  self.values = self:locals()
  for _, variable in ipairs(self.values) do
    variable.set = nil
  end
end

local function upvalue(frame, i)
  local name, value = debug.getupvalue(frame.func, i)
  return name and {
    name = name, value = value, set = function(new)
      debug.setupvalue(frame.func, i, new)
    end,
  }
end

--- The variables of functions around it.
---@return strobe.debug.Variable[]
function Frame:upvalues()
  local list = {}
  for i = 1, MOST_UPVALUES do
    list[i] = upvalue(self, i)
    if not list[i] then
      break
    end
  end
  return list
end

-- The place of the one that began last of those with that name: it hides the others.
local function place_of(name, most, name_at, frame)
  local place
  for i = 1, most do
    local own = name_at(frame, i)
    if not own then
      break
    elseif own == name then
      place = i
    end
  end
  return place
end

local function local_name(frame, i)
  if frame.names then
    return frame.names[i]
  end
  return (debug.getlocal(frame.thread, frame.level, i))
end

local function upvalue_name(frame, i)
  return (debug.getupvalue(frame.func, i))
end

local function kept_name(frame, i)
  return frame.values[i] and frame.values[i].name
end

--- The variable of that name which its code would see; nil for a global one.
---@param name string
---@return strobe.debug.Variable?
function Frame:variable(name)
  self.names = self.names or self.in_hook and frames.names(self.thread) or nil
  local place = self.values and place_of(name, #self.values, kept_name, self)
    or not self.values and place_of(name, MOST_LOCALS, local_name, self)
  if place then
    return self.values and self.values[place] or local_variable(self, place)
  end
  place = place_of(name, MOST_UPVALUES, upvalue_name, self)
  return place and upvalue(self, place) or nil
end

--- The globals of its code.
---@return table
function Frame:globals()
  local variable = self:variable "_ENV"
  return variable and variable.value or _G
end

--- An environment in which code sees, and sets, what the frame's code would.
---@return table
function Frame:environment()
  return setmetatable({}, {
    __index = function(_, name)
      local variable = self:variable(name)
      if variable then
        return variable.value
      end
      return self:globals()[name]
    end,
    __newindex = function(_, name, value)
      local variable = self:variable(name)
      if not variable then
        self:globals()[name] = value
      elseif variable.set then
        variable.set(value)
      else
        error(("%s cannot be set any more"):format(name), 0)
      end
    end,
  })
end

frames.Frame = Frame

return frames
