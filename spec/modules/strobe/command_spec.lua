local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local host = require "strobe.core.host"
local net = require "strobe.net"
local sh = require("spec.support.shell").run
local uv = require "luv"

describe("the command line", function()
  it("tells the version", function()
    local told = { ("strobe %s (Lua 5.4)\n"):format(host.version), 0 }
    assert.same(told, { sh "$S --version" })
    assert.same(told, { sh "$S --clock=virtual --version" })
  end)

  it("without words runs standard input", function()
    assert.same({ "3\n", 0 }, { sh "echo 'print(1 + 2)' | $S" })
    assert.same({ "", 0 }, { sh "$S </dev/null" })
  end)

  for words, message in pairs {
    ["--what x.lua"] = "unknown option --what; see 'strobe help'",
    ["-x"] = "unknown option -x; see 'strobe help'",
    ["--clock=fast x.lua"] = "--clock=fast: live, virtual or xN (as x10) expected",
    ["--clock=x0 x.lua"] = "--clock=x0: live, virtual or xN (as x10) expected",
    ["--clock"] = "--clock: a value is missing",
    ["--seed one x.lua"] = "--seed one: a whole number expected",
  } do
    it("says what is wrong with " .. words, function()
      assert.same({ "strobe: " .. message .. "\n", 2 }, { sh("$S " .. words) })
    end)
  end

  it("takes a clock: virtual time passes at once, scaled time fast", function()
    local line = " -e 'local async = require \"strobe.async\" async.sleep(%s) print(async.time() >= %s)'"
    assert.same({ "true\n", 0 }, { sh("$S --clock=virtual" .. line:format(1e6, 1e6)) })
    assert.same({ "true\n", 0 }, { sh("$S --clock=x1000" .. line:format(20, 20)) })
    assert.same({ "true\n", 0 }, { sh("$S --clock live" .. line:format(0.01, 0.01)) })
  end)

  it("takes a seed: the same numbers each time", function()
    local one = sh "$S --seed 7 -e 'print(math.random())'"
    assert.equal(one, (sh "$S --seed=7 -e 'print(math.random())'"))
    assert.not_equal(one, (sh "$S --seed=8 -e 'print(math.random())'"))
  end)

  it("gives a line its arguments", function()
    assert.same({ "-e\ta\tb\ta\n", 0 }, { sh "$S -e 'print(arg[0], arg[1], arg[2], (...))' a b" })
    assert.equal(2, select(2, sh "$S -e"))
  end)

  it("ends what waits for another process, at the first signal", function()
    local folder <close> = RuntimeFolder.new()
    uv.fs_mkdir(folder.path .. "/strobe", tonumber("700", 8))
    local pid = ("%d"):format(uv.os_getpid())
    local silent <close> = assert(net.listen_unix(("%s/strobe/%s.sock"):format(folder.path, pid))) -- it never answers
    for _, words in ipairs { { "attach", pid, "-e", ":clock" }, { "attach", pid, "-e", "1" }, { "reload", pid } } do
      for signal, status in pairs { sigint = 130, sigterm = 143 } do
        local child <close> = Child.spawn(host.program, words)
        local stream <close> = assert(silent:accept_one()) -- luacheck: ignore stream
        child:kill(signal)
        assert.equal(status, child:wait(), words[1])
        assert.equal("", child:complaints())
      end
    end
  end)
end)
