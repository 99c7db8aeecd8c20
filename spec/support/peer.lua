--- Other people's programs in specs: whether they are here, and a process of one.
--
-- A peer's line is a list of words, the program first; nil where the peer is not installed.

local assert = require "luassert"
local child = require "spec.support.child"

-- Seconds after which a program is ended, whatever it does.
local LONGEST = 400
-- Bytes that are shown of what a program printed before it failed.
local MOST_SHOWN = 2000
local FOLDER = debug.getinfo(1, "S").source:match "^@(.*/)support/" .. "interop/peers/"

local peer = {}

--- The path of a program that speaks for a peer.
---@param name string
---@return string
function peer.file(name)
  return FOLDER .. name
end

local function runs(line)
  return os.execute(line .. " >/dev/null 2>&1") == true
end

--- A command of the system.
---@param name string
---@return string[]?
function peer.command(name)
  -- Debian keeps servers where only root's PATH leads.
  for _, program in ipairs { name, "/usr/sbin/" .. name } do
    if runs("command -v " .. program) then
      return { program }
    end
  end
end

--- A Python that has a module: $PYTHON, or else Debian's, or else the first on PATH.
---@param module string
---@return string[]?
function peer.python(module)
  for _, program in ipairs { os.getenv "PYTHON" or "/usr/bin/python3", "python3" } do
    if runs(program .. " -c 'import " .. module .. "'") then
      return { program }
    end
  end
end

--- Node with a module, from NODE_PATH or where Debian puts it.
---@param module string
---@return string[]?
function peer.node(module)
  local line = { "env", ("NODE_PATH=%s:/usr/share/nodejs"):format(os.getenv "NODE_PATH" or ""), "node" }
  return runs(("%s -e 'require(%q)'"):format(table.concat(line, " "), module)) and line or nil
end

--- An `it` for what needs a peer: without that the story is skipped, and says why.
---@param globals table the spec's, _ENV, in which Busted's `pending` is another one in an `it` than outside
---@param line string[]?
---@param why string
---@return fun(name: string, story: fun())
function peer.stories(globals, line, why)
  return function(name, story)
    globals.it(name, line and story or function()
      globals.pending(why)
    end)
  end
end

--- Runs f(process) with a program, which is over in the end.
---@async
---@generic T
---@param line string[]
---@param words string[] its arguments
---@param f fun(process: spec.Child): T?
---@param options? table as child.spawn
---@return T?
function peer.with(line, words, f, options)
  local all = { "-k", "2", tostring(LONGEST), table.unpack(line) }
  table.move(words, 1, #words, #all + 1, all)
  local process <close> = child.spawn("timeout", all, options)
  local stop <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      process:kill "sigterm" -- which `timeout` passes on
      process:wait()
    end,
  })
  return f(process)
end

--- Runs a program to its end, which must be a good one.
---@async
---@param line string[]
---@param words string[]
---@param options? table as child.spawn
---@return string stdout
---@return string stderr
function peer.run(line, words, options)
  local output = peer.with(line, words, function(process)
    assert.equal(0, process:wait(), process.output.stdout:sub(1, MOST_SHOWN) .. process.output.stderr)
    return process.output
  end, options)
  return output.stdout, output.stderr
end

return peer
