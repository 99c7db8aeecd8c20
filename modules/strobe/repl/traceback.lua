--- Where an input has failed, as text: frames with their source lines, and the tasks an error has crossed.

local cell = require "strobe.editor.cell"
local chunks = require "strobe.repl.chunk"
local quotation = require "strobe.repl.quotation"
local report = require "strobe.report"

-- Bytes of a source line that are shown; tasks of a chain.
local MOST_SHOWN, MOST_LINKS = 120, 100

local traceback = {}

-- --- Syntax -------------------------------------------------------------------------------------

-- Blanks as wide as a text; tabs stay what they are.
local function blanks_for(text)
  return (text:gsub("[^\t]+", function(part)
    return (" "):rep(cell.width(part))
  end))
end

-- The part of a long line around a place, and that place in it.
local function window(line, at)
  if #line <= MOST_SHOWN then
    return line, at
  end
  local from = math.max(1, math.min(at - MOST_SHOWN // 2, #line - MOST_SHOWN + 1))
  while from < #line and line:find("^[\x80-\xbf]", from) do
    from = from + 1
  end
  local shown = (from > 1 and "…" or "") .. quotation.cut(line:sub(from), MOST_SHOWN)
  return shown, at - from + 1 + (from > 1 and #"…" or 0)
end

--- The line with a mistake, and below it a ^ under that.
---@param text string
---@param at integer byte
---@return string
function traceback.caret(text, at)
  local begin = 1
  for place in text:sub(1, at - 1):gmatch "\n()" do
    begin = place
  end
  local line, place = window(text:match("[^\r\n]*", begin), at - begin + 1)
  return ("  %s\n  %s^"):format(quotation.plain(line, true), blanks_for(quotation.plain(line:sub(1, place - 1), true)))
end

-- --- Failures -----------------------------------------------------------------------------------

-- The frames; a tail call left none.
local function lines_of(text, full)
  local lines = {}
  for _, line in ipairs(full and {} or report.user_lines(text)) do
    lines[#lines + 1] = not line:find("(...tail calls...)", 1, true) and line or nil
  end
  for line in (full and text or ""):gmatch "\n([^\n]+)" do
    lines[#lines + 1] = line
  end
  return lines
end

-- Finds source lines, each text once.
local function line_finder(session)
  local texts = {}
  return function(name, number)
    if texts[name] == nil then
      texts[name] = chunks.text(name, session) or false
    end
    return texts[name] and chunks.line(texts[name], number)
  end
end

local function add_frame(lines, frame, find)
  lines[#lines + 1] = "  " .. quotation.plain((frame:match "^%s*(.*)$":gsub("\t", " ")))
  local name, number = frame:match "^%s*(.-):(%d+): in "
  local source = name and find(name, math.tointeger(tonumber(number)))
  if source and source:find "%S" then
    lines[#lines + 1] = "    " .. quotation.plain(quotation.cut(source:match "^%s*(.-)%s*$", MOST_SHOWN))
  end
end

-- Frames; of the same many times, as a recursion leaves, one.
local function add_frames(lines, text, find, full)
  local frames, i = lines_of(text, full), 1
  while frames[i] do
    local last = i
    while frames[last + 1] == frames[i] do
      last = last + 1
    end
    add_frame(lines, frames[i], find)
    if last > i then
      lines[#lines + 1] = ("  … %d times"):format(last - i + 1)
    end
    i = last + 1
  end
end

--- The places of a failure: where it happened, and who awaited that.
---@param failure table? {error, traceback, task, origin}
---@param session table whose sources are looked at, see chunks.text
---@param full? boolean frames of strobe's own, too
---@return string? trace nil when there is nothing to tell
---@return string[]? chain the tasks which it has crossed, if it has: first the one in which it happened
function traceback.of(failure, session, full)
  local links, names, lines, find = {}, {}, {}, line_finder(session)
  while failure and #links < MOST_LINKS do
    table.insert(links, 1, failure)
    failure = failure.origin
  end
  for i, link in ipairs(links) do
    names[i] = quotation.plain(link.task or "a callback")
    if #links > 1 then
      lines[#lines + 1] = ("%s %s:"):format(i == 1 and "in" or "awaited by", names[i])
    end
    add_frames(lines, link.traceback or "", find, full)
  end
  return lines[1] and table.concat(lines, "\n") or nil, names[2] and names or nil
end

return traceback
