local Attached = require("spec.support.attached").Attached
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local async = require "strobe.async"
local attach = require "strobe.attach"
local directory = require "strobe.attach.directory"
local net = require "strobe.net"
local uv = require "luv"

local PID = math.tointeger(uv.os_getpid())

-- A process of that number which does not do as ours do: what it sends to each client.
local function fake(pid, ...)
  local path = directory.socket(assert(directory.open()), pid)
  local server = assert(net.listen_unix(path))
  local texts = { ... }
  async.create_task(function()
    for stream in server:accept() do
      for _, text in ipairs(texts) do
        stream:send(text)
      end
      if #texts > 0 then
        stream:read() -- a request
        stream:close()
      else
        server.kept = stream
      end
    end
  end):set_name "fake"
  return server
end

describe("a client of the attach socket", function()
  it("connects to a process by its number, and asks", function()
    local attached <close> = Attached.new { rights = "ro" }
    local client <close> = assert(attach.connect(PID))
    assert.equal("ro", client.hello.ceiling)
    assert.same({ id = 1, ok = true }, client:call "ping")
    local answer, message, code, refused = client:call("eval", { code = "1" })
    assert.is_nil(answer)
    assert.equal("this process lets nobody change it: it was started with --attach=ro", message)
    assert.equal("rights", code)
    assert.same({ id = 2, ok = false, code = "rights", error = message }, refused)
    assert.same({ { pid = PID, path = attached.server.path } }, attach.list())
  end)

  it("gets answers in whatever order they come, and events in between", function()
    local attached <close> = Attached.new()
    local events = {}
    local client <close> = assert(attach.connect(PID, {
      on_event = function(event)
        events[#events + 1] = event.text
      end,
    }))
    client:call("open", { rights = "rw" })
    local slow = client:send("eval", { code = "require 'strobe.async'.sleep(1) print 'hi' return 'slow'" })
    assert.same({ '"fast"' }, client:call("eval", { code = "'fast'" }).values)
    assert.same({ '"slow"' }, slow:await().values)
    assert.same({ "hi\n" }, events)
    assert.truthy(attached)
  end)

  it("is told when there is no such process, also when it was killed", function()
    local folder <close> = RuntimeFolder.new()
    local client, message, code = attach.connect(99)
    assert.is_nil(client)
    assert.equal(("there is no process 99 with a socket in %s/strobe"):format(folder.path), message)
    assert.equal("ESRCH", code)
    local dead = fake(99)
    local path = dead:address()
    assert(uv.fs_rename(path, path .. ".kept"))
    dead:close()
    assert(uv.fs_rename(path .. ".kept", path))
    assert.same({ nil, "process 99 has ended", "ESRCH" }, { attach.connect(99) })
    assert.is_nil((uv.fs_lstat(path)))
  end)

  it("gives up on a process that does not answer", function()
    local folder <close> = RuntimeFolder.new()
    local silent <close> = fake(98)
    local began = async.time()
    local message = "process 98 does not answer within 2 s; 'strobe dump 98' lets it print what it does"
    assert.same({ nil, message, "ETIMEDOUT" }, { attach.connect(98, { timeout = 2 }) })
    assert.near(2, async.time() - began, 0.1)
    silent.kept:abort()
    assert.truthy(folder)
  end)

  it("gives up on an answer after its time-out, and takes the next one", function()
    local attached <close> = Attached.new()
    local client <close> = assert(attach.connect(PID))
    client:call("open", { rights = "rw" })
    local answer, message, code = client:call("eval", { code = "require 'strobe.async'.sleep(3)" }, 1)
    assert.same({ nil, "ETIMEDOUT" }, { answer, code })
    assert.matches(("^process %d does not answer within 1 s; 'strobe dump %d' "):format(PID, PID), message)
    async.sleep(3)
    assert.same({ "1" }, client:call("eval", { code = "1" }, 1).values)
    assert.truthy(attached)
  end)

  it("is told when the process ends before it answers, and why it was not let in", function()
    local attached <close> = Attached.new()
    local client <close> = assert(attach.connect(PID))
    client:call("open", { rights = "rw" })
    local pending = client:send("eval", { code = "require 'strobe.async'.sleep(1000)" })
    async.sleep(0.01)
    attached.server:close()
    assert.is_false(pending:await())
    assert.equal("the process ends", client:wait_end())
    assert.same({ nil, ("process %d: the process ends"):format(PID), "ECONNRESET" }, { client:call "ping" })
    client:close()
    client:close()
  end)

  it("is told why it was not let in", function()
    local attached <close> = Attached.new()
    for _ = 1, 8 do
      attached:raw()
    end
    assert.same({ nil, ("process %d: 8 clients are connected already"):format(PID), "ECONNRESET" },
      { attach.connect(PID) })
  end)

  it("makes do with what is none of the protocol", function()
    local folder <close> = RuntimeFolder.new()
    for text, message in pairs {
      ["HTTP/1.1 400 Bad Request\r\n"] = "process 97: it sends what is none of the protocol: a line is no JSON object",
      ['{"ev":"hello"'] =
        "process 97 does not answer within 5 s; 'strobe dump 97' lets it print what it does",
    } do
      local server <close> = fake(97, text)
      assert.equal(message, select(2, attach.connect(97)))
      server:close()
      async.sleep(0.01)
    end
    do
      local server <close> = fake(97, '{"ev":"hello"}\n{"id":77,"ok":true}\n', '{"ok":false,"code":"bad_request"}\n',
        '{"ev":7}\n')
      local client <close> = assert(attach.connect(97))
      assert.same({ nil, "process 97: bad_request", "ECONNRESET" }, { client:call "ping" })
      server:close()
    end
    assert.truthy(folder)
  end)

  it("raises for what cannot be sent", function()
    local attached <close> = Attached.new()
    local client <close> = assert(attach.connect(PID))
    assert.error_matches(function()
      client:send("ping", { f = print })
    end, "client:send: ping: json: ")
    assert.truthy(attached)
  end)

  it("leaves nothing behind when its task is cancelled", function()
    local attached <close> = Attached.new()
    for turns = 0, 12 do
      local task = async.create_task(function()
        local client <close> = assert(attach.connect(PID))
        client:call("open", { rights = "rw" })
        client:call("eval", { code = "require 'strobe.async'.sleep(1000)" })
      end)
      for _ = 1, turns do
        async.sleep(0)
      end
      task:cancel()
      async.wait { task }
    end
    attached.wait_until(function()
      return attached.server.count == 0
    end)
  end)
end)
