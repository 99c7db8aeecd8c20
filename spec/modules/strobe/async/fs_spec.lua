local Folder = require "spec.support.folder"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local collector = require "spec.support.collector"
local descriptors = require "spec.support.descriptors"
local strobe = require("spec.support.shell").lua
local testing = require "strobe.testing"
local time = require "strobe.core.time"
local uv = require "luv"

local fs = async.fs

-- What libuv starts, unless told otherwise.
local THREADS = tonumber(os.getenv "UV_THREADPOOL_SIZE" or 4)

-- Waits until a count is at most what it was, for the threads may still be at what they
-- were told to do.
local function eventually(before, count)
  for _ = 1, 1000 do
    if count() <= before then
      return
    end
    fs.stat "/"
  end
  assert.equal(before, count())
end

-- Runs f in a task that is cancelled after so many requests of another task, for each
-- number of requests, and shows that no descriptor stays open.
local function cancel_everywhere(most, f)
  local before, cancelled = descriptors(), 0
  for i = 0, 2 * most do
    local t = async.create_task(f)
    for _ = 1, i // 2 do
      fs.stat "/"
    end
    for _ = 1, i % 2 do
      async.sleep(0)
    end
    t:cancel()
    async.wait { t }
    cancelled = cancelled + (t:cancelled() and 1 or 0)
  end
  assert.is_true(cancelled > 0)
  eventually(before, descriptors)
end

