local socket_table = require "strobe.debug.socket_table"

-- An address as this machine's tables tell it.
local function word(bytes)
  return ("%08X"):format((string.unpack("=I4", bytes)))
end

local HERE = word "\127\0\0\1"
local HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

local function line(own, other, uid, state, inode)
  return ("   7: %s %s %s 00000000:00000000 00:00000000 00000000 %5d        0 %d 1 00000000532c7e18 20 4 0"):format(own,
    other, state or "01", uid, inode or 52210)
end

-- Whose port 0xC350 is that is connected to 0x1267.
local function owner(...)
  local text = table.concat({ HEAD, ... }, "\n") .. "\n"
  return socket_table.owner(text:gmatch "[^\n]*", "127.0.0.1", 0xC350, "127.0.0.1", 0x1267)
end

describe("the table of sockets", function()
  local near, far = HERE .. ":C350", HERE .. ":1267"

  it("tells whose an end of a connection is, and not whose the other is", function()
    assert.equal(1000, owner(line(far, near, 4711), line(near, far, 1000)))
    assert.equal(0, owner(line(near, far, 0)))
    assert.equal(4294967294, owner(line(near, far, 4294967294)))
    assert.is_nil(owner(line(far, near, 1000)))
  end)

  it("takes neither another port nor another address for it", function()
    assert.is_nil(owner(line(HERE .. ":C351", far, 1000), line(near, HERE .. ":1268", 1000),
      line(word "\127\0\0\2" .. ":C350", far, 1000), line(near, "00000000:0000", 1000, "0A")))
  end)

  it("tells of an IPv6 socket that speaks IPv4", function()
    local mapped = word "\0\0\0\0" .. word "\0\0\0\0" .. word "\0\0\xff\xff"
    assert.equal(1000, owner(line(mapped .. near, mapped .. far, 1000)))
    assert.is_nil(owner(line(("0"):rep(24) .. near, ("0"):rep(24) .. far, 1000)))
  end)

  it("does not take for root's what its process has left", function()
    assert.is_nil(owner(line(near, far, 0, "05", 0)))
    assert.is_nil(owner(line(near, far, 0, "06", 0)))
    assert.is_nil(owner(line(near, far, 0, "01", 0)))
    assert.equal(1000, owner(line(near, far, 1000, "05")))
  end)

  it("passes over what is no line of it", function()
    local whole = line(near, far, 1000)
    for cut = 1, #whole do
      local uid = owner(whole:sub(1, cut))
      assert.is_true(uid == nil or uid == 1000 and whole:find("52210 ", 1, true) - 1 <= cut + 4, cut)
    end
    local uid = owner("", "x", ("0"):rep(100000), ("%s "):format(near):rep(9), whole:gsub("1000", "-1"),
      whole:gsub("1000", "x"), whole:gsub("52210", "-52210"), (whole:gsub("7:", "::")), "\0\255", line(near, far, 33))
    assert.equal(33, uid)
  end)
end)
