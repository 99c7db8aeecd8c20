local async = require "strobe.async"
local http = require "strobe.http"

describe("http.error", function()
  it("makes an error with a status", function()
    local e = http.error(409, "taken")
    assert.is_true(async.is(e, http.HTTPException))
    assert.same({ 409, "taken", "HTTPException: taken" }, { e.status, e.message, tostring(e) })
    assert.equal("Not Found", http.error(404).message)
  end)

  it("takes statuses of errors only", function()
    for _, status in ipairs { 200, 399, 600, "404", 404.5 } do
      assert.error_matches(function()
        http.error(status)
      end, "a status from 400 to 599 expected")
    end
  end)
end)
