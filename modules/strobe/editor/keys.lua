--- Keys out of the bytes a terminal sends, which may be cut anywhere. Sources: ECMA-48, and xterm's "ctlseqs" for the
-- keys and bracketed paste.
--
-- Keys have names: "ctrl-a", "alt-b", "left", "ctrl-left", "enter", "escape". What is typed comes as runs of text. A
-- sequence that nobody knows is a key without a meaning; its bytes never are text. What may still go on is held: the
-- begin of a character, for ever; ESC, until ESCAPE_DELAY tells it is a key of its own; what began as a sequence or
-- a paste, until SILENCE ends it.

local ESCAPE_DELAY, SILENCE = 0.05, 1 -- seconds
local MOST_PARAMETERS, MOST_STRING, MOST_PASTE = 64, 4096, 1024 * 1024 -- bytes
local PASTE_END = "\27[201~"

---@class strobe.editor.Key one of these
---@field name? string
---@field text? string
---@field paste? string
---@field literal? boolean the text was asked for by Ctrl-V
---@field too_long? boolean the paste was, and is lost

---@class strobe.editor.Keys
---@field private state "text"|"literal"|"escape"|"csi"|"function"|"linux"|"string"|"terminator"|"paste"
---@field private held string the begin of a character, of a sequence, or of the end of a paste
---@field private alt string "alt-" behind two ESC
---@field private pasted string[]
---@field private size integer of them
local Keys = {}
Keys.__index = Keys

--- Makes one that holds nothing.
---@return strobe.editor.Keys
function Keys.new()
  return setmetatable({ state = "text", held = "", alt = "", pasted = {}, size = 0 }, Keys)
end

