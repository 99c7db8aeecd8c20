local UnitFolder = require "spec.support.unit_folder"

local function unit_text(head, body)
  return ([[%s
    return { version = 1, subscribe = { "go" }, on_event = function(ctx, st, m) %s end }]]):format(head or "",
    body or "")
end

describe("a reload's report", function()
  it("names tables of modules that were changed and are reset", function()
    local cache = unit_text("local cache, names = {}, { 'a' }\n\nlocal other = {}",
      "cache[m.data] = true other[1] = names[1]")
    local units <close> = UnitFolder.new { ["mm.lua"] = cache }
    units:start "mm"
    assert.same({}, units:reload("mm").warnings)
    units:offer("go", 1)
    assert.same({
      "module table `cache`, mm.lua:1, was changed and is reset: what must live goes into st",
      "module table `other`, mm.lua:3, was changed and is reset: what must live goes into st",
    }, units:reload("mm").warnings)
    assert.same({}, units:reload("mm").warnings)
  end)

  it("does not name those of modules that are carried, nor st", function()
    local text = unit_text("local a = require 'a'", "a.put(m.data) st.x = { m.data }")
    local units <close> = UnitFolder.new { ["mm.lua"] = text,
      ["a.lua"] = "local kept = {} return { put = function(k) kept[k] = true end }" }
    units:start "mm"
    units:offer("go", 1)
    assert.same({}, units:reload("mm", text .. " -- again").warnings)
    units:write("a.lua", "return { put = function() end }")
    assert.same({ "module table `kept`, a.lua:1, was changed and is reset: what must live goes into st" },
      units:reload("mm").warnings)
  end)
end)

describe("a large state", function()
  it("is copied with a warning above 10,000 tables", function()
    local units <close> = UnitFolder.new {
      ["mm.lua"] = unit_text(nil, "for i = 1, m.data do st[#st + 1] = {} end"),
    }
    units:start "mm"
    units:offer("go", 9999)
    assert.same({}, units:reload("mm").warnings)
    units:offer("go", 1)
    assert.same({ "st has 10001 tables: copying it takes time" }, units:reload("mm").warnings)
    assert.equal(10000, #units.runtime.units.mm.run.st)
  end)
end)

describe("a type of the state", function()
  local function typed(word)
    return unit_text(([[
      local Price = require "strobe.live".type("Price", {
        __index = { say = function(price) return "WORD " .. price.value end } })]]):gsub("WORD", word), [[
      st.last = st.last or setmetatable({ value = m.data }, Price)
      ctx:emit("out", st.last:say())]])
  end

  it("has the methods of the new code after a reload, and those of the old one after a rollback", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = typed "old" }
    units:start "mm"
    units:offer("go", 7)
    assert.equal("committed", units:reload("mm", typed "new").verdict)
    units:offer("go", 0)
    units.runtime:rollback "mm"
    units:offer("go", 0)
    assert.same({ "old 7", "new 7", "old 7" }, units:values())
  end)

  it("is refused when the new code does not declare it", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = typed "old" }
    units:start "mm"
    units:offer("go", 7)
    local report = units:reload("mm", unit_text())
    assert.equal("rejected:state_type", report.verdict)
    assert.matches("^st.last is of type 'Price', which the new code does not declare", report.error)
  end)

  it("is that of a module which is carried, and goes when that does", function()
    local using = unit_text("local new = require 'price'",
      "st.last = st.last or new(m.data) ctx:emit('out', 'WORD ' .. st.last:say())")
    local units <close> = UnitFolder.new { ["mm.lua"] = using, ["price.lua"] = [[
      local Price = require "strobe.live".type("Price", { __index = { say = function(p) return p.value end } })
      return function(value) return setmetatable({ value = value }, Price) end]] }
    units:start "mm"
    units:offer("go", 7)
    local report = units:reload("mm", (using:gsub("WORD", "new")))
    assert.same({ "committed", "price.lua" }, { report.verdict, report.carried[1] })
    units:offer("go", 0)
    assert.same({ "WORD 7", "new 7" }, units:values())
    units:write("price.lua", "return function(value) return {} end")
    assert.equal("rejected:state_type", units:reload("mm").verdict)
  end)

  it("is declared while its module is loaded, by one module, under a name", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = unit_text("local live = require 'strobe.live'",
      "local ok, e = pcall(live.type, 'Price', {}) ctx:emit('out', e)") }
    units:start "mm"
    units:offer("go", 1)
    assert.matches("types are declared while the module is loaded", units:values()[1])
    for head, message in pairs {
      ["require 'strobe.live'.type({}, 'Price')"] = "live.type: a name and a metatable expected",
      ["require 'a' require 'strobe.live'.type('Price', {})"] = "live.type: 'Price' is declared by .*/a.lua already",
    } do
      units:write("a.lua", "require 'strobe.live'.type('Price', {})")
      local report = units:reload("mm", unit_text(head))
      assert.equal("rejected:load", report.verdict)
      assert.matches(message, report.error)
    end
  end)
end)

describe("a first start", function()
  local function migrating(body)
    return (unit_text():gsub("version = 1", ("version = 3, migrate = function(st, from) %s end"):format(body)))
  end

  it("begins with what migrate makes of nothing", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = migrating "st.from = tostring(from) return st" }
    assert.equal("committed", units:start("mm").verdict)
    assert.same({ from = "nil" }, units.runtime.units.mm.run.st)
  end)

  it("is refused when that is no state", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = migrating "st.f = print return st" }
    local report = units:start "mm"
    assert.same({ "rejected:state_type", "st.f is a function" }, { report.verdict, report.error })
    units:write("mm.lua", migrating "error 'no'")
    assert.equal("rejected:migrate", units:start("mm").verdict)
  end)
end)

describe("versions of a state", function()
  it("are carried over when equal, without migrate, and migrated up and down", function()
    local text = [[return { version = N, subscribe = {}, on_event = function() end,
      migrate = function(st, from) st.path = (st.path or "") .. tostring(from) .. ">N " return st end }]]
    local units <close> = UnitFolder.new { ["mm.lua"] = text:gsub("N", "2") }
    units:start "mm"
    for _, version in ipairs { "2", "5", "5", "1" } do
      assert.equal("committed", units:reload("mm", (text:gsub("N", version))).verdict)
    end
    assert.equal("nil>2 2>5 5>1 ", units.runtime.units.mm.run.st.path)
  end)
end)
