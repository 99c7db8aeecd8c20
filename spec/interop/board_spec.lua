-- A browser, Chromium without a window, shows the page of a board; a mouse presses its button and turns its knob.

local Folder = require "spec.support.folder"
local async = require "strobe.async"
local gpio = require "strobe.gpio"
local http = require "strobe.http"
local json = require "strobe.json"
local part = require "strobe.gpio.part"
local peer = require "spec.support.peer"
local ws = require "strobe.ws"

local FLAGS = {
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-extensions",
  "--remote-debugging-port=0", "--window-size=1000,800",
}

-- A kind of part that the page knows how to draw, and whose methods tell that they were called.
local function told(name, state, methods, calls)
  local kind = {
    name = name, pins = { "1" },
    start = function(self)
      for key, value in pairs(state) do
        self.state[key] = value
      end
    end,
  }
  for method, change in pairs(methods) do
    kind[method] = function(self, ...)
      change(self, ...)
      calls:put_nowait(method)
    end
  end
  return part.kind(kind)
end

-- A page of a browser, through its debugger.
local Page = {}
Page.__index = Page

function Page.open(process, url)
  local port
  while not port do
    port = process.output.stderr:match "DevTools listening on ws://127%.0%.0%.1:(%d+)"
    async.sleep(0.05)
  end
  local socket
  while not socket do
    local list = assert(assert(http.get(("http://127.0.0.1:%s/json/list"):format(port))):json())
    for _, target in ipairs(list) do
      if target.type == "page" then
        socket = assert(ws.connect(target.webSocketDebuggerUrl))
      end
    end
    async.sleep(0.05)
  end
  local page = setmetatable({ socket = socket, serial = 0 }, Page)
  page:ask "Page.enable"
  page:ask("Page.navigate", { url = url })
  while not page.loaded do
    page:next()
  end
  return page
end

function Page:next()
  local message = json.decode((assert(self.socket:recv(20))))
  self.loaded = self.loaded or message.method == "Page.loadEventFired"
  return message
end

function Page:ask(method, params)
  self.serial = self.serial + 1
  assert(self.socket:send(json.encode { id = self.serial, method = method, params = params or {} }))
  while true do
    local message = self:next()
    if message.id == self.serial then
      return message.result or error(message.error.message)
    end
  end
end

function Page:value(expression)
  local answer = self:ask("Runtime.evaluate", { expression = expression, returnByValue = true, awaitPromise = true })
  return answer.result.value
end

-- Waits until an expression of the page is true.
function Page:wait(expression)
  self:value(([[new Promise((done, fail) => {
    const timer = setInterval(() => (%s) && (clearInterval(timer), done(true)), 20);
    setTimeout(() => fail(new Error("never")), 15000);
  })]]):format(expression))
  assert.is_true(self:value(("!!(%s)"):format(expression)), expression)
end

function Page:mouse(kind, x, y)
  self:ask("Input.dispatchMouseEvent", { type = kind, x = x, y = y, button = "left", buttons = 1, clickCount = 1 })
end

-- The middle of the drawing of a part.
function Page:middle(name)
  local place = self:value(([[(() => {
    const card = [...document.querySelectorAll(".part")].find(c => c.querySelector(".name").textContent === %q);
    const r = card.querySelector("svg").getBoundingClientRect();
    return [r.left + r.width / 2, r.top + r.height / 2];
  })()]]):format(name))
  return place[1], place[2]
end

local function says(name, dot)
  return ([=[[...document.querySelectorAll(".part")].find(c => c.querySelector(".name").textContent === %q)]=]
    .. [=[%squerySelector(".says").textContent]=]):format(name, dot or ".")
end

