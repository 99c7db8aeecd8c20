---@meta strobe.Stream
-- What every connection can do, be it TCP, a unix socket, TLS or a pipe in memory. It is written in C
-- (core/io/reader.c, core/io/stream.c). This file says what it promises, to `strobe help` and to editors; nothing
-- loads it.
-- luacheck: ignore 212 241

--- A byte stream in both directions, a `<close>` value. One task at a time may read it, and one may drain it.
---@class strobe.Stream
local Stream = {}

--- What has come, as soon as there is something. At the peer's end it is an empty string.
---@async
---@param most? integer bytes (65,536)
---@return string? bytes
---@return string? message
---@return string? code "ECONNRESET", "ETIMEDOUT", …
function Stream:read(most)
end

--- Exactly so many bytes.
---@async
---@param size integer bytes
---@return string? bytes
---@return string? message
---@return string? code "EOF" when the peer ended before
---@return string? partial what was there then
function Stream:read_exactly(size)
end

--- The bytes up to a separator, and with it.
---@async
---@param separator? string any bytes ("\n")
---@param limit? integer most bytes (65,536)
---@return string? bytes
---@return string? message
---@return string? code "EOF" when the peer ended before; "EMSGSIZE" when it is not within the limit: all stays to be
--- read
---@return string|integer? partial what was there at the end; or how many bytes come before the separator, or in all
function Stream:read_until(separator, limit)
end

--- The next line without its LF or CR LF; the last one may lack them.
---@async
---@param limit? integer most bytes (65,536)
---@return string? line nil at the end
---@return string? message
---@return string? code "EMSGSIZE" when it is not within the limit: all stays to be read
function Stream:read_line(limit)
end

--- Puts bytes back, to be read again before all else.
---@param bytes string
---@return boolean? done
---@return string? message
---@return string? code "ENOMEM"
function Stream:unread(bytes)
end

--- Whether the peer has ended and everything was read.
---@return boolean
function Stream:at_eof()
end

--- How many bytes wait.
---@return integer input came, and were not read yet
---@return integer output were written, and have not gone yet
function Stream:buffered()
end

--- Writes, and waits while more than 64 KiB are on their way: send, then drain.
---@async
---@param bytes string
---@return boolean? done
---@return string? message
---@return string? code "EPIPE" after close or shutdown, "ECONNRESET", "ETIMEDOUT", …
function Stream:write(bytes)
end

--- Writes without ever waiting; what cannot go yet is queued, without a limit. Follow it by drain.
---@param bytes string
---@return boolean? done
---@return string? message
---@return string? code "EPIPE", "ECONNRESET", …
function Stream:send(bytes)
end

--- Waits, while more than 64 KiB are queued, until 16 KiB are left.
---@async
---@return boolean? done
---@return string? message
---@return string? code "EPIPE", "ECONNRESET", "ETIMEDOUT", …
function Stream:drain()
end

--- From now on a read, drain or write that waits longer fails with "ETIMEDOUT".
---@param seconds? number nil: they wait for ever
function Stream:set_timeout(seconds)
end

--- Says that no more will be written; the peer sees the end. Twice is harmless.
---@return boolean? done
---@return string? message
---@return string? code
function Stream:shutdown()
end

--- Closes; what is queued still goes out. Twice is harmless.
function Stream:close()
end

--- Closes at once; what is queued is lost.
function Stream:abort()
end

--- Waits until it has closed.
---@async
function Stream:wait_closed()
end

--- Whether close or abort was called.
---@return boolean
function Stream:is_closing()
end
