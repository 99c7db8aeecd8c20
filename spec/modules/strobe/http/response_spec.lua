local RawServer = require "spec.support.raw_server"
local async = require "strobe.async"
local errors = require "spec.support.errors"
local http = require "strobe.http"
local json = require "strobe.json"

-- The output of a line of the shell.
local function output_of(line)
  local pipe <close> = assert(io.popen(line))
  return pipe:read "a"
end

local function gzipped(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  local bytes = output_of("gzip -9 -c " .. path)
  os.remove(path)
  return bytes
end

local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

-- Sends pieces, a second after each other, and closes.
local function server_of(...)
  local pieces = { ... }
  return RawServer.new(function(connection)
    for i, piece in ipairs(pieces) do
      if i > 1 then
        async.sleep(1)
      end
      connection:write(piece)
    end
    return "close"
  end)
end

local function failure(response, message, code)
  assert.is_nil(response)
  return code, message
end

describe("response", function()
  describe("body", function()
    it("is the whole, however it came", function()
      for _, pieces in ipairs {
        { RawServer.response "hello world" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello", " world" },
        { CHUNKED .. "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n" },
        { CHUNKED .. "5\r\nhe", "llo\r\n6\r\n", " world\r\n0\r", "\n\r\n" },
        { "HTTP/1.0 200 OK\r\n\r\nhello", " world" },
        { "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", " world" },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n", RawServer.response "hello world" },
        { CHUNKED .. "b\r\nhello world\r\n0\r\nX-Trailer: 1\r\n\r\n" },
      } do
        local server <close> = server_of(table.unpack(pieces))
        local response = assert(http.get(server.url))
        assert.equal("hello world", response.body)
        assert.equal("hello world", response:text())
        assert.equal(200, response.status)
        assert.is_nil(response.headers["x"])
        assert.is_nil(response.headers["x-trailer"])
      end
    end)

    it("comes byte by byte as well", function()
      local bytes = "HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
      local server <close> = RawServer.new(function(connection)
        for byte in bytes:gmatch "." do
          connection:write(byte)
          async.sleep(0.001)
        end
        connection:write(bytes:match ".$")
        return "close"
      end)
      local all = {}
      for byte in bytes:gmatch "[%z\1-\255]" do
        all[#all + 1] = byte
      end
      local whole <close> = server_of(table.unpack(all))
      local response = assert(http.get(whole.url))
      assert.equal("hello", response.body)
      assert.equal("1", response.headers["x-a"])
      assert.is_not_nil(server)
    end)

    it("is decompressed", function()
      local text = ("hello "):rep(1000)
      local server <close> = RawServer.of(RawServer.response(gzipped(text), nil, "Content-Encoding: gzip\r\n"))
      assert.equal(text, assert(http.get(server.url)).body)
      local broken <close> = RawServer.of(RawServer.response("no gzip", nil, "Content-Encoding: gzip\r\n"))
      assert.equal("EPROTO", (failure(http.get(broken.url))))
    end)

    it("is counted as it is decompressed: a bomb does not go off", function()
      local bomb = output_of "head -c 67108864 /dev/zero | gzip -9"
      assert.is_true(#bomb < 100000)
      local server <close> = RawServer.of(RawServer.response(bomb, nil, "Content-Encoding: gzip\r\n"))
      collectgarbage()
      local code, message = failure(http.get(server.url))
      assert.equal("EMSGSIZE", code)
      assert.matches("the body has more than 16777216 bytes", message)
      local response <close> = assert(http.get(server.url, { stream = true, max_body = 100000 }))
      local size = 0
      local e = errors.raised_by(function()
        for piece in response:chunks() do
          size = size + #piece
        end
      end)
      assert.equal("EMSGSIZE", e.code)
      assert.is_true(size <= 100000)
    end)

    it("that is cut short is a failure", function()
      for _, bytes in ipairs { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", CHUNKED .. "5\r\nhello\r\n",
        CHUNKED .. "5\r\nhel", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "" } do
        local server <close> = server_of(bytes)
        local code, message = failure(http.get(server.url))
        assert.equal("EOF", code, bytes)
        assert.matches("^http%.get http://127%.0%.0%.1:%d+/: ", message)
      end
    end)

    it("that is no HTTP is a failure", function()
      for _, bytes in ipairs { "hello\r\n\r\n", "220 smtp.example\r\n", CHUNKED .. "xyz\r\n", CHUNKED .. "-1\r\nab",
        CHUNKED .. "ffffffffffffffffff\r\nab", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab" } do
        local server <close> = server_of(bytes)
        local code = failure(http.get(server.url))
        assert.is_true(code == "EPROTO" or code == "EOF", bytes .. tostring(code))
      end
    end)

    it("of a connection that breaks is a failure", function()
      local server <close> = RawServer.new(function(connection)
        connection:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
        async.sleep(1)
        connection:abort()
        return "close"
      end)
      assert.is_nil((http.get(server.url)))
    end)
  end)

  describe("headers", function()
    it("have names in lower case; those that came several times are joined, and all are in headers_list", function()
      local server <close> = RawServer.of(RawServer.response("", nil, "X-A: 1\r\nb:\r\nx-a:\t2 \r\nC: d: e\r\n"))
      local response = assert(http.get(server.url))
      assert.same({ ["content-length"] = "0", ["x-a"] = "1, 2", b = "", c = "d: e" }, response.headers)
      assert.same({ { "Content-Length", "0" }, { "X-A", "1" }, { "b", "" }, { "x-a", "2" }, { "C", "d: e" } },
        response.headers_list)
    end)

    it("tell the cookies that are set", function()
      local server <close> = RawServer.of(RawServer.response("", nil,
        'Set-Cookie: a=1; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT\r\nset-cookie: b="x y"\r\nSet-Cookie: c=\r\n'))
      assert.same({ a = "1", b = "x y", c = "" }, assert(http.get(server.url)).cookies)
    end)

    it("that are none make the response a failure: folded lines, no name, hidden line ends", function()
      for _, line in ipairs { " folded: x", "\tfolded", ": no name", "no colon", "X: a\rY: b", "X: a\0b" } do
        local server <close> = RawServer.of(RawServer.response("", nil, "A: b\r\n" .. line .. "\r\n"))
        assert.equal("EPROTO", (failure(http.get(server.url))), line)
      end
    end)

    it("come after any status line that has a status", function()
      for line, expected in pairs { ["HTTP/1.1 200"] = "", ["HTTP/1.1 200 "] = "", ["HTTP/1.0 200 A B"] = "A B",
        ["HTTP/1.1 599 \xff"] = "\xff" } do
        local server <close> = server_of(line .. "\r\nContent-Length: 2\r\n\r\nok")
        local response = assert(http.get(server.url))
        assert.equal(expected, response.reason)
        assert.equal(tonumber(line:match " (%d+)"), response.status)
        assert.equal("ok", response.body)
      end
    end)

    it("are bounded in number and size", function()
      for _, fields in ipairs { ("X: y\r\n"):rep(300), "X: " .. ("y"):rep(70000) .. "\r\n",
        ("X: " .. ("y"):rep(7000) .. "\r\n"):rep(10) } do
        local server <close> = RawServer.of(RawServer.response("", nil, fields))
        local code, message = failure(http.get(server.url))
        assert.equal("EMSGSIZE", code)
        assert.matches("the head has more than 65536 bytes or 256 fields", message)
      end
    end)
  end)

  describe("json", function()
    it("is the body, decoded", function()
      local server <close> = RawServer.of(RawServer.response '{"a": [1, null]}')
      assert.same({ a = { 1, json.null } }, assert(http.get(server.url)):json())
    end)

    it("of what is no JSON returns nil, a message with the place, and EBADMSG", function()
      local server <close> = RawServer.of(RawServer.response "<html>\nsorry")
      local code, message = failure(assert(http.get(server.url)):json())
      assert.equal("EBADMSG", code)
      assert.matches("^http%.get http://.*: json: .* at character 1: <html> sorry$", message)
    end)

    it("reads a response that streams", function()
      local server <close> = server_of("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[1,", "2]\n")
      assert.same({ 1, 2 }, assert(http.get(server.url, { stream = true })):json())
      local cut <close> = server_of "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[1,"
      assert.equal("EOF", (failure(assert(http.get(cut.url, { stream = true })):json())))
    end)
  end)

  describe("that streams", function()
    it("is there at its head, and its pieces as they come", function()
      local server <close> = server_of("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", "ab", "cd", "ef")
      local response <close> = assert(http.get(server.url, { stream = true }))
      assert.equal(200, response.status)
      assert.is_nil(response.body)
      assert.equal(0, async.time())
      local pieces, times = {}, {}
      for piece in response:chunks() do
        table.insert(pieces, piece)
        table.insert(times, async.time())
      end
      assert.same({ "ab", "cd", "ef" }, pieces)
      assert.same({ 1, 2, 3 }, times)
    end)

    it("is read in pieces of any size; after the end there are empty ones", function()
      local server <close> = server_of(RawServer.response "hello")
      local response <close> = assert(http.get(server.url, { stream = true }))
      local pieces = {}
      for i = 1, 5 do
        pieces[i] = response:read(2)
      end
      assert.same({ "he", "ll", "o", "", "" }, pieces)
    end)

    it("gives its connection back at the end, and closes it when left before", function()
      local server <close> = RawServer.of(RawServer.response "hello")
      local session <close> = http.Session()
      for _ = 1, 3 do
        local response <close> = assert(session:get(server.url, { stream = true }))
        assert.equal("hello", response:text())
      end
      assert.equal(1, server.accepted)
      local slow <close> = server_of("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nab", "cd")
      for _ = 1, 2 do
        local response = assert(session:get(slow.url, { stream = true }))
        for piece in response:chunks() do
          assert.equal("ab", piece)
          if piece == "ab" then
            break
          end
        end
        assert.equal("ECANCELED", (failure(response:read())))
      end
      assert.equal(2, slow.accepted)
    end)

    it("raises a ConnectionError with a code where it is cut, read() returns it", function()
      local server <close> = server_of("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel", "lo")
      local response <close> = assert(http.get(server.url, { stream = true }))
      local pieces = {}
      local e = errors.raised(async.ConnectionError, function()
        for piece in response:chunks() do
          table.insert(pieces, piece)
        end
      end)
      assert.equal("hello", table.concat(pieces))
      assert.equal("EOF", e.code)
      local again <close> = assert(http.get(server.url, { stream = true }))
      assert.equal("hel", again:read())
      assert.equal("lo", again:read())
      assert.equal("EOF", (failure(again:read())))
    end)

    it("waits for each piece as long as its timeout says", function()
      local server <close> = RawServer.new(function(connection)
        connection:write "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab"
        async.sleep(8)
        connection:write "cd"
        async.sleep(20)
      end)
      local response <close> = assert(http.get(server.url, { stream = true, timeout = 10 }))
      assert.equal("ab", response:read())
      assert.equal("cd", response:read())
      local code, message = failure(response:read())
      assert.equal("ETIMEDOUT", code)
      assert.matches("no further piece of the body within 10 s", message)
      assert.equal(18, async.time())
    end)

    it("holds its server up when it is not read", function()
      local sent, piece = 0, ("x"):rep(65536)
      local server <close> = RawServer.new(function(connection)
        connection:write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(1000 * #piece))
        for _ = 1, 1000 do
          if not connection:write(piece) then
            return "close"
          end
          sent = sent + 1
        end
      end)
      local response <close> = assert(http.get(server.url, { stream = true }))
      async.sleep(5)
      local before = sent
      assert.is_true(before < 500)
      async.sleep(5)
      assert.equal(before, sent)
      local size = 0
      for got in response:chunks() do
        size = size + #got
      end
      assert.equal(1000 * #piece, size)
      assert.equal(1000, sent)
    end)

    it("is closed when it is collected", function()
      local closed = async.Event()
      local server <close> = RawServer.new(function(connection)
        connection:write "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab"
        connection:read()
        closed:set()
        return "close"
      end)
      assert(http.get(server.url, { stream = true }))
      require("spec.support.collector").collect()
      closed:wait()
    end)

    it("is closed twice without harm, and refuses to be read where it was read as a whole", function()
      local server <close> = RawServer.of(RawServer.response "hello")
      local response = assert(http.get(server.url, { stream = true }))
      response:close()
      response:close()
      local whole = assert(http.get(server.url))
      whole:close()
      assert.matches("ask with stream = true", errors.raised_by(whole.read, whole))
      local pieces = {}
      for piece in whole:chunks(2) do
        table.insert(pieces, piece)
      end
      assert.same({ "he", "ll", "o" }, pieces)
    end)
  end)

  it("says what it is", function()
    local server <close> = RawServer.of(RawServer.response("", "204 No Content"))
    assert.equal(("<response 204 %s/>"):format(server.url), tostring(assert(http.get(server.url))))
  end)
end)
