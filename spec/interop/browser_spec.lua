-- A browser, Chromium without a window, gets peers/page.html from our server and opens WebSockets to the same port.

local Folder = require "spec.support.folder"
local async = require "strobe.async"
local http = require "strobe.http"
local peer = require "spec.support.peer"
local ws = require "strobe.ws"

local FLAGS = {
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-extensions",
}

describe("Chromium", function()
  local line = peer.command "chromium"
  local shows = peer.stories(_ENV, line, "there is no chromium (apt-get install chromium)")

  local function page()
    local file <close> = assert(io.open(peer.file "page.html"))
    return file:read "a"
  end

  -- Sends back what comes; why that has ended.
  local function echo(connection)
    while true do
      local message, kind = connection:recv()
      if not message then
        return kind
      end
      local send = kind == "text" and connection.send or connection.send_bytes
      send(connection, message)
    end
  end

  -- Where a page that came from `origin` may connect to, and how its connections ended for us.
  local function sockets(seen, origin)
    return {
      ["/echo"] = { function(connection)
        seen.agent = connection.request.headers["user-agent"]
        seen.closed = echo(connection)
      end, { origins = { origin() }, subprotocols = { "v1", "v2" }, compression = true, max_size = 2000000 } },
      ["/closes"] = { function(connection)
        connection:close(4001, "go")
      end, { origins = { origin() } } },
      ["/stranger"] = { echo, { origins = { "https://elsewhere.example" } } },
    }
  end

  local pages = {
    ["/"] = function()
      return 200, { ["Content-Type"] = "text/html; charset=utf-8" }, page()
    end,
    ["/posted"] = function(request)
      return 200, nil, tostring(#assert(request:read()))
    end,
    ["/pieces"] = function()
      local left = 100
      return 200, nil, function()
        left = left - 1
        return left >= 0 and ("x"):rep(1000) or nil
      end
    end,
  }

  -- Serves the page until a browser has reported.
  local function serve(seen)
    local server
    local function origin()
      return "http://127.0.0.1:" .. server:port()
    end
    server = assert(http.serve(function(request)
      local socket, answer = sockets(seen, origin)[request.path], pages[request.path]
      if socket then
        return ws.upgrade(request, table.unpack(socket))
      elseif answer then
        return answer(request)
      elseif request.path == "/report" then
        seen.report:set_result(assert(request:json()))
        return 204
      end
      return 404
    end, "127.0.0.1", 0))
    return server, origin()
  end

  shows("speaks WebSocket with the server of its page", function()
    local seen = { report = async.Future() }
    local server, origin = serve(seen)
    local server_ends <close> = server -- luacheck: ignore
    local folder <close> = Folder.new {}
    -- What it leaves behind is in the folder.
    local words = { "HOME=" .. folder.path, "TMPDIR=" .. folder.path, line[1], table.unpack(FLAGS) }
    words[#words + 1] = ("--user-data-dir=%s/profile"):format(folder.path)
    words[#words + 1] = origin .. "/"
    local report = peer.with({ "env" }, words, function(process)
      return select(2, async.move_on_after(30, seen.report.await, seen.report)) or error(process.output.stderr)
    end)
    assert.is_nil(report.error)
    assert.same({ "text 0", "text 19", "text 1000000", "binary 0", "binary 126", "binary 1000000" }, report.echoed)
    assert.equal(1000, report.burst)
    assert.equal("v1", report.subprotocol) -- our first, not its
    assert.matches("^permessage%-deflate", report.extensions)
    assert.same({ 4000, "", true }, report.closed) -- we answer a Close with its code only
    assert.same({ 4000, "ünd tschüß", "peer" }, { seen.closed.code, seen.closed.reason, seen.closed.by })
    assert.same({ 4001, "go", true }, report.pushed)
    assert.equal("/stranger was closed with 1006", report.stranger)
    assert.same({ { 200, "1000000" }, 100000 }, { report.posted, report.streamed })
    assert.matches("Chrome", seen.agent)
  end)
end)
