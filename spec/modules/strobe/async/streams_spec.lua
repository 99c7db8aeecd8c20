local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local free_path = require("spec.support.path").free
local net = require "strobe.net"
local raised = require("spec.support.errors").raised

-- A reader of a pipe in memory, and the stream that feeds it.
local function new_reader(limit)
  local feed, stream = net.pipe()
  return async.StreamReader(stream, limit), feed
end

describe("a StreamReader", function()
  describe("read", function()
    it("returns what is there, at most n bytes", function()
      local reader, feed = new_reader()
      feed:write "line1"
      assert.equal("li", reader:read(2))
      assert.equal("ne1", reader:read(100))
      assert.equal("", reader:read(0))
    end)

    it("without n, or with -1, returns all until the end", function()
      for _, n in ipairs { -1, false } do
        local reader, feed = new_reader()
        local t = async.create_task(reader.read, reader, n or nil)
        feed:write "line1\n"
        async.sleep(1)
        feed:write "line2"
        feed:close()
        assert.equal("line1\nline2", t:await())
        assert.equal("", reader:read(-1))
      end
    end)

    it("returns the empty string at the end", function()
      local reader, feed = new_reader()
      feed:close()
      assert.equal("", reader:read(10))
      assert.is_true(reader:at_eof())
    end)
  end)

  describe("readline", function()
    it("returns a line with its end, however it comes", function()
      local reader, feed = new_reader()
      local t = async.create_task(reader.readline, reader)
      for piece in ("chunk1 |chunk2 |chunk3 \nchunk4"):gmatch "[^|]+" do
        feed:write(piece)
        async.sleep(0)
      end
      assert.equal("chunk1 chunk2 chunk3 \n", t:await())
      feed:close()
      assert.equal("chunk4", reader:readline())
      assert.equal("", reader:readline())
    end)

    it("takes a line of exactly the limit", function()
      local reader, feed = new_reader(4)
      feed:write "1234\n5678\n"
      assert.equal("1234\n", reader:readline())
      assert.equal("5678\n", reader:readline())
    end)

    it("drops a line over the limit, and only that", function()
      local reader, feed = new_reader(3)
      feed:write "line1\nab\n"
      local e = raised(async.LimitOverrunError, reader.readline, reader)
      assert.matches("a line of more than 3 bytes was dropped", e.message)
      assert.equal("ab\n", reader:readline())
    end)

    it("drops what there is of a line over the limit that has not ended", function()
      local reader, feed = new_reader(7)
      feed:write "chunk1 chunk2"
      raised(async.LimitOverrunError, reader.readline, reader)
      feed:write "rest\n"
      assert.equal("rest\n", reader:readline())
    end)
  end)

  describe("lines", function()
    it("iterates over the lines without their ends", function()
      local reader, feed = new_reader()
      feed:write "a\r\n\nb\nc"
      feed:close()
      local lines = {}
      for line in reader:lines() do
        table.insert(lines, line)
      end
      assert.same({ "a", "", "b", "c" }, lines)
    end)
  end)

  describe("readuntil", function()
    it("returns up to and with the separator", function()
      local reader, feed = new_reader()
      feed:write "lineAAAmoreAAA"
      assert.equal("lineAAA", reader:readuntil "AAA")
      assert.equal("moreAAA", reader:readuntil "AAA")
    end)

    it("finds a separator that comes byte by byte", function()
      local reader, feed = new_reader()
      local t = async.create_task(reader.readuntil, reader, "AAA")
      for byte in ("QWERTYAAAxxx"):gmatch "." do
        feed:write(byte)
        async.sleep(0)
      end
      assert.equal("QWERTYAAA", t:await())
      assert.equal("xxx", reader:read(3))
    end)

    it("at the end raises IncompleteReadError with what there was", function()
      local reader, feed = new_reader()
      feed:write "some dataAA"
      feed:close()
      local e = raised(async.IncompleteReadError, reader.readuntil, reader, "AAA")
      assert.equal("some dataAA", e.partial)
      assert.is_nil(e.expected)
      assert.equal("11 bytes read on a total of undefined expected bytes", e.message)
      assert.is_true(async.is(e, async.EOFError))
    end)

    it("over the limit raises LimitOverrunError with `consumed`; the bytes stay", function()
      local reader, feed = new_reader(3)
      feed:write "some dataAA"
      local e = raised(async.LimitOverrunError, reader.readuntil, reader, "AAA")
      assert.equal(9, e.consumed)
      feed:write "A"
      e = raised(async.LimitOverrunError, reader.readuntil, reader, "AAA")
      assert.equal(9, e.consumed)
      assert.equal("some dataAAA", reader:readexactly(12))
    end)

    it("refuses an empty separator", function()
      local reader = new_reader()
      assert.is_false(pcall(reader.readuntil, reader, ""))
    end)
  end)

  describe("readexactly", function()
    it("returns that many bytes, also 0", function()
      local reader, feed = new_reader()
      assert.equal("", reader:readexactly(0))
      local t = async.create_task(reader.readexactly, reader, 6)
      feed:write "abc"
      async.sleep(1)
      feed:write "defgh"
      assert.equal("abcdef", t:await())
      assert.equal("gh", reader:read(9))
    end)

    it("takes more than the limit", function()
      local reader, feed = new_reader(3)
      feed:write "chunk"
      assert.equal("chunk", reader:readexactly(5))
    end)

    it("at the end raises IncompleteReadError with what there was", function()
      local reader, feed = new_reader()
      feed:write "abc"
      feed:close()
      local e = raised(async.IncompleteReadError, reader.readexactly, reader, 5)
      assert.equal("abc", e.partial)
      assert.equal(5, e.expected)
      assert.equal("3 bytes read on a total of 5 expected bytes", e.message)
      assert.equal("", reader:read(-1))
    end)

    it("refuses a size below 0", function()
      local reader = new_reader()
      assert.is_false(pcall(reader.readexactly, reader, -1))
    end)
  end)

  describe("chunks", function()
    it("iterates over what comes, as it comes, in pieces of at most n bytes", function()
      local reader, feed = new_reader()
      local t = async.create_task(function()
        return async.iter(reader:chunks(4)):to_list()
      end)
      for _, piece in ipairs { "abcdef", "g", "hi" } do
        feed:write(piece)
        async.sleep(1)
      end
      feed:close()
      assert.same({ "abcd", "ef", "g", "hi" }, t:await())
    end)

    it("refuses sizes that are none", function()
      local reader = new_reader()
      for _, n in ipairs { 0, -1, 1.5, "2" } do
        assert.error_matches(function()
          reader:chunks(n)
        end, "chunks: n: a whole number of 1 or more expected")
      end
    end)
  end)

  describe("made without a stream", function()
    it("reads what it is fed", function()
      local reader = async.StreamReader()
      local t = async.create_task(reader.readline, reader)
      reader:feed_data "one"
      async.sleep(1)
      reader:feed_data "\ntwo"
      assert.equal("one\n", t:await())
      assert.is_false(reader:at_eof())
      reader:feed_eof()
      assert.is_false(reader:at_eof())
      assert.equal("two", reader:readline())
      assert.is_true(reader:at_eof())
      assert.equal("EPIPE", raised(async.ConnectionError, reader.feed_data, reader, "late").code)
    end)

    it("others are not fed", function()
      local reader = new_reader()
      assert.error_matches(function()
        reader:feed_data "x"
      end, "feed_data: only for a reader made without a stream")
    end)
  end)

  it("closed by a scope takes no more; what had come may still be read", function()
    local reader, feed = new_reader()
    do
      local scope <close> = reader -- luacheck: ignore
      feed:write "there"
    end
    assert.equal("there", reader:read(100))
    assert.equal("", reader:read(100))
    assert.equal("EPIPE", select(3, feed:write "more"))
  end)

  describe("two readers at once", function()
    it("are refused", function()
      local reader, feed = new_reader()
      local t = async.create_task(reader.read, reader, 1)
      async.sleep(0)
      local ok, message = pcall(reader.readline, reader)
      assert.is_false(ok)
      assert.matches("another task is reading", message)
      feed:write "x"
      assert.equal("x", t:await())
    end)
  end)

  describe("being cancelled", function()
    it("loses no bytes", function()
      local reader, feed = new_reader()
      local t = async.create_task(reader.readline, reader)
      feed:write "half "
      async.sleep(1)
      t:cancel()
      async.wait { t }
      feed:write "line\n"
      assert.equal("half line\n", reader:readline())
    end)

    it("gives them to who reads next, also when he waits already", function()
      local reader, feed = new_reader()
      local t = async.create_task(reader.read, reader)
      feed:write "one\n"
      async.sleep(1)
      t:cancel()
      assert.equal("one\n", reader:readline())
      assert.is_true(t:cancelled())
      feed:write "two\n"
      assert.equal("two\n", reader:readline())
    end)

    it("loses none that were read of what was to be all", function()
      local reader, feed = new_reader()
      local t = async.create_task(reader.read, reader)
      for _ = 1, 3 do
        feed:write "piece "
        async.sleep(1)
      end
      t:cancel()
      async.wait { t }
      feed:write "rest"
      feed:close()
      assert.equal("piece piece piece rest", reader:read())
    end)
  end)
end)

