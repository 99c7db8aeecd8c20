local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local directory = require "strobe.attach.directory"
local net = require "strobe.net"
local uv = require "luv"

-- No process has that number.
local NOBODY = 4194305

local function mode_of(path)
  return ("%o"):format(uv.fs_lstat(path).mode & tonumber("777", 8))
end

local function make(path, mode)
  assert(uv.fs_mkdir(path, tonumber("700", 8)))
  assert(uv.fs_chmod(path, tonumber(mode, 8)))
end

describe("the folder of attach sockets", function()
  it("is $XDG_RUNTIME_DIR/strobe, else /tmp/strobe-UID; clients look in both", function()
    local fallback = "/tmp/strobe-" .. uv.getuid()
    do
      local folder <close> = RuntimeFolder.new()
      assert.same({ folder.path .. "/strobe", fallback }, folder.candidates())
      uv.os_setenv("XDG_RUNTIME_DIR", folder.path .. "//")
      assert.equal(folder.path .. "/strobe", folder.candidates()[1])
      for _, value in ipairs { "relative", "" } do
        uv.os_setenv("XDG_RUNTIME_DIR", value)
        assert.same({ fallback }, folder.candidates())
      end
    end
  end)

  it("is made for its owner alone, whatever the umask", function()
    local folder <close> = RuntimeFolder.new()
    assert.equal(folder.path .. "/strobe", directory.open())
    assert.equal("700", mode_of(folder.path .. "/strobe"))
    assert.equal(folder.path .. "/strobe", directory.open())
  end)

  it("is refused when others may enter it", function()
    local folder <close> = RuntimeFolder.new()
    for _, mode in ipairs { "755", "770", "701", "600" } do
      make(folder.path .. "/strobe", mode)
      local path, message, code = directory.open()
      assert.is_nil(path)
      assert.equal(("%s/strobe is open to others: its mode is %s, and must be 700"):format(folder.path, mode), message)
      assert.equal("EPERM", code)
      assert(uv.fs_rmdir(folder.path .. "/strobe"))
    end
  end)

  it("is refused when it is a link, even to a good one, or a file", function()
    local folder <close> = RuntimeFolder.new { file = "" }
    make(folder.path .. "/elsewhere", "700")
    assert(uv.fs_symlink(folder.path .. "/elsewhere", folder.path .. "/strobe"))
    local path, message, code = directory.open()
    assert.same({ nil, folder.path .. "/strobe is a link, not a folder", "ENOTDIR" }, { path, message, code })
    assert.same({}, directory.list())
    assert(uv.fs_unlink(folder.path .. "/strobe"))
    assert(uv.fs_rename(folder.path .. "/file", folder.path .. "/strobe"))
    assert.equal("ENOTDIR", select(3, directory.open()))
    assert(uv.fs_unlink(folder.path .. "/strobe"))
  end)

  it("is refused when it belongs to somebody else", function()
    if uv.getuid() ~= 0 then
      pending "only root can make a folder of somebody else's"
    end
    local folder <close> = RuntimeFolder.new()
    make(folder.path .. "/strobe", "700")
    assert(uv.fs_chown(folder.path .. "/strobe", 65534, 65534))
    assert.same({ nil, folder.path .. "/strobe belongs to user 65534", "EPERM" }, { directory.open() })
  end)

  it("that cannot be made is told", function()
    local folder <close> = RuntimeFolder.new()
    uv.os_setenv("XDG_RUNTIME_DIR", folder.path .. "/gone")
    local path, message, code = directory.open()
    assert.is_nil(path)
    assert.matches("gone/strobe", message)
    assert.equal("ENOENT", code)
  end)
end)

describe("the path of an attach socket", function()
  it("has the process's number, and at most 107 bytes", function()
    assert.equal("/x/42.sock", directory.socket("/x", 42))
    local folder = "/" .. ("d"):rep(98)
    assert.equal(107, #directory.socket(folder, 42))
    local path, message, code = directory.socket(folder .. "d", 42)
    assert.is_nil(path)
    assert.equal(folder .. "d/42.sock: the path of a socket has at most 107 bytes, this one has 108", message)
    assert.equal("ENAMETOOLONG", code)
  end)
end)

describe("connecting to an attach socket", function()
  it("leaves one at which a process is about to listen", function()
    local folder <close> = RuntimeFolder.new()
    local child <close> = Child.spawn("cat", {}, { input = false })
    local path = assert(directory.socket(assert(directory.open()), child.pid))
    local server = assert(net.listen_unix(path))
    assert(uv.fs_rename(path, path .. ".kept"))
    server:close()
    assert(uv.fs_rename(path .. ".kept", path))
    assert.equal("ECONNREFUSED", select(3, directory.connect(path)))
    assert.truthy(uv.fs_lstat(path))
    child:kill "sigkill"
    child:wait()
    assert.equal("ECONNREFUSED", select(3, directory.connect(path)))
    assert.is_nil(uv.fs_lstat(path))
    assert.truthy(folder)
  end)

  it("removes one at which nobody listens", function()
    local folder <close> = RuntimeFolder.new()
    local path = directory.socket(directory.open(), NOBODY)
    local server = assert(net.listen_unix(path))
    assert(uv.fs_rename(path, path .. ".kept"))
    server:close() -- which removes what is at its path, as an end by kill -9 would not
    assert(uv.fs_rename(path .. ".kept", path))
    assert.same({ { pid = NOBODY, path = path } }, directory.list())
    assert.equal("ECONNREFUSED", select(3, directory.connect(path)))
    assert.same({}, directory.list())
    assert.equal("ENOENT", select(3, directory.connect(path)))
    assert.truthy(folder)
  end)

  it("follows no link, and leaves alone what is no socket", function()
    local folder <close> = RuntimeFolder.new { ["strobe/"] = "", victim = "precious" }
    uv.fs_chmod(folder.path .. "/strobe", tonumber("700", 8))
    local path = folder.path .. "/strobe/7.sock"
    assert(uv.fs_symlink(folder.path .. "/victim", path))
    assert.same({ nil, path .. " is a link, not a socket", "ENOTSOCK" }, { directory.connect(path) })
    assert.truthy(uv.fs_lstat(path))
    assert.truthy(uv.fs_lstat(folder.path .. "/victim"))
  end)
end)

describe("the list of attach sockets", function()
  it("has them by their numbers, and nothing else", function()
    local folder <close> = RuntimeFolder.new {
      ["strobe/x.sock"] = "", ["strobe/12.sock.x"] = "", ["strobe/0.sock"] = "", ["strobe/30.sock"] = "",
      ["strobe/4.sock"] = "", ["strobe/007.sock"] = "",
    }
    local inner = folder.path .. "/strobe"
    uv.fs_chmod(inner, tonumber("700", 8))
    assert.same({ { pid = 4, path = inner .. "/4.sock" }, { pid = 30, path = inner .. "/30.sock" } }, directory.list())
    uv.fs_chmod(inner, tonumber("755", 8))
    assert.same({}, directory.list())
  end)
end)
