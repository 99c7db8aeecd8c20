--- Somebody who types anything, in pieces of any size, while the window changes and others print. What must hold is
-- what spec.Typist looks at, and that the editor never raises.

local Typist = require "spec.support.typist"
local dice = require "spec.support.dice"

local KEYS = {
  "\1", "\2", "\3", "\4", "\5", "\6", "\7", "\8", "\t", "\n", "\11", "\12", "\r", "\14", "\16", "\18", "\19", "\20",
  "\21", "\22", "\23", "\25", "\26", "\28", "\31", "\127", "\0", "\27", "\27b",
  "\27f", "\27d", "\27u", "\27l", "\27c", "\27y", "\27_",
  "\27<", "\27>", "\27\r", "\27\127", "\27[A", "\27[B", "\27[C", "\27[D", "\27[H", "\27[F", "\27[3~", "\27[Z",
  "\27[1;5C", "\27[1;5D", "\27OA", "\27OD", "\27\27[D", "\27[200~", "\27[201~", "\27[", "\27]0;t\7", "\27P", "\27[[A",
}
local TEXTS = {
  "a", "b", " ", "local ", "x.y", "print(1)", "\n", "\t", "世", "界", "한", "é", "e\u{301}", "\u{301}", "🇩🇪", "🇩",
  "👩\u{200d}🚀", "👍🏽", "\u{200d}", "\xff", "\xe4\xb8", "\xc3", "\u{9b}", "ab世cd", ("x"):rep(19), ("界"):rep(11),
}
local SIZES = { 1, 2, 3, 5, 20, 80 }
local MOST_TEXT = 400 -- of an input, as each draw looks at all of it

local function any(random, list)
  return list[random(#list)]
end

local function pieces(random, typist, bytes)
  while bytes ~= "" do
    local size = random(4) == 1 and random(#bytes) or #bytes
    typist:type(bytes:sub(1, size))
    bytes = bytes:sub(size + 1)
  end
end

local acts = {
  function(random, typist)
    pieces(random, typist, any(random, KEYS))
  end,
  function(random, typist)
    pieces(random, typist, any(random, TEXTS) .. any(random, TEXTS))
  end,
  function(random, typist)
    pieces(random, typist, "\27[200~" .. any(random, TEXTS) .. any(random, TEXTS) .. "\27[201~")
  end,
  function(random, typist)
    -- None that begins a character of which the screen may not know the width.
    local byte = random(256) - 1
    pieces(random, typist, string.char((byte < 0xC4 or byte > 0xF4) and byte or byte - 0x80))
  end,
  function(_, typist)
    if typist.editor:wants_timer() then
      typist:wait()
    end
  end,
  function(random, typist)
    typist:resize(any(random, SIZES), any(random, SIZES))
  end,
  function(random, typist)
    typist:above(("out "):rep(random(30)) .. "\n"):draw()
  end,
  function(random, typist)
    local token = random(3)
    typist:answer({ list = { any(random, TEXTS), any(random, TEXTS) } }, #typist:texts "complete" + 1 - token)
  end,
  function(random, typist)
    if typist.decorated then
      typist.editor:pin { any(random, TEXTS), any(random, TEXTS) }
      typist.editor:hint(any(random, TEXTS))
    end
  end,
}

local function is_complete(text)
  return text:sub(-1) ~= " "
end

-- Every "a" and "x" is something.
local function highlight(text)
  local list = {}
  for at in text:gmatch "()[ax]" do
    list[#list + 1] = { first = at, last = at, style = "keyword" }
  end
  return list
end

--- Types for a while.
---@param seed integer
---@param steps integer
return function(seed, steps)
  local random = dice(seed)
  local typist = Typist.new {
    width = any(random, SIZES), height = any(random, SIZES), is_complete = is_complete,
    highlight = random(2) == 1 and highlight or nil,
  }
  typist.decorated = random(4) == 1
  typist.plain = not typist.decorated
  for _ = 1, steps do
    acts[math.min(random(14), #acts + 2) > #acts and random(2) or random(#acts)](random, typist)
    if #typist.editor:text() > MOST_TEXT then
      typist:type "\3"
    end
    if #typist.events > 100 then
      typist.events = {}
    end
  end
end
