--- Where a task stands: the frames of its code, as its methods get_stack and print_stack tell them.
--
-- Frames of strobe's own modules are left out: what is left is the user's code. All is looked up when
-- asked for; a task that runs pays nothing.

local inspect = require "strobe.core.inspect"
local report = require "strobe.report"
local task = require "strobe.core.task"

---@class strobe.Frame
---@field file string
---@field line integer
---@field name? string     of the function, as it was called
---@field defined? integer line on which the function begins

local stack = {}

local MOST_FRAMES = 10000 -- of one task: a recursion without end has no more to tell

--- A text without control characters, which could drive a terminal: these are escaped.
---@param text string
---@return string
function stack.printable(text)
  return (text:gsub("\xc2[\x80-\x9f]", function(c)
    return ("\\u{%x}"):format(utf8.codepoint(c))
  end):gsub("[%c\x7f]", function(c)
    return ("\\x%02x"):format(c:byte())
  end))
end

-- The threads of a task, the innermost first; of the task that runs also the plain coroutine it is in.
local function threads_of(t)
  local threads = t:threads()
  local running = coroutine.running()
  if t == task.current() and threads[1] ~= running then
    table.insert(threads, 1, running)
  end
  return threads
end

local function living_frames(t, most)
  local frames = {}
  for _, thread in ipairs(threads_of(t)) do
    local level, info, callee = 0, debug.getinfo(thread, 0, "Sln"), nil
    while info and (#frames < most or callee) do
      if report.is_ours(info.short_src) then
        if callee then
          callee.name = nil -- what our own code calls it means nothing to the user
        end
        callee = nil
      elseif info.currentline > 0 then
        if #frames == most then
          return frames
        end
        callee = { file = info.short_src, line = info.currentline, name = info.name, defined = info.linedefined }
        frames[#frames + 1] = callee
      end
      level = level + 1
      info = debug.getinfo(thread, level, "Sln")
    end
  end
  return frames
end

-- A task that has not begun stands at its function.
local function entry_frame(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then
    return nil
  end
  return { file = info.short_src, line = info.linedefined, defined = info.linedefined }
end

local function frame_of(text)
  local file, line, what = text:match "^%s+(.-):(%d+): in (.*)$"
  if file and not report.is_ours(file) then
    return {
      file = file, line = math.tointeger(line), name = what:match "'(.-)'",
      defined = math.tointeger(tonumber(what:match ":(%d+)>$")),
    }
  end
end

-- Where the error came from, then who awaited that.
local function failed_frames(failure, most)
  local chain, frames = {}, {}
  while failure do
    table.insert(chain, 1, failure.traceback or "")
    failure = failure.origin
  end
  for _, traceback in ipairs(chain) do
    for text in traceback:gmatch "[^\n]+" do
      frames[#frames + 1] = #frames < most and frame_of(text) or nil
    end
  end
  return frames
end

local function limit_of(name, limit)
  if type(limit) == "table" then
    limit = limit.limit
  end
  if limit ~= nil and (math.type(limit) ~= "integer" or limit < 0) then
    error(("%s: a limit of 0 or more frames expected, got %s"):format(name, tostring(limit)), 3)
  end
  return math.min(limit or MOST_FRAMES, MOST_FRAMES)
end

local function frames_of(t, most)
  local failure = t:get_detail "failure"
  if failure then
    return failed_frames(failure, most)
  elseif t:done() then
    return {}
  end
  local entry = inspect.entry(t)
  if entry and most > 0 then
    return { entry_frame(entry) }
  end
  return living_frames(t, most)
end

--- The frames of a task, see Task:get_stack.
---@param t strobe.Task
---@param limit? integer|{limit?: integer}
---@return strobe.Frame[]
function stack.of(t, limit)
  return frames_of(t, limit_of("get_stack", limit))
end

--- What a frame's function is called.
---@param frame strobe.Frame
---@return string
function stack.name_of(frame)
  if frame.name then
    return stack.printable(frame.name)
  elseif frame.defined == 0 then
    return "main chunk"
  end
  return ("function <%s:%d>"):format(stack.printable(frame.file), frame.defined or frame.line)
end

--- "FILE:LINE in NAME"
---@param frame strobe.Frame
---@return string
function stack.place(frame)
  return ("%s:%d in %s"):format(stack.printable(frame.file), frame.line, stack.name_of(frame))
end

local function title(t, failure, frames)
  local text = stack.printable(tostring(t))
  if #frames == 0 then
    return ("No stack for %s"):format(text)
  end
  return ("%s for %s (most recent call first):"):format(failure and "Traceback" or "Stack", text)
end

--- The stack of a task as text, see Task:print_stack.
---@param t strobe.Task
---@param limit? integer|{limit?: integer}
---@return string
function stack.text(t, limit)
  local failure = t:get_detail "failure"
  local frames = frames_of(t, limit_of("print_stack", limit))
  local lines = { title(t, failure, frames) }
  for _, frame in ipairs(frames) do
    lines[#lines + 1] = "  " .. stack.place(frame)
  end
  if failure then
    local ok, text = pcall(tostring, failure.error)
    lines[#lines + 1] = stack.printable(ok and text or "an error without a text")
  end
  local created_by = t:get_detail "created_by"
  if created_by then
    lines[#lines + 1] = "Created at:"
    table.move(report.user_lines(created_by), 1, 100, #lines + 1, lines)
  end
  return table.concat(lines, "\n") .. "\n"
end

return stack
