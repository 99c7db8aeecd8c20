--- The line editor: from a key to the bytes that show it, in a short input and in one of 100 KB; a paste of 100 KB.
-- usage: strobe editor.lua [KEYS]
local editor = require "strobe.editor"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local keys = tonumber(arg[1] or 2000)
local SIZE, CHUNK = 100 * 1024, 4096

-- Processor time: it is that which keeps the loop.
local function cost(work)
  local _, cpu = measure.best(work)
  return cpu
end

local function new(text)
  local ed = editor.new { width = 80, height = 24, prompt = "> ", more = ".. " }
  ed:feed("\27[200~" .. text .. "\27[201~")
  ed:draw()
  return ed
end

-- Presses a key and takes it back, both drawn.
local function press(ed, key, back)
  for _ = 1, keys // 2 do
    ed:feed(key)
    ed:draw()
    ed:feed(back)
    ed:draw()
  end
end

local texts = {
  short = "local x = 1",
  line = ("x"):rep(SIZE),
  lines = ("local value = compute(argument)\n"):rep(SIZE // 32),
  wide = ("世界"):rep(SIZE // 6),
}

for _, name in ipairs { "short", "line", "lines", "wide" } do
  local ed = new(texts[name])
  measure.result("editor_key_" .. name .. "_us", 1e6 * cost(function() press(ed, "x", "\127") end) / keys, "us")
  ed:feed "\1"
  ed:draw()
  measure.result("editor_key_" .. name .. "_start_us", 1e6 * cost(function() press(ed, "x", "\127") end) / keys,
    "us")
  measure.result("editor_move_" .. name .. "_us", 1e6 * cost(function() press(ed, "\27[C", "\27[D") end) / keys, "us")
end

local function paste(text)
  local ed = new ""
  local bytes = "\27[200~" .. text .. "\27[201~"
  for first = 1, #bytes, CHUNK do
    ed:feed(bytes:sub(first, first + CHUNK - 1))
    ed:draw()
  end
end

for _, name in ipairs { "line", "lines", "wide" } do
  measure.result("editor_paste_" .. name .. "_ms", 1e3 * cost(function() paste(texts[name]) end), "ms")
end

-- The longest that one key takes: from the start of a text that was just changed there to its end.
local function longest(text)
  local ed = new(text)
  ed:feed "\27<\1x"
  ed:draw()
  return cost(function()
    ed:feed "\1y\5"
    ed:draw()
  end)
end

for _, name in ipairs { "line", "wide" } do
  measure.result("editor_end_" .. name .. "_ms", 1e3 * longest(texts[name]), "ms")
end
