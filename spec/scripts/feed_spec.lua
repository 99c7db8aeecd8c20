local child = require "spec.support.child"
local source = require "strobe.tectonic.source"
local tectonic = require "strobe.tectonic"
local tick = require "strobe.tectonic.tick"

local program = require("strobe.core.host").program
local SAMPLE = "examples/ticks.csv"

describe("the script feed", function()
  local function feed(...)
    return child.spawn(program, { "run", "feed", "--port", "0", ... })
  end

  local function port_of(process)
    return tonumber((process:expect("stderr", "^feed: serving on 127%.0%.0%.1:(%d+)\n")))
  end

  local function connect(port, protocol)
    return assert(tectonic.connect { host = "127.0.0.1", port = port, protocol = protocol })
  end

  -- A book's rows of the sample, with price and size as every peer has them.
  local function sample(book)
    local rows = {}
    for value, name in source.replay(SAMPLE, { speed = math.huge }) do
      if name == book then
        value.price, value.size = tick.f32(value.price), tick.f32(value.size)
        table.insert(rows, value)
      end
    end
    return rows
  end

  for _, protocol in ipairs { "poll", "push" } do
    it("replays the sample to a client of the " .. protocol .. " protocol, and ends", function()
      local process <close> = feed("--replay", SAMPLE, "--speed", "max", "--wait", "1")
      local expected = sample "eth_usd"
      local db <close> = connect(port_of(process), protocol)
      local rows = {}
      for value in db:ticks "eth_usd" do
        value.price, value.size, value.book = tick.f32(value.price), tick.f32(value.size), nil
        table.insert(rows, value)
        if #rows == #expected then
          break
        end
      end
      assert.same(expected, rows)
      assert.equal(0, process:wait())
      assert.matches("feed: 400 sent by the source,", process.output.stderr)
    end)
  end

  it("ships the sample that the synthetic source makes from seed 1", function()
    local walk = source.synthetic { books = { "btc_usd", "eth_usd" }, rate = 20, count = 400 }
    local rows = source.replay(SAMPLE, { speed = math.huge })
    for value, book in walk do
      local row, name = rows:next()
      assert.equal(book, name)
      assert.same(value, row)
    end
    assert.is_nil((rows:next()))
  end)

  it("makes a random walk of the books and the count it is told", function()
    local process <close> = feed("--synthetic", "--books", "a,b", "--rate", "max", "--count", "100", "--wait", "1",
      "--seed", "7")
    local db <close> = connect(port_of(process), "push")
    db:subscribe "a"
    assert.equal(0, process:wait())
    assert.matches("feed: 100 sent by the source", process.output.stderr)
    local count = 0
    while db:next_tick() do
      count = count + 1
    end
    assert.is_true(count > 30 and count < 70)
  end)

  it("takes ticks from its standard input", function()
    local process <close> = child.spawn(program, { "run", "feed", "--port", "0", "--stdin", "--stay" },
      { input = "a,1505177459,1,t,f,1,1\na,1505177459,2,t,f,1,1\n" })
    local db <close> = connect(port_of(process))
    repeat
      local _, count = db:count "all"
    until count == "2"
    process:kill "sigint"
    assert.equal(130, process:wait())
  end)

  it("stays when told so, until it is interrupted", function()
    local process <close> = feed("--rate", "max", "--count", "10", "--stay")
    local db <close> = connect(port_of(process))
    repeat
      local _, count = db:count "all"
    until count == "10"
    process:kill "sigterm"
    assert.equal(143, process:wait())
  end)

  it("tells file and line of a bad recording", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("a,1505177459,1,t,f,1,1\nnonsense\n")
    file:close()
    local process <close> = feed("--replay", path, "--speed", "max")
    assert.equal(1, process:wait())
    assert.truthy(process.output.stderr:find(path .. ":2: a row of book,", 1, true))
    os.remove(path)
  end)

  it("tells which option is wrong", function()
    for option, expected in pairs {
      ["--speed=0"] = "feed: --speed 0: a number above 0, or max, expected",
      ["--speed=fast"] = "feed: --speed fast: a number above 0, or max, expected",
      ["--seed=x"] = "--seed: a whole number expected, got 'x'",
      ["--sped=1"] = "unknown option --sped",
      ["--host=256.1.1.1"] = "feed: ",
    } do
      local process <close> = feed("--replay", SAMPLE, option)
      assert.equal(2, process:wait())
      assert.truthy(process.output.stderr:find(expected, 1, true), process.output.stderr)
    end
  end)

  it("explains itself", function()
    local process <close> = feed "--help"
    assert.equal(0, process:wait())
    assert.matches("usage: strobe run feed", process.output.stdout)
    assert.matches("examples/ticks.csv", process.output.stdout, 1, true)
  end)
end)
