local listing = require "strobe.http.listing"

describe("the page of a folder", function()
  it("links its entries, and the folder above", function()
    local page = listing.page("/a/", { { name = "b", type = "directory" }, { name = "c d.txt", type = "file" } })
    assert.matches('<a href="../">../</a>', page, 1, true)
    assert.matches('<a href="./b/">b/</a>', page, 1, true)
    assert.matches('<a href="./c%20d.txt">c d.txt</a>', page, 1, true)
    assert.is_nil(listing.page("/", {}):find("../", 1, true))
  end)

  it("escapes what a name may do", function()
    local page = listing.page("/<i>/", {
      { name = "<script>alert(1)</script>", type = "file" }, { name = "javascript:alert(1)", type = "file" },
      { name = "\" onclick='x'", type = "file" }, { name = "a&b?c#d%41", type = "file" },
    })
    assert.is_nil(page:find("<script", 1, true))
    assert.is_nil(page:find("<i>", 1, true))
    assert.is_nil(page:find('href="javascript', 1, true))
    assert.is_nil(page:find("\" onclick", 1, true))
    assert.matches('"./%22%20onclick%3D%27x%27"', page, 1, true)
    assert.matches('"./a%26b%3Fc%23d%2541">a&amp;b?c#d%41<', page, 1, true)
  end)
end)
