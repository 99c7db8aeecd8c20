-- Files as editors and people leave them, and disks that are full.

local RefusedUnit = require "spec.support.refused_unit"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local reports = require "spec.support.reports"
local uv = require "luv"

local text = [[
return { version = 1, subscribe = { "go" }, on_event = function(ctx)
  ctx:emit("out", select(2, pcall(error, "here")))
  error "line 3"
end }]]

describe("a unit's file", function()
  it("may have a byte order mark, a line for the shell, CR LF, no final newline", function()
    for raw, line in pairs {
      [text] = 3, ["\u{FEFF}" .. text] = 3, ["#!/usr/bin/env strobe\n" .. text] = 4,
      ["\u{FEFF}#!/usr/bin/env strobe\r\n" .. text:gsub("\n", "\r\n")] = 4, [text:gsub("\n", "\r\n") .. "\r\n"] = 3,
    } do
      local units <close> = UnitFolder.new({ ["mm.lua"] = "return {" }, { probation = { off = true } })
      units:write("mm.lua", raw)
      assert.equal("committed", units:start("mm").verdict, raw)
      units:offer("go", 1)
      assert.matches("mm.lua:" .. line .. ": line 3", units.logged[1][2])
    end
  end)

  it("may be larger than a MiB, and reload", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text }
    units:start "mm"
    local report = units:reload("mm", ("-- %s\n"):format(("x"):rep(100)):rep(20000) .. text)
    assert.equal("committed", report.verdict)
    report = units:reload("mm", ("-- %s\n"):format(("x"):rep(100)):rep(20000) .. "x x")
    assert.same({ "rejected:syntax", units.folder.path .. "/mm.lua:20001" }, { report.verdict, report.place })
  end)

  it("may be moved out of the root and back", function()
    local old <close> = RefusedUnit.new()
    local root, file = old.path .. "/root", old.path .. "/mm.lua"
    assert(uv.fs_mkdir(root, tonumber("700", 8)))
    old.units.runtime.options.root = root
    old:assert_refused(old:reload(RefusedUnit.text "new"), "path", "mm.lua:1", "outside of " .. root:gsub("%p", "%%%0"))
    assert(os.rename(file, root .. "/mm.lua"))
    assert(uv.fs_symlink(root .. "/mm.lua", file))
    old:assert_goes_on()
    assert.equal("committed", old.units:reload("mm").verdict)
  end)

  it("may be a link that is set to another version: the folders stay as they are given", function()
    local units <close> = UnitFolder.new { ["v1/mm.lua"] = text, ["v2/mm.lua"] = text .. " -- 2", ["v1/a.lua"] = "" }
    local path = units.folder.path
    assert(uv.fs_symlink(path .. "/v1", path .. "/current"))
    assert.equal("committed", units.runtime:start("mm", path .. "/current/mm.lua").verdict)
    assert(uv.fs_unlink(path .. "/current"))
    assert(uv.fs_symlink(path .. "/v2", path .. "/current"))
    local report = units.runtime:reload()[1]
    assert.same({ "committed", { "mm.lua" } }, { report.verdict, report.files })
    local source = units.runtime.units.mm.run.generation.graph.sources[path .. "/current/mm.lua"]
    assert.equal(text .. " -- 2", source.raw)
  end)
end)

describe("a report that cannot be written", function()
  local function full()
    local file <close> = assert(io.open("/dev/full", "w"))
    assert(file:write(("x"):rep(1 << 16)))
    assert(file:flush())
  end

  it("does not change the verdict, be it of a reload or of a refusal", function()
    local contexts = reports.of(function()
      local old <close> = RefusedUnit.new()
      old.units.runtime.options.on_report = full
      old.units.runtime.options.log = full
      old:assert_refused(old:reload "return {", "syntax", "mm.lua:1")
      old:assert_goes_on()
      old.units.runtime:log("error", "nobody can read this", { unit = "mm" })
      assert.equal("committed", old:reload(RefusedUnit.text "new").verdict)
      assert.equal(3, old.unit.run.generation.number)
    end)
    assert.equal(3, #contexts)
    assert.matches("^a report cannot be written: .*No space left on device", contexts[1].message)
    assert.matches("^the log cannot be written: .*No space left on device", contexts[2].message)
  end)

  it("does not stop who writes it from being cancelled", function()
    local old <close> = RefusedUnit.new()
    old.units.runtime.options.on_report = function()
      async.sleep(60)
    end
    assert.is_false((async.move_on_after(1, old.reload, old, "return {")))
    old:assert_goes_on()
  end)
end)