describe("open_connection", function()
  -- A server that says back what it is told, in upper case.
  local function shout(reader, writer)
    for line in reader:lines() do
      writer:write(line:upper() .. "\n")
      writer:drain()
    end
  end

  it("talks to start_server", function()
    local server <close> = async.start_server(shout, nil, 0)
    local reader, writer = async.open_connection("127.0.0.1", server:port())
    writer:write "hello\n"
    writer:writelines { "wor", "ld\n" }
    writer:drain()
    assert.equal("HELLO\n", reader:readline())
    assert.equal("WORLD\n", reader:readline())
    writer:write_eof()
    assert.equal("", reader:read(-1))
    writer:close()
    writer:wait_closed()
    assert.is_true(writer:is_closing())
  end)

  it("talks over unix sockets", function()
    local path = free_path()
    local server <close> = async.start_unix_server(shout, path)
    local reader, writer = async.open_unix_connection(path)
    writer:write "hello\n"
    assert.equal("HELLO\n", reader:readline())
    assert.same({ path }, writer:get_extra_info "peername")
    writer:close()
    writer:wait_closed()
    assert.is_nil(server:port())
  end)

  it("raises ConnectionError with a code when nobody listens", function()
    local e = raised(async.ConnectionError, async.open_unix_connection, free_path())
    assert.equal("ENOENT", e.code)
    local port
    do
      local server <close> = assert(net.listen(nil, 0))
      port = server:port()
    end
    e = raised(async.ConnectionError, async.open_connection, "127.0.0.1", port)
    assert.equal("ECONNREFUSED", e.code)
    assert.matches(("127.0.0.1:%d: connection refused"):format(port), e.message)
  end)
end)

