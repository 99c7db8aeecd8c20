local highlight = require "strobe.console.highlight"

-- "style:text" of each range.
local function styled(text)
  local list = {}
  for i, range in ipairs(highlight.ranges(text)) do
    list[i] = ("%s:%s"):format(range.style, text:sub(range.first, range.last))
  end
  return list
end

describe("highlighting", function()
  for text, expected in pairs {
    ["local x = 'a' -- c"] = { "keyword:local", "string:'a'", "comment:-- c" },
    ["print(x.print, 0xff)"] = { "global:print", "number:0xff" },
    ["async.sleep(1)"] = { "global:async", "number:1" },
    ["'open"] = { "string:'open" },
    ["'cut\nx"] = { "error:'cut" },
    ["[[open\nx"] = { "string:[[open\nx" },
    ["--[[open\nx"] = { "comment:--[[open\nx" },
    ["f(a]) )"] = { "error:]", "error:)" },
    ["{[1]=2}"] = { "number:1", "number:2" },
    ["3x"] = { "error:3x" },
    ["a @ b"] = { "error:@" },
    [":ps mm"] = { "keyword::ps" },
    [":time 1 + x"] = { "keyword::time", "number:1" },
    ["  :save! f"] = { "keyword::save!" },
    ["::l::"] = {},
    [""] = {},
  } do
    it(("colours %q"):format(text), function()
      assert.same(expected, styled(text))
    end)
  end

  it("leaves very long texts alone, as it is done at every keystroke", function()
    assert.equal(2, #highlight.ranges("x = 'a' and " .. (" "):rep(1000)))
    assert.same({}, highlight.ranges("x = 'a' and " .. (" "):rep(20000)))
  end)
end)
