--- What comes from the background, as lines above the prompt: whole, harmless, and not too many. An engine: text and
-- time in, lines out.
--
-- A line that has no end yet is held back for 200 ms. Beyond 20 lines in a second, of all sources, they are counted,
-- and the count is told once a second. Control bytes are shown, not obeyed.

local quantity = require "strobe.quantity"
local quotation = require "strobe.repl.quotation"

local LINES, HOLD, WINDOW = 20, 0.2, 1

-- Bytes of a line that are shown.
local LONGEST = 4096

---@class strobe.console.Above
---@field private ready string[]
---@field private parts table<any, {text: string, since: number}> lines that have no end yet, by source
---@field private began number of the second that is counted
---@field private shown integer lines of it
---@field private more integer lines of it that were not
local Above = {}
Above.__index = Above
Above.__name = "lines above the prompt"

--- Makes one that is empty.
---@param lost? fun(line: string) gets lines that are only counted
---@return strobe.console.Above
function Above.new(lost)
  return setmetatable({ lost = lost, ready = {}, parts = {}, began = -math.huge, shown = 0, more = 0 }, Above)
end

--- A line as it may be shown: control bytes but tabs are escaped, and bytes that are no UTF-8.
---@param line string
---@return string
function Above.harmless(line)
  local rest = #line - LONGEST
  if rest > 0 then
    line = line:sub(1, LONGEST)
  end
  line = quotation.plain(line, true)
  return rest > 0 and ("%s… %s more"):format(line, quantity.count(rest)) or line
end

local function tell_more(self)
  if self.more > 0 then
    table.insert(self.ready, ("… %s more (:log)"):format(quantity.count(self.more)))
    self.more = 0
  end
end

local function turn_window(self, now)
  if now - self.began >= WINDOW then
    tell_more(self)
    self.began, self.shown = now, 0
  end
end

local function admit(self, line, now)
  turn_window(self, now)
  if self.shown >= LINES then
    self.more = self.more + 1
    return self.lost and self.lost(line)
  end
  self.shown = self.shown + 1
  table.insert(self.ready, Above.harmless(line))
end

--- Takes text.
---@param source any whose: pieces of one source make a line
---@param text string
---@param now number seconds
function Above:take(source, text, now)
  local part = self.parts[source]
  local before = part and part.text or ""
  local rest = 1
  for line, next in text:gmatch "([^\n]*)\n()" do
    admit(self, before .. line, now)
    before, rest = "", next
  end
  local left = before .. text:sub(rest)
  if #left > LONGEST then -- it would only grow
    admit(self, left, now)
    left = ""
  end
  self.parts[source] = left ~= "" and { text = left, since = rest == 1 and part and part.since or now } or nil
end

--- When there is something to show: seconds from now, 0 when there is already, nil when not before more comes.
---@param now number
---@return number? seconds
function Above:due(now)
  if #self.ready > 0 then
    return 0
  end
  local due = self.more > 0 and self.began + WINDOW or math.huge
  for _, part in pairs(self.parts) do
    due = math.min(due, part.since + HOLD)
  end
  return due < math.huge and math.max(due - now, 0) or nil
end

-- Sources whose line has waited long enough, in the order in which they began.
local function held_too_long(self, now)
  local list = {}
  for source, part in pairs(self.parts) do
    if now - part.since >= HOLD then
      list[#list + 1] = { source, part }
    end
  end
  table.sort(list, function(a, b)
    return a[2].since < b[2].since
  end)
  return list
end

--- The lines that are to be shown now; they are gone from here.
---@param now number
---@return string[]
function Above:lines(now)
  for _, held in ipairs(held_too_long(self, now)) do
    self.parts[held[1]] = nil
    admit(self, held[2].text, now)
  end
  if self.more > 0 then
    turn_window(self, now)
  end
  local ready = self.ready
  self.ready = {}
  return ready
end

return Above