describe("a StreamWriter", function()
  it("tells who is at both ends", function()
    local seen
    local server <close> = async.start_server(function(_, writer)
      seen = writer:get_extra_info "peername"
    end, nil, 0)
    local reader, writer = async.open_connection("127.0.0.1", server:port())
    assert.equal("", reader:read())
    assert.same(seen, writer:get_extra_info "sockname")
    assert.same({ "127.0.0.1", server:port() }, writer:get_extra_info "peername")
    assert.equal("mine", writer:get_extra_info("cipher", "mine"))
    assert.is_nil(writer:get_extra_info "cipher")
    assert.matches("^<socket ", tostring(writer:get_extra_info "stream"))
    writer:close()
    writer:wait_closed()
  end)

  it("after the connection was lost drops what is written; drain raises, again and again", function()
    local left, right = net.pipe()
    local writer = async.StreamWriter(left)
    right:close()
    writer:write "into the void"
    for _ = 1, 2 do
      local e = raised(async.ConnectionError, writer.drain, writer)
      assert.equal("EPIPE", e.code)
    end
  end)

  it("waits in drain for a peer that does not read", function()
    local left, right = net.pipe()
    local writer = async.StreamWriter(left)
    writer:write(("x"):rep(300000))
    local t = async.create_task(writer.drain, writer)
    async.sleep(10)
    assert.is_false(t:done())
    right:read_exactly(300000)
    t:await()
  end)

  it("closed by a scope ends the connection", function()
    local left, right = net.pipe()
    do
      local writer <close> = async.StreamWriter(left)
      writer:write "bye"
    end
    assert.equal("bye", right:read())
    assert.equal("", right:read())
  end)

  it("may say twice that no more will be written", function()
    local left, right = net.pipe()
    local writer = async.StreamWriter(left)
    assert.is_true(writer:can_write_eof())
    writer:write "last"
    writer:write_eof()
    writer:write_eof()
    assert.equal("last", right:read())
    assert.equal("", right:read())
  end)
end)

