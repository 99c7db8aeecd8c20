local async = require "strobe.async"

describe("a task", function()
  describe("gather", function()
    it("returns the results in the order of its arguments", function()
      local job = async.fn(function(seconds)
        async.sleep(seconds)
        return seconds
      end)
      local a, b = async.gather(job(2), job(1))
      assert.same({ 2, 1 }, { a, b })
      assert.equal(2, async.time())
    end)
  end)
end)
