--- Anything typed into the line editor, for so many seconds; `./run fuzz` runs it. A failure tells the seed, with which
-- `strobe spec/fuzz/editor.lua 0 SEED` does the same again.
local time = require "strobe.core.time"
local type_anything = require "spec.support.random_typing"

local STEPS = 200

local seconds, seed = tonumber(arg[1] or 10), math.tointeger(tonumber(arg[2] or os.time() % 1000000))
local ends, count = time.real() + seconds, 0
repeat
  local ok, message = pcall(type_anything, seed + count, STEPS)
  if not ok then
    io.stderr:write(("editor: seed %d: %s\n"):format(seed + count, message))
    os.exit(1)
  end
  count = count + 1
until time.real() >= ends
print(("editor: %d rounds of %d steps, from seed %d on"):format(count, STEPS, seed))
