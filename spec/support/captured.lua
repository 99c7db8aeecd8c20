--- What a function prints.

local captured = {}

--- Runs f with what print and io.stderr:write are given collected.
---@async
---@param f function
---@param ... any
---@return any result the first
---@return string output
---@return string complaints what came on stderr
function captured.run(f, ...)
  local out, err = {}, {}
  local print_before, stderr_before = print, io.stderr
  local restore <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      rawset(_G, "print", print_before)
      rawset(io, "stderr", stderr_before)
    end,
  })
  rawset(_G, "print", function(text)
    out[#out + 1] = text .. "\n"
  end)
  rawset(io, "stderr", {
    write = function(_, ...)
      err[#err + 1] = table.concat { ... }
    end,
  })
  local result = f(...)
  return result, table.concat(out), table.concat(err)
end

return captured
