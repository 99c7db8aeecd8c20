local Typist = require "spec.support.typist"

local function numbered(count)
  local list = {}
  for i = 1, count do
    list[i] = { text = ("name%d"):format(i), kind = "field" }
  end
  return list
end

describe("completion", function()
  it("asks with the text and the bytes before the cursor", function()
    local typist = Typist.new():type "x = stri y\2\2\t"
    assert.same({ { kind = "complete", text = "x = stri y", cursor = 8, token = 1 } }, typist.events)
  end)

  it("types a tab where a line has nothing but blanks", function()
    assert.equal("\t \tx\n\t|", Typist.new():type("\t \tx\n\t"):input())
  end)

  it("takes the only candidate", function()
    local typist = Typist.new():type("x = stri + 1\2\2\2\2\t")
    typist:answer { first = 5, last = 8, list = { { text = "string", kind = "global" } } }
    assert.equal("x = string| + 1", typist:input())
    assert.equal("x = stri| + 1", typist:type("\31"):input())
  end)

  it("finds the name before the cursor, if it is not told", function()
    assert.equal("a.b.cdef|", Typist.new():type("a.b.cd\t"):answer({ "cdef" }):input())
  end)

  it("takes what all candidates have in common, whole characters", function()
    local typist = Typist.new():type("pr\t"):answer { "print1é", "print1è" }
    assert.equal("print1|", typist:input())
    assert.same({}, typist:texts "bell")
  end)

  it("shows several above the prompt, then takes one after the other", function()
    local typist = Typist.new({ width = 20 }):type("a.f\t")
    typist:answer { first = 3, last = 3, list = { "fa", "fb", "fgh", "f" } }
    assert.equal("fa   fb   fgh  f\n> a.f", typist.screen:text())
    assert.equal("a.fb|", typist:type("\t\t"):input())
    assert.equal("a.fa|", typist:type("\27[Z"):input())
    assert.equal("a.f|", typist:type("\27[Z"):input())
    assert.equal("a.fa|", typist:type("\t"):input())
    assert.equal("fa   fb   fgh  f\n> a.fa", typist.screen:text())
  end)

  it("begins with the last by Shift-Tab", function()
    local typist = Typist.new():type("f\27[Z"):answer({ "fa", "fb", "f" }):type "\27[Z"
    assert.equal("f|", typist:input())
    assert.equal("fb|", typist:type("\27[Z"):input())
  end)

  it("asks anew after another key", function()
    local typist = Typist.new():type("f\t"):answer({ "fa", "fb", "f" }):type "\ta\t"
    assert.same({ "f", "faa" }, typist:texts "complete")
  end)

  it("ignores an answer that came too late", function()
    local typist = Typist.new():type("f\tx"):answer { "foo" }
    assert.equal("fx|", typist:input())
    typist:type("\127"):answer({ "fxoo" }, 7)
    assert.equal("f|", typist:input())
    typist:type("\2"):answer({ "foo" }, 1)
    assert.equal("|f", typist:input())
  end)

  it("shows 200, and counts the others", function()
    local typist = Typist.new({ height = 300, width = 14 }):type("name\t")
    typist:answer { first = 1, last = 4, list = numbered(212), more = 1000 }
    assert.matches("\nname200\n… 1012 more\n> name$", typist.screen:text())
  end)

  it("rings when there is nothing, or it is switched off", function()
    local typist = Typist.new():type("f\t"):answer {}
    assert.same({ kind = "bell" }, typist.events[2])
    typist = Typist.new({ complete = false }):type("f\t")
    assert.same({ { kind = "bell" } }, typist.events)
  end)

  it("may be had at once", function()
    local function complete(text, cursor)
      assert.same({ "f", 1 }, { text, cursor })
      return { first = 1, last = 1, list = { "foo" } }
    end
    assert.equal("foo|", Typist.new({ complete = complete }):type("f\t"):input())
  end)

  it("lets no candidate steer the terminal", function()
    local typist = Typist.new():type("f\t"):answer { "f\27[2J", "f\n" , "f" }
    assert.equal("f^[[2J  f^J     f\n> f", typist.screen:text())
  end)
end)
