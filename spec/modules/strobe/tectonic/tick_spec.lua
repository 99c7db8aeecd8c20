local dice = require "spec.support.dice"
local tick = require "strobe.tectonic.tick"

local function sample(changes)
  local value = { ts = 1505177459.658, seq = 139010, is_trade = true, is_bid = true,
    price = 0.0703629, size = 7.65064249 }
  for name, change in pairs(changes or {}) do
    value[name] = change
  end
  return value
end

describe("tick", function()
  describe("to_json", function()
    it("writes the worked example of the protocol, 99 bytes", function()
      local text = tick.to_json(sample())
      assert.equal('{"ts":1505177459.658,"seq":139010,"is_trade":true,"is_bid":true,'
        .. '"price":0.0703629,"size":7.6506424}', text)
      assert.equal(99, #text)
    end)

    it("writes every combination of the flags", function()
      assert.truthy(tick.to_json(sample { is_trade = false }):find('"is_trade":false,"is_bid":true', 1, true))
      assert.truthy(tick.to_json(sample { is_bid = false }):find('"is_trade":true,"is_bid":false', 1, true))
    end)

    it("writes whole numbers without .0", function()
      assert.equal('{"ts":1505177459,"seq":0,"is_trade":true,"is_bid":true,"price":3,"size":0}',
        tick.to_json(sample { ts = 1505177459.0, seq = 0, price = 3.0, size = 0.0 }))
    end)

    it("refuses numbers that have no digits", function()
      assert.error_matches(function() tick.to_json(sample { price = 0 / 0 }) end, "no decimal digits")
      assert.error_matches(function() tick.to_json(sample { size = 1e39 }) end, "no decimal digits")
      assert.error_matches(function() tick.to_json(sample { ts = math.huge }) end, "no decimal digits")
    end)
  end)

  describe("f32_digits", function()
    local cases = {
      { 0.1, "0.1" }, { 660.5, "660.5" }, { 0.00001306, "0.00001306" }, { 7.65064249, "7.6506424" },
      { 22.85, "22.85" }, { 1e-7, "0.0000001" }, { 1e-45, "0." .. ("0"):rep(44) .. "1" },
      { 999999.9, "999999.9" }, { 1234567.9, "1234567.9" }, { 16777216, "16777216" },
      { 16777217, "16777216" }, { 123456789, "123456790" }, { 1e20, "1" .. ("0"):rep(20) },
      { 3.4028234663852886e38, "34028235" .. ("0"):rep(31) }, { -0.0, "0" }, { -2.5, "-2.5" },
      { 1.17549435e-38, "0." .. ("0"):rep(37) .. "11754944" }, { 0.1 + 0.2, "0.3" },
      { 474062.625, "474062.63" }, { -2184918.25, "-2184918.3" }, { 0.0001, "0.0001" }, { 1000000.5, "1000000.5" },
    }
    for _, case in ipairs(cases) do
      it(("writes %.17g as %s"):format(case[1], case[2]), function()
        assert.equal(case[2], tick.f32_digits(case[1]))
        assert.equal(case[2], tick.f32_digits(case[1]), "the second time too")
      end)
    end

    it("gives back the same f32 and has no exponent, for any finite f32", function()
      local random = dice(1)
      for _ = 1, 5000 do
        local bits = string.pack("I2I2", random(65536) - 1, random(65536) - 1)
        local x = string.unpack("f", bits)
        if x == x and math.abs(x) < math.huge then
          local digits = tick.f32_digits(x)
          assert.equal(x, tick.f32(tonumber(digits)))
          assert.truthy(digits:match("^%-?%d+$") or digits:match("^%-?%d+%.%d*[1-9]$"), digits)
        end
      end
    end)

    it("has no shorter digits that give back the same price", function()
      local random = dice(2)
      for _ = 1, 2000 do
        local x = tick.f32(random(8388608) / 10 ^ random(6))
        local digits = tick.f32_digits(x):gsub("%D", ""):gsub("^0+", ""):gsub("0+$", "")
        local shorter = ("%%.%dg"):format(math.max(#digits - 1, 1)):format(x)
        assert.is_true(#digits == 1 or tick.f32(tonumber(shorter)) ~= x, shorter)
      end
    end)
  end)

  describe("f64_digits", function()
    it("writes a time of any usual size without an exponent", function()
      assert.equal("1505177459.658", tick.f64_digits(1505177459.658))
      assert.equal("1505177459.65", tick.f64_digits(1505177459.650))
      assert.equal("0", tick.f64_digits(0))
      assert.equal("0.00001", tick.f64_digits(1e-5))
      assert.equal("1000000000000000", tick.f64_digits(1e15))
      assert.equal("100000000000000000000000", tick.f64_digits(1e23))
      assert.equal("0.30000000000000004", tick.f64_digits(0.1 + 0.2))
    end)
  end)

  describe("to_csv", function()
    it("writes the fields of the row in order", function()
      assert.equal("1505177459.658,139010,true,false,0.0703629,7.6506424",
        tick.to_csv(sample { is_bid = false }))
    end)

    it("writes flags as letters for newer servers", function()
      assert.equal("1505177459.658,139010,f,t,0.0703629,7.6506424",
        tick.to_csv(sample { is_trade = false }, true))
    end)
  end)

  describe("from_json", function()
    it("reads what to_json writes", function()
      local value = tick.from_json(tick.to_json(sample()))
      assert.same({ ts = 1505177459.658, seq = 139010, is_trade = true, is_bid = true,
        price = 0.0703629, size = 7.6506424 }, value)
      assert.equal("integer", math.type(value.seq))
    end)

    local good = '{"ts":1,"seq":2,"is_trade":true,"is_bid":false,"price":3,"size":4}'
    local malformed = {
      { "", "Expected" }, { "NONE", "Expected" }, { "null", "an object expected" }, { "12", "an object" },
      { '"x"', "an object" }, { "[]", "ts:" }, { "{}", "ts:" }, { good .. "x", "Expected the end" },
      { good:gsub('"ts":1', '"ts":"1"'), "ts:" }, { good:gsub('"ts":1', '"ts":-1'), "ts:" },
      { good:gsub('"ts":1', '"ts":1e300'), "ts:" },
      { good:gsub('"seq":2', '"seq":2.5'), "seq:" }, { good:gsub('"seq":2', '"seq":-1'), "seq:" },
      { good:gsub('"seq":2', '"seq":4294967296'), "seq:" }, { good:gsub('"seq":2', '"seq":null'), "seq:" },
      { good:gsub('"seq":2', '"seq":"2"'), "seq:" },
      { good:gsub("true", "1"), "is_trade:" }, { good:gsub("false", "null"), "is_bid:" },
      { good:gsub('"price":3', '"price":NaN'), "invalid" }, { good:gsub('"price":3', '"price":1e39'), "price:" },
      { good:gsub('"price":3', '"price":1e999'), "price:" }, { good:gsub(',"size":4', ""), "size:" },
      { ("["):rep(100000), "" }, { good:sub(1, 30), "" },
    }
    for i, case in ipairs(malformed) do
      it(("refuses malformed text %d: %s"):format(i, case[1]:sub(1, 70)), function()
        local value, message, code = tick.from_json(case[1])
        assert.is_nil(value)
        assert.equal("EPROTO", code)
        assert.truthy(message:find("^Unable to parse update: "))
        assert.truthy(message:find(case[2], 1, true), message)
      end)
    end

    it("survives any damage to one byte", function()
      local text, random = tick.to_json(sample()), dice(3)
      for _ = 1, 3000 do
        local at = random(#text)
        local damaged = text:sub(1, at - 1) .. string.char(random(256) - 1) .. text:sub(at + 1)
        local value, message, code = tick.from_json(damaged)
        if value then
          assert.is_true(tick.check(value))
        else
          assert.equal("EPROTO", code, message)
        end
      end
    end)
  end)

  describe("parse_row", function()
    it("reads the example of the protocol", function()
      assert.same({ ts = 1505177459.685, seq = 139010, is_trade = true, is_bid = false,
        price = tick.f32(0.0703620), size = tick.f32(7.65064240) },
        tick.parse_row("1505177459.685, 139010, t, f, 0.0703620, 7.65064240;"))
    end)

    it("takes is_trade before is_bid", function()
      local value = tick.parse_row("1,2,f,t,3,4;")
      assert.is_false(value.is_trade)
      assert.is_true(value.is_bid)
    end)

    local times = {
      { "1505177459", 1505177459 }, { "1505177459.6", 1505177459.6 }, { "1505177459.65", 1505177459.65 },
      { "1505177459.658", 1505177459.658 }, { "1505177459658", 1505177459.658 }, { "0", 0 }, { "0.000", 0 },
      { "1", 1000000000 }, { "1505177459.6581", 15051774596.581 }, { "15.05.177459", 1505177459 },
      { "000001505177459", 1505177459 },
    }
    for _, case in ipairs(times) do
      it(("reads ts %s as %s s, like the original"):format(case[1], case[2]), function()
        assert.equal(case[2], tick.parse_row(case[1] .. ",1,t,t,1,1;").ts)
        assert.equal(case[2], tick.parse_row(" " .. case[1] .. " ,1,t,t,1,1;").ts)
      end)
    end

    it("skips foreign characters, so a minus sign and an exponent vanish", function()
      local value = tick.parse_row("INSERT 1505177459.658s, #139010, tX, Yf, 1e-07, $-5.5;")
      assert.same({ ts = 1505177459.658, seq = 139010, is_trade = true, is_bid = false, price = 107,
        size = 5.5 }, value)
    end)

    it("lets a flag that is left out repeat the letter before it", function()
      local value = tick.parse_row("1,2,t,,3,4;")
      assert.is_true(value.is_bid)
      assert.is_true(tick.parse_row("1t,2,,,3,4;").is_trade)
      assert.is_false(tick.parse_row("1,2,,,3,4;").is_trade)
    end)

    it("takes the last letter of a flag", function()
      assert.is_true(tick.parse_row("1,2,false or t,f,3,4;").is_trade)
    end)

    it("takes any separator and ignores what follows the last", function()
      assert.equal(4, tick.parse_row("1;2;t;f;3;4;").size)
      assert.equal(4, tick.parse_row("1,2,t,f,3,4, INTO x 5").size)
    end)

    it("rounds price and size to f32", function()
      local value = tick.parse_row("1505177459,1,t,t,0.1,7.65064249;")
      assert.equal("0.1", tick.f32_digits(value.price))
      assert.equal("7.6506424", tick.f32_digits(value.size))
      assert.equal(tick.f32(0.1), value.price)
    end)

    local malformed = {
      "", ";", "something;", "150517;", "1505177459.658, 139010,,, f, t, 0.0703629, 7.65064249;",
      "1,2,t,f,3,4", "1,2,t,f,3;", ",2,t,f,3,4;", "x,2,t,f,3,4;", "1,,t,f,3,4;", "1,2.5,t,f,3,4;",
      "1,4294967296,t,f,3,4;", "1,2.,t,f,3,4;", "1,99999999999999999999,t,f,3,4;", "1,2,t,f,,4;", "1,2,t,f,.,4;",
      "1,2,t,f,1.2.3,4;", "1,2,t,f,3,;", "1,2,t,f,3,..;", "99999999999999999999,2,t,f,3,4;",
      "9223372036854775808,2,t,f,3,4;", "1,2,t,f," .. ("9"):rep(400) .. ",4;", "1,2,t,f,3," .. ("9"):rep(40) .. ";",
      ",,,,,;", "INSERT ", "\0\0\0",
    }
    for i, text in ipairs(malformed) do
      it(("refuses malformed row %d: %s"):format(i, text:sub(1, 60)), function()
        local value, message, code = tick.parse_row(text)
        assert.is_nil(value)
        assert.equal("Unable to parse line", message)
        assert.equal("EPROTO", code)
      end)
    end

    it("takes the largest numbers the fields have room for", function()
      assert.equal(4294967295, tick.parse_row("1,4294967295,t,f,3,4;").seq)
      assert.equal(4294967295, tick.parse_row(" 1, 00004294967295,t,f,3,4;").seq)
      assert.is_true(tick.parse_row("1,2,t,f,340282356779733600000000000000000000000,4;").price < math.huge)
    end)

    it("names too many separators, where the original crashes", function()
      for _, text in ipairs { "1,2,t,f,3,4;;", "1,2,t,f,3,4,5;", "1,2,t,f,3,4; INTO a,b" } do
        local value, message, code = tick.parse_row(text)
        assert.is_nil(value)
        assert.equal("Too many separators in line", message)
        assert.equal("EPROTO", code)
      end
    end)

    it("reads the same with and without characters that only slow it down", function()
      local random = dice(4)
      for _ = 1, 2000 do
        local row = ("%d.%03d, %d, %s, %s, %s, %s;"):format(1500000000 + random(100000), random(1000) - 1,
          random(1000000), random(2) == 1 and "t" or "f", random(2) == 1 and "t" or "f",
          random(100000) / 10 ^ random(5), random(100000) / 10 ^ random(5))
        local value = assert(tick.parse_row(row))
        assert.same(value, tick.parse_row("x" .. row))
      end
    end)

    it("answers any bytes with a whole tick or an error", function()
      local random, alphabet = dice(5), "0123456789..,,,,;tf -e\0\xFFx"
      for _ = 1, 5000 do
        local text = {}
        for i = 1, random(40) do
          local at = random(#alphabet)
          text[i] = alphabet:sub(at, at)
        end
        local value, message, code = tick.parse_row(table.concat(text))
        if value then
          assert.is_true(tick.check(value))
        else
          assert.equal("EPROTO", code)
          assert.truthy(message == "Unable to parse line" or message == "Too many separators in line")
        end
      end
    end)
  end)

  describe("format_row", function()
    it("writes plain decimals and the final semicolon", function()
      assert.equal("1505177459.685, 139010, t, f, 0.0000001, 7.6506424;",
        tick.format_row(sample { ts = 1505177459.685, is_bid = false, price = 1e-7 }))
      assert.equal("1505177459.000, 0, f, t, 100000000000000000000, 0;",
        tick.format_row(sample { ts = 1505177459, seq = 0, is_trade = false, price = 1e20, size = 0 }))
    end)

    it("cuts ts to milliseconds, because more digits are read as another time", function()
      assert.equal("1505177459.658", tick.format_row(sample { ts = 1505177459.6581234 }):match("^[^,]+"))
    end)

    it("is read back by parse_row as the same tick", function()
      local random = dice(6)
      for _ = 1, 2000 do
        local value = { ts = (1500000000000 + random(8388608) * 7919) / 1000, seq = random(8388608),
          is_trade = random(2) == 1, is_bid = random(2) == 1,
          price = tick.f32(random(8388608) / 10 ^ random(12)), size = tick.f32(random(8388608) * 10 ^ random(9)) }
        assert.same(value, tick.parse_row(tick.format_row(value)))
      end
    end)

    local refused = {
      { { ts = 5 }, "ERANGE", "^ts: .*2001" }, { { ts = 0.001 }, "ERANGE", "^ts: .*2001" },
      { { ts = 999999999.999 }, "ERANGE", "^ts: .*2001" }, { { ts = 9223372036854776 }, "EINVAL", "^ts:" },
      { { price = 2.0 ^ 128 - 2.0 ^ 103 }, "EINVAL", "^price:" }, { { size = -1e39 }, "EINVAL", "^size:" },
      { { ts = -1 }, "EINVAL", "^ts:" }, { { ts = 0 / 0 }, "EINVAL", "^ts:" },
      { { price = -1 }, "ERANGE", "negative" }, { { size = -0.5 }, "ERANGE", "negative" },
      { { seq = 1.0 }, "EINVAL", "^seq:" }, { { seq = 4294967296 }, "EINVAL", "^seq:" },
      { { price = math.huge }, "EINVAL", "^price:" }, { { size = "7" }, "EINVAL", "^size:" },
      { { is_trade = 1 }, "EINVAL", "^is_trade:" }, { { is_bid = "t" }, "EINVAL", "^is_bid:" },
    }
    for _, case in ipairs(refused) do
      local name, value = next(case[1])
      it(("refuses %s = %s, which a server would misread"):format(name, tostring(value)), function()
        local row, message, code = tick.format_row(sample(case[1]))
        assert.is_nil(row)
        assert.equal(case[2], code)
        assert.truthy(message:find(case[3]), message)
      end)
    end

    it("refuses what is not a table", function()
      local row, message = tick.format_row("1,2,t,f,3,4;")
      assert.is_nil(row)
      assert.equal("tick: a table expected, got string", message)
    end)

    it("writes the smallest and largest numbers a server reads rightly", function()
      assert.equal(4294967295, tick.parse_row(tick.format_row(sample { seq = 4294967295 })).seq)
      assert.equal(0, tick.parse_row(tick.format_row(sample { ts = 0 })).ts)
      assert.equal(1000000000, tick.parse_row(tick.format_row(sample { ts = 1000000000 })).ts)
      assert.equal(0, tick.parse_row(tick.format_row(sample { price = 0 })).price)
    end)
  end)
end)
