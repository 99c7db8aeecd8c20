local python = require "strobe.reference.python"

describe("asyncio's names", function()
  it("have a counterpart, or the reason why there is none", function()
    assert.equal("async.gather", python.find("asyncio.gather").here)
    assert.equal("async.gather", python.find("gather").here)
    local count = 0
    for _, section in ipairs(python.sections()) do
      for _, row in ipairs(section.rows) do
        count = count + 1
        assert.is_true(row.here ~= nil or #row.note > 0, row.name)
      end
    end
    assert.is_true(count > 200)
  end)

  it("of loops are the same for each kind of loop", function()
    local row = python.find "loop.time"
    assert.is_table(row)
    assert.same(row, python.find "asyncio.AbstractEventLoop.time")
    assert.same(row, python.find "EventLoop.time")
    assert.is_nil(python.find "gahter")
  end)

  it("are what ours come from", function()
    assert.equal("asyncio.gather", python.name_of "async.gather")
    assert.is_nil(python.name_of "gpio.board")
  end)

  it("can be asked for", function()
    assert.matches("^asyncio%.gather   is async%.gather here\n", (python.text "gather"))
    assert.matches("asyncio%.Queue%.put_nowait +async%.Queue", (python.text()))
    assert.matches("^no name of asyncio is just 'nowai'; .*asyncio%.Queue%.get_nowait", (python.text "nowai"))
    local text, message = python.text "gahter"
    assert.same({ nil, "asyncio has no 'gahter', or it is newer than this table" }, { text, message })
  end)

  it("are a page, with links to those pages that there are", function()
    local page = python.markdown(function(name)
      return name == "async.gather" and "async.md#gather" or nil
    end)
    assert.matches("| `asyncio%.gather` | %[`async%.gather`%]%(async%.md#gather%) |", (page:gsub("<a [^>]*></a>", "")))
    assert.not_matches("\n|[^|\n]*|[^|\n]*|\n", page) -- each row has three cells
  end)
end)
