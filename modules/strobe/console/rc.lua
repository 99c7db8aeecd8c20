--- What a user has the console do first: ~/.config/strobe/repl.lua, with `repl` at hand.

local report = require "strobe.report"

local rc = {}

--- Where it is: $XDG_CONFIG_HOME/strobe/repl.lua, or ~/.config/strobe/repl.lua.
---@return string?
function rc.default_path()
  local config, home = os.getenv "XDG_CONFIG_HOME" or "", os.getenv "HOME" or ""
  if config:sub(1, 1) ~= "/" then
    config = home ~= "" and home .. "/.config" or nil
  end
  return config and config .. "/strobe/repl.lua"
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "a"
  if file then
    file:close()
  end
  return text
end

-- What it writes down as globals is its own.
local function environment(console)
  return setmetatable({ repl = require "strobe.repl", settings = console.settings }, { __index = _G })
end

local function handler(e)
  return ("%s\n%s"):format(tostring(e), table.concat(report.user_lines(debug.traceback()), "\n"))
end

--- Runs it, if it is there.
---@async
---@param console strobe.Console
---@param path? string
---@return string? message what is wrong with it
function rc.run(console, path)
  local text = path and read(path)
  if not text then
    return nil
  end
  local chunk, message = load((text:gsub("^\u{FEFF}", ""):gsub("^#[^\n]*", "")), "@" .. path, "t", environment(console))
  if not chunk then
    return message
  end
  local ok, e = xpcall(chunk, handler, console)
  return not ok and e or nil
end

return rc
