local sh = require("spec.support.shell").run

local function help(words)
  local output, status = sh("$S help " .. words)
  return output, status
end

-- What help says of a name it knows.
local function told(name)
  local output, status = help(name)
  assert.equal(0, status, output)
  return output
end

describe("strobe help", function()
  it("without a name tells the usage, and the modules with a line each", function()
    local output = told ""
    assert.matches("^usage: strobe +the console", output)
    assert.matches("\n  strobe%.async +Python's asyncio, for Lua\n", output)
    assert.matches("\n  strobe%.net +Connections and servers", output)
    assert.not_matches("strobe%.report", output)
  end)

  it("shows a function: signature, text, that it may wait, parameters, results, and what it is in Python", function()
    local output = told "wait_for"
    assert.matches("^async%.wait_for%(awaitable, seconds%?, %.%.%.%) → any\n", output)
    assert.matches("\n  Waits for an awaitable at most `seconds`", output)
    assert.matches("\n  may wait\n", output)
    assert.matches("\n  takes\n    awaitable  async%.Awaitable|function  a function gets", output)
    assert.matches("\n  returns\n    any  %.%.%.\n", output)
    assert.matches("\n  in Python: asyncio%.wait_for  %(strobe help asyncio%.wait_for%)\n", output)
  end)

  it("shows the options that a function takes, those of its kin among them", function()
    local output = told "ws.connect"
    assert.matches("\n      ping_interval%?  number  between pings %(20%)\n", output)
    assert.matches("\n      subprotocols%?  string%[%]  the best first\n", output)
    assert.matches("see also: ws%.Connection", output)
  end)

  it("finds it by each name that it may be given", function()
    local output = told "async.gather"
    assert.matches("^async%.gather%(%.%.%.%)", output)
    for _, name in ipairs { "gather", "strobe.async.gather" } do
      assert.equal(output, told(name))
    end
    output = told "async.Queue:put"
    assert.matches("^async%.Queue:put%(item%)", output)
    for _, name in ipairs { "Queue.put", "Queue:put", "async.Queue.put", "strobe.async.Queue:put" } do
      assert.equal(output, told(name))
    end
  end)

  it("shows a class: its fields, its methods, and what it comes from", function()
    local output = told "Queue"
    assert.matches("\nasync%.Queue   %(class, strobe%.Queue%)\n", output)
    assert.matches("\n    maxsize  number  ", output)
    assert.matches("\n    async%.Queue:get%(%)  may wait\n      Takes the next item", output)
    assert.matches("\n  comes from: .*async%.LifoQueue", output)
  end)

  it("finds a method in the class from which another one has it", function()
    assert.equal(told "Stream:read_until", told "net.Connection:read_until")
    assert.matches("\n  is a net%.Stream, too\n", told "net.Connection")
  end)

  it("shows a module: what it is about, and the names in it", function()
    local output = told "strobe.net"
    assert.matches("^strobe%.net\n\n  Connections and servers", output)
    assert.matches("\n  net%.listen%(host%?, port, options%?%)", output)
    assert.matches("\nclasses\n", output)
    assert.equal(output, told "net")
  end)

  it("shows a table of functions in a module as one", function()
    local output = told "async.fs"
    assert.matches("^strobe%.async%.fs\n\n  Files and folders, without blocking the loop", output)
    assert.matches("\n  async%.fs%.open%(path, mode%?, options%?%)  may wait\n", output)
    assert.equal(output, told "strobe.async.fs")
  end)

  it("shows a value, and a part for boards", function()
    assert.matches('^async%.FIRST_COMPLETED = "FIRST_COMPLETED"\n', told "FIRST_COMPLETED")
    local output = told "led"
    assert.matches("^gpio%.parts%.led   %(a part for boards%)", output)
    assert.matches("gpio%.Led:is_lit%(%)", output)
    assert.equal(output, told "strobe.gpio.parts.led")
  end)

  it("lets one choose among many of a name, and shows first the one of strobe.async", function()
    local output = told "connect"
    assert.matches("^'connect' is the name of several:\n", output)
    assert.matches("\n  ws%.connect +Connects", output)
    assert.matches("^async%.wait%(list, options%?%)", told "wait")
    assert.matches("\n  async%.Event:wait ", told "wait")
  end)

  it("lists what has a word in its name", function()
    local output = told "semaph"
    assert.matches("^nothing is called just 'semaph'; these have it in their names:\n", output)
    assert.matches("\n  async%.BoundedSemaphore ", output)
  end)

  it("names what is near when it knows no such thing", function()
    local output, status = help "gathr"
    assert.equal(1, status)
    assert.matches("nothing is called 'gathr'; near: gather,", output)
  end)
end)

describe("strobe help asyncio", function()
  it("lists all names and what stands for them", function()
    local output = told "asyncio"
    assert.matches("\n  asyncio%.gather +async%.gather\n", output)
    assert.matches("\n  asyncio%.Protocol +%-\n", output)
  end)

  it("tells of one what it is here, and what differs", function()
    local output = told "asyncio.Lock.acquire"
    assert.matches("^asyncio%.Lock%.acquire   is async%.Lock:acquire here\n", output)
    assert.matches("<close> value", output)
    assert.matches("\nasync%.Lock:acquire%(%) → ", output)
    assert.equal(output, told "asyncio Lock.acquire")
  end)

  it("tells why there is none", function()
    local output = told "asyncio.set_event_loop"
    assert.matches("^asyncio%.set_event_loop   has no counterpart\n\n  there is one loop", output)
  end)

  it("knows the loop's methods by both of its names", function()
    assert.equal(told "asyncio.loop.call_soon", told "asyncio.AbstractEventLoop.call_soon")
  end)

  it("says so of a name that asyncio does not have", function()
    local output, status = help "asyncio.frobnicate"
    assert.equal(1, status)
    assert.matches("asyncio has no 'frobnicate'", output)
    assert.matches("asyncio%.loop%.sock_accept ", told "asyncio.sock_")
  end)
end)
