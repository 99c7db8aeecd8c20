local Screen = require "spec.support.screen"
local Terminal = require "spec.support.terminal"
local async = require "strobe.async"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local view = require "strobe.gpio.view"

local led = part.kind {
  name = "led",
  pins = { "anode" },
  start = function(self)
    self.state.lit = false
    self:on_edge("anode", "change", function(level)
      self.state.lit = level == "1"
    end)
  end,
}

local snapshot = {
  name = "bench", now_ns = 1500000, running = false, contentions = 2, contended = { "D2" },
  pins = {
    { name = "D2", level = "x", changes = 12, owner = "sketch" },
    { name = "D13", level = "1", changes = 1 },
  },
  parts = {
    { name = "led1", kind = "led", state = { lit = true } },
    { name = "arm", kind = "servo", state = { angle = 90 / 7, busy = false } },
    { name = "old", kind = "relay", state = {}, failure = "it burnt\27[2J" },
  },
}

-- A terminal of a spec: what a stream was given.
local function paper()
  local written = {}
  return written, { write = function(_, text) written[#written + 1] = text end }
end

describe("the view of a board", function()
  it("is a text of levels, edges, parts and contentions", function()
    assert.equal([[
bench  0.001500 s  paused  2 contentions, now on D2
D2    X          12 changes  sketch
D13   1           1 change
led1  ●  lit
arm   ·  angle 12.86, busy false
old   ✗  stopped: it burnt?[2J
]], table.concat(view.lines(snapshot), "\n") .. "\n")
  end)

  it("fits the terminal", function()
    local lines = view.lines(snapshot, { width = 24, height = 4 })
    for _, line in ipairs(lines) do
      assert.is_true(utf8.len(line) <= 24, line)
    end
    assert.equal(4, #lines)
    assert.equal("… 3 more", lines[4])
    for width = 1, 100 do
      for height = 1, 8 do
        lines = view.lines(snapshot, { width = width, height = height })
        assert.equal(math.min(height, 6), #lines)
        assert.equal(("bench"):sub(1, math.min(5, width - 1)), lines[1]:sub(1, math.min(5, width - 1)))
      end
    end
  end)

  it("has colours only where they are wanted", function()
    local plain, colored = view.lines(snapshot), view.lines(snapshot, { color = true })
    assert.equal("led1  \27[33;1m●\27[0m  lit", colored[4])
    for i, line in ipairs(colored) do
      assert.equal(plain[i], (line:gsub("\27%[[%d;]*m", "")))
    end
  end)

  it("shows a board as it is now", function()
    local board <close> = gpio.board { name = "bench", pins = { "D2", "D13" } }
    board:add(led, { name = "led1" })
    board:wire("D13", "led1.anode")
    local written, stream = paper()
    local shown = board:view { stream = stream, color = false }
    local line <close> = assert(board:line("D13", { direction = "output", consumer = "blink" }))
    for _ = 1, 5 do
      board:sleep(0.1)
      line:toggle()
    end
    board:sleep(0.25)
    assert.same({}, written) -- there is no terminal
    shown:close()
    shown:close()
    assert.same({ [[
bench  0.750 s
D2    Z           0 changes
D13   1           6 changes  blink
led1  ●  lit
]] }, written)
  end)

  it("stands at the bottom of a terminal, at a bounded rate, and gives it back", function()
    local board <close> = gpio.board { name = "bench", pins = { "D2" } }
    local written, stream = paper()
    local rows, columns = 24, 40
    local screen = Screen.new(rows, columns)
    local shown = board:view { stream = stream, rate = 5, color = false, size = function() return columns, rows end }
    async.sleep(0.95)
    assert.equal(5, #written)
    screen:feed(table.concat(written))
    assert.equal(("\n"):rep(22) .. "bench  0.800 s\nD2  Z           0 changes", screen:text())
    rows = 30 -- the window was resized
    screen:resize(rows, columns)
    async.sleep(0.1)
    screen:feed(written[6])
    assert.equal(("\n"):rep(28) .. "bench  1.000 s\nD2  Z           0 changes", screen:text())
    shown:close()
    screen:feed((written[7]:gsub("\n", "\r\n")))
    assert.equal("bench  1.050 s\nD2  Z           0 changes", screen:text())
    assert.same({ 1, 30 }, { screen.top, screen.bottom })
    async.sleep(1)
    assert.equal(7, #written)
  end)

  it("leaves rows to all else, and takes a terminal that does not know its size for 80 by 24", function()
    local board <close> = gpio.board { name = "bench", pins = 40 }
    for size, bottom in pairs { [{ 0, 0 }] = 4, [{ 80, 24 }] = 4, [{ 80, 6 }] = 3, [{ 80, 3 }] = 2, [{ 9, 2 }] = 1 } do
      local written, stream = paper()
      local columns, rows = table.unpack(size)
      local screen = Screen.new(rows > 0 and rows or 24, columns > 0 and columns or 80)
      local shown <close> = board:view { stream = stream, size = function() return columns, rows end } -- luacheck: ignore
      async.sleep(0)
      screen:feed(written[1])
      assert.equal(bottom, screen.bottom)
      assert.matches("bench ", screen:text())
    end
    local written, stream = paper()
    local shown <close> = board:view { stream = stream, size = function() return 1, 1 end } -- luacheck: ignore
    async.sleep(0)
    assert.same({}, written)
  end)

  it("ends with its board, and refuses mistakes", function()
    local board = gpio.board { name = "bench", pins = { "D2" } }
    local written, stream = paper()
    board:view { stream = stream }
    async.sleep(0)
    assert.has_error(function() board:view { rate = 1000 } end, "board:view: rate: up to 60 Hz expected, got 1000")
    assert.has_error(function() board:view { speed = 1 } end, "board:view: there is no option speed")
    assert.has_error(function() board:view { pins = { "D3" } } end,
      "board:view: pins: board bench has no pin D3; it has D2")
    board:close()
    assert.equal(1, #written)
  end)
end)

describe("the view of a board on a terminal", function()
  local shows = Terminal.stories(_ENV)
  local BOARD = [[
    local board <close> = require("strobe.gpio").board { name = "bench", pins = { "D2" } }
    local view <close> = board:view { rate = 50 }
    print "up"
    board:sleep(%s)
  ]]

  local function open(seconds, options)
    return Terminal.open({ "-e", BOARD:format(seconds) }, options)
  end

  shows("goes when the program ends, and leaves what was there last", function()
    local terminal <close> = open(0.1, { rows = 8, columns = 40 })
    terminal:expect "up\n\n.*bench  [%d.]+ s\nD2  Z +0 changes$"
    assert.equal(0, terminal:wait())
    assert.matches("^up\nbench  0%.1%d* s\nD2  Z           0 changes$", terminal:text())
    assert.same({ 1, 8 }, { terminal.screen.top, terminal.screen.bottom })
  end)

  shows("follows its size at once", function()
    local terminal <close> = open(3600, { rows = 8, columns = 40 })
    terminal:expect "^up\n\n\n\n\n\nbench"
    terminal:resize(12, 20)
    terminal:expect "^up\n\n\n\n\n\n\n\n\n\nbench"
    terminal:resize(4, 20)
    terminal:expect "^up\n\nbench  [%d.]+ s\nD2  Z           0 …$"
  end)

  shows("ends with Ctrl-C, and gives the terminal back", function()
    local terminal <close> = open(3600, { rows = 8, columns = 40 })
    terminal:expect "D2  Z"
    terminal:press "\3"
    assert.equal(130, terminal:wait())
    assert.matches("^up\n^C\nbench  [%d.]+ s\nD2  Z           0 changes$", terminal:text())
    assert.same({ 1, 8, true }, { terminal.screen.top, terminal.screen.bottom, terminal.screen.wraps })
  end)

  shows("gives the terminal back when a script forgets it, or fails", function()
    for ending, status in pairs { ["print 'end'"] = 0, ["error 'it failed'"] = 1 } do
      local terminal <close> = Terminal.open({ "-e", ([[
        local board = require("strobe.gpio").board { name = "bench", pins = { "D2" } }
        board:view()
        board:sleep(0.05)
        %s
      ]]):format(ending) }, { rows = 12, columns = 60 })
      assert.equal(status, terminal:wait())
      assert.matches("\nbench  [%d.]+ s\nD2  Z           0 changes", "\n" .. terminal:text())
      assert.same({ 1, 12 }, { terminal.screen.top, terminal.screen.bottom })
    end
  end)

  shows("is one at a time: another one is printed when it closes", function()
    local terminal <close> = Terminal.open({ "-e", [[
      local gpio = require "strobe.gpio"
      local first <close> = gpio.board { name = "first" }
      local second <close> = gpio.board { name = "second" }
      local view <close> = first:view()
      local other = second:view()
      first:sleep(0.05)
      other:close()
      first:sleep(0.15)
      view:close()
      local again <close> = second:view()
      second:sleep(0.05)
    ]] }, { rows = 12, columns = 60 })
    assert.equal(0, terminal:wait())
    assert.matches("^second  [%d.]+ s\nfirst  [%d.]+ s\nsecond  [%d.]+ s$", terminal:text())
  end)

  shows("loses nothing that the program prints, however slow the terminal", function()
    local terminal <close> = Terminal.open({ "-e", [[
      local board <close> = require("strobe.gpio").board { name = "bench" }
      local view <close> = board:view()
      board:sleep(0.01)
      for i = 1, 20000 do print(i) end
    ]] }, { rows = 8, columns = 40 })
    assert.equal(0, terminal:wait())
    assert.equal(20000, select(2, terminal:output():gsub("%f[%d]%d+\r\n", "")))
  end)

  shows("has colours unless NO_COLOR or --no-color says otherwise", function()
    for words, colored in pairs { [""] = true, ["NO_COLOR=1"] = false, ["NO_COLOR="] = true } do
      local terminal <close> = open(0, { environment = { words ~= "" and words or nil } })
      assert.equal(0, terminal:wait())
      assert.equal(colored, terminal:output():find("\27[1mbench", 1, true) ~= nil)
    end
    local terminal <close> = Terminal.open { "--no-color", "-e", BOARD:format(0) }
    assert.equal(0, terminal:wait())
    assert.is_nil(terminal:output():find("\27[1m", 1, true))
  end)

  shows("is printed once where the terminal is dumb, or time is virtual", function()
    local terminal <close> = open(0.1, { environment = { "TERM=dumb" } })
    assert.equal(0, terminal:wait())
    assert.matches("^up\r\nbench  0%.1%d* s\r\nD2  Z           0 changes\r\n$", terminal:output())
    local virtual <close> = Terminal.open({ "--clock=virtual", "-e", BOARD:format(1e4) })
    assert.equal(0, virtual:wait())
    assert.equal("up\nbench  10000.000 s\nD2  Z           0 changes", virtual:text())
  end)
end)
