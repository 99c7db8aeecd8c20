local letter = require "strobe.editor.letter"

describe("the case of letters", function()
  it("is changed in all scripts that have one", function()
    for _, words in ipairs {
      { "price_2", "PRICE_2", "Price_2" }, { "größe", "GRÖßE", "Größe" }, { "élan", "ÉLAN", "Élan" },
      { "ωμέγα", "ΩΜΈΓΑ", "Ωμέγα" }, { "цена", "ЦЕНА", "Цена" }, { "ÿ", "Ÿ", "Ÿ" }, { "_1ж", "_1Ж", "_1Ж" },
    } do
      local lower, upper, capital = table.unpack(words)
      assert.equal(upper, letter.upper(lower))
      assert.equal(lower, letter.lower(upper))
      assert.equal(capital, letter.capital(upper))
    end
  end)

  it("stays where there is none, and with it bytes that are no UTF-8", function()
    for _, text in ipairs { "", "価格", "12_3", "\u{1F4C8}", "\xff\x80", "\xc3", "\xf4\x90\x80\x80", "\xed\xa0\x80" } do
      assert.equal(text, letter.upper(text))
      assert.equal(text, letter.lower(text))
      assert.equal(text, letter.capital(text))
    end
  end)
end)