describe("async.fs", function()
  local folder, path

  before_each(function()
    folder = Folder.new { ["a.txt"] = "one\ntwo\r\nthree", ["sub/b.txt"] = "b", ["empty"] = "" }
    path = folder.path
  end)

  after_each(function()
    folder:__close()
  end)

  describe("read_file", function()
    it("gives the whole of a file, however large", function()
      assert.equal("one\ntwo\r\nthree", fs.read_file(path .. "/a.txt"))
      assert.equal("", fs.read_file(path .. "/empty"))
      local large = ("0123456789abcdef"):rep(70000)
      assert(fs.write_file(path .. "/large", large))
      assert.is_true(large == fs.read_file(path .. "/large"))
    end)

    it("reads files that do not know their size, as those of /proc", function()
      if not fs.stat "/proc/self/status" then
        pending "this system has no /proc"
      end
      assert.matches("Name:", fs.read_file "/proc/self/status")
    end)

    it("of a file that is not there names it, and says what to do", function()
      local data, message, code = fs.read_file(path .. "/none")
      assert.is_nil(data)
      assert.equal(("open %s/none: no such file or directory (check the path)"):format(path), message)
      assert.equal("ENOENT", code)
    end)

    it("refuses a folder", function()
      local _, message, code = fs.read_file(path)
      assert.equal("EISDIR", code)
      assert.matches("it is a directory", message)
    end)

    it("refuses a pipe, for which a thread would wait for ever", function()
      assert(os.execute(("mkfifo '%s/pipe'"):format(path)))
      local _, message, code = fs.read_file(path .. "/pipe")
      assert.equal("ENOTSUP", code)
      assert.matches("it is a pipe, not a file", message)
    end)

    it("takes no more than its limit", function()
      assert.equal("one\ntwo\r\nthree", fs.read_file(path .. "/a.txt", { limit = 14 }))
      local data, message, code = fs.read_file(path .. "/a.txt", { limit = 13 })
      assert.is_nil(data)
      assert.matches("more than 13 bytes %(read it in pieces, or give a higher limit%)", message)
      assert.equal("EFBIG", code)
      assert.equal("EFBIG", select(3, fs.read_file("/dev/zero", { limit = 1000000 })))
      for _, limit in ipairs { -1, 1.5, "1" } do
        assert.has_error(function()
          return fs.read_file(path .. "/a.txt", { limit = limit }), nil
        end)
      end
    end)
  end)

  describe("write_file", function()
    it("writes a new file, and in the place of what there was", function()
      assert.is_true(fs.write_file(path .. "/new", "long text"))
      assert.is_true(fs.write_file(path .. "/new", "short"))
      assert.equal("short", fs.read_file(path .. "/new"))
    end)

    it("appends", function()
      assert(fs.write_file(path .. "/log", "a", { append = true }))
      assert(fs.write_file(path .. "/log", "b", { append = true }))
      assert.equal("ab", fs.read_file(path .. "/log"))
    end)

    it("gives a new file its permissions", function()
      assert(fs.write_file(path .. "/secret", "x", { mode = tonumber("600", 8) }))
      assert.equal(tonumber("600", 8), fs.stat(path .. "/secret").mode)
    end)

    it("to a full disk says so", function()
      local ok, message, code = fs.write_file("/dev/full", "x")
      assert.is_nil(ok)
      assert.equal("write /dev/full: no space left on device (free some space, or write elsewhere)", message)
      assert.equal("ENOSPC", code)
    end)

    it("in a folder that is not there fails", function()
      assert.equal("ENOENT", select(3, fs.write_file(path .. "/none/x", "x")))
      assert.equal("ENOENT", select(3, fs.write_file(path .. "/none/x", "x", { atomic = true })))
    end)

    describe("atomically", function()
      local function count_entries()
        return #fs.readdir(path)
      end

      it("replaces the file, keeps its permissions, leaves nothing beside it", function()
        assert(uv.fs_chmod(path .. "/a.txt", tonumber("640", 8)))
        assert.is_true(fs.write_file(path .. "/a.txt", "new", { atomic = true }))
        assert.equal("new", fs.read_file(path .. "/a.txt"))
        assert.equal(tonumber("640", 8), fs.stat(path .. "/a.txt").mode)
        assert.equal(3, #fs.readdir(path))
      end)

      it("that fails leaves nothing behind", function()
        assert.equal("EISDIR", select(3, fs.write_file(path .. "/sub", "x", { atomic = true })))
        eventually(3, count_entries)
      end)

      it("that is cancelled leaves the old or the new, and nothing beside it", function()
        cancel_everywhere(12, function()
          fs.write_file(path .. "/a.txt", "new", { atomic = true })
        end)
        eventually(3, count_entries)
        local text = fs.read_file(path .. "/a.txt")
        assert.is_true(text == "new" or text == "one\ntwo\r\nthree")
      end)

      it("cannot append", function()
        assert.has_error(function()
          fs.write_file(path .. "/a.txt", "x", { atomic = true, append = true })
        end, "fs.write_file: atomic: what is appended cannot be atomic")
      end)
    end)
  end)

  describe("open", function()
    it("has the modes of io.open, and x for a new file only", function()
      do
        local file <close> = assert(fs.open(path .. "/x", "x"))
        assert.is_true(file:write "1")
      end
      assert.equal("EEXIST", select(3, fs.open(path .. "/x", "x")))
      do
        local file <close> = assert(fs.open(path .. "/x", "r+b"))
        assert.equal("1", file:read(10))
        assert.is_true(file:write "23")
      end
      do
        local file <close> = assert(fs.open(path .. "/x", "a+"))
        assert.is_true(file:write "4")
        assert.equal("123", file:read(3))
      end
      assert.equal("1234", fs.read_file(path .. "/x"))
    end)

    it("with a mode that there is not is a mistake", function()
      for _, mode in ipairs { "rw", "", "wb+b", 1, {} } do
        local ok, message = pcall(fs.open, path .. "/x", mode)
        assert.is_false(ok)
        assert.matches("fs.open: mode: ", message)
      end
    end)

    it("of a file without permission says so", function()
      if uv.getuid() == 0 then
        pending "root may read everything"
      end
      assert(uv.fs_chmod(path .. "/a.txt", 0))
      assert.equal("EACCES", select(3, fs.open(path .. "/a.txt")))
    end)
  end)

  describe("a path", function()
    it("that is none is a mistake of the caller", function()
      for _, name in ipairs { "open", "read_file", "stat", "readdir", "mkdir", "rmdir", "unlink", "realpath" } do
        for _, bad in ipairs { "", "a\0b", 1, false } do
          local ok, message = pcall(function()
            return fs[name](bad), nil
          end)
          assert.is_false(ok)
          assert.matches(("fs_spec.lua:%%d+: fs.%s: path: "):format(name), message)
        end
      end
      assert.is_false(pcall(fs.rename, "a", nil))
      assert.is_false(pcall(fs.write_file, "a", nil))
    end)
  end)

  describe("a file", function()
    it("reads n bytes, fewer at the end, and then nothing", function()
      local file <close> = assert(fs.open(path .. "/a.txt"))
      assert.equal("one\n", file:read(4))
      assert.equal("", file:read(0))
      assert.equal("two\r\nthree", file:read(100))
      assert.equal("", file:read(1))
      assert.equal("", file:read())
    end)

    it("reads n bytes of what is larger than one request", function()
      assert(fs.write_file(path .. "/large", ("x"):rep(1000000)))
      local file <close> = assert(fs.open(path .. "/large"))
      assert.equal(700000, #file:read(700000))
      assert.equal(300000, #file:read(700000))
    end)

    it("seeks", function()
      local file <close> = assert(fs.open(path .. "/a.txt", "r+"))
      assert.equal(14, file:seek "end")
      assert.equal(9, file:seek("cur", -5))
      assert.equal("three", file:read())
      assert.equal(4, file:seek("set", 4))
      assert(file:write "TWO")
      assert.equal(7, file:seek())
      assert.equal("EINVAL", select(3, file:seek("set", -1)))
      assert.is_false(pcall(file.seek, file, "middle"))
      assert.equal("one\nTWO\r\nthree", fs.read_file(path .. "/a.txt"))
    end)

    it("that has no positions cannot seek", function()
      local file <close> = assert(fs.open "/dev/null")
      assert.equal("ESPIPE", select(3, file:seek "set"))
    end)

    it("knows what it is, and can be brought to the disk", function()
      local file <close> = assert(fs.open(path .. "/new", "w", { mode = tonumber("600", 8) }))
      assert(file:write "12345")
      assert.is_true(file:sync())
      local stat = assert(file:stat())
      assert.equal("file", stat.type)
      assert.equal(5, stat.size)
      assert.equal(tonumber("600", 8), stat.mode)
    end)

    it("closes once; then nothing can be done with it", function()
      local file = assert(fs.open(path .. "/a.txt"))
      assert.is_true(file:close())
      assert.is_true(file:close())
      for _, verb in ipairs { "read", "stat", "sync" } do
        local result, message, code = file[verb](file)
        assert.is_nil(result)
        assert.equal(("%s %s/a.txt: the file is closed"):format(verb, path), message)
        assert.equal("EBADF", code)
      end
      assert.equal("EBADF", select(3, file:write "x"))
    end)

    it("closes with its block, and when nobody holds it", function()
      local before = descriptors()
      do
        local _ <close> = assert(fs.open(path .. "/a.txt"))
      end
      assert.equal(before, descriptors())
      assert(fs.open(path .. "/a.txt"))
      assert.equal(before + 1, descriptors())
      collector.collect()
      assert.equal(before, descriptors())
    end)

    it("takes tasks in turn", function()
      testing.fifo()
      assert(fs.write_file(path .. "/large", ("x"):rep(600000) .. ("y"):rep(600000)))
      local file <close> = assert(fs.open(path .. "/large"))
      local first, second = async.gather(
        async.create_task(file.read, file, 600000), async.create_task(file.read, file, 600000))
      assert.is_true(first == ("x"):rep(600000))
      assert.is_true(second == ("y"):rep(600000))
    end)

    it("that one task closes while another reads fails that one", function()
      local file = assert(fs.open "/dev/zero")
      local reader = async.create_task(file.read_all, file)
      async.sleep(0)
      file:close()
      local data, message, code = reader:await()
      assert.is_nil(data)
      assert.equal("read /dev/zero: the file was closed meanwhile", message)
      assert.equal("EBADF", code)
    end)

    it("goes on after a cancelled read, with no byte lost", function()
      local file <close> = assert(fs.open(path .. "/a.txt"))
      local t = async.create_task(file.read, file, 4)
      async.sleep(0)
      t:cancel()
      async.wait { t }
      assert.is_true(t:cancelled())
      assert.equal("one\n", file:read(4))
    end)
  end)

  describe("stat", function()
    it("tells type, size and times", function()
      assert(uv.fs_utime(path .. "/a.txt", 784111777, 784111777))
      local stat = assert(fs.stat(path .. "/a.txt"))
      assert.equal("file", stat.type)
      assert.equal(14, stat.size)
      assert.equal(784111777, stat.mtime)
      assert.equal(784111777000000000, stat.mtime_ns)
      assert.equal("directory", fs.stat(path).type)
    end)

    it("follows symbolic links unless told not to", function()
      assert(uv.fs_symlink("a.txt", path .. "/link"))
      assert.equal("file", fs.stat(path .. "/link").type)
      assert.equal("link", fs.stat(path .. "/link", { follow_symlinks = false }).type)
    end)
  end)

  describe("readdir", function()
    it("lists the entries by name, with their types", function()
      assert(uv.fs_symlink("none", path .. "/link"))
      assert.same({
        { name = "a.txt", type = "file" }, { name = "empty", type = "file" }, { name = "link", type = "link" },
        { name = "sub", type = "directory" },
      }, fs.readdir(path))
    end)

    it("of a file, or of nothing, fails", function()
      assert.equal("ENOTDIR", select(3, fs.readdir(path .. "/a.txt")))
      assert.equal("ENOENT", select(3, fs.readdir(path .. "/none")))
    end)

    it("lists many, up to a limit", function()
      for i = 1, 300 do
        assert(io.open(("%s/sub/%03d"):format(path, i), "w")):close()
      end
      local list = assert(fs.readdir(path .. "/sub"))
      assert.equal(301, #list)
      assert.equal("001", list[1].name)
      local _, message, code = fs.readdir(path .. "/sub", { limit = 300 })
      assert.equal("EOVERFLOW", code)
      assert.matches("more than 300 entries", message)
    end)
  end)

  describe("mkdir", function()
    it("makes a folder, and with parents those above it", function()
      assert.is_true(fs.mkdir(path .. "/new"))
      assert.equal("EEXIST", select(3, fs.mkdir(path .. "/new")))
      assert.equal("ENOENT", select(3, fs.mkdir(path .. "/x/y/z")))
      assert.is_true(fs.mkdir(path .. "/x/y//z/", { parents = true }))
      assert.is_true(fs.mkdir(path .. "/x/y/z", { parents = true }))
      assert.equal("directory", fs.stat(path .. "/x/y/z").type)
    end)

    it("over a file fails", function()
      assert.equal("EEXIST", select(3, fs.mkdir(path .. "/a.txt", { parents = true })))
      assert.equal("ENOTDIR", select(3, fs.mkdir(path .. "/a.txt/x", { parents = true })))
    end)
  end)

  describe("rename, unlink and rmdir", function()
    it("do what they say", function()
      assert.is_true(fs.rename(path .. "/a.txt", path .. "/c.txt"))
      assert.is_true(fs.unlink(path .. "/c.txt"))
      assert.is_true(fs.unlink(path .. "/sub/b.txt"))
      assert.is_true(fs.rmdir(path .. "/sub"))
      assert.same({ { name = "empty", type = "file" } }, fs.readdir(path))
    end)

    it("fail with what is not there", function()
      local none = path .. "/none"
      local _, message, code = fs.rename(none, path .. "/x")
      assert.equal(("rename %s to %s/x: no such file or directory (check the path)"):format(none, path), message)
      assert.equal("ENOENT", code)
      assert.equal("ENOENT", select(3, fs.unlink(none)))
      assert.equal("ENOENT", select(3, fs.rmdir(none)))
      assert.equal("ENOTEMPTY", select(3, fs.rmdir(path .. "/sub")))
    end)
  end)

  describe("realpath", function()
    it("goes through links and dots", function()
      assert(uv.fs_symlink("sub", path .. "/link"))
      assert.equal(fs.realpath(path) .. "/sub/b.txt", fs.realpath(path .. "/link/../link/./b.txt"))
    end)
  end)

  describe("a cancelled task", function()
    it("leaves no file open, wherever it was", function()
      cancel_everywhere(12, function()
        local file <close> = assert(fs.open(path .. "/a.txt"))
        file:read(3)
        file:stat()
      end)
      cancel_everywhere(12, function()
        fs.read_file(path .. "/a.txt")
      end)
    end)

    it("leaves no folder open, wherever it was", function()
      cancel_everywhere(12, function()
        fs.readdir(path)
      end)
    end)

    it("has its time-out", function()
      local file <close> = assert(fs.open "/dev/zero")
      local in_time = async.move_on_after(0, file.read_all, file)
      assert.is_false(in_time)
    end)
  end)

  describe("at the end of a program", function()
    it("files that are open are closed", function()
      local output, status = strobe [[
        kept = assert(async.fs.open "/dev/null")
        assert(async.fs.open "/dev/null")
        print "end"]]
      assert.equal("end\n", output)
      assert.equal(0, status)
    end)

    it("requests at work are waited for, and what they open is closed", function()
      local output, status = strobe [[
        local fs = async.fs
        local file = assert(fs.open "/dev/zero")
        async.create_task(file.read_all, file)
        for _ = 1, 50 do
          async.create_task(fs.read_file, "/proc/self/status")
          async.create_task(fs.readdir, "/")
        end
        async.sleep(0)
        print "end"]]
      assert.equal("end\n", output)
      assert.equal(0, status)
    end)
  end)

  describe("outside of a task", function()
    it("says what to do", function()
      local message
      async.get_running_loop():call_soon(function()
        message = select(2, pcall(fs.unlink, path .. "/a.txt"))
      end)
      async.sleep(0)
      async.sleep(0)
      assert.matches("cannot wait here: no task is running", tostring(message))
      assert.is_table(fs.stat(path .. "/a.txt"))
    end)
  end)

  describe("virtual time", function()
    -- Calls f after so much real time.
    local function after(milliseconds, f)
      local timer = uv.new_timer()
      timer:start(milliseconds, 0, function()
        timer:close()
        f()
      end)
    end

    it("stands still while it is held, and goes on when it is released", function()
      local at_release
      time.hold()
      after(20, function()
        at_release = time.now()
        time.release()
      end)
      async.sleep(1)
      assert.equal(0, at_release)
      assert.equal(1, time.now())
      assert.has_error(time.release, "release: time is not held")
    end)

    it("stands still while a thread is at work", function()
      assert(os.execute(("mkfifo '%s/pipe'"):format(path)))
      local opened, writer = 0, nil
      local function free_the_threads()
        writer = writer or assert(uv.fs_open(path .. "/pipe", "r+", 0))
      end
      local _ <close> = cleanup(function()
        free_the_threads()
        uv.fs_close(writer)
      end)
      for _ = 1, THREADS do -- each waits for a writer
        assert(uv.fs_open(path .. "/pipe", "r", 0, function(_, fd)
          opened = opened + 1
          uv.fs_close(fd)
        end))
      end
      after(20, free_the_threads)
      local sleeper = async.create_task(async.sleep, 1)
      assert.is_table(fs.stat(path))
      assert.equal(0, time.now())
      sleeper:await()
      assert.is_true(opened > 0)
    end)
  end)
end)