describe("Chromium", function()
  local line = peer.command "chromium"
  local shows = peer.stories(_ENV, line, "there is no chromium (apt-get install chromium)")

  local function board_of(calls)
    local board = gpio.board { name = "bench", pins = { "D2", "D13" } }
    board:add(told("led", { lit = false }, {}, calls), { name = "lamp" })
    board:add(told("button", { pressed = false }, {
      press = function(self) self.state.pressed = true end,
      release = function(self) self.state.pressed = false end,
    }, calls), { name = "start" })
    board:add(told("potentiometer", { position = 0.5 }, {
      set = function(self, share) self.state.position = share end,
    }, calls), { name = "volume" })
    return board
  end

  local function browse(url, f)
    local folder <close> = Folder.new {}
    local words = { "HOME=" .. folder.path, "TMPDIR=" .. folder.path, line[1], table.unpack(FLAGS) }
    words[#words + 1] = ("--user-data-dir=%s/profile"):format(folder.path)
    words[#words + 1] = "about:blank"
    peer.with({ "env" }, words, function(process)
      local page = Page.open(process, url)
      page:wait "document.querySelectorAll('.part').length === 3 && document.querySelector('#link.open')"
      f(page)
      page.socket:close()
    end)
  end

  shows("shows a board, and works its parts and pins", function()
    local calls = async.Queue()
    local board <close> = board_of(calls)
    local remote <close> = assert(board:serve())
    browse(remote.url, function(page)
      assert.equal("bench", page:value "document.querySelector('h1').textContent")
      assert.equal("dark", page:value(says "lamp"))
      board.parts.lamp.state.lit = true
      page:wait(says "lamp" .. " === 'lit'")

      local x, y = page:middle "start"
      page:mouse("mousePressed", x, y)
      assert.equal("press", calls:get())
      page:wait(says "start" .. " === 'pressed'")
      page:mouse("mouseReleased", x, y)
      assert.equal("release", calls:get())

      x, y = page:middle "volume"
      page:mouse("mousePressed", x, y - 20)
      assert.equal("set", calls:get())
      assert.near(0.5, board.parts.volume.state.position, 0.01)
      page:mouse("mouseMoved", x + 20, y)
      assert.equal("set", calls:get())
      assert.near(5 / 6, board.parts.volume.state.position, 0.01)
      page:mouse("mouseReleased", x + 20, y)
      page:wait(says "volume" .. " === '83 %'")

      page:value "document.querySelector('td.drive button[title=\"drive D13 to 1\"]').click()"
      page:wait "[...document.querySelectorAll('tr')].some(r => /^D13/.test(r.textContent) && r.querySelector('.l1'))"
      assert.equal("1", board.pins.D13.core:level())
      page:value "document.querySelector('#run').click()"
      page:wait "document.querySelector('#run').textContent === 'Run'"
      assert.is_false(board.core:running())
      board:add(told("led", { lit = true }, {}, calls), { name = "late" })
      page:wait(says("late", "?.") .. " === 'lit'")
      assert.equal("", page:value "document.querySelector('#note').textContent")
    end)
  end)
  shows("works sensors by sliders, and buttons by their keys", function()
    local board <close> = gpio.board { name = "bench" }
    local sensor = board:add("dht22", { name = "air" })
    board:add("hc_sr04", { name = "eye" })
    local button = board:add("button", { name = "start", key = "Q" })
    local remote <close> = assert(board:serve())
    browse(remote.url, function(page)
      page:value(("{ const it = %s; it.value = 77; it.dispatchEvent(new Event('input')); }"):format(
        "document.querySelector('[aria-label=\"air: humidity\"]')"))
      page:wait(says "start" .. " === 'hold to press, or key Q'")
      while sensor.state.humidity ~= 77 do
        async.sleep(0.02)
      end
      assert.equal(24, sensor.state.temperature)
      page:ask("Input.dispatchKeyEvent", { type = "keyDown", key = "q" })
      page:wait(says "start" .. " === 'pressed'")
      assert.is_true(button:is_pressed())
      page:ask("Input.dispatchKeyEvent", { type = "keyUp", key = "q" })
      page:wait(says "start" .. " !== 'pressed'")
    end)
  end)

  shows("says that the connection was lost, and goes on when it is back", function()
    local calls = async.Queue()
    local board <close> = board_of(calls)
    local remote = assert(board:serve())
    local port = remote:port()
    browse(remote.url, function(page)
      remote:close()
      page:wait "document.querySelector('#link').textContent === 'connection lost, trying again'"
      board.parts.lamp.state.lit = true
      remote = assert(board:serve(nil, port))
      page:wait "document.querySelector('#link').textContent === 'live'"
      page:wait(says "lamp" .. " === 'lit'")
      remote:close()
    end)
  end)
end)
