--- What there is to know of a file.

local stat = {}

local function nanoseconds(at)
  return at.sec * 1000000000 + at.nsec
end

---@class strobe.Stat what there is to know of a file or folder
---@field type "file"|"directory"|"link"|"fifo"|"socket"|"char"|"block"
---@field size integer bytes
---@field mtime number seconds since 1970 when the content last changed; `atime`, `ctime` likewise
---@field mtime_ns integer the same in nanoseconds, exactly
---@field mode integer permission bits, 0 to 0xFFF
---@field ino integer
---@field dev integer
---@field nlink integer
---@field uid integer
---@field gid integer

--- What luv says of a file, as we say it.
---@param raw table
---@return strobe.Stat
function stat.describe(raw)
  return {
    type = raw.type or "unknown",
    size = raw.size,
    mode = raw.mode & 0xFFF,
    mtime = raw.mtime.sec + raw.mtime.nsec / 1e9,
    atime = raw.atime.sec + raw.atime.nsec / 1e9,
    ctime = raw.ctime.sec + raw.ctime.nsec / 1e9,
    mtime_ns = nanoseconds(raw.mtime),
    ino = raw.ino,
    dev = raw.dev,
    nlink = raw.nlink,
    uid = raw.uid,
    gid = raw.gid,
  }
end

return stat
