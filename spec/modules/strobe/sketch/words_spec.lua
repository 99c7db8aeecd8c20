local async = require "strobe.async"
local words = require "strobe.sketch.words"
local ws = require "strobe.ws"

describe("the words of a circuit", function()
  it("say why a component cannot listen, and what to do", function()
    assert.equal("port 80 on 127.0.0.1 is in use: stop the other program, or take another port (0 takes a free one)",
      words.listen("127.0.0.1", 80, "ws.serve: …", "EADDRINUSE"))
    assert.equal("port 80 on 127.0.0.1 may not be taken by this user: take one above 1023",
      words.listen("127.0.0.1", 80, "ws.serve: …", "EACCES"))
    assert.matches("^port 80 on 10.9.8.7: this machine has no such address",
      words.listen("10.9.8.7", 80, "ws.serve: …", "EADDRNOTAVAIL"))
  end)

  it("say why it cannot reach another one", function()
    assert.equal("nobody listens on port 8765 of pi: start the other component first",
      words.connect("pi", 8765, "ws.connect …", "ECONNREFUSED"))
    assert.equal("what listens on port 8765 of pi is no component: the server answered 404",
      words.connect("pi", 8765, "ws.connect ws://pi:8765/: the server answered 404", "EPROTO"))
  end)

  it("pass on what they do not know, without the names of the layers", function()
    assert.equal("port 1 of pi: strange", words.connect("pi", 1, "ws.connect ws://pi:1/: strange", "EXYZ"))
    assert.equal("port 1 on pi: strange", words.listen("pi", 1, "ws.serve: strange", nil))
  end)

  it("say how a connection has ended, and by whom", function()
    local function closed(by, text)
      local e = ws.ConnectionClosedError(text)
      e.by = by
      return words.left("clock", e)
    end
    assert.equal("the clock has closed: 1001 (going away)", closed("peer", "closed by the peer: 1001 (going away)"))
    assert.equal("the clock was told to go: 1008", closed("us", "closed by us: 1008"))
    assert.equal("the clock has gone without a word: 1006 (the link broke)",
      closed("link", "closed without a Close: 1006 (the link broke)"))
    assert.equal("the clock was told to go: 1001 (going away)", words.left("clock", async.CancelledError ""))
    assert.equal("the clock was sent away, for the loop has failed: broken", words.left("clock", "broken"))
  end)
end)
