--- The answer of an evaluation, and the end of a job, as text for whoever typed it.

local answers = {}

local RED, DIM, PLAIN = "\27[31m", "\27[2m", "\27[0m"

local function styled(text, style, color)
  return color and text ~= "" and style .. text .. PLAIN or text
end

local function add(lines, text, style, color)
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = styled(line, style, color)
  end
end

-- Error and traceback; each line has its colour, so that a pager or a cut does no harm.
local function failure_lines(answer, color)
  local lines = {}
  add(lines, tostring(answer.error or answer.code), RED, color)
  if answer.trace and answer.trace ~= "" then
    add(lines, answer.trace, DIM, color)
  end
  return lines
end

--- What is to be printed of an answer: a line for each value, or why there are none; with a newline at its end.
---@param answer table of op eval
---@param color? boolean
---@return string
function answers.text(answer, color)
  local lines = {}
  for _, note in ipairs(answer.notes or {}) do
    add(lines, "note: " .. note, DIM, color)
  end
  if answer.job then
    lines[#lines + 1] = answer.ok and ("[%d] bg"):format(answer.job) or answer.error
  elseif answer.ok then
    table.move(answer.values, 1, #answer.values, #lines + 1, lines)
  else
    table.move(failure_lines(answer, color), 1, 1000, #lines + 1, lines)
  end
  return #lines > 0 and table.concat(lines, "\n") .. "\n" or ""
end

--- How an input that was in the background has ended.
---@param event table ev "job"
---@return string
function answers.job_text(event)
  local text
  if event.ok then
    text = #event.values > 0 and "done: " .. table.concat(event.values, ", ") or "done"
  else
    text = "failed: " .. tostring(event.error or event.code)
  end
  return ("[%s] %s"):format(event.job, text)
end

return answers
