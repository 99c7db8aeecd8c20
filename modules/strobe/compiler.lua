--- Mends what Lua 5.4.4 compiles wrong: a `break` out of a generic `for` whose variable is captured by a function does
--- not close the loop's closing value.
--
--   for tick in db:ticks "btc" do                     -- the generator was not closed, and what came next on that
--     async.create_task(function() use(tick) end)     -- stack slot was called as its __close
--     break
--   end
--
-- Such a loop ends with CLOSE of the register behind its four hidden variables instead of the first of them (Lua's
-- list of bugs, 5.4.4-7; newer versions are right). Functions are dumped, and where that is found the operand is put
-- right and the function loaded again. A chunk without it is used as it is.

local compiler = {}

-- Opcodes of Lua 5.4, and the hidden variables of a generic for.
local CLOSE, TFORLOOP, HIDDEN = 54, 77, 4

-- A TFORLOOP and a CLOSE behind it, whatever their registers; the lowest bit of those is the highest of the first byte.
local SUSPECT = "[\x4d\xcd]...[\x36\xb6].%z%z"

local broken = [[
local closed = false
for v in function() return 1 end, nil, nil, setmetatable({}, { __close = function() closed = true end }) do
  local _ = function() return v end
  break
end
local result = closed
return result]]

local function register(instruction)
  return instruction >> 7 & 0xff
end

-- --- Reading a dump (ldump.c of Lua 5.4) --------------------------------------------------------

local Dump = {}
Dump.__index = Dump

function Dump:int()
  local value = 0
  repeat
    local byte = self.text:byte(self.at)
    self.at = self.at + 1
    value = value << 7 | byte & 0x7f
  until byte >= 0x80
  return value
end

function Dump:skip(size)
  self.at = self.at + size
end

function Dump:string()
  local size = self:int()
  if size > 1 then
    self:skip(size - 1)
  end
end

-- The sizes of constants by their type; strings are apart.
local sizes = { [0x03] = 8, [0x13] = 8 }

function Dump:constants()
  for _ = 1, self:int() do
    local kind = self.text:byte(self.at)
    self:skip(1)
    if kind == 0x04 or kind == 0x14 then
      self:string()
    else
      self:skip(sizes[kind] or 0)
    end
  end
end

-- The line of each instruction is told by its distance from that of the one before, or, by DISTANT, on its own.
function Dump:debug(code)
  local count = self:int()
  code.lines, code.distant = { at = self.at, count = count }, {}
  self:skip(count)
  for _ = 1, self:int() do
    local instruction = self:int()
    code.distant[instruction] = self:int()
  end
  for _ = 1, self:int() do
    self:string()
    self:int()
    self:int()
  end
  for _ = 1, self:int() do
    self:string()
  end
end

-- Notes where code lies, of a function and those inside it.
function Dump:functions(codes)
  self:string()
  local first = self:int()
  self:int()
  local varies = self.text:byte(self.at + 1) ~= 0
  self:skip(3)
  local count = self:int()
  local code = { at = self.at, count = count, first = first, varies = varies }
  codes[#codes + 1] = code
  self:skip(4 * count)
  self:constants()
  self:skip(3 * self:int())
  for _ = 1, self:int() do
    self:functions(codes)
  end
  self:debug(code)
end

local HEADER = 4 + 1 + 1 + 6 + 3 + 8 + 8

local function codes_of(text)
  local dump, codes = setmetatable({ text = text, at = HEADER + 2 }, Dump), {}
  dump:functions(codes)
  return codes
end

-- --- Lines -----------------------------------------------------------------------------------------

local DISTANT = -128

local function add_lines(lines, text, code)
  local line = code.first
  for i = 0, code.lines.count - 1 do
    local distance = string.unpack("b", text, code.lines.at + i)
    line = distance == DISTANT and code.distant[i] or line + distance
    if i > 0 or not code.varies then -- the first one of a vararg function only takes its arguments
      lines[line] = true
    end
  end
end

--- The lines on which code begins, of a chunk and all functions in it: those that debug.sethook tells.
---@param chunk function
---@return table<integer, true>? lines nil for a Lua whose chunks we cannot read
function compiler.lines(chunk)
  local text = string.dump(chunk)
  if text:byte(5) ~= 0x54 then
    return nil
  end
  local lines = {}
  for _, code in ipairs(codes_of(text)) do
    add_lines(lines, text, code)
  end
  return lines
end

-- --- Mending -------------------------------------------------------------------------------------

-- The instruction in place of the second, if the two are a loop that ends wrong.
local function mended(first, second)
  if first & 0x7f == TFORLOOP and second & 0x7f == CLOSE and register(second) == register(first) + HIDDEN then
    return CLOSE | register(first) << 7
  end
end

local function mend_code(text, code, pieces, from)
  local previous = 0
  for i = 0, code.count - 1 do
    local at = code.at + 4 * i
    local instruction = string.unpack("<I4", text, at)
    local right = mended(previous, instruction)
    if right then
      pieces[#pieces + 1] = text:sub(from, at - 1) .. string.pack("<I4", right)
      from = at + 4
    end
    previous = instruction
  end
  return from
end

--- A dumped function with its loops put right; nil when there is nothing to do.
---@param text string what string.dump gives
---@return string?
function compiler.mend(text)
  if not text:find(SUSPECT) or text:byte(5) ~= 0x54 then
    return nil
  end
  local codes, pieces, from = codes_of(text), {}, 1
  for _, code in ipairs(codes) do
    from = mend_code(text, code, pieces, from)
  end
  pieces[#pieces + 1] = text:sub(from)
  return #pieces > 1 and table.concat(pieces) or nil
end

-- --- Loading -------------------------------------------------------------------------------------

local plain_load, plain_loadfile = load, loadfile

-- A chunk that was just loaded, right; its environment is the second value of its call.
local function right(chunk, ...)
  if type(chunk) ~= "function" then
    return chunk, ...
  end
  local text = compiler.mend(string.dump(chunk))
  if not text then
    return chunk
  end
  local good = plain_load(text, nil, "b")
  if debug.getupvalue(good, 1) then
    debug.setupvalue(good, 1, select(2, debug.getupvalue(chunk, 1)))
  end
  return good
end

local function load_right(...)
  return right(plain_load(...))
end

local function loadfile_right(...)
  return right(plain_loadfile(...))
end

local function dofile_right(...)
  local chunk, message = loadfile_right(...)
  if not chunk then
    error(message, 0)
  end
  return chunk()
end

-- A searcher for package.searchers: as the one for Lua files, which it comes before.
local function search(name)
  local path = package.searchpath(name, package.path)
  if not path then
    return nil
  end
  local chunk, message = loadfile_right(path)
  if not chunk then
    error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, message), 0)
  end
  return chunk, path
end

--- Whether this Lua needs it.
---@return boolean
function compiler.is_broken()
  local ok, closed = pcall(plain_load(broken))
  return not (ok and closed)
end

--- Has `load`, `loadfile`, `dofile` and `require` mend what they load, if this Lua needs it.
function compiler.install()
  if not compiler.is_broken() then
    return
  end
  load, loadfile, dofile = load_right, loadfile_right, dofile_right -- luacheck: ignore
  local searchers = package.searchers
  table.insert(searchers, #searchers - 2, search)
end

return compiler
