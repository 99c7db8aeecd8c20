local http = require "strobe.http"
local mock = require "strobe.testing.mock"
local sh = require("spec.support.shell").run
local users = require "examples.fetch_user"

-- What get_username returns while the service answers so.
local function ask(answer)
  local web <close> = mock.http { ["GET https://api.example/profile"] = answer }
  local api <close> = http.Session { base_url = "https://api.example/", bearer = "secret" }
  local name, message, code = users.get_username(api)
  assert.equal("Bearer secret", web.calls[1].headers.authorization)
  return name, message, code
end

describe("examples/fetch_user.lua: get_username", function()
  it("is the user of the profile", function()
    assert.equal("Ada", ask { json = { user = "Ada" } })
  end)

  it("says why there is none", function()
    assert.same({ nil, "no profile: 401 Unauthorized", "EPROTO" }, { ask { status = 401 } })
    local _, message, code = ask { error = "ECONNREFUSED" }
    assert.matches("^http.get https://api.example/profile: ", message)
    assert.equal("ECONNREFUSED", code)
    assert.equal("EBADMSG", select(3, ask { body = "<html>" }))
  end)

  it("works with a service, too", function()
    local output, status = sh "$S examples/fetch_user.lua"
    assert.equal(0, status, output)
    assert.equal("hello, Ada\nsorry: no profile: 401 Unauthorized\n", output)
  end)
end)
