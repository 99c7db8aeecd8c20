local Buffer = require "strobe.editor.buffer"

local function with(text, cursor)
  local buffer = Buffer.new()
  buffer:replace(1, 0, text, cursor)
  return buffer
end

describe("the text that is edited", function()
  it("has lines, however long", function()
    local text = ("x"):rep(1000) .. "\n" .. ("y"):rep(5) .. "\n\n" .. ("z"):rep(70000)
    local buffer = with(text)
    assert.equal(#text - 70000 + 1, buffer:line_start())
    assert.equal(#text + 1, buffer:line_end())
    assert.same({ 1, 1001 }, { buffer:line_start(500), buffer:line_end(500) })
    assert.same({ 1, 1001 }, { buffer:line_start(1001), buffer:line_end(1001) })
    assert.same({ 1002, 1007 }, { buffer:line_start(1002), buffer:line_end(1002) })
    assert.same({ 1008, 1008 }, { buffer:line_start(1008), buffer:line_end(1008) })
  end)

  it("has no room for more than 1 MiB, and stays as it is", function()
    local buffer = with(("x"):rep(Buffer.MOST - 1))
    assert.is_true(buffer:type "a")
    assert.is_false(buffer:type "b")
    assert.is_false(buffer:replace(1, 1, "bc"))
    assert.is_true(buffer:replace(1, 1, "b"))
    assert.equal(Buffer.MOST, #buffer.text)
  end)

  it("comes back by undo and goes by redo, whatever was done to it", function()
    local dice = require "spec.support.dice"(7)
    local buffer, texts = Buffer.new(), {}
    local acts = {
      function() return buffer:type(("ab世"):sub(dice(4), dice(5))) end,
      function() return buffer:erase() end,
      function() return buffer:delete() end,
      function()
        local first = dice(#buffer.text + 1)
        return buffer:replace(first, math.min(first + dice(4) - 2, #buffer.text), "xy")
      end,
      function() buffer.cursor = dice(#buffer.text + 1) end,
    }
    for _ = 1, 200 do
      buffer:close_word()
      acts[dice(#acts)]()
      if buffer.text ~= texts[#texts] then
        texts[#texts + 1] = buffer.text
      end
    end
    local last = buffer.text
    for i = #texts - 1, 1, -1 do
      assert.is_true(buffer:undo())
      assert.equal(texts[i], buffer.text)
    end
    for _ = 2, #texts do
      assert.is_true(buffer:redo())
    end
    assert.equal(last, buffer.text)
    assert.is_false(buffer:redo())
  end)

  it("keeps a bounded past", function()
    local buffer = Buffer.new()
    for _ = 1, 40 do
      buffer:replace(1, #buffer.text, ("x"):rep(500000))
      buffer:replace(1, #buffer.text, "")
    end
    collectgarbage()
    assert.is_true(collectgarbage "count" < 100 * 1024)
    local undone = 0
    while buffer:undo() do
      undone = undone + 1
    end
    assert.is_true(undone > 2 and undone < 12, undone)
    for i = 1, 2500 do
      buffer:type(("w%d "):format(i % 2))
    end
    undone = 0
    while buffer:undo() do
      undone = undone + 1
    end
    assert.is_true(undone >= 1000 and undone <= 2000, undone)
  end)

  it("has no cursor within a character, though its bytes came one by one", function()
    local buffer = with "\x96"
    buffer.cursor = 1
    buffer:type "\xe4\xb8"
    assert.same({ "世", 4 }, { buffer.text, buffer.cursor })
  end)
end)
