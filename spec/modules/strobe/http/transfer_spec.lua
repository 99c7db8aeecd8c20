local Folder = require "spec.support.folder"
local RawServer = require "spec.support.raw_server"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local collector = require "spec.support.collector"
local errors = require "spec.support.errors"
local net = require "strobe.net"
local shell = require "spec.support.shell"
local transfers = require "strobe.core.transfer"

-- A pool that goes with its block.
local function new_pool(...)
  return assert(transfers.pool(...))
end

local function request(server, fields)
  local all = { method = "GET", url = server.url .. "/", addresses = { "127.0.0.1" }, port = server.port }
  for name, value in pairs(fields or {}) do
    all[name] = value
  end
  return all
end

-- Sends a head and the beginning of a body, and then nothing.
local function stuck()
  return RawServer.new(function(connection)
    connection:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    connection:read()
    return "close"
  end)
end

describe("transfer", function()
  it("waits for all of a response, or for the head of one that streams", function()
    local server <close> = RawServer.of(RawServer.response("hello", "200 OK", "X-A: 1\r\n"))
    local pool <close> = new_pool()
    local transfer <close> = assert(pool:start(request(server)))
    assert.is_nil((transfer:head()))
    assert.is_true(transfer:wait())
    local status, reason, version, headers, head = transfer:head()
    assert.same({ 200, "OK", "1.1", "1" }, { status, reason, version, headers["x-a"] })
    assert.equal("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n", head)
    assert.equal("hello", transfer:body())
    assert.equal("", transfer:body())
    local slow <close> = stuck()
    local streaming <close> = assert(pool:start(request(slow, { streams = true })))
    assert.is_true(streaming:wait())
    assert.equal("hell", streaming:read(4))
    assert.equal("o", streaming:read(4))
  end)

  it("waits until a point of loop time, and can be waited for again", function()
    local server <close> = RawServer.new(function(connection)
      async.sleep(10)
      connection:write(RawServer.response "late")
    end)
    local pool <close> = new_pool()
    local transfer <close> = assert(pool:start(request(server)))
    for _, until_ in ipairs { 3, 7, 7, 1 } do
      assert.equal("ETIMEDOUT", select(3, transfer:wait(until_)))
    end
    assert.equal(7, async.time())
    assert.is_true(transfer:wait(11))
    assert.equal("late", transfer:body())
    assert.is_true(transfer:wait(0))
  end)

  it("is for one task at a time", function()
    local server <close> = stuck()
    local pool <close> = new_pool()
    local transfer <close> = assert(pool:start(request(server)))
    local task = async.create_task(transfer.wait, transfer)
    async.sleep(1)
    assert.matches("another task uses this transfer already", errors.raised_by(transfer.wait, transfer))
    assert.equal("http response", task:state())
    transfer:close()
    assert.equal("ECANCELED", select(3, task:await()))
  end)

  it("can be cancelled at every turn, closed or not", function()
    local server <close> = RawServer.of(RawServer.response "hello")
    local pool <close> = new_pool()
    for turns = 0, 20 do
      for _, close in ipairs { true, false } do
        local task = async.create_task(function()
          local transfer = assert(pool:start(request(server, { upload = true, streams = turns % 2 == 0 })))
          local _ <close> = cleanup(function()
            if close then
              transfer:close()
            end
          end)
          assert(transfer:write "x")
          transfer:finish()
          transfer:wait()
          async.sleep(100)
        end)
        for _ = 1, turns do
          async.sleep(0)
        end
        task:cancel()
        errors.raised(async.CancelledError, task.await, task)
      end
    end
    collector.collect()
  end)

  it("ends when it is collected", function()
    local server <close> = stuck()
    local pool <close> = new_pool()
    for _, fields in ipairs { {}, { streams = true }, { upload = true } } do
      assert(pool:start(request(server, fields)))
      async.sleep(1)
    end
    collector.collect()
    for _, task in ipairs(server.tasks) do
      task:cancel()
    end
  end)

  it("keeps its pool, which the collector takes with it", function()
    local server <close> = stuck()
    local transfer = assert(new_pool():start(request(server, { streams = true })))
    collector.collect()
    assert.is_true(transfer:wait())
    assert.equal("hello", transfer:read(10))
    transfer = nil -- luacheck: ignore
    collector.collect()
  end)

  it("and its pool may be closed twice, in any order", function()
    local server <close> = stuck()
    for _, first in ipairs { "transfer", "pool" } do
      local pool = new_pool()
      local transfer = assert(pool:start(request(server, { streams = true })))
      assert.is_true(transfer:wait())
      for _, thing in ipairs(first == "pool" and { pool, transfer } or { transfer, pool }) do
        thing:close()
        thing:close()
      end
      assert.equal("ECANCELED", select(3, transfer:read(1)))
      assert.equal("ECANCELED", select(3, transfer:wait()))
      assert.equal("ECANCELED", select(3, transfer:write "x"))
      assert.equal("ECANCELED", select(3, pool:start(request(server))))
      assert.equal("", transfer:body())
      transfer:finish()
    end
  end)

  it("takes what it uploads when there is room, and says when nobody wants more", function()
    local listening <close> = assert(net.listen(nil, 0))
    local pool <close> = new_pool()
    local transfer <close> = assert(pool:start(request({ url = ("http://127.0.0.1:%d"):format(listening:port()),
      port = listening:port() }, { upload = true, headers = { "Expect:" } })))
    local written, piece = 0, ("x"):rep(65536)
    local refused = async.create_task(function()
      local connection <close> = listening:accept_one()
      connection:read_until "\r\n\r\n"
      async.sleep(5)
      connection:write(RawServer.response("enough", "413 Too Large", "Connection: close\r\n"))
      async.sleep(5)
    end)
    repeat
      local more = transfer:write(piece)
      written = written + 1
    until not more
    assert.is_true(written > 1)
    assert.equal(5, async.time())
    assert.is_true(transfer:wait())
    assert.equal(413, (transfer:head()))
    assert.equal("enough", transfer:body())
    refused:await()
  end)

  it("refuses what is no request", function()
    local pool <close> = new_pool()
    assert.matches("a method and a url expected", errors.raised_by(pool.start, pool, {}))
    assert.is_false(pcall(pool.start, pool, nil))
    assert.is_false(pcall(pool.start, pool, { method = "GET", url = "http://a/", headers = { {} } }))
    local transfer, message, code = pool:start { method = "GET", url = "http://a/", proxy = "gopher://b" }
    assert.is_nil(message and transfer)
    assert.is_true(code == nil or code == "EPROTO")
    if transfer then
      transfer:close()
    end
    local other <close> = assert(pool:start { method = "GET", url = "ftp://127.0.0.1/" })
    assert.equal("EPROTO", select(3, other:wait()))
    assert.is_false(pcall(other.read, other, 0))
    assert.is_false(pcall(other.write, other, nil))
  end)

  it("waits only in a task", function()
    local server <close> = stuck()
    local pool <close> = new_pool()
    local transfer <close> = assert(pool:start(request(server)))
    local ok, message = coroutine.resume(coroutine.create(function()
      transfer:wait()
    end))
    assert.is_false(ok)
    assert.matches("cannot wait in a plain coroutine", message)
  end)

  it("that is over at once wakes its task at once", function()
    local output = shell.lua([[
      local time, transfers = require "strobe.core.time", require "strobe.core.transfer"
      local pool = assert(transfers.pool())
      local began = time.real()
      local transfer = assert(pool:start { method = "GET", url = "ftp://127.0.0.1/" })
      print(select(3, transfer:wait(time.now() + 10)), time.real() - began < 5)
    ]], "live")
    assert.equal("EPROTO\ttrue\n", output)
  end)

  it("says what is missing where there is no libcurl", function()
    local folder <close> = Folder.new { ["libcurl.so.4"] = "no library" }
    local output = shell.run(("LD_LIBRARY_PATH=%s $S -e 'print(require(\"strobe.http\").get \"http://a/\")'")
      :format(folder.path))
    assert.matches("^nil\thttp%.get http://a/: HTTP clients need libcurl %(Debian: libcurl4%): .*\tENOENT\n$", output)
  end)

  it("costs nothing before the first, and leaves nothing when the program ends in its midst", function()
    if not async.fs.stat "/proc/self/maps" then
      pending "this system has no /proc, which tells what libraries are loaded"
    end
    local output, status = shell.lua [[
      local http, net = require "strobe.http", require "strobe.net"
      local function loaded()
        for line in io.lines "/proc/self/maps" do
          if line:find "libcurl" then
            return true
          end
        end
        return false
      end
      local session = http.Session()
      print(loaded())
      local server = assert(net.listen(nil, 0))
      local url = ("http://localhost:%d/"):format(server:port())
      async.create_task(session.get, session, url)
      async.create_task(http.post, url, { body = function() return "x" end })
      local accepted = server:accept_one()
      print(loaded())
    ]]
    assert.equal("false\ntrue\n", output)
    assert.equal(0, status)
  end)
end)
