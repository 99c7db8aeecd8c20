--- Iterators in a chain: `async.iter(source):filter(f):map(g):take(3)`.
--
-- Each step of a chain asks the one before it, so nothing is read before somebody
-- wants it. The source is closed when it ends, when a step raises an error, when
-- `take` has got what it wanted, and by `close`.

local Lines = require "strobe.async.lines"
local mistake = require "strobe.mistake"
local Pump = require "strobe.async.pump"
local check_batch = require("strobe.async.queue").check_batch
local open_source = require("strobe.async.source").open

---@class strobe.Iter a chain of steps on a source; called, it is an iterator; a `<close>` value
---@field private step fun(): any   the next values, or nil at the end
---@field private shut fun()        closes what it reads from
---@field private closed? boolean
---@field private watch table       closing value that closes the chain on an error
local Iter = {}
Iter.__index = Iter
Iter.__name = "iter"

local Watch = {}

function Watch:__close(e)
  if e ~= nil then
    self.iter:close()
  end
end

local function create(step, shut)
  local iter = setmetatable({ step = step, shut = shut }, Iter)
  iter.watch = setmetatable({ iter = iter }, Watch)
  return iter
end

-- The next step of a chain.
local function follow(iter, step)
  return create(step, function()
    iter:close()
  end)
end

-- Ends for good with the first nil, and closes once.
local function finish(iter, value, ...)
  if value == nil then
    iter:close()
    return nil
  end
  return value, ...
end

--- The next values, or nil at the end. Waits as the source does.
---@async
---@return any ...
function Iter:next()
  if self.closed then
    return nil
  end
  local watch <close> = self.watch -- luacheck: ignore
  return finish(self, self.step())
end

Iter.__call = Iter.next

--- Closes the chain and its source, which may wait. Closing twice is harmless.
---@async
function Iter:close()
  if not self.closed then
    self.closed = true
    self.shut()
  end
end

Iter.__close = Iter.close

--- What a `for` loop needs to close the source when it is left by break or an error:
--- `for v in async.iter(g):map(f):each() do … end`.
---@return strobe.Iter iter
---@return nil
---@return nil
---@return strobe.Iter closing
function Iter:each()
  return self, nil, nil, self
end

function Iter:__tostring()
  return ("<iter %s at %p>"):format(self.closed and "closed" or "open", self)
end

local function check_function(method, f)
  if type(f) ~= "function" then
    error(("iter:%s: a function expected, got %s"):format(method, type(f)), 3)
  end
end

local function check_count(method, n, least)
  if math.type(n) ~= "integer" or n < least then
    error(("iter:%s: a number of %d or more expected, got %s"):format(method, least, tostring(n)), 3)
  end
end

local function mapped(value, ...)
  if value == nil then
    error("iter:map: the function returned nil, which would end the loop (return false, or filter first)", 0)
  end
  return value, ...
end

--- What f makes of the values. Its result may not be nil.
---@param f fun(...): any
---@return strobe.Iter
function Iter:map(f)
  check_function("map", f)
  local function apply(value, ...)
    if value ~= nil then
      return mapped(f(value, ...))
    end
  end
  return follow(self, function()
    return apply(self:next())
  end)
end

--- Only the values for which f returns true.
---@param f fun(...): boolean
---@return strobe.Iter
function Iter:filter(f)
  check_function("filter", f)
  local function choose(value, ...)
    if value == nil or f(value, ...) then
      return value, ...
    end
    return choose(self:next())
  end
  return follow(self, function()
    return choose(self:next())
  end)
end

--- The first n values. The source is closed as soon as the last of them was read.
---@param n integer 0 or more
---@return strobe.Iter
function Iter:take(n)
  check_count("take", n, 0)
  local left = n
  local function count(...)
    left = left - 1
    if left <= 0 then
      self:close()
    end
    return ...
  end
  return follow(self, function()
    if left > 0 then
      return count(self:next())
    end
  end)
end

--- All values but the first n.
---@param n integer 0 or more
---@return strobe.Iter
function Iter:drop(n)
  check_count("drop", n, 0)
  local left = n
  return follow(self, function()
    while left > 0 and self:next() ~= nil do
      left = left - 1
    end
    return self:next()
  end)
end

