-- Lines of standard input, as an async generator: other tasks go on while it waits for the next one.
-- In Python: a StreamReader, its protocol and loop.connect_read_pipe, around `readline` in `while True`; no files.
-- Here: one call makes the reader, of whatever it is; for standard input it is there, `async.stdin:lines()`.
--
-- Try: printf 'one\ntwo\n' | strobe examples/stdin_lines.lua, or with `< FILE`, or type, and end with Ctrl-D.

local async = require "strobe.async"

-- What the Python has, word for word. `stream` is any open file: io.stdin, io.popen "…".
local stream_as_generator = async.generator(function(yield, stream)
  local reader <close> = async.connect_read_pipe(stream)
  while true do
    local line = reader:readline()
    if line == "" then
      break
    end
    yield(line)
  end
end)

-- Another task, to see that it runs meanwhile: it counts the seconds.
local waited = 0
local clock = async.create_task(async.every, 1, function()
  waited = waited + 1
end)

local count = 0
if arg[1] == "--generator" then
  for line in stream_as_generator(io.stdin) do
    count = count + 1
    io.write(count, ": ", line, line:sub(-1) == "\n" and "" or "\n")
  end
else
  for line in async.stdin:lines() do
    count = count + 1
    print(("%d: %s"):format(count, line))
  end
end
clock:cancel()
print(("%d lines, in %d seconds or a little more"):format(count, waited))
