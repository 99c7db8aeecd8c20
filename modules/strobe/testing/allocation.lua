--- Memory that is not there: every allocation of a piece of code fails once.
--
-- For what is written in C, ours above all: each allocation there has a path for its failure that no other test walks.
-- Lua's allocations and those of strobe's own C code are counted in one row; libraries (libuv, OpenSSL, libcurl, …)
-- keep their memory.

local allocation = require "strobe.core.allocation"
local clock = require "strobe.testing.clock"
local leaks = require "strobe.testing.leaks"
local mistake = require "strobe.mistake"
local report = require "strobe.report"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local allocations = {}

-- Seconds of loop time for one call, and for what it left behind to end.
local PATIENCE = 100

-- More allocations than that are none of a unit, but of a program.
local MOST = 100000

-- Problems that are told in full.
local MOST_TOLD = 5

-- Words of an error that is about memory.
local words = { "memory", "enomem", "no room", "cannot allocate" }

local function is_expected(e, allowed)
  local text = tostring(e)
  for _, word in ipairs(words) do
    if text:lower():find(word, 1, true) then
      return true
    end
  end
  for _, pattern in ipairs(allowed) do
    if text:find(pattern) then
      return true
    end
  end
  return false
end

-- Calls f while the allocations from the nth on fail, so many of them; returns how it went.
local function try(f, n, in_a_row)
  local ok, e
  local began = time.now()
  local in_time = timeouts.move_on_after(PATIENCE, function()
    allocation.start(n, n + in_a_row - 1)
    ok, e = pcall(f)
    allocation.stop()
  end)
  local _, failed = allocation.stop()
  clock.prolong(time.now() - began)
  in_time = in_time and time.now() - began < PATIENCE -- f may have caught what ended it
  return { ok = ok, error = e, in_time = in_time, failed = failed }
end

-- What is wrong with how it went; nil when nothing is.
local function problem_of(outcome, mark, allowed)
  collectgarbage() -- closes what was dropped
  clock.advance(PATIENCE) -- what goes on by itself comes to its end
  collectgarbage()
  leaks.settle()
  local texts, left = leaks.since(mark)
  for _, task in ipairs(left) do
    task:cancel "left over without memory"
  end
  if not outcome.in_time then
    return ("it did not end within %d s"):format(PATIENCE)
  elseif not outcome.ok and not is_expected(outcome.error, allowed) then
    return ("an error about something else: %s"):format(tostring(outcome.error))
  elseif #texts > 0 then
    return "left over: " .. table.concat(texts, ", ")
  end
end

local function check(f, options)
  local in_a_row = mistake.options("testing.allocation_failures", options).in_a_row or 2
  if type(f) ~= "function" then
    error(("testing.allocation_failures: a function expected, got %s"):format(type(f)), 3)
  elseif math.type(in_a_row) ~= "integer" or in_a_row < 1 then
    error(("testing.allocation_failures: in_a_row: a whole number above 0 expected, got %s"):format(tostring(in_a_row)),
      3)
  elseif time.mode() ~= "virtual" then
    error("testing.allocation_failures: a virtual clock expected (`strobe test` has it)", 3)
  end
  return in_a_row
end

-- What cannot be told for want of memory is not told.
local function silence()
  report.set_handler(function() end)
  return setmetatable({}, {
    __close = function()
      report.set_handler(nil)
    end,
  })
end

--- Calls f again and again: with the first allocation failing, with the second, and so on, until a call is through
--- before it comes to the one that was to fail. Each call must end, well or by an error about memory, and leave no
--- task, timer or handle behind; else this raises an error that tells the allocation's number. f is called as it is
--- once before, so that what is loaded or kept for good is there.
---
--- `testing.allocation_failures(function() local a, b = net.pipe() a:write "x" b:read() a:close() b:close() end)`
---@async
---@param f fun() closes what it opens, also when it fails
---@param options? {in_a_row?: integer, allow?: string[]} allocations that fail one after the other (2: Lua collects
---after the first, and tries again); patterns of other errors that are fine: where two talk, the one without memory
---goes, and the other meets the end of a stream
---@return integer count of the allocations that were made to fail
function allocations.failures(f, options)
  local in_a_row = check(f, options)
  local silent <close> = silence() -- luacheck: ignore
  f()
  local problems = {}
  for n = 1, MOST do
    local mark = leaks.mark()
    local outcome = try(f, n, in_a_row)
    local message = problem_of(outcome, mark, options and options.allow or {})
    if message then
      problems[#problems + 1] = ("allocation %d: %s"):format(n, message)
    end
    if outcome.failed == 0 or #problems == MOST_TOLD then
      if #problems > 0 then
        error("without memory:\n  " .. table.concat(problems, "\n  "), 2)
      end
      return n - 1
    end
  end
  error(("testing.allocation_failures: more than %d allocations: try a smaller piece"):format(MOST), 2)
end

return allocations
