--- A curve of any length in a bounded number of buckets.
--
-- A bucket keeps the first and the last value of its time, and the smallest and the largest with their times: whatever
-- is drawn of it shows every extreme that there was. When there are too many, buckets become wider and are merged.

-- Buckets of a curve; a picture is hardly wider.
local MOST = 1000

---@class strobe.backtest.Bucket
---@field index integer
---@field first_time number
---@field first number
---@field low_time number
---@field low number
---@field high_time number
---@field high number
---@field last_time number
---@field last number

---@class strobe.backtest.Curve
---@field count integer values that were added
---@field private most integer
---@field private width number seconds of a bucket; 0: one for each time
---@field private [integer] strobe.backtest.Bucket
local Curve = {}
Curve.__index = Curve

local curves = {}

--- Makes one without values.
---@param most? integer buckets, 4 or more (1,000)
---@return strobe.backtest.Curve
function curves.new(most)
  return setmetatable({ most = most or MOST, width = 0, count = 0 }, Curve)
end

local function widen_bounds(bucket, low, low_time, high, high_time)
  if low < bucket.low then
    bucket.low, bucket.low_time = low, low_time
  end
  if high > bucket.high then
    bucket.high, bucket.high_time = high, high_time
  end
end

local function merge(into, bucket)
  widen_bounds(into, bucket.low, bucket.low_time, bucket.high, bucket.high_time)
  into.last, into.last_time = bucket.last, bucket.last_time
end

-- The buckets become so wide that at most half of them are left.
local function coarsen(curve)
  local begin, count = curve[1].first_time, #curve
  curve.width = math.max(curve.width * 2, (curve[count].last_time - begin) * 2 / curve.most)
  local kept = 0
  for i = 1, count do
    local bucket = curve[i]
    curve[i] = nil
    bucket.index = (bucket.first_time - begin) // curve.width
    if kept > 0 and curve[kept].index == bucket.index then
      merge(curve[kept], bucket)
    else
      kept = kept + 1
      curve[kept] = bucket
    end
  end
end

local function append(curve, index, time, value)
  curve[#curve + 1] = {
    index = index, first = value, first_time = time, low = value, low_time = time, high = value, high_time = time,
    last = value, last_time = time,
  }
  if #curve > curve.most then
    coarsen(curve)
  end
end

--- Adds a value. A time before the last one counts as the last one.
---@param time number seconds
---@param value number
function Curve:add(time, value)
  self.count = self.count + 1
  local bucket = self[#self]
  if not bucket then
    return append(self, 0, time, value)
  elseif time < bucket.last_time then
    time = bucket.last_time
  end
  local index
  if self.width > 0 then
    index = (time - self[1].first_time) // self.width
  else
    index = time == bucket.last_time and bucket.index or bucket.index + 1
  end
  if index ~= bucket.index then
    return append(self, index, time, value)
  end
  widen_bounds(bucket, value, time, value, time)
  bucket.last, bucket.last_time = value, time
end

-- The extremes of a bucket that are neither its first nor its last value, in order of time.
local function inner(bucket)
  local list = {}
  for _, name in ipairs { "low", "high" } do
    local value, time = bucket[name], bucket[name .. "_time"]
    local is_first = value == bucket.first and time == bucket.first_time
    if not is_first and not (value == bucket.last and time == bucket.last_time) then
      list[#list + 1] = { time, value }
    end
  end
  if #list == 2 and list[1][1] > list[2][1] then
    list[1], list[2] = list[2], list[1]
  end
  return list
end

--- The curve as points {time, value}, in order of time: all values, or of each bucket the first, the smallest, the
--- largest and the last.
---@return number[][]
function Curve:points()
  local points = {}
  for _, bucket in ipairs(self) do
    points[#points + 1] = { bucket.first_time, bucket.first }
    for _, point in ipairs(inner(bucket)) do
      points[#points + 1] = point
    end
    if bucket.last_time ~= bucket.first_time or bucket.last ~= bucket.first then
      points[#points + 1] = { bucket.last_time, bucket.last }
    end
  end
  return points
end

--- The value that was added last.
---@return number?
function Curve:last()
  local bucket = self[#self]
  return bucket and bucket.last
end

return curves
