--- :load :save :edit — inputs that come from files, and go there.

local errors = require "strobe.async.error"
local fs = require "strobe.async.fs"
local expand = require("strobe.console.commands.path").expand
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"
local quantity = require "strobe.quantity"
local time = require "strobe.core.time"

-- Bytes of a file that is taken as an input.
local MOST = 1024 * 1024

local function path_of(text, usage)
  if text == "" then
    refusal.raise("a file expected: %s", usage)
  end
  return expand(text)
end

local function read(path)
  local text, message = fs.read_file(path)
  if not text then
    refusal.raise("%s", message)
  elseif #text > MOST then
    refusal.raise("%s has %s, and an input at most %s", path, quantity.bytes(#text), quantity.bytes(MOST))
  end
  return text
end

-- --- :load and :save -----------------------------------------------------------------------------

local function load_file(console, text)
  local code = read(path_of(text, ":load FILE"))
  console:run((code:gsub("^#[^\n]*", "", 1))) -- its first line may be for the shell; numbers of lines stay
end

-- An input as a chunk that runs in a file: an expression alone is no statement, and what begins with a parenthesis is
-- no call of what is before it.
local function chunk_of(text)
  text = text:gsub("\n+$", "")
  if not load(text .. "\n", "=input", "t") and load("return " .. text .. "\n", "=input", "t") then
    return "_ = " .. text .. "\n"
  end
  return (text:find "^%s*%(" and ";" or "") .. text .. "\n"
end

-- Those that succeeded; commands are not Lua.
local function chunks_of(inputs)
  local chunks = {}
  for _, input in ipairs(inputs) do
    local is_command = input.text:find "^%s*:%a"
    if input.ok and not is_command and input.text:find "%S" then
      chunks[#chunks + 1] = chunk_of(input.text)
    end
  end
  return chunks
end

local function save(console, text, name)
  local path = path_of(text, ":save FILE")
  local chunks = chunks_of(console.inputs)
  if #chunks == 0 then
    refusal.raise "no input has succeeded yet: there is nothing to save"
  elseif name ~= "save!" and fs.exists(path) then
    refusal.raise("%s exists; :save! %s overwrites it", path, text)
  end
  local done, message = fs.write_file(path, table.concat(chunks, "\n"))
  if not done then
    refusal.raise("%s", message)
  end
  return ("%s in %s"):format(quantity.noun(#chunks, "input"), path)
end

-- --- :edit ---------------------------------------------------------------------------------------

local function editor_words()
  local line = os.getenv "VISUAL" or ""
  line = line ~= "" and line or os.getenv "EDITOR" or ""
  local words = {}
  for word in (line ~= "" and line or "vi"):gmatch "%S+" do
    words[#words + 1] = word
  end
  return words
end

-- Runs the editor on a file, on the terminal; the loop goes on.
local function run_editor(console, path)
  local subprocess = require "strobe.async.subprocess"
  local words = editor_words()
  words[#words + 1] = path
  local ok, status
  console:lend_terminal(function()
    ok, status = pcall(function()
      return subprocess.create_subprocess_exec(table.unpack(words)):wait()
    end)
    time.sleep(0) -- a Ctrl-C that was for the editor may be told as late as in the turn behind its end
  end)
  if not ok and errors.is(status, errors.CancelledError) then
    error(status, 0)
  elseif not ok then
    refusal.raise("the editor does not start: %s (set VISUAL or EDITOR)", tostring(status))
  elseif status ~= 0 then
    refusal.raise("the editor %s ended with status %d: nothing was changed", words[1], status)
  end
end

local function last_input(inputs)
  for i = #inputs, 1, -1 do
    if not inputs[i].text:find "^%s*:%a" then
      return inputs[i].text
    end
  end
  return ""
end

-- A file of its own for the input, which goes away in any case.
local Draft = { __close = function(draft)
  os.remove(draft.path)
end }

local function new_draft(text)
  local uv = require "luv"
  local folder = os.getenv "TMPDIR" or "/tmp"
  local descriptor, path = uv.fs_mkstemp(folder .. "/strobe-XXXXXX") -- 0600
  if not descriptor then
    refusal.raise("no file for the editor in %s: %s", folder, path)
  end
  local draft = setmetatable({ path = path }, Draft)
  uv.fs_write(descriptor, text)
  uv.fs_close(descriptor)
  return draft
end

local function edit_input(console)
  local draft <close> = new_draft(last_input(console.inputs))
  run_editor(console, draft.path)
  console:set_input((read(draft.path):gsub("\n+$", "")))
end

-- The unit which a file is of.
local function unit_in(console, path)
  local real = require("luv").fs_realpath(path)
  local answer = request.try(console, "gens", {})
  for _, unit in ipairs(real and answer and answer.units or {}) do
    if unit.file == real or unit.file == path then
      return unit.unit
    end
  end
end

local function edit(console, text)
  if text == "" then
    return edit_input(console)
  end
  local path = expand(text)
  run_editor(console, path)
  local unit = unit_in(console, path)
  if unit then
    console:set_input(":reload " .. unit)
    return ("%s is the unit %s: Enter reloads it"):format(path, unit)
  end
  console:set_input((read(path):gsub("\n+$", "")))
end

return {
  {
    name = "load", arguments = "FILE", rights = "rw", run = load_file,
    help = "runs a file as one input\n"
      .. "The file is read where the console is, also when the process is another one.",
  },
  {
    name = "save", arguments = "FILE", rights = "-", run = save, aliases = { "save!" },
    help = "writes the inputs that succeeded to a file\n"
      .. "One chunk each. An existing file is overwritten by :save! FILE.",
  },
  {
    name = "edit", arguments = "[FILE]", rights = "-", run = edit,
    help = "opens an editor on the last input, or on a file\n"
      .. "That is $VISUAL, $EDITOR or vi. The text comes back into the prompt, and is not run. For the file\n"
      .. "of a unit it offers :reload.",
  },
}
