local Undo = require "strobe.editor.undo"

-- What is taken back, the newest first, as "removed>inserted".
local function all_back(undo)
  local list = {}
  for edit in undo.back, undo do
    list[#list + 1] = ("%s>%s"):format(edit.removed, edit.inserted)
  end
  return list
end

describe("undo", function()
  it("has nothing to take back, nor to do again, before something was edited", function()
    local undo = Undo.new()
    assert.is_nil(undo:back())
    assert.is_nil(undo:forward())
  end)

  it("takes typing back word by word, whether it came by characters or at once", function()
    local by_keys, at_once = Undo.new(), Undo.new()
    local text = "  one two  three"
    for i = 1, #text do
      by_keys:add_typing(i, text:sub(i, i))
    end
    at_once:add_typing(1, text)
    assert.same({ ">three", ">two  ", ">one ", ">  " }, all_back(at_once))
    assert.same({ ">three", ">two  ", ">one ", ">  " }, all_back(by_keys))
  end)

  it("does not join what is typed at different places, or after the word was ended", function()
    local undo = Undo.new()
    undo:add_typing(1, "ab")
    undo:add_typing(9, "c")
    undo:close()
    undo:add_typing(10, "d")
    assert.same({ ">d", ">c", ">ab" }, all_back(undo))
  end)

  it("joins characters that are erased one after the other, word by word", function()
    local undo = Undo.new()
    for i, character in ipairs { "o", "w", "t", " ", "e" } do
      undo:add_erasing(10 - i, character)
    end
    assert.same({ "e >", "two>" }, all_back(undo))
  end)

  it("does again what was taken back last, until something else is edited", function()
    local undo = Undo.new()
    undo:add_typing(1, "a b")
    undo:back()
    undo:back()
    assert.equal("a ", undo:forward().inserted)
    assert.equal("b", undo:forward().inserted)
    assert.is_nil(undo:forward())
    undo:back()
    undo:add_typing(3, "c")
    assert.is_nil(undo:forward())
    assert.same({ ">c", ">a " }, all_back(undo))
  end)

  it("is bounded: the oldest edits go, in count and in bytes, and the newest stays however long it is", function()
    local undo = Undo.new()
    for i = 1, 5000 do
      undo:add { at = i, removed = "", inserted = tostring(i), before = i, after = i }
    end
    local count, newest = 0, undo:back().inserted
    for _ in undo.back, undo do
      count = count + 1
    end
    assert.equal("5000", newest)
    assert(count >= 999 and count < 2000, count)
    undo = Undo.new()
    local long = ("x"):rep(3 * 1024 * 1024)
    for i = 1, 3 do
      undo:add { at = i, removed = long, inserted = "", before = i, after = i }
    end
    assert.equal(3, undo:back().at)
    assert.is_nil(undo:back())
  end)
end)
