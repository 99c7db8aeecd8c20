local Folder = require "spec.support.folder"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local collector = require "spec.support.collector"
local descriptors = require "spec.support.descriptors"
local date = require "strobe.http.date"
local files = require("strobe.http.files").handler
local uv = require "luv"

local EPOCH = 784111777
local STAMP = "Sun, 06 Nov 1994 08:49:37 GMT"
local LARGE = ("0123456789abcdef"):rep(20000)

-- Waits until no more are open than were, for the threads may still be closing.
local function expect_descriptors(before)
  for _ = 1, 1000 do
    if descriptors() <= before then
      return
    end
    async.fs.stat "/"
  end
  assert.equal(before, descriptors())
end

local function close(body)
  if type(body) == "table" then
    getmetatable(body).__close(body)
  end
end

-- All bytes of a body, which is closed, as the server does it.
local function drain(body)
  if type(body) ~= "table" then
    return body
  end
  local _ <close> = body
  local parts = {}
  for piece in body do
    assert.is_true(#piece > 0)
    parts[#parts + 1] = piece
  end
  return table.concat(parts)
end

describe("http.files", function()
  local folder, outside, root

  before_each(function()
    outside = Folder.new { secret = "secret", ["sub/x.txt"] = "outside" }
    folder = Folder.new {
      ["a.txt"] = "0123456789", ["large.bin"] = LARGE, ["empty.css"] = "", ["site/index.html"] = "<p>hello</p>",
      ["bare/one.txt"] = "1", ["bare/.hidden"] = "no", [".env"] = "key", [".git/config"] = "no", ["b c&d.txt"] = "odd",
    }
    root = folder.path
    for _, name in ipairs { "a.txt", "large.bin", "empty.css", "site/index.html" } do
      assert(uv.fs_utime(root .. "/" .. name, EPOCH, EPOCH))
    end
  end)

  after_each(function()
    folder:__close()
    outside:__close()
  end)

  -- What a request gets: status, headers, and the body's bytes.
  local function request(handler, method, path, headers, target)
    local status, answer, body = handler {
      method = method, path = path, target = target or path, headers = headers or {},
    }
    if method == "HEAD" then
      close(body)
      return status, answer, nil
    end
    local text = drain(body)
    if answer["Content-Length"] then
      assert.equal(answer["Content-Length"], #(text or ""))
    end
    return status, answer, text
  end

  local function get(path, headers, options)
    return request(files(root, options), "GET", path, headers)
  end

  describe("GET", function()
    it("sends the file with what there is to say of it", function()
      local status, headers, body = get "/a.txt"
      assert.equal(200, status)
      assert.equal("0123456789", body)
      assert.equal(10, headers["Content-Length"])
      assert.equal("text/plain; charset=utf-8", headers["Content-Type"])
      assert.equal("nosniff", headers["X-Content-Type-Options"])
      assert.equal("bytes", headers["Accept-Ranges"])
      assert.equal(STAMP, headers["Last-Modified"])
      assert.matches('^"%x+%-%x+%-%x+"$', headers.ETag)
      assert.is_nil(headers["Cache-Control"])
      assert.is_nil(headers.Vary)
    end)

    it("sends large files in pieces, and empty ones", function()
      local _, _, body = files(root) { method = "GET", path = "/large.bin", target = "/large.bin", headers = {} }
      local _ <close> = body
      assert.equal(64 * 1024, #body())
      close(body)
      assert.is_true(LARGE == select(3, get "/large.bin"))
      local status, headers, text = get "/empty.css"
      assert.equal(200, status)
      assert.equal(0, headers["Content-Length"])
      assert.equal("", text)
    end)

    it("sends what its options say", function()
      local _, headers = get("/a.txt", nil, {
        cache_control = "no-cache", types = { txt = "text/x-own" }, headers = { ["X-Own"] = "yes" },
      })
      assert.equal("no-cache", headers["Cache-Control"])
      assert.equal("text/x-own", headers["Content-Type"])
      assert.equal("yes", headers["X-Own"])
    end)

    it("of what is not there is 404", function()
      local long_name, long_path = "/" .. ("x"):rep(300), "/" .. ("x/"):rep(3000)
      for _, path in ipairs { "/none", "/none/", "/a.txt/", "/a.txt/x", long_name, long_path } do
        local status, headers = get(path)
        assert.equal(404, status)
        assert.equal("nosniff", headers["X-Content-Type-Options"])
      end
    end)

    it("of a pipe is 404, and nobody waits", function()
      assert(os.execute(("mkfifo '%s/pipe'"):format(root)))
      assert.equal(404, (get "/pipe"))
    end)

    it("of what must not be read is 403", function()
      if uv.getuid() == 0 then
        pending "root may read everything"
      end
      assert(uv.fs_chmod(root .. "/a.txt", 0))
      assert.equal(403, (get "/a.txt"))
    end)
  end)

  describe("HEAD", function()
    it("says the same, and leaves nothing open", function()
      local before = descriptors()
      local _, of_get = get "/a.txt"
      local status, of_head, body = request(files(root), "HEAD", "/a.txt", { range = "bytes=0-1" })
      assert.equal(200, status)
      assert.same(of_get, of_head)
      assert.is_nil(body)
      expect_descriptors(before)
    end)
  end)

  describe("another method", function()
    it("is 405, and told which there are", function()
      for _, method in ipairs { "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "" } do
        local status, headers = request(files(root), method, "/a.txt")
        assert.equal(405, status)
        assert.equal("GET, HEAD", headers.Allow)
      end
    end)
  end)

  describe("a path", function()
    it("that no file can have is 400", function()
      for _, path in ipairs {
        "", "a.txt", "/a\0.txt", "/../secret", "/site/../a.txt", "/site/..", "/./a.txt", "/site/.", "//a.txt",
        "/site//index.html", "/..\\secret", "/\\evil.example", "/site\\index.html", "//evil.example/", "*",
      } do
        assert.equal(400, (get(path)), path)
      end
    end)

    it("may have spaces and what else files have", function()
      assert.equal("odd", select(3, get "/b c&d.txt"))
    end)

    it("that begins with a dot anywhere is 404, unless told otherwise", function()
      for _, path in ipairs { "/.env", "/.git/config", "/.git/", "/bare/.hidden", "/..." } do
        assert.equal(404, (get(path, nil, { listing = true })))
      end
      assert.equal("key", select(3, get("/.env", nil, { dotfiles = true })))
      assert.equal(400, (get("/../x", nil, { dotfiles = true })))
    end)

    it("may begin with a prefix, which is not looked up", function()
      local handler = files(root, { prefix = "/static/" })
      assert.equal("0123456789", select(3, request(handler, "GET", "/static/a.txt")))
      for _, path in ipairs { "/a.txt", "/statica.txt", "/stati", "/static2/a.txt" } do
        assert.equal(404, (request(handler, "GET", path)))
      end
      local status, headers = request(handler, "GET", "/static/site")
      assert.equal(301, status)
      assert.equal("/static/site/", headers.Location)
      assert.equal("/static/", select(2, request(handler, "GET", "/static")).Location)
    end)
  end)

  describe("a symbolic link", function()
    before_each(function()
      assert(uv.fs_symlink("a.txt", root .. "/inside"))
      assert(uv.fs_symlink(outside.path .. "/secret", root .. "/out"))
      assert(uv.fs_symlink(outside.path, root .. "/folder"))
      assert(uv.fs_symlink(".env", root .. "/env"))
      assert(uv.fs_symlink("round", root .. "/round"))
    end)

    it("that stays within is a file", function()
      assert.equal("0123456789", select(3, get "/inside"))
    end)

    it("that leads out is 404, unless told otherwise", function()
      for _, path in ipairs { "/out", "/folder/secret", "/folder/", "/folder/sub/x.txt" } do
        assert.equal(404, (get(path, nil, { listing = true })))
      end
      assert.equal("secret", select(3, get("/out", nil, { follow_symlinks = true })))
      assert.equal("outside", select(3, get("/folder/sub/x.txt", nil, { follow_symlinks = true })))
    end)

    it("to a dotfile, or round in a circle, is 404", function()
      assert.equal(404, (get "/env"))
      assert.equal(404, (get "/round"))
    end)

    it("to a folder whose name begins as the directory's does is out of it", function()
      local twin = root .. "-twin"
      assert(uv.fs_mkdir(twin, 493))
      local _ <close> = cleanup(function()
        assert(uv.fs_rmdir(twin))
      end)
      assert(uv.fs_symlink(twin, root .. "/twin"))
      assert.equal(404, (get("/twin/", nil, { listing = true })))
    end)

    it("may be the directory itself, also when it is changed", function()
      assert(uv.fs_symlink(root, outside.path .. "/current"))
      local handler = files(outside.path .. "/current")
      assert.equal(200, (request(handler, "GET", "/a.txt")))
      assert(uv.fs_unlink(outside.path .. "/current"))
      assert(uv.fs_symlink(root .. "/bare", outside.path .. "/current"))
      assert.equal(404, (request(handler, "GET", "/a.txt")))
      assert.equal(200, (request(handler, "GET", "/one.txt")))
    end)
  end)

  describe("a folder", function()
    it("is its index", function()
      local status, headers, body = get "/site/"
      assert.equal(200, status)
      assert.equal("<p>hello</p>", body)
      assert.equal("text/html; charset=utf-8", headers["Content-Type"])
      assert.equal("0123456789", select(3, get("/", nil, { index = "a.txt" })))
      assert.equal(404, (get("/site/", nil, { index = false })))
    end)

    it("without its slash is redirected, with the query", function()
      local handler = files(root)
      local status, headers = request(handler, "GET", "/site", nil, "/site?a=1&b=%20")
      assert.equal(301, status)
      assert.equal("/site/?a=1&b=%20", headers.Location)
      assert(uv.fs_mkdir(root .. "/x y\r\n:", 493))
      assert.equal("/x%20y%0D%0A%3A/", select(2, request(handler, "GET", "/x y\r\n:")).Location)
    end)

    it("is never redirected to another host, nor are headers forged", function()
      local handler = files(root)
      for _, target in ipairs { "//evil.example/site", "http://evil.example/site", "/site#//evil.example" } do
        assert.equal("/site/", select(2, request(handler, "GET", "/site", nil, target)).Location)
      end
      local forged = "/site?a\r\nSet-Cookie: b"
      assert.equal("/site/?a%0D%0ASet-Cookie:%20b", select(2, request(handler, "GET", "/site", nil, forged)).Location)
    end)

    it("without an index is 404, unless a page is asked for", function()
      assert.equal(404, (get "/bare/"))
      local status, headers, body = get("/bare/", nil, { listing = true })
      assert.equal(200, status)
      assert.equal("text/html; charset=utf-8", headers["Content-Type"])
      assert.matches('<a href="./one.txt">one.txt</a>', body, 1, true)
      assert.is_nil(body:find("hidden", 1, true))
      assert.matches("hidden", select(3, get("/bare/", nil, { listing = true, dotfiles = true })))
      assert.equal("<p>hello</p>", select(3, get("/site/", nil, { listing = true })))
    end)
  end)

  describe("a range", function()
    it("is sent alone", function()
      local status, headers, body = get("/a.txt", { range = "bytes=2-5" })
      assert.equal(206, status)
      assert.equal("2345", body)
      assert.equal("bytes 2-5/10", headers["Content-Range"])
      assert.equal(4, headers["Content-Length"])
      assert.equal("789", select(3, get("/a.txt", { range = "bytes=-3" })))
      assert.equal("56789", select(3, get("/a.txt", { range = "bytes=5-" })))
    end)

    it("may begin anywhere in a large file", function()
      for _, first in ipairs { 1, 65535, 65536, 65537, 200001, #LARGE - 1 } do
        local last = math.min(first + 100000, #LARGE - 1)
        local _, _, body = get("/large.bin", { range = ("bytes=%d-%d"):format(first, last) })
        assert.is_true(body == LARGE:sub(first + 1, last + 1))
      end
    end)

    it("that is not there is 416, which tells the size", function()
      local status, headers = get("/a.txt", { range = "bytes=10-" })
      assert.equal(416, status)
      assert.equal("bytes */10", headers["Content-Range"])
      assert.equal(416, (get("/empty.css", { range = "bytes=0-" })))
    end)

    it("that is malformed is ignored", function()
      assert.equal(200, (get("/a.txt", { range = "bytes=5-2" })))
      assert.equal(200, (get("/a.txt", { range = "lines=1-2" })))
    end)

    it("of several parts comes with a head for each", function()
      local status, headers, body = get("/a.txt", { range = "bytes=0-1,8-9" })
      assert.equal(206, status)
      assert.is_nil(headers["Content-Range"])
      local boundary = headers["Content-Type"]:match "^multipart/byteranges; boundary=([%w%-]+)$"
      local head = "Content-Type: text/plain; charset=utf-8\r\nContent-Range: bytes %s/10\r\n\r\n%s"
      assert.equal(("--%s\r\n%s\r\n--%s\r\n%s\r\n--%s--\r\n"):format(boundary, head:format("0-1", "01"), boundary,
        head:format("8-9", "89"), boundary), body)
    end)

    it("asked for many times over is sent once", function()
      local _, headers, body = get("/a.txt", { range = "bytes=0-,0-,0-,0-" })
      assert.equal("bytes 0-9/10", headers["Content-Range"])
      assert.equal("0123456789", body)
    end)

    it("counts only if the file is the one If-Range means", function()
      local tag = select(2, get "/a.txt").ETag
      for _, value in ipairs { tag, STAMP } do
        assert.equal(206, (get("/a.txt", { range = "bytes=0-1", ["if-range"] = value })))
      end
      for _, value in ipairs { '"x"', "W/" .. tag, date.format(EPOCH + 1), "x" } do
        assert.equal(200, (get("/a.txt", { range = "bytes=0-1", ["if-range"] = value })))
      end
    end)
  end)

  describe("a condition", function()
    it("that says the client has it gets 304, with the validators and no content", function()
      local options = { cache_control = "no-cache" }
      local _, headers = get("/a.txt", nil, options)
      for name, value in pairs { ["if-none-match"] = headers.ETag, ["if-modified-since"] = STAMP } do
        local status, answer, body = get("/a.txt", { [name] = value, range = "bytes=0-1" }, options)
        assert.equal(304, status)
        assert.is_nil(body)
        assert.equal(headers.ETag, answer.ETag)
        assert.equal("no-cache", answer["Cache-Control"])
        assert.is_nil(answer["Content-Length"])
        assert.is_nil(answer["Content-Type"])
      end
    end)

    it("that is not met gets 412", function()
      assert.equal(412, (get("/a.txt", { ["if-match"] = '"x"' })))
      assert.equal(412, (get("/a.txt", { ["if-unmodified-since"] = date.format(EPOCH - 1) })))
      assert.equal(404, (get("/none", { ["if-match"] = '"x"' })))
    end)

    it("knows another content by its tag", function()
      local before = select(2, get "/a.txt").ETag
      assert(async.fs.write_file(root .. "/a.txt", "9876543210"))
      assert.not_equal(before, select(2, get "/a.txt").ETag)
    end)

    it("on a file of this moment has a weak tag, for it may change again", function()
      local now = async.wall_time()
      assert(uv.fs_utime(root .. "/a.txt", now, now))
      local _, headers = get "/a.txt"
      assert.matches('^W/"', headers.ETag)
      assert.equal(304, (get("/a.txt", { ["if-none-match"] = headers.ETag })))
      assert.equal(200, (get("/a.txt", { range = "bytes=0-1", ["if-range"] = headers.ETag })))
    end)

    it("never hears of a time to come", function()
      local now = async.wall_time()
      assert(uv.fs_utime(root .. "/a.txt", now + 1000, now + 1000))
      assert.equal(date.format(now), select(2, get "/a.txt")["Last-Modified"])
    end)
  end)

  describe("a compressed file beside it", function()
    local options = { precompressed = true }

    before_each(function()
      assert(async.fs.write_file(root .. "/a.txt.gz", "GZIP"))
      assert(uv.fs_utime(root .. "/a.txt.gz", EPOCH, EPOCH))
    end)

    it("is sent to those who take gzip", function()
      for _, value in ipairs { "gzip", "deflate, gzip;q=0.5", "*", "GZIP", "x-gzip", "br;q=1, gzip ; q=0.001" } do
        local status, headers, body = get("/a.txt", { ["accept-encoding"] = value }, options)
        assert.equal(200, status)
        assert.equal("GZIP", body)
        assert.equal("gzip", headers["Content-Encoding"])
        assert.equal("text/plain; charset=utf-8", headers["Content-Type"])
        assert.equal("Accept-Encoding", headers.Vary)
      end
    end)

    it("is not sent to others, who are told that it depends", function()
      for _, value in ipairs { "", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;q=0, *", "gzipped" } do
        local _, headers, body = get("/a.txt", { ["accept-encoding"] = value }, options)
        assert.equal("0123456789", body)
        assert.is_nil(headers["Content-Encoding"])
        assert.equal("Accept-Encoding", headers.Vary)
      end
    end)

    it("has a tag of its own", function()
      local plain = select(2, get("/a.txt", nil, options)).ETag
      assert.not_equal(plain, select(2, get("/a.txt", { ["accept-encoding"] = "gzip" }, options)).ETag)
    end)

    it("is not sent when it is older, leads out, or nobody asked for it", function()
      local headers = { ["accept-encoding"] = "gzip" }
      assert.equal("0123456789", select(3, get("/a.txt", headers)))
      assert(uv.fs_utime(root .. "/a.txt.gz", EPOCH - 1, EPOCH - 1))
      assert.equal("0123456789", select(3, get("/a.txt", headers, options)))
      assert(uv.fs_unlink(root .. "/a.txt.gz"))
      assert(uv.fs_symlink(outside.path .. "/secret", root .. "/a.txt.gz"))
      assert.equal("0123456789", select(3, get("/a.txt", headers, options)))
    end)
  end)

  describe("a file that changes while it is sent", function()
    local function begin(path)
      local _, headers, body = files(root) { method = "GET", path = path, target = path, headers = {} }
      return headers, body
    end

    it("and grows is sent as it was promised", function()
      local headers, body = begin "/large.bin"
      assert(async.fs.write_file(root .. "/large.bin", "more", { append = true }))
      assert.equal(headers["Content-Length"], #drain(body))
    end)

    it("and shrinks fails its body, so that the connection breaks", function()
      local _, body = begin "/large.bin"
      assert.equal(64 * 1024, #body())
      assert(async.fs.write_file(root .. "/large.bin", ""))
      local ok, message = pcall(drain, body)
      assert.is_false(ok)
      assert.matches("the file became shorter while it was sent", message)
    end)

    it("and is removed or replaced is sent as it was", function()
      local _, body = begin "/large.bin"
      assert(async.fs.write_file(root .. "/large.bin", "new", { atomic = true }))
      assert.is_true(LARGE == drain(body))
    end)
  end)

  describe("leaves no file open", function()
    local before

    before_each(function()
      before = descriptors()
    end)

    after_each(function()
      expect_descriptors(before)
    end)

    local function begin()
      return select(3, files(root) { method = "GET", path = "/large.bin", target = "/large.bin", headers = {} })
    end

    it("when the body is closed midway, twice, or before it began", function()
      local body = begin()
      body()
      close(body)
      close(body)
      close(begin())
      assert.is_false(pcall(body))
    end)

    it("when all is sent", function()
      for piece in begin() do
        assert.is_string(piece)
      end
    end)

    it("when the body is dropped", function()
      begin()
      collector.collect()
    end)

    it("after each answer", function()
      local handler = files(root, { precompressed = true, listing = true })
      local tag = select(2, request(handler, "GET", "/a.txt")).ETag
      assert(async.fs.write_file(root .. "/a.txt.gz", "GZIP"))
      for _, headers in ipairs {
        { ["if-none-match"] = tag }, { ["if-match"] = '"x"' }, { range = "bytes=50-" }, { range = "bytes=0-0,5-5" },
        { ["accept-encoding"] = "gzip" },
      } do
        request(handler, "GET", "/a.txt", headers)
        request(handler, "HEAD", "/a.txt", headers)
      end
      for _, path in ipairs { "/site", "/site/", "/bare/", "/none" } do
        request(handler, "GET", path)
      end
    end)

    it("wherever its task is cancelled", function()
      local handler = files(root, { precompressed = true })
      assert(async.fs.write_file(root .. "/a.txt.gz", "GZIP"))
      local cancelled = 0
      for i = 0, 40 do
        local t = async.create_task(request, handler, "GET", "/a.txt", { ["accept-encoding"] = "gzip" })
        for _ = 1, i // 2 do
          async.fs.stat "/"
        end
        for _ = 1, i % 2 do
          async.sleep(0)
        end
        t:cancel()
        async.wait { t }
        cancelled = cancelled + (t:cancelled() and 1 or 0)
      end
      assert.is_true(cancelled > 0)
    end)
  end)

  describe("a mistake", function()
    it("in the directory or the options is told when the handler is made", function()
      local function fails(pattern, ...)
        local arguments = table.pack(...)
        local ok, message = pcall(function()
          return files(table.unpack(arguments, 1, arguments.n)), nil
        end)
        assert.is_false(ok)
        assert.matches("files_spec.lua:%d+: http.files: " .. pattern, message)
      end
      fails("directory: a directory expected, got nil", nil)
      fails("directory: a directory expected, got .*/none", root .. "/none")
      fails("directory: a directory expected", root .. "/a.txt")
      fails("options: there is no option lisitng", root, { lisitng = true })
      fails("listing: a boolean expected, got string", root, { listing = "yes" })
      fails("index: the name of a file expected", root, { index = "../x" })
      fails("index: the name of a file expected", root, { index = "" })
    end)

    it("of the world raises, for the server to tell: the directory has gone", function()
      local gone = Folder.new {}
      local handler = files(gone.path)
      gone:__close()
      local ok, message = pcall(request, handler, "GET", "/a.txt")
      assert.is_false(ok)
      assert.matches("the directory that is served: realpath .*: no such file or directory", message)
    end)
  end)
end)
