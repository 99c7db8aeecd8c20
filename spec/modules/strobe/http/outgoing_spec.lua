local http = require "strobe.http"
local outgoing = require "strobe.http.outgoing"

-- What http.get raises for these options, without the line that it blames.
local function refused(options)
  local ok, e = pcall(http.get, "http://127.0.0.1:1", options)
  assert.is_false(ok)
  return (tostring(e):gsub("^[^%s]-:%d+: ", ""))
end

describe("the options of a request", function()
  it("are refused when there is none of that name, or it is of another type", function()
    assert.equal("http.get: there is no option 'header'", refused { header = {} })
    assert.equal("http.get: headers: a table expected, got string", refused { headers = "a: b" })
    assert.equal("http.get: timeout: seconds above 0, or false, expected, got 0", refused { timeout = 0 })
    assert.equal("http.get: retries: an integer of 0 or more expected, got -1", refused { retries = -1 })
    assert.equal("http.get: tls.verify: a boolean expected", refused { tls = { verify = 1 } })
    assert.equal("http.get: tls.verifi: there is no such option", refused { tls = { verifi = true } })
    assert.equal("http.get: options: a table expected, got number", refused(7))
  end)

  it("are refused when they contradict each other", function()
    assert.equal("http.get: only one of body, json and form expected", refused { body = "x", json = {} })
    assert.equal("http.get: only one of auth and bearer expected", refused { auth = { "a", "b" }, bearer = "c" })
  end)

  it("are good when they are not given", function()
    outgoing.check("http.get", {}, 1)
    outgoing.check("http.get", { timeout = false, proxy = false, max_body = 0, tls = { verify = false } }, 1)
  end)
end)