--- Lists of n values; the last one may be shorter.
---@param n integer 1 or more
---@return strobe.Iter
function Iter:chunks(n)
  check_count("chunks", n, 1)
  return follow(self, function()
    local chunk = {}
    while #chunk < n do
      local value = self:next()
      if value == nil then
        break
      end
      chunk[#chunk + 1] = value
    end
    return chunk[1] ~= nil and chunk or nil
  end)
end

-- Bytes of a line; the same as a StreamReader's.
local LIMIT = 64 * 1024

--- Lines, from chunks of bytes cut anywhere; without their LF or CR LF. What comes
--- after the last LF is the last line. Raises LimitOverrunError for a line that is
--- too long.
---@param options? {limit?: integer, keepends?: boolean} bytes of a line without its end, by default 65536;
---keepends leaves the ends where they are, as Python's splitlines does
---@return strobe.Iter
function Iter:lines(options)
  options = mistake.options("lines", options)
  local limit = options.limit or LIMIT
  check_count("lines", limit, 1)
  local lines = Lines.new(limit, options.keepends)
  return follow(self, function()
    local line = lines:next()
    while not line do
      local chunk = self:next()
      if chunk == nil then
        return lines:rest()
      end
      lines:feed(chunk)
      line = lines:next()
    end
    return line
  end)
end

--- The same as `lines`.
---@type fun(self: strobe.Iter, options?: {limit?: integer, keepends?: boolean}): strobe.Iter
Iter.split_lines = Iter.lines

--- Text, from chunks of bytes cut anywhere, also within a character. See strobe.codecs.
---@param encoding? "utf-8"
---@param how? "strict"|"replace"|"ignore" what becomes of wrong bytes: UnicodeDecodeError with `offset`
---(the default), U+FFFD, nothing
---@return strobe.Iter
function Iter:decode(encoding, how)
  local decoder = require("strobe.codecs").getincrementaldecoder(encoding or "utf-8")(how)
  local ended = false
  return follow(self, function()
    while not ended do
      local chunk = self:next()
      ended = chunk == nil
      local text = decoder:decode(chunk or "", ended)
      if text ~= "" then
        return text
      end
    end
  end)
end

--- The number of each value before it: `for i, v in async.iter(g):enumerate() do`.
---@param first? integer 1 by default
---@return strobe.Iter
function Iter:enumerate(first)
  local number = mistake.expect("enumerate", "first", "number", first or 1) - 1
  local function numbered(value, ...)
    if value ~= nil then
      number = number + 1
      return number, value, ...
    end
  end
  return follow(self, function()
    return numbered(self:next())
  end)
end

-- Closes all, also when closing one raises an error; raises the first.
local function close_all(iters)
  local failed, first
  for _, iter in ipairs(iters) do
    local ok, e = pcall(iter.close, iter)
    if not ok and not failed then
      failed, first = true, e
    end
  end
  if failed then
    error(first, 0)
  end
end

local iter

-- A generator that is made in the last argument comes as the four values for a loop.
local function all_of(self, ...)
  local sources, iters = table.pack(...), { self }
  local n = sources.n
  if n >= 4 and sources[n] == sources[n - 3] and sources[n - 1] == nil and sources[n - 2] == nil then
    n = n - 3
  end
  for i = 1, n do
    iters[i + 1] = iter(sources[i])
  end
  return iters
end

--- One value of each source, side by side, until one of them ends.
---@param ... any sources, as for async.iter
---@return strobe.Iter
function Iter:zip(...)
  local iters = all_of(self, ...)
  return create(function()
    local values = {}
    for i, each in ipairs(iters) do
      values[i] = each:next()
      if values[i] == nil then
        return nil
      end
    end
    return table.unpack(values, 1, #iters)
  end, function()
    close_all(iters)
  end)
end

--- The values of all sources, as they come. A task reads each source, a little ahead
--- of the loop. An error in a source is raised here, and ends the others.
---@param ... any sources, as for async.iter
---@return strobe.Iter
function Iter:merge(...)
  local iters = all_of(self, ...)
  local pump = Pump.new(iters)
  return create(function()
    return pump:next()
  end, function()
    close_all { pump, table.unpack(iters) }
  end)
end

--- Lists of values: as soon as there are `max`, or `within` seconds after the first
--- one came. Never empty. A task reads the source, a little ahead of the loop.
---@param options {max?: integer, within?: number} at least one of them; seconds
---@return strobe.Iter
function Iter:batch(options)
  check_batch(options)
  local pump = Pump.new { self }
  return create(function()
    return pump:batch(options)
  end, function()
    close_all { pump, self }
  end)
end

--- Reads all values into a list, and closes the source.
---@async
---@return any[]
function Iter:to_list()
  local list = {}
  for value in self:each() do
    list[#list + 1] = value
  end
  return list
end

--- f(f(f(init, v1), v2), …): the result of the last call. Without init it begins with
--- the first value, and raises if there is none.
---@async
---@param f fun(result: any, value: any): any
---@param ... any init
---@return any
function Iter:reduce(f, ...)
  check_function("reduce", f)
  local result = ...
  if select("#", ...) == 0 then
    result = self:next()
    if result == nil then
      error("iter:reduce: there are no values, and no initial one was given", 2)
    end
  end
  for value in self:each() do
    result = f(result, value)
  end
  return result
end

--- Calls f with the values, one after another, and closes the source.
---@async
---@param f fun(...)
function Iter:for_each(f)
  check_function("for_each", f)
  local closing <close> = self -- luacheck: ignore
  local function call(value, ...)
    if value == nil then
      return false
    end
    f(value, ...)
    return true
  end
  repeat
    local more = call(self:next())
  until not more
end

--- Begins a chain on a source: an iterator function (with what `pairs` and the like
--- return beside it), a generator object, a Queue, Channel or receiver, or a list.
---
--- Methods: `map filter take drop chunks lines decode enumerate zip merge batch`, which
--- return the longer chain, and `to_list reduce for_each`, which read it to its end.
--- A chain is called by a `for` loop, and may be closed: `local it <close> = …`.
---@param source any
---@param state? any
---@param control? any
---@param closing? any
---@return strobe.Iter
function iter(source, state, control, closing)
  if getmetatable(source) == Iter then
    return source
  end
  local step, shut = open_source(source, state, control, closing)
  if not step then
    mistake.raise("async.iter: an iterator, queue, channel or list expected, got %s", type(source))
  end
  return create(step, shut)
end

return { iter = iter }
