local Folder = require "spec.support.folder"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"

local fs = async.fs

describe("async.fs", function()
  local folder, path

  before_each(function()
    folder = Folder.new { ["a.txt"] = "one", ["sub/b.txt"] = "b", ["sub/deep/c.txt"] = "c" }
    path = folder.path
  end)

  after_each(function()
    folder:__close()
  end)

  it("tells whether something exists", function()
    assert.is_true(fs.exists(path))
    assert.is_true(fs.exists(path .. "/a.txt"))
    assert.is_false(fs.exists(path .. "/none"))
    assert.is_false(fs.exists(path .. "/a.txt/b"))
    assert(fs.symlink("none", path .. "/dangling"))
    assert.is_false(fs.exists(path .. "/dangling"))
    local exists, _, code = fs.exists("/" .. ("x"):rep(300))
    assert.is_nil(exists)
    assert.equal("ENAMETOOLONG", code)
  end)

  it("makes symbolic links and reads them", function()
    assert.is_true(fs.symlink("a.txt", path .. "/link"))
    assert.equal("a.txt", fs.readlink(path .. "/link"))
    assert.equal("one", fs.read_file(path .. "/link"))
    assert.equal("EINVAL", select(3, fs.readlink(path .. "/a.txt")))
    local ok, message, code = fs.symlink("a.txt", path .. "/link")
    assert.is_nil(ok)
    local expected = "symlink %s/link to a.txt: file already exists (remove it, or choose another name)"
    assert.equal(expected:format(path), message)
    assert.equal("EEXIST", code)
  end)

  it("copies a file with its permissions, over another one", function()
    assert(fs.chmod(path .. "/a.txt", tonumber("640", 8)))
    assert.is_true(fs.copyfile(path .. "/a.txt", path .. "/copy"))
    assert.is_true(fs.copyfile(path .. "/a.txt", path .. "/sub/b.txt"))
    assert.equal("one", fs.read_file(path .. "/copy"))
    assert.equal("one", fs.read_file(path .. "/sub/b.txt"))
    assert.equal(tonumber("640", 8), fs.stat(path .. "/copy").mode)
    assert.equal("ENOENT", select(3, fs.copyfile(path .. "/none", path .. "/copy")))
  end)

  it("makes temporary folders, each another one, for us alone", function()
    local one, other = assert(fs.mkdtemp(path .. "/tmp-")), assert(fs.mkdtemp(path .. "/tmp-"))
    assert.not_equal(one, other)
    assert.equal(1, one:find(path .. "/tmp-", 1, true))
    assert.equal(tonumber("700", 8), fs.stat(one).mode)
    local default = assert(fs.mkdtemp())
    local _ <close> = cleanup(function()
      fs.rmtree(default)
    end)
    assert.matches("/strobe%-%w+$", default)
    assert.equal("ENOENT", select(3, fs.mkdtemp(path .. "/none/x")))
  end)

  it("leaves no temporary folder of a task that has gone", function()
    for turns = 0, 3 do
      local t = async.create_task(fs.mkdtemp, path .. "/gone-")
      for _ = 1, turns do
        async.sleep(0)
      end
      t:cancel()
      async.wait { t }
      if not t:cancelled() then
        assert(fs.rmdir(t:result()))
      end
    end
    for _ = 1, 1000 do
      local left = 0
      for _, entry in ipairs(fs.readdir(path)) do
        left = left + (entry.name:find "^gone" and 1 or 0)
      end
      if left == 0 then
        return
      end
    end
    error "a folder is left"
  end)

  it("removes a tree, and nothing that its links lead to", function()
    local other <close> = Folder.new { kept = "kept" }
    assert(fs.symlink(other.path, path .. "/sub/link"))
    assert(fs.symlink("none", path .. "/sub/dangling"))
    assert.is_true(fs.rmtree(path .. "/sub"))
    assert.is_false(fs.exists(path .. "/sub"))
    assert.equal("kept", fs.read_file(other.path .. "/kept"))
  end)

  it("removes as a tree no file, no link and nothing", function()
    assert(fs.symlink("sub", path .. "/link"))
    assert.equal("ENOTDIR", select(3, fs.rmtree(path .. "/a.txt")))
    local ok, message, code = fs.rmtree(path .. "/link")
    assert.is_nil(ok)
    local expected = "rmtree %s/link: it is not a folder (a part of the path is a file, not a folder)"
    assert.equal(expected:format(path), message)
    assert.equal("ENOTDIR", code)
    assert.equal("ENOENT", select(3, fs.rmtree(path .. "/none")))
    assert.is_true(fs.exists(path .. "/sub/deep/c.txt"))
  end)

  it("names the argument that is wrong", function()
    for name, call in pairs {
      ["fs.copyfile: new_path: a path expected, got nil"] = { fs.copyfile, "a" },
      ["fs.rename: new_path: a path expected, got an empty string"] = { fs.rename, "a", "" },
      ["fs.symlink: target: a path expected, got nil"] = { fs.symlink, nil, "a" },
      ["fs.mkdtemp: prefix: a path expected, got number"] = { fs.mkdtemp, 5 },
      ["fs.chmod: mode: permission bits expected, got nil"] = { fs.chmod, "a" },
      ["fs.chmod: mode: permission bits expected, as tonumber(\"644\", 8), got 4096"] = { fs.chmod, "a", 4096 },
      ["fs.open: mode: permission bits expected, as tonumber(\"644\", 8), got 644.5"] = {
        fs.open, "a", "w", { mode = 644.5 },
      },
    } do
      local ok, message = pcall(function()
        local result = call[1](table.unpack(call, 2, 4))
        return result
      end)
      assert.is_false(ok)
      assert.equal(name, (message:gsub("^[^ ]* ", "")))
      assert.matches("^spec/modules/strobe/async/fs_tree_spec.lua:", message)
    end
  end)
end)
