--- What a text may go on with: the part all candidates have in common, then all of them as a list, then one after the
-- other.

local cell = require "strobe.editor.cell"

local MOST_SHOWN = 200
local GAP = 2 -- columns between two

---@class strobe.editor.Candidates
---@field list (string|{text: string, kind?: string})[]
---@field first? integer the text they replace, its first byte; the name before the cursor if it is not told
---@field last? integer its last; one before the first for nothing
---@field more? integer how many there are besides

---@class strobe.editor.Completion
---@field private token integer
---@field private asked? {text: string, cursor: integer}
---@field private candidates string[]
---@field private index integer the one that was taken; 0 for none yet
---@field private first integer
---@field private last integer
---@field private more integer candidates that are not known
local Completion = {}
Completion.__index = Completion

--- Makes one.
---@return strobe.editor.Completion
function Completion.new()
  return setmetatable({ token = 0, candidates = {}, index = 0 }, Completion)
end

--- Notes that candidates are asked for.
---@param buffer strobe.editor.Buffer
---@return integer token to answer with
function Completion:ask(buffer)
  self.token, self.candidates, self.index = self.token + 1, {}, 0
  self.asked = { text = buffer.text, cursor = buffer.cursor }
  return self.token
end

--- Whether an answer is still of use.
---@param token integer
---@param buffer strobe.editor.Buffer
---@return boolean
function Completion:expects(token, buffer)
  local asked = self.asked
  return asked ~= nil and token == self.token and asked.text == buffer.text and asked.cursor == buffer.cursor
end

local function texts_of(list)
  local texts = {}
  for i = 1, #list do
    local candidate = list[i]
    local text = type(candidate) == "table" and candidate.text or candidate
    texts[#texts + 1] = type(text) == "string" and text or nil
  end
  return texts
end

local function name_start(text, at)
  return at + 1 - text:sub(1, at - 1):reverse():match "^[%w_]*()"
end

-- The part that candidates replace: as the answer says, within the text.
local function part_of(buffer, answer)
  local last = math.tointeger(answer.last) or buffer.cursor - 1
  last = math.min(math.max(last, 0), #buffer.text)
  local first = math.tointeger(answer.first) or name_start(buffer.text, last + 1)
  return math.min(math.max(first, 1), last + 1), last
end

-- What all begin with, whole characters of it.
local function common_begin(texts)
  local first = texts[1]
  local length = #first
  for i = 2, #texts do
    local text = texts[i]
    while text:sub(1, length) ~= first:sub(1, length) do
      length = length - 1
    end
  end
  while length < #first and length > 0 and (first:byte(length + 1) & 0xC0) == 0x80 do
    length = length - 1
  end
  return first:sub(1, length)
end

local function take(completion, buffer, text)
  local done = buffer:replace(completion.first, completion.last, text)
  completion.last = completion.first + #text - 1
  return done
end

--- Takes an answer: completes what can be.
---@param buffer strobe.editor.Buffer
---@param answer strobe.editor.Candidates
---@return "done"|"list"|"none" what became of it; "list" when there are several to choose from
function Completion:answer(buffer, answer)
  local texts = texts_of(answer.list)
  self.asked = nil
  if #texts == 0 then
    return "none"
  end
  self.first, self.last = part_of(buffer, answer)
  local common, typed = common_begin(texts), buffer.text:sub(self.first, self.last)
  if #texts == 1 or #common > #typed then
    return take(self, buffer, common) and "done" or "none"
  end
  self.candidates, self.more = texts, math.tointeger(answer.more) or 0
  return "list"
end

--- Whether there is a list to choose from.
---@return boolean
function Completion:has_list()
  return #self.candidates > 0
end

--- Takes the next candidate.
---@param buffer strobe.editor.Buffer
---@param step 1|-1
function Completion:choose(buffer, step)
  local from = (self.index == 0 and step < 0) and 1 or self.index
  self.index = (from + step - 1) % #self.candidates + 1
  take(self, buffer, self.candidates[self.index])
end

--- The list as lines, and how many are left out.
---@param columns integer of the screen
---@return string
function Completion:lines(columns)
  local count, widest = math.min(#self.candidates, MOST_SHOWN), 0
  local shown, widths, lines = {}, {}, {}
  for i = 1, count do
    shown[i], widths[i] = cell.cut(self.candidates[i], columns)
    widest = math.max(widest, widths[i])
  end
  local across = math.max(1, (columns + GAP) // (widest + GAP))
  for first = 1, count, across do
    local line = {}
    for i = first, math.min(first + across - 1, count) do
      line[#line + 1] = shown[i] .. (" "):rep(widest - widths[i])
    end
    lines[#lines + 1] = table.concat(line, (" "):rep(GAP)):gsub(" +$", "")
  end
  local left = #self.candidates - count + self.more
  if left > 0 then
    lines[#lines + 1] = cell.cut(("… %d more"):format(left), columns)
  end
  return table.concat(lines, "\n")
end

return Completion
