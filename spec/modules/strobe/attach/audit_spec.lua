local audit = require "strobe.attach.audit"

local who = { uid = 1000, pid = 4242, name = "pts/3" }

local function line(...)
  return (audit.line(...):gsub("%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ", "TIME"))
end

describe("a line of the audit", function()
  it("says when that was, also where a virtual clock shows something else", function()
    local before = os.time()
    local year, month, day, hour, minute, second = audit.line(who, "connect", "ok")
      :match "^attach: (%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)%."
    local told = os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = second }
    local here = os.time(os.date("!*t", before)) -- the same moment, read the same way
    assert.is_true(math.abs(told - here) < 60, told - here)
  end)

  it("says who did what, how it ended and how long it took", function()
    assert.equal('attach: TIME uid=1000 pid=4242 name="pts/3" op=reload unit="mm" ok 3.1 ms',
      line(who, "reload", "ok", { unit = "mm", nowait = true }, 0.0031))
    assert.equal('attach: TIME uid=1000 pid=4242 op=connect ok', line({ uid = 1000, pid = 4242 }, "connect", "ok"))
    assert.equal('attach: TIME uid=1000 pid=4242 name="pts/3" op=cancel task=17 why="slow" not_found',
      line(who, "cancel", "not_found", { task = 17.0, why = "slow" }))
  end)

  it("tells the first 400 bytes of code, and nothing that drives a terminal", function()
    assert.equal(('attach: TIME uid=1000 pid=4242 name="pts/3" op=eval code="%s" ok'):format(("x"):rep(400)),
      line(who, "eval", "ok", { code = ("x"):rep(1e5) }))
    assert.equal('attach: TIME uid=1 pid=2 name="\\x1b[31m" op=a\\x0ab code="a\\x0ab" ok',
      line({ uid = 1, pid = 2, name = "\27[31m" }, "a\nb", "ok", { code = "a\nb" }))
    assert.equal('attach: TIME uid=1000 pid=4242 name="pts/3" op=tail stream="ticks" expr="m.price > 1" ok',
      line(who, "tail", "ok", { stream = "ticks", expr = "m.price > 1" }))
    assert.matches('unit="table: ', line(who, "reload", "bad_request", { unit = {} }))
  end)
end)
