--- Incremental search through the history: each key that is typed looks for more, and may be taken back.

local grapheme = require "strobe.editor.grapheme"

local MOST = 1024 -- bytes to look for

---@class strobe.editor.Found
---@field query string
---@field index integer of the entry; one behind the newest for the text that was edited
---@field at integer where the query is in it
---@field failed? boolean nothing has the query, this was found before it

---@class strobe.editor.Search
---@field text string what is shown
---@field cursor integer
---@field private history strobe.editor.History
---@field private step 1|-1
---@field private trail strobe.editor.Found[] the newest last
local Search = {}
Search.__index = Search

--- Begins one.
---@param history strobe.editor.History
---@param text string what is edited
---@param cursor integer
---@param step 1|-1 towards newer or older entries
---@return strobe.editor.Search
function Search.new(history, text, cursor, step)
  return setmetatable({
    history = history, draft = text, text = text, cursor = cursor, step = step,
    trail = { { query = "", index = #history:entries() + 1, at = cursor } },
  }, Search)
end

local function found(search)
  return search.trail[#search.trail]
end

local function show(search)
  local now = found(search)
  search.text = search.history:entries()[now.index] or search.draft
  search.cursor = now.at
  return not now.failed
end

local function look(search, query, from, except)
  local index, at = search.history:search(query, from, search.step, except)
  local now = found(search)
  search.trail[#search.trail + 1] = {
    query = query, index = index or now.index, at = at or now.at, failed = not index or nil,
  }
  return show(search)
end

-- What is not found is not found with more behind it, and that has been told.
local function extend(search, text)
  local now = found(search)
  if #now.query + #text > MOST then
    return false
  elseif now.failed then
    search.trail[#search.trail + 1] = { query = now.query .. text, index = now.index, at = now.at, failed = true }
    return true
  end
  return look(search, now.query .. text, math.max(1, math.min(now.index, #search.history:entries())))
end

--- Looks for a longer text; each of its characters can be taken back.
---@param text string what is typed to it
---@return boolean whether it was found
function Search:extend(text)
  local at, done = 1, true
  while at <= #text and at <= MOST do
    local _, next = grapheme.codepoint(text, at)
    done = extend(self, text:sub(at, next - 1)) and done
    at = next
  end
  return done
end

--- Looks for the next one; for `last` if nothing was typed yet.
---@param step 1|-1
---@param last? string the text of the search before
---@return boolean whether it was found
function Search:again(step, last)
  local now = found(self)
  self.step = step
  if now.query == "" then
    return last ~= nil and last ~= "" and self:extend(last)
  end
  return look(self, now.query, now.index + step, self.text)
end

--- Takes the last step back.
---@return boolean whether there was one
function Search:back()
  if #self.trail == 1 then
    return false
  end
  table.remove(self.trail)
  show(self)
  return true
end

--- What is looked for.
---@return string
function Search:query()
  return found(self).query
end

--- The entry that is shown; nil for the text that was edited.
---@return integer?
function Search:index()
  local index = found(self).index
  return self.history:entries()[index] and index
end

--- What stands in the place of the prompt.
---@return string
function Search:prompt()
  local now = found(self)
  local outcome, way = now.failed and "not found" or "search", self.step < 0 and "back" or "forward"
  return ("%s %s '%s': "):format(outcome, way, now.query)
end

return Search
