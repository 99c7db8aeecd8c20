--- Files of traces, in blocks: the one place where they are opened, read and written.

local uv = require "luv"

local file = {}

local BLOCK = 64 * 1024

local MODE = tonumber("644", 8)

-- nil, "PATH: what is wrong", and the code word.
local function failure(path, message, code)
  return nil, ("%s: %s"):format(path, (message:gsub("^%u+: ", ""):gsub(": [^:]*$", ""))), code or message:match "^%u+"
end

local function write_all(path, fd, bytes)
  while #bytes > 0 do
    local written, message, code = uv.fs_write(fd, bytes, -1)
    if not written then
      return failure(path, message, code)
    end
    bytes = bytes:sub(written + 1)
  end
  return true
end

--- A new file, or an old one made empty: `:write(bytes)` and `:close()`, which return true, or
--- nil, message, code.
---@param path string
---@return table?
---@return string? message
---@return string? code
function file.create(path)
  local fd, message, code = uv.fs_open(path, "w", MODE)
  if not fd then
    return failure(path, message, code)
  end
  local sink = {}
  function sink.write(_, bytes)
    return write_all(path, fd, bytes)
  end
  function sink.close()
    local closing = fd
    fd = nil
    local good, why, word = true, nil, nil
    if closing then
      good, why, word = uv.fs_close(closing)
    end
    if not good then
      return failure(path, why, word)
    end
    return true
  end
  return setmetatable(sink, { __gc = sink.close })
end

--- A file's blocks: `.next()` is a block, nothing at its end, or nil, message, code.
---@param path string "-" is the standard input
---@return {name: string, next: function, close: function}?
---@return string? message
---@return string? code
function file.open(path)
  local fd, message, code = 0, nil, nil
  if path ~= "-" then
    fd, message, code = uv.fs_open(path, "r", 0)
  end
  if not fd then
    return failure(path, message, code)
  end
  local source = { name = path == "-" and "stdin" or path }
  function source.next()
    if not fd then
      return nil
    end
    local block, why, word = uv.fs_read(fd, BLOCK, -1)
    if not block then
      return failure(path, why, word)
    end
    return #block > 0 and block or nil
  end
  function source.close()
    if fd and fd > 0 then
      uv.fs_close(fd)
      fd = nil
    end
  end
  return setmetatable(source, { __gc = source.close })
end

return file
