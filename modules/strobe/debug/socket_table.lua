--- Whose a TCP connection of this machine is, by the kernel's table of sockets, /proc/net/tcp and tcp6: proc(5)
--
--   0: 0100007F:C350 0100007F:1267 01 00000000:00000000 00:00000000 00000000  1000        0 52210 …
--      its end       the other end                                            uid           inode
--
-- Each end of a connection within a machine has a line of its own. Text in, a number out; nothing is read here.

local socket_table = {}

local LINE = "^%s*%d+:%s+(%x+:%x+)%s+(%x+:%x+)%s+%x%x%s+%x+:%x+%s+%x+:%x+%s+%x+%s+(%d+)%s+%d+%s+(%d+)%f[%D]"

-- The words of an address are told as this machine's integers.
local function word(bytes)
  return ("%08X"):format((string.unpack("=I4", bytes)))
end

local MAPPED = word "\0\0\0\0" .. word "\0\0\0\0" .. word "\0\0\xff\xff"

-- An end as the tables tell it: of an IPv4 socket, and of an IPv6 one that speaks IPv4.
local function names_of(address, port)
  local bytes = {}
  for number in ("." .. address):gmatch "%.(%d+)%f[.\0]" do
    bytes[#bytes + 1] = tonumber(number)
  end
  local name = ("%s:%04X"):format(word(string.char(table.unpack(bytes, 1, 4))), port)
  return { [name] = true, [MAPPED .. name] = true }
end

--- The user whose socket is one end of a connection. Nobody's is one that its process has left: its line tells root's
--- number, whoever that was, and no inode. As the kernel reads the two one after the other, ask twice.
---@param lines fun(): string? of the table
---@param address string of that end, "127.0.0.1"
---@param port integer
---@param other_address string of the other end
---@param other_port integer
---@return integer? uid nil when it is not there, or nobody's
function socket_table.owner(lines, address, port, other_address, other_port)
  local near, far = names_of(address, port), names_of(other_address, other_port)
  for line in lines do
    local own, other, uid, inode = line:match(LINE)
    if near[own] and far[other] and tonumber(inode) > 0 then
      return math.tointeger(tonumber(uid))
    end
  end
end

return socket_table
