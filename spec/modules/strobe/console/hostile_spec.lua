-- Whatever is typed, nothing that looks at it raises, and all of it agrees.

local candidates = require "strobe.repl.candidates"
local dice = require "spec.support.dice"
local highlight = require "strobe.console.highlight"
local input = require "strobe.repl.input"
local locals = require "strobe.repl.locals"
local signature = require "strobe.repl.signature"
local traceback = require "strobe.repl.traceback"

local pieces = {
  "local ", "a", "b", "<const>", "<close>", "<", ">", "=", "==", ",", ";", "function ", "end ", "do ", "if ", "then ",
  "else ", "repeat ", "until ", "while ", "for ", "in ", "return ", "break ", "goto ", "::", "(", ")", "{", "}", "[",
  "]", "[[", "]]", "[=[", "'", '"', "\\", "--", "--[[", "\n", "\r\n", " ", ".", ":", "..", "...", "1", "0x", "1e",
  "3x", "nil ", "not ", "#", "+", "-", "f(", "a.b", "x:y(", "\0", "\255", "\27", "ä", "字", ":time ", ":q", "math.",
  "string", "async.",
}

local function text_of(random)
  local parts = {}
  for i = 1, random(14) do
    parts[i] = pieces[random(#pieces)]
  end
  return table.concat(parts)
end

local function lines_in(text)
  return select(2, text:gsub("\n", ""))
end

local function check_locals(text)
  local rewritten = load(text .. "\n", "=x", "t") and locals.rewrite(text)
  if rewritten then
    assert.truthy(load(rewritten .. "\n", "=x", "t"), text)
    assert.equal(lines_in(text), lines_in(rewritten))
  end
end

local function check_ranges(text)
  local last = 0
  for _, range in ipairs(highlight.ranges(text)) do
    assert.is_true(range.first > last and range.last >= range.first and range.last <= #text, text)
    last = range.last
  end
end

local function check_place(text)
  local chunk, refused = input.compile(text, "=x", {})
  if not chunk and refused.first then
    assert.is_true(refused.first >= 1 and refused.last <= #text and refused.first <= refused.last, text)
    assert.matches("\n *\t*.*%^$", traceback.caret(text, refused.first))
  end
end

describe("whatever is typed", function()
  for seed = 1, 4 do
    it(("is looked at without an error, with seed %d"):format(seed), function()
      local random = dice(seed)
      for _ = 1, 400 do
        local text = text_of(random)
        assert.is_string(input.state(text))
        check_locals(text)
        check_ranges(text)
        check_place(text)
        local cursor = random(#text + 1) - 1
        signature.at(text, cursor, {})
        local answer = candidates.at(text, cursor, { variables = {}, fields_only = seed < 4 })
        assert.is_true(answer.first >= 1 and answer.first <= answer.last + 1 and answer.last == cursor, text)
      end
    end)
  end
end)
