local async = require "strobe.async"
local join = require "strobe.core.join"

describe("a join", function()
  describe("wait", function()
    it("returns the place of the future that decided", function()
      local a, b = async.Future(), async.Future()
      local t = async.create_task(join.wait, { a, b }, "FIRST_COMPLETED")
      async.sleep(0)
      b:set_result()
      assert.equal(2, t:await())
    end)

    it("returns nothing when all had to end", function()
      local a = async.create_task(async.sleep, 1)
      assert.equal(0, select("#", join.wait { a }))
    end)

    it("of an empty list returns at once", function()
      assert.equal(0, select("#", join.wait {}))
    end)

    it("takes a failed and a cancelled future for FIRST_FAILURE", function()
      local good, bad, gone = async.Future(), async.Future(), async.Future()
      good:set_result()
      bad:set_exception "bad"
      gone:cancel()
      assert.equal(2, join.wait({ good, bad }, "FIRST_FAILURE"))
      assert.equal(2, join.wait({ good, gone }, "FIRST_FAILURE"))
      assert.is_nil(join.wait({ good }, "FIRST_FAILURE"))
      assert.equal("bad", bad:exception())
    end)

    it("holds its futures, even if the list is emptied and all is collected", function()
      local list = {}
      for i = 1, 50 do
        list[i] = async.create_task(async.sleep, 1)
      end
      local emptier = async.create_task(function()
        async.sleep(1)
        for i = 1, 50 do
          list[i] = nil
        end
        collectgarbage()
        collectgarbage()
      end)
      assert.is_nil(join.wait(list, "FIRST_EXCEPTION"))
      emptier:await()
      assert.equal(1, async.time())
    end)

    it("that is cancelled leaves nothing at the futures", function()
      local f = async.Future()
      for _ = 1, 3 do
        local t = async.create_task(join.wait, { f, f })
        async.sleep(0)
        t:cancel()
        pcall(t.await, t)
        assert.is_true(t:cancelled())
      end
      f:set_result "fine"
      async.sleep(0)
      assert.equal("fine", f:await())
    end)

    it("that was decided unlinks the others, even those which ended in the same turn", function()
      local a, b = async.Future(), async.Future()
      local t = async.create_task(join.wait, { a, b }, "FIRST_COMPLETED")
      async.sleep(0)
      a:set_result()
      b:set_result()
      assert.equal(1, t:await())
      async.sleep(1)
    end)

    it("refuses what is no list of futures", function()
      for _, wrong in ipairs { { 5 }, { async.Future(), {} } } do
        local ok, message = pcall(join.wait, wrong)
        assert.is_false(ok)
        assert.matches("a list of Futures and Tasks expected", message)
      end
      assert.is_false(pcall(join.wait, 5))
      assert.is_false(pcall(join.wait, {}, "SOMETIME"))
    end)
  end)
end)