describe("a server", function()
  it("takes the handler's failure as the end of its connection, and of no other", function()
    local loop, reports = async.get_running_loop(), {}
    loop:set_exception_handler(function(_, context)
      table.insert(reports, context.message)
    end)
    local server <close> = async.start_server(function(reader, writer)
      local line = reader:readline()
      assert(line ~= "fail\n", "told to fail")
      writer:write(line)
    end, nil, 0)
    local good_reader, good <close> = async.open_connection("127.0.0.1", server:port())
    local bad_reader, bad <close> = async.open_connection("127.0.0.1", server:port())
    bad:write "fail\n"
    assert.equal("", bad_reader:read())
    good:write "fine\n"
    assert.equal("fine\n", good_reader:readline())
    loop:set_exception_handler(nil)
    assert.equal(1, #reports)
    assert.matches("error in a connection handler", reports[1])
    assert.matches("told to fail", reports[1])
    assert.matches("streams_spec.lua:%d+", reports[1])
  end)

  it("sends all a handler wrote before it closes the connection", function()
    local size = 4 * 1024 * 1024
    local server <close> = async.start_server(function(_, writer)
      writer:write(("x"):rep(size))
    end, nil, 0)
    local reader, writer <close> = async.open_connection("127.0.0.1", server:port())
    async.sleep(1)
    collectgarbage()
    collectgarbage()
    assert.equal(size, #reader:read(-1))
    writer:close()
  end)

  it("closed takes no more connections; those that are open go on", function()
    local server = async.start_server(function(reader, writer)
      writer:write(reader:readline())
    end, nil, 0)
    local port = server:port()
    assert.is_true(server:is_serving())
    local reader, writer <close> = async.open_connection("127.0.0.1", port)
    async.sleep(0.1)
    server:close()
    assert.is_false(server:is_serving())
    local waiting = async.create_task(server.wait_closed, server)
    async.sleep(1)
    assert.is_false(waiting:done())
    raised(async.Error, async.open_connection, "127.0.0.1", port)
    writer:write "last\n"
    assert.equal("last\n", reader:readline())
    waiting:await()
  end)

  it("serves for ever until it is cancelled, and then ends its handlers", function()
    local ended
    local server = async.start_server(function(reader)
      local _ <close> = cleanup(function()
        ended = true
      end)
      reader:read()
    end, nil, 0)
    local serving = async.create_task(server.serve_forever, server)
    local reader, writer <close> = async.open_connection("127.0.0.1", server:port())
    async.sleep(1)
    serving:cancel()
    async.wait { serving }
    assert.is_true(serving:cancelled())
    assert.is_true(ended)
    assert.is_false(server:is_serving())
    assert.equal("", reader:read())
    writer:close()
  end)

  it("ends with its scope, and its connections with it", function()
    local reader, writer
    do
      local server <close> = async.start_server(function(r)
        r:read()
      end, nil, 0)
      reader, writer = async.open_connection("127.0.0.1", server:port())
      async.sleep(0.1)
    end
    assert.equal("", reader:read())
    writer:close()
  end)

  it("on a port that is taken raises ConnectionError with the code", function()
    local server <close> = async.start_server(print, nil, 0)
    local e = raised(async.ConnectionError, async.start_server, print, nil, server:port())
    assert.equal("EADDRINUSE", e.code)
  end)
end)
