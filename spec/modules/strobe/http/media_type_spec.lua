local media_type = require "strobe.http.media_type"

describe("a media type", function()
  it("follows from the end of the name", function()
    assert.equal("text/html; charset=utf-8", media_type.of "index.html")
    assert.equal("text/javascript; charset=utf-8", media_type.of "/a/b.min.js")
    assert.equal("application/json", media_type.of "x.json")
    assert.equal("image/svg+xml", media_type.of "x.svg")
    assert.equal("application/gzip", media_type.of "x.tar.gz")
  end)

  it("does not mind capitals", function()
    assert.equal("image/jpeg", media_type.of "PHOTO.JPG")
  end)

  it("of what nobody knows is bytes", function()
    for _, name in ipairs { "README", "x.unknown", "x.", "", "a.html/x", ".html/" } do
      assert.equal("application/octet-stream", media_type.of(name))
    end
  end)

  it("can be one's own", function()
    assert.equal("text/x-tick", media_type.of("a.tick", { tick = "text/x-tick" }))
    assert.equal("application/xhtml+xml", media_type.of("a.html", { html = "application/xhtml+xml" }))
  end)
end)
