--- `print` for a process with several threads: a line is written at once, so that lines of different
-- threads do not mix.

--- Writes the values, as `tostring` has them, and a newline to the standard output.
---@param ... any
local function print_line(...)
  local words = table.pack(...)
  for i = 1, words.n do
    words[i] = tostring(words[i])
  end
  io.stdout:write(table.concat(words, "\t") .. "\n")
  io.stdout:flush()
end

return print_line
