-- A pipeline of async generators: chunks of bytes, text, lines, what we make of them; the consumer asks for each.
-- In Python: `async for` over `async def`; its split_lines makes two lines of one that is cut, a cut "é" fails.
-- Here: generators likewise, but what is cut waits for its other half. Below, the same as a chain of async.iter.

local async = require "strobe.async"
local codecs = require "strobe.codecs"
local net = require "strobe.net"

local TEXT = "naïve café\r\n\n3,50 € 😀\nno newline at the end: ü"

-- Where the bytes come from: somebody who sends them a few at a time, cut anywhere.
local function open_source(size)
  local sender, stream = net.pipe()
  async.create_task(function()
    for from = 1, #TEXT, size do
      sender:write(TEXT:sub(from, from + size - 1))
      async.sleep(0.01)
    end
    sender:close()
  end)
  return async.StreamReader(stream)
end

local read_chunks = async.generator(function(yield, reader)
  while true do
    local chunk = reader:read(7)
    if chunk == "" then
      break
    end
    yield(chunk)
  end
end)

local decode = async.generator(function(yield, ...)
  local decoder = codecs.getincrementaldecoder "utf-8"("replace")
  for chunk in ... do
    yield(decoder:decode(chunk))
  end
  yield(decoder:decode("", true)) -- what was cut off at the very end
end)

local split_lines = async.generator(function(yield, ...)
  local rest = ""
  for text in ... do
    rest = rest .. text
    local from = 1
    for line, next_line in rest:gmatch "([^\n]*)\n()" do
      yield((line:gsub("\r$", "")))
      from = next_line
    end
    rest = rest:sub(from)
  end
  if rest ~= "" then
    yield(rest)
  end
end)

local number = async.generator(function(yield, ...)
  local n = 0
  for line in ... do
    n = n + 1
    yield(("%d (%d characters): %s"):format(n, utf8.len(line), line))
  end
end)

print "-- generators"
for line in number(split_lines(decode(read_chunks(open_source(3))))) do
  print(line)
end

print "-- a chain"
local chain = async.iter(open_source(2):chunks(7)):decode("utf-8", "replace"):lines():enumerate()
for n, line in chain:each() do
  print(("%d (%d characters): %s"):format(n, utf8.len(line), line))
end
