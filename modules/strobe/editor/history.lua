--- What was entered before: a list, bounded, and a way through it.
--
-- The list stays; the way begins at the text that is being edited and is forgotten with it. What was changed on an
-- entry along the way is there when one comes back to it, but the list keeps the entry as it was entered.

local MOST, MOST_BYTES = 10000, 16 * 1024 * 1024

---@class strobe.editor.History
---@field list string[] the oldest first
---@field most integer
---@field private bytes integer of all entries
---@field private index? integer of the entry that is shown; nil for the text that is being edited
---@field private prefix? string what entries begin with along the way
---@field private changed table<integer, string> entries that were changed
---@field private draft string the text that is being edited
local History = {}
History.__index = History

--- Makes an empty one. Its entries have 16 MiB at most, the newest excepted.
---@param most? integer entries; 10,000
---@return strobe.editor.History
function History.new(most)
  return setmetatable({ list = {}, bytes = 0, most = most or MOST, changed = {}, draft = "" }, History)
end

-- Drops the oldest entries, if they are too many or too long.
local function shrink(history)
  local list, drop = history.list, 0
  while #list - drop > history.most or history.bytes > MOST_BYTES and #list - drop > 1 do
    drop = drop + 1
    history.bytes = history.bytes - #list[drop]
  end
  if drop > 0 then
    history.list = table.move(list, drop + 1, #list, 1, {})
  end
end

--- Adds an entry; not what repeats the newest, what begins with a blank (it may be a secret), nor what is empty.
---@param text string
---@return boolean whether it is kept
function History:add(text)
  local list = self.list
  if text == "" or text:find "^%s" or text == list[#list] then
    return false
  end
  list[#list + 1] = text
  self.bytes = self.bytes + #text
  shrink(self)
  self:leave()
  return true
end

--- All entries, the oldest first. They are not to be changed.
---@return string[]
function History:entries()
  return self.list
end

--- Ends the way: the next one begins at what is edited then.
function History:leave()
  self.index, self.prefix, self.changed, self.draft = nil, nil, {}, ""
end

-- Keeps what is shown, before something else is.
local function keep(history, text)
  if not history.index then
    history.draft = text
  elseif text ~= history.list[history.index] then
    history.changed[history.index] = text
  end
end

local function text_of(history, index)
  return history.changed[index] or history.list[index]
end

-- Shows an entry, or for nil the draft.
local function show(history, index, text)
  keep(history, text)
  history.index = index
  return index and text_of(history, index) or history.draft
end

-- Goes along entries with the prefix that differ from what is shown; nil when there is none.
local function find(history, from, to, step, text)
  local prefix = history.prefix
  for index = from, to, step do
    local entry = text_of(history, index)
    if entry:sub(1, #prefix) == prefix and entry ~= text then
      return index
    end
  end
end

--- The entry before the one shown.
---@param text string what is shown
---@param prefix string what it has to begin with, if the way begins here
---@return string? entry nil when there is none
function History:older(text, prefix)
  self.prefix = self.prefix or prefix
  local index = find(self, (self.index or #self.list + 1) - 1, 1, -1, text)
  return index and show(self, index, text)
end

--- The entry after the one shown; at last the text that was being edited.
---@param text string what is shown
---@return string? entry nil when that is shown
function History:newer(text)
  if self.index then
    return show(self, find(self, self.index + 1, #self.list, 1, text), text)
  end
end

--- The oldest entry, whatever it begins with.
---@param text string what is shown
---@return string? entry nil when it is shown, or there is none
function History:oldest(text)
  if self.list[1] and self.index ~= 1 then
    self.prefix = self.prefix or ""
    return show(self, 1, text)
  end
end

--- The text that was being edited.
---@param text string what is shown
---@return string? draft nil when it is shown
function History:newest(text)
  return self.index and show(self, nil, text)
end

--- Goes to an entry that was found by other means.
---@param index integer
---@param text string what is shown
---@return string entry
function History:visit(index, text)
  self.prefix = self.prefix or ""
  return show(self, index, text)
end

--- Looks for entries that have a text in them, wherever.
---@param query string
---@param from integer where to begin
---@param step 1|-1 towards newer or older ones
---@param except? string an entry to pass over
---@return integer? index
---@return integer? at where in the entry
function History:search(query, from, step, except)
  for index = from, step > 0 and #self.list or 1, step do
    local entry = self.list[index]
    local at = entry ~= except and entry:find(query, 1, true)
    if at then
      return index, at
    end
  end
end

return History