local function named(keys, list, name)
  list[#list + 1] = { name = keys.alt .. name }
  keys.state, keys.held, keys.alt = "text", "", ""
end

-- A sequence is over, and meant nothing.
local function drop(keys)
  keys.state, keys.held, keys.alt = "text", "", ""
end

local CONTROLS = { [0] = "ctrl-space", [9] = "tab", [13] = "enter", [27] = "escape", [127] = "backspace" }

local function control_name(byte)
  return CONTROLS[byte] or "ctrl-" .. string.char(byte | 64):lower()
end

-- --- Text ---------------------------------------------------------------------------------------

-- Where the begin of a character that is not whole stands at the end of a text; one behind it if none does.
local function unfinished(text)
  for back = 1, math.min(3, #text) do
    local byte = text:byte(-back)
    if byte >= 0xC0 then
      local length = byte >= 0xF0 and 4 or byte >= 0xE0 and 3 or 2
      return byte < 0xF5 and length > back and #text - back + 1 or #text + 1
    elseif byte < 0x80 then
      break
    end
  end
  return #text + 1
end

local function take_text(keys, bytes, at, list)
  local last = (bytes:find("[\0-\31\127]", at) or #bytes + 1) - 1
  local text = keys.held .. bytes:sub(at, last)
  local cut = last == #bytes and unfinished(text) or #text + 1
  keys.held = text:sub(cut)
  if cut > 1 then
    list[#list + 1] = { text = text:sub(1, cut - 1) }
  end
  return last + 1
end

local states = {}

function states.text(keys, bytes, at, list)
  local byte = bytes:byte(at)
  if byte >= 32 and byte ~= 127 then
    return take_text(keys, bytes, at, list)
  elseif keys.held ~= "" then
    list[#list + 1] = { text = keys.held }
    keys.held = ""
  end
  if byte == 27 then
    keys.state = "escape"
  elseif byte == 22 then
    keys.state = "literal"
  else
    named(keys, list, control_name(byte))
  end
  return at + 1
end

-- The byte after Ctrl-V; the first of a character brings the others along.
function states.literal(keys, bytes, at, list)
  keys.state = "text"
  local byte = bytes:byte(at)
  if byte >= 32 and byte ~= 127 then
    return at
  end
  list[#list + 1] = { text = string.char(byte), literal = true }
  return at + 1
end

-- --- Sequences ----------------------------------------------------------------------------------

function states.escape(keys, bytes, at, list)
  local byte = bytes:byte(at)
  local letter = string.char(byte)
  if byte == 27 then
    if keys.alt ~= "" then
      list[#list + 1] = { name = "escape" }
    end
    keys.alt = "alt-"
  elseif letter == "[" then
    keys.state = "csi"
  elseif letter == "O" then
    keys.state = "function"
  elseif letter == "]" or letter == "P" then
    keys.state = "string"
  elseif byte >= 128 then
    drop(keys)
    return at
  else
    keys.alt = "alt-"
    named(keys, list, (byte < 32 or byte == 127) and control_name(byte) or letter)
  end
  return at + 1
end

local LETTERS = { A = "up", B = "down", C = "right", D = "left", H = "home", F = "end", Z = "shift-tab" }
local NUMBERS = { ["1"] = "home", ["3"] = "delete", ["4"] = "end", ["7"] = "home", ["8"] = "end" }
local RXVT = { a = "ctrl-up", b = "ctrl-down", c = "ctrl-right", d = "ctrl-left" }

-- The modifiers of a sequence: a number with bits for shift, alt, control, and meta.
local function modifiers(number)
  local bits = (math.tointeger(tonumber(number)) or 1) - 1
  return (bits & 4 ~= 0 and "ctrl-" or "") .. (bits & 10 ~= 0 and "alt-" or "")
end

local function sequence(keys, parameters, letter, list)
  local first, second = parameters:match "^(%d*);?(%d*)$"
  local name = letter == "~" and NUMBERS[first] or LETTERS[letter]
  if letter == "~" and first == "200" then
    drop(keys)
    keys.state = "paste"
  elseif first and name then
    local modified = modifiers(second)
    keys.alt = modified:find "alt" and "" or keys.alt
    named(keys, list, modified .. name)
  else
    drop(keys)
  end
end

-- ESC [ parameters letter. A control character breaks it off.
function states.csi(keys, bytes, at, list)
  local byte = bytes:byte(at)
  if byte < 32 or byte >= 128 then
    drop(keys)
    return at
  elseif byte == 91 and keys.held == "" then
    keys.state = "linux" -- whose console sends ESC [ [ A for F1
  elseif byte >= 64 and byte ~= 127 then
    sequence(keys, keys.held, string.char(byte), list)
  elseif #keys.held < MOST_PARAMETERS then
    keys.held = keys.held .. string.char(byte)
  end
  return at + 1
end

function states.linux(keys, bytes, at)
  drop(keys)
  return bytes:byte(at) < 32 and at or at + 1
end

-- ESC O letter, as keys come in "application mode"; older terminals put a modifier between.
states["function"] = function(keys, bytes, at, list)
  local byte = bytes:byte(at)
  local letter = string.char(byte)
  if byte < 32 or byte >= 128 then
    drop(keys)
    return at
  elseif letter:find "%d" and #keys.held < MOST_PARAMETERS then
    keys.held = keys.held .. letter
  elseif RXVT[letter] then
    named(keys, list, RXVT[letter])
  elseif letter == "M" then
    named(keys, list, "enter") -- of the number pad
  else
    sequence(keys, keys.held ~= "" and "1;" .. keys.held or "", letter, list)
  end
  return at + 1
end

-- ESC ] and ESC P: what a terminal answers, to BEL or ESC \. Any other control character breaks it off.
function states.string(keys, bytes, at)
  local last = bytes:find("[\0-\31]", at)
  keys.size = keys.size + (last or #bytes + 1) - at
  if not last and keys.size <= MOST_STRING then
    return #bytes + 1
  end
  keys.size = 0
  drop(keys)
  local byte = last and bytes:byte(last)
  if byte == 27 then
    keys.state = "terminator"
    return last + 1
  end
  return last and (byte == 7 and last + 1 or last) or #bytes + 1
end

function states.terminator(keys, bytes, at)
  if bytes:byte(at) == 92 then
    drop(keys)
    return at + 1
  end
  keys.state = "escape"
  return at
end

-- --- Paste --------------------------------------------------------------------------------------

local function end_paste(keys, list)
  local text, too_long = table.concat(keys.pasted), keys.size > MOST_PASTE
  keys.pasted, keys.size = {}, 0
  drop(keys)
  if too_long then
    list[#list + 1] = { paste = "", too_long = true }
  elseif text ~= "" then
    -- Terminals send CR for the ends of lines.
    list[#list + 1] = { paste = text:gsub("\r\n?", "\n") }
  end
end

local function keep_paste(keys, text)
  keys.size = keys.size + #text
  if keys.size <= MOST_PASTE then
    keys.pasted[#keys.pasted + 1] = text ~= "" and text or nil
  else
    keys.pasted = {}
  end
end

-- How many bytes at the end of a text may be the begin of the mark at the end of a paste.
local function mark_begun(text)
  for length = math.min(#PASTE_END - 1, #text), 1, -1 do
    if text:sub(-length) == PASTE_END:sub(1, length) then
      return length
    end
  end
  return 0
end

function states.paste(keys, bytes, at, list)
  local text = keys.held .. bytes:sub(at)
  local first, last = text:find(PASTE_END, 1, true)
  if first then
    local used = last - #keys.held
    keep_paste(keys, text:sub(1, first - 1))
    end_paste(keys, list)
    return at + used
  end
  local begun = mark_begun(text)
  keep_paste(keys, text:sub(1, #text - begun))
  keys.held = text:sub(#text - begun + 1)
  return #bytes + 1
end

-- --- Outside ------------------------------------------------------------------------------------

--- The keys in bytes that came.
---@param bytes string
---@return strobe.editor.Key[]
function Keys:feed(bytes)
  local list, at = {}, 1
  while at <= #bytes do
    at = states[self.state](self, bytes, at, list)
  end
  return list
end

--- How long to wait for more bytes before `expire` is called; nil if there is nothing to decide.
---@return number? seconds
function Keys:wants_timer()
  local state = self.state
  if state == "escape" or state == "terminator" then
    return ESCAPE_DELAY
  end
  return state ~= "text" and state ~= "literal" and SILENCE or nil
end

--- Decides about what is held, as nothing came for a while.
---@return strobe.editor.Key[]
function Keys:expire()
  local list = {}
  if self.state == "escape" then
    named(self, list, "escape")
  elseif self.state == "paste" then
    keep_paste(self, self.held)
    end_paste(self, list)
  elseif self.state ~= "text" and self.state ~= "literal" then
    self.size = 0
    drop(self)
  end
  return list
end

return Keys
