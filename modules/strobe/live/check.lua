--- `strobe check`: whether the files of units would load; nothing is started.

local Runtime = require "strobe.live.runtime"
local Unit = require "strobe.live.unit"
local arguments = require "strobe.arguments"
local fs = require "strobe.async.fs"
local generations = require "strobe.live.generation"
local host = require "strobe.core.host"
local options = require "strobe.live.command.options"
local printable = require("strobe.async.stack").printable
local refusals = require "strobe.live.refusal"
local sources = require "strobe.live.source"
local uv = require "luv"

local check = {}

check.usage = [[
usage: strobe check FILE... [--syntax] [--root DIR]
  reads units' files and all they require, and loads them as a reload would: no effects, no waiting, a limit of
  instructions. Nothing is started. A line for each problem: FILE:LINE: CODE: TEXT
options:
  --syntax     compile the files only, which need not be units
  --root DIR   modules are looked for here (the folder of each file)
exit status: 0 all would load, 1 a problem, 2 usage]]

local known = { syntax = false, root = arguments.text, help = false }

-- Files below the working folder are named without it.
local function shortened(text)
  return (text:gsub(uv.cwd():gsub("%p", "%%%0") .. "/", ""))
end

local function print_problem(place, code, text)
  text = shortened(text)
  place = shortened(place)
  if text:sub(1, #place + 2) == place .. ": " then
    text = text:sub(#place + 3)
  end
  text = text:match "^[^\n]*" -- a traceback is for who runs it
  print(("%s: %s: %s"):format(printable(place), code, printable(text)))
end

local function compile(path)
  local text, message = fs.read_file(path)
  if not text then
    refusals.raise("missing", message, path .. ":1")
  end
  sources.new(path, text)
end

local function load_unit(path, root)
  local runtime = Runtime.new { root = root }
  local unit = Unit.new(runtime, options.unit_name(path), path, runtime.options)
  for _, warning in ipairs(generations.load(unit, 1).warnings) do
    print_problem(path .. ":1", "warning", warning)
  end
end

-- Whether a file would load.
local function check_file(path, read)
  local ok, e
  if read.syntax then
    ok, e = pcall(compile, path)
  else
    ok, e = pcall(load_unit, path, read.root)
  end
  if ok then
    return true
  elseif not refusals.is(e) then
    error(e, 0)
  end
  print_problem(e.place or path .. ":1", e.code, e.message)
  return false
end

--- `strobe check FILE…`
---@async
---@param words string[]
---@return integer status
function check.main(words)
  host.slow_step(math.huge) -- loading is all that it does
  local read, message = arguments.read(known, words)
  if not read then
    io.stderr:write("strobe: check: ", message, "; see 'strobe check --help'\n")
    return 2
  elseif read.help then
    print(check.usage)
    return 0
  elseif #read == 0 then
    io.stderr:write(check.usage, "\n")
    return 2
  end
  read.root = read.root and options.absolute(read.root)
  local status = 0
  for _, file in ipairs(read) do
    status = check_file(options.absolute(file), read) and status or 1
  end
  return status
end

return check
