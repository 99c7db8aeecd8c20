local date = require "strobe.http.date"

local EXAMPLE = 784111777 -- of RFC 9110, section 5.6.7

describe("an HTTP date", function()
  describe("format", function()
    it("writes IMF-fixdate", function()
      assert.equal("Sun, 06 Nov 1994 08:49:37 GMT", date.format(EXAMPLE))
      assert.equal("Thu, 01 Jan 1970 00:00:00 GMT", date.format(0))
      assert.equal("Wed, 31 Dec 1969 23:59:59 GMT", date.format(-1))
      assert.equal("Tue, 29 Feb 2000 00:00:00 GMT", date.format(951782400))
    end)

    it("takes whole seconds, rounding down", function()
      assert.equal(date.format(EXAMPLE), date.format(EXAMPLE + 0.999))
      assert.equal(date.format(-1), date.format(-0.5))
    end)

    it("is what the system says, on any day", function()
      for seconds = -62135596800, 253402300799, 86400 * 997 + 3671 do
        local t = os.date("!*t", seconds)
        local text = date.format(seconds)
        local day, year, hour, minute, second = text:match "^%a+, (%d+) %a+ (%d+) (%d+):(%d+):(%d+) GMT$"
        assert.same({ t.day, t.year, t.hour, t.min, t.sec },
          { tonumber(day), tonumber(year), tonumber(hour), tonumber(minute), tonumber(second) })
        assert.equal(os.date("!%a, %d %b", seconds), text:sub(1, 11))
        assert.equal(seconds, date.parse(text))
      end
    end)

    it("has an end in both directions", function()
      assert.equal("Mon, 01 Jan 0001 00:00:00 GMT", date.format(-math.huge))
      assert.equal("Fri, 31 Dec 9999 23:59:59 GMT", date.format(math.huge))
      assert.equal("Fri, 31 Dec 9999 23:59:59 GMT", date.format(math.maxinteger))
    end)
  end)

  describe("parse", function()
    it("reads all three formats", function()
      assert.equal(EXAMPLE, date.parse "Sun, 06 Nov 1994 08:49:37 GMT")
      assert.equal(EXAMPLE, date.parse "Sunday, 06-Nov-94 08:49:37 GMT")
      assert.equal(EXAMPLE, date.parse "Sun Nov  6 08:49:37 1994")
    end)

    it("takes two digits of a year for one at most 50 years ahead", function()
      local now = date.parse "Sat, 21 Nov 2026 00:00:00 GMT"
      local function year(digits)
        local seconds = date.parse(("Sunday, 06-Nov-%s 08:49:37 GMT"):format(digits), now)
        return date.format(seconds):sub(13, 16)
      end
      assert.equal("2026", year "26")
      assert.equal("2076", year "76")
      assert.equal("1977", year "77")
      assert.equal("1999", year "99")
      assert.equal("2000", year "00")
    end)

    it("takes 29 February only where there is one", function()
      assert.is_number(date.parse "Tue, 29 Feb 2000 00:00:00 GMT")
      assert.is_number(date.parse "Thu, 29 Feb 2024 00:00:00 GMT")
      assert.is_nil(date.parse "Thu, 29 Feb 1900 00:00:00 GMT")
      assert.is_nil(date.parse "Thu, 29 Feb 2023 00:00:00 GMT")
      local now = date.parse "Sat, 21 Nov 2026 00:00:00 GMT"
      assert.is_nil(date.parse("Monday, 29-Feb-23 00:00:00 GMT", now))
      assert.is_number(date.parse("Friday, 29-Feb-80 00:00:00 GMT", now))
    end)

    it("takes a leap second for the one before", function()
      assert.equal(date.parse "Sat, 31 Dec 2016 23:59:59 GMT", date.parse "Sat, 31 Dec 2016 23:59:60 GMT")
    end)

    it("refuses what is no date", function()
      for _, text in ipairs {
        "", "0", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Foo, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "Foo, 06-Nov-94 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "Sun Nov  0 08:49:37 1994", "Sun Nov    08:49:37 1994", "784111777",
      } do
        assert.is_nil(date.parse(text), text)
      end
    end)
  end)
end)
