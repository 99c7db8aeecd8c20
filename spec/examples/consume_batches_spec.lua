local sh = require("spec.support.shell").run

describe("examples/consume_batches.lua", function()
  local output, status

  setup(function()
    output, status = sh "$S --clock=virtual examples/consume_batches.lua"
  end)

  it("runs to its end", function()
    assert.equal(0, status, output)
  end)

  it("stores every item once, in order, in batches that are full or late", function()
    local all, sizes = {}, {}
    for batch, sum in output:gmatch "stored ([%d ]+): sum (%d+)\n" do
      local total, count = 0, 0
      for item in batch:gmatch "%d+" do
        all[#all + 1] = item
        total, count = total + tonumber(item), count + 1
      end
      assert.equal(tonumber(sum), total)
      sizes[#sizes + 1] = count
    end
    assert.equal("1 2 3 4 5 6 7 8 9 10", table.concat(all, " "))
    assert.equal("4 1 4 1", table.concat(sizes, " "))
  end)

  it("joins only after the last batch was stored", function()
    assert.matches("stored 10: sum 10\n[%d.]+ s  all is stored\n", output)
  end)

  it("loses nothing when the consumer is cancelled in the middle of a batch", function()
    assert.matches("\n[%d.]+ s  2 items are in the queue again; the first is one\n$", output)
  end)
end)
