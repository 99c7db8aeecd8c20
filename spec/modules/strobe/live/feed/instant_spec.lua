local instants = require "strobe.live.feed.instant"

describe("an instant", function()
  it("is a number of seconds, milliseconds, microseconds or nanoseconds", function()
    for _, value in ipairs { 1614009104.208, 1614009104208, 1614009104208000, 1614009104208000000, "1614009104208" } do
      assert.equal(1614009104.208, instants.seconds(value))
    end
    assert.equal(0, instants.seconds(0))
  end)

  it("is a date of RFC 3339 in UTC", function()
    for text, seconds in pairs {
      ["1970-01-01T00:00:00Z"] = 0, ["2000-02-29T12:00:00Z"] = 951825600, ["2021-02-22T15:51:44.208Z"] = 1614009104.208,
      ["2100-03-01T00:00:00Z"] = 4107542400, ["2021-12-31 23:59:59"] = 1640995199,
    } do
      assert.equal(seconds, instants.seconds(text))
    end
  end)

  it("is nothing else", function()
    for _, value in ipairs { "", "now", "2021-13-01T00:00:00Z", "2021-01-00T00:00:00Z", "2021-01-01", -1, 1e20, 0 / 0,
      true, "-5", {} } do
      assert.is_nil(instants.seconds(value))
    end
  end)
end)
