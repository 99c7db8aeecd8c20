local arguments = require "strobe.arguments"
local sh = require("spec.support.shell").run

describe("arguments", function()
  local defaults = {
    host = "localhost",
    port = 9001,
    speed = 1.5,
    json = false,
    file = arguments.text,
    count = arguments.integer,
    rate = arguments.number,
    dry_run = false,
  }

  describe("read", function()
    it("gives the defaults, and nothing for an option without one", function()
      assert.same(
        { host = "localhost", port = 9001, speed = 1.5, json = false, dry_run = false },
        arguments.read(defaults, {})
      )
    end)

    it("takes --name value, --name=value and flags, in any order, among other words", function()
      local options = arguments.read(defaults, { "a", "--port", "1", "b", "--speed=2.5", "--json", "--dry-run", "c" })
      assert.equal(1, options.port)
      assert.equal("integer", math.type(options.port))
      assert.equal(2.5, options.speed)
      assert.is_true(options.json and options.dry_run)
      assert.same({ "a", "b", "c" }, table.move(options, 1, 3, 1, {}))
    end)

    it("takes values that are empty, have a =, or begin with -", function()
      local options = arguments.read(defaults, { "--host=", "--file=a=b", "--speed", "-2", "--count=-3" })
      assert.equal("", options.host)
      assert.equal("a=b", options.file)
      assert.equal(-2, options.speed)
      assert.equal(-3, options.count)
    end)

    it("collects an option that may be given again and again", function()
      local many = { feed = arguments.texts }
      assert.same({ feed = {} }, arguments.read(many, {}))
      assert.same({ "x", feed = { "a", "b=c" } }, arguments.read(many, { "--feed", "a", "x", "--feed=b=c" }))
    end)

    it("leaves a single - among the words, and all that comes after --", function()
      local options = arguments.read(defaults, { "-", "--json", "--", "--port", "--what" })
      assert.same({ "-", "--port", "--what" }, table.move(options, 1, 3, 1, {}))
      assert.is_true(options.json)
      assert.equal(9001, options.port)
    end)

    for words, message in pairs {
      ["--what"] = "unknown option --what",
      ["--port"] = "--port: a value is missing",
      ["--port=x"] = "--port: a whole number expected, got 'x'",
      ["--port=1.5"] = "--port: a whole number expected, got '1.5'",
      ["--speed=fast"] = "--speed: a number expected, got 'fast'",
      ["--json=yes"] = "--json takes no value",
    } do
      it("says what is wrong with " .. words, function()
        local options, what = arguments.read(defaults, { words })
        assert.is_nil(options)
        assert.equal(message, what)
      end)
    end
  end)

  describe("parse", function()
    local script = 'print("n is " .. require("strobe.arguments").parse("usage: this", { n = 1 }).n)'

    local function run(words)
      return sh("$S $F " .. words, script)
    end

    it("reads the script's own words", function()
      assert.same({ "n is 5\n", 0 }, { run "--n 5" })
    end)

    it("prints the usage for --help", function()
      assert.same({ "usage: this\n", 0 }, { run "--help" })
    end)

    it("tells a mistake with the usage, and ends with status 2", function()
      assert.same({ "unknown option --m\nusage: this\n", 2 }, { run "--m" })
    end)
  end)
end)
