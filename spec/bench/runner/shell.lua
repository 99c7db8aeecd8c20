--- Other programs, by io.popen only, so that the runner also runs under plain Lua 5.4.
local shell = {}

--- A word as the shell takes it.
---@param word string
---@return string
function shell.quote(word)
  if word:find("^[%w_./=:@-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- One command line of words.
---@param ... string|number
---@return string
function shell.line(...)
  local words = {...}
  for i, word in ipairs(words) do words[i] = shell.quote(tostring(word)) end
  return table.concat(words, " ")
end

--- Runs a command; true when it succeeded, and all it printed.
---@param command string
---@return boolean ok
---@return string output
function shell.run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read("a")
  return pipe:close() == true, output
end

--- The first line a command prints, nil when it fails.
---@param command string
---@return string?
function shell.ask(command)
  local ok, output = shell.run(command)
  return ok and output:match("[^\n]+") or nil
end

return shell
