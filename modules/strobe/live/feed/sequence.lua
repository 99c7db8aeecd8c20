--- Whether a stream's numbers run on: gaps, duplicates, and what comes late.
--
-- A number that is missing is lost until it comes after all; then it was reordered. One that was there is a duplicate.
-- After a reconnect a lower number means that the sender has begun anew.

-- Gaps of a stream that are remembered, and streams that are looked at.
local MOST_GAPS, MOST_STREAMS = 64, 10000

---@class strobe.live.Sequence
---@field gaps integer
---@field lost integer        numbers that never came
---@field duplicates integer
---@field reordered integer   numbers that came late
---@field unchecked integer   events of streams beyond the most
---@field private last table<string, integer>
local Sequence = {}
Sequence.__index = Sequence

---@param noun string what a stream is called: "book", "stream"
---@param tell fun(level: string, text: string, ...: any)
---@return strobe.live.Sequence
function Sequence.new(noun, tell)
  return setmetatable({
    noun = noun, tell = tell, gaps = 0, lost = 0, duplicates = 0, reordered = 0, unchecked = 0, last = {}, holes = {},
    fresh = {}, count = 0,
  }, Sequence)
end

local function begin(self, stream, seq)
  if self.count < MOST_STREAMS then
    self.count = self.count + 1
    self.last[stream], self.holes[stream] = seq, {}
  else
    self.unchecked = self.unchecked + 1
  end
end

local function note_gap(self, stream, last, first)
  local count = first - last - 1
  self.gaps, self.lost = self.gaps + 1, self.lost + count
  local holes = self.holes[stream]
  if #holes >= MOST_GAPS then
    table.remove(holes, 1)
  end
  holes[#holes + 1] = { from = last + 1, to = first - 1 }
  self.tell("warning", "%s %s: %d lost between %d and %d", self.noun, stream, count, last, first)
end

-- Takes a number out of the hole it was missing from; false if there is none.
local function fill(holes, seq)
  for i, hole in ipairs(holes) do
    if seq >= hole.from and seq <= hole.to then
      table.remove(holes, i)
      if hole.from < seq then
        table.insert(holes, i, { from = hole.from, to = seq - 1 })
        i = i + 1
      end
      if seq < hole.to then
        table.insert(holes, i, { from = seq + 1, to = hole.to })
      end
      return true
    end
  end
  return false
end

local function come_back(self, stream, last, seq)
  if self.fresh[stream] == false then
    self.fresh[stream], self.last[stream], self.holes[stream] = nil, seq, {}
    self.tell("info", "%s %s: the numbers begin anew at %d, after %d", self.noun, stream, seq, last)
  elseif fill(self.holes[stream], seq) then
    self.reordered, self.lost = self.reordered + 1, self.lost - 1
    self.tell("warning", "%s %s: %d came late, after %d", self.noun, stream, seq, last)
  else
    self.duplicates = self.duplicates + 1
    self.tell("warning", "%s %s: %d came again, after %d", self.noun, stream, seq, last)
  end
end

--- Looks at the number of an event.
---@param stream string
---@param seq integer
---@param first? integer the first of the numbers which it stands for (seq)
function Sequence:check(stream, seq, first)
  local last = self.last[stream]
  first = first or seq
  if not last then
    begin(self, stream, seq)
  elseif seq > last then
    self.last[stream], self.fresh[stream] = seq, nil
    if first > last + 1 then
      note_gap(self, stream, last, first)
    end
  else
    come_back(self, stream, last, seq)
  end
end

--- The connection is another one: numbers may begin anew.
---@param names? string[] of the streams which it has (all)
function Sequence:reconnected(names)
  if not names then
    names = {}
    for stream in pairs(self.last) do
      names[#names + 1] = stream
    end
  end
  for _, stream in ipairs(names) do
    self.fresh[stream] = false
  end
end

return Sequence
