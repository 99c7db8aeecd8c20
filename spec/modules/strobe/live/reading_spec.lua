local Folder = require "spec.support.folder"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local reading = require "strobe.live.reading"
local refusals = require "strobe.live.refusal"
local uv = require "luv"

local function write(folder, name, text)
  local file <close> = assert(io.open(folder.path .. "/" .. name, "wb"))
  file:write(text)
end

local function read(folder, before)
  return reading.perform(folder.path .. "/mm.lua", { folder.path }, before)
end

-- The texts by the names of files.
local function texts_of(folder, files)
  local texts = {}
  for path, text in pairs(files.texts) do
    texts[path:sub(#folder.path + 2)] = text
  end
  return texts
end

-- Calls f(i) so often, with so many seconds between.
local function keep_doing(group, times, seconds, f)
  group:create_task(function()
    for i = 1, times do
      async.sleep(seconds)
      f(i)
    end
  end)
end

describe("reading a unit's files", function()
  it("gets the root and all that it reaches by names which can be seen", function()
    local files = {
      ["mm.lua"] = "require 'a' require 'lib.b' require 'strobe.json'", ["a.lua"] = "require 'lib.b'",
      ["lib/b/init.lua"] = "require 'mm'", ["other.lua"] = "",
    }
    local folder <close> = Folder.new(files)
    local found = read(folder)
    files["other.lua"] = nil
    assert.same(files, texts_of(folder, found))
    assert.equal(folder.path .. "/lib/b/init.lua", found.names["lib.b"])
    assert.equal(4, #found.edges)
  end)

  it("takes 50 ms, however deep they are", function()
    local files = { ["mm.lua"] = "require 'm1'" }
    for i = 1, 20 do
      files[("m%d.lua"):format(i)] = ("require 'm%d'"):format(i + 1)
    end
    files["m21.lua"] = "return 1"
    local folder <close> = Folder.new(files)
    local began = async.time()
    assert.same(files, texts_of(folder, read(folder)))
    assert.is_true(async.time() - began < 0.09)
  end)

  it("waits until two readings agree on all of them", function()
    local folder <close> = Folder.new { ["mm.lua"] = "require 'a'", ["a.lua"] = "0" }
    local group <close> = async.TaskGroup()
    keep_doing(group, 12, 0.03, function(i)
      write(folder, "a.lua", ("%d"):format(i % 10))
    end)
    local began = async.time()
    assert.equal("2", texts_of(folder, read(folder))["a.lua"])
    local took = async.time() - began
    assert.is_true(took >= 0.36 and took < 0.5, took)
  end)

  it("sees a file that was written anew with what it had as one that is still written", function()
    local folder <close> = Folder.new { ["mm.lua"] = "x" }
    local group <close> = async.TaskGroup()
    keep_doing(group, 4, 0.04, function()
      write(folder, "new", "x")
      assert(os.rename(folder.path .. "/new", folder.path .. "/mm.lua"))
    end)
    local began = async.time()
    read(folder)
    assert.is_true(async.time() - began >= 0.16)
  end)

  it("gives up after a second", function()
    local folder <close> = Folder.new { ["mm.lua"] = "x" }
    local group <close> = async.TaskGroup()
    keep_doing(group, 100, 0.03, function(i)
      write(folder, "mm.lua", ("x"):rep(i))
    end)
    local ok, e = pcall(read, folder)
    group:cancel()
    assert.same({ false, "unstable", folder.path .. "/mm.lua:1" }, { ok, e.code, e.place })
  end)

  it("waits a second for a file that is not there, as while an editor moves it", function()
    local folder <close> = Folder.new { ["mm.lua"] = "x" }
    os.remove(folder.path .. "/mm.lua")
    local group <close> = async.TaskGroup()
    keep_doing(group, 1, 0.7, function()
      write(folder, "mm.lua", "y")
    end)
    assert.same({ ["mm.lua"] = "y" }, texts_of(folder, read(folder)))
    os.remove(folder.path .. "/mm.lua")
    local ok, e = pcall(read, folder)
    assert.same({ false, "missing", folder.path .. "/mm.lua:1" }, { ok, e.code, e.place })
  end)

  it("takes a folder for no file", function()
    local folder <close> = Folder.new { ["mm.lua"] = "require 'a'", ["a.lua/x"] = "", ["a/init.lua"] = "1" }
    assert.same({ ["mm.lua"] = "require 'a'", ["a/init.lua"] = "1" }, texts_of(folder, read(folder)))
  end)

  it("goes on with files that only running the code has shown, as long as who does so is the same", function()
    local folder <close> = Folder.new { ["mm.lua"] = "require(name)", ["a.lua"] = "require 'b'", ["b.lua"] = "1" }
    local root, a = folder.path .. "/mm.lua", folder.path .. "/a.lua"
    local before = {
      unseen = { [a] = true }, parents = { [a] = { [root] = true } }, names = {},
      sources = { [root] = { raw = "require(name)" } },
    }
    local found = read(folder, before)
    assert.same({ ["mm.lua"] = "require(name)", ["a.lua"] = "require 'b'", ["b.lua"] = "1" }, texts_of(folder, found))
    assert.same({ [a] = true }, found.unseen)
    before.sources[root].raw = "require(another)"
    assert.same({ ["mm.lua"] = "require(name)" }, texts_of(folder, read(folder, before)))
    before.sources[root].raw = "require(name)"
    os.remove(a)
    assert.same({ ["mm.lua"] = "require(name)" }, texts_of(folder, read(folder, before)))
  end)

  it("looks again at what was read once", function()
    local folder <close> = Folder.new { ["a.lua"] = "1" }
    local path = folder.path .. "/a.lua"
    reading.verify { [path] = "1" }
    for _, text in ipairs { "2", false } do
      os.remove(path)
      if text then
        write(folder, "a.lua", text)
      end
      local ok, e = pcall(reading.verify, { [path] = "1" })
      assert.same({ false, true, "unstable" }, { ok, refusals.is(e), e.code })
    end
  end)
end)

describe("the file of a module", function()
  it("is looked for in the folders, then in package.path, but for the runtime's own", function()
    local folder <close> = Folder.new { ["a.lua"] = "", ["strobe/json.lua"] = "" }
    local library <close> = Folder.new { ["a.lua"] = "", ["b/init.lua"] = "", ["strobe/json.lua"] = "" }
    local path = package.path
    package.path = ("%s/?.lua;%s/?/init.lua"):format(library.path, library.path)
    local _ <close> = cleanup(function()
      package.path = path
    end)
    local folders = { folder.path }
    assert.equal(folder.path .. "/a.lua", reading.find("a", folders))
    assert.equal(library.path .. "/b/init.lua", reading.find("b", folders))
    assert.is_nil(reading.find("c", folders))
    assert.is_nil(reading.find("strobe.json", folders))
    assert.same({ folder.path, library.path, library.path }, reading.roots(folders))
    package.path = "./?.lua;lib/?.lua"
    assert.same({ uv.cwd() .. "/.", uv.cwd() .. "/lib" }, reading.roots {})
  end)
end)
