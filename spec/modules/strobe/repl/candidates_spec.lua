local Folder = require "spec.support.folder"
local async = require "strobe.async"
local candidates = require "strobe.repl.candidates"

local calls = 0

local Class = { method = function() end, value = 1 }
Class.__index = Class

local variables = {
  account = { cash = 1, ["no name"] = 2, _hidden = 3, nested = { deep = { bottom = true } }, list = { { x = 1 } } },
  object = setmetatable({ own = 1 }, Class),
  trap = setmetatable({}, {
    __index = function()
      calls = calls + 1
    end,
    __pairs = function()
      calls = calls + 1
    end,
  }),
  circle = {},
}
variables.circle.__index = variables.circle
setmetatable(variables.circle, variables.circle)

-- The texts of the candidates behind a text, in one.
local function texts(text, around)
  local answer = candidates.at(text, #text, around or { variables = variables })
  local list = {}
  for i, candidate in ipairs(answer.list) do
    list[i] = candidate.text
  end
  return table.concat(list, " "), answer
end

describe("candidates", function()
  for text, expected in pairs {
    ["account."] = "cash list nested _hidden",
    ["account.c"] = "cash",
    ["x = account . ca"] = "cash",
    ["account.nested.deep."] = "bottom",
    ["account['nested'].d"] = "deep",
    ["account.list[1]."] = "x",
    ["account['ne"] = "nested",
    ["account.nested[ [[d"] = "deep",
    ["object."] = "method own value",
    ["object:"] = "method",
    ["object.__i"] = "__index",
    ["object.own."] = "",
    ["nothing."] = "",
    ["f()."] = "",
    ["trap."] = "",
    ["circle.nothing.at.all."] = "",
    ["('x'):sub"] = "sub",
    ["('x'):rep(2):"] = "",
    ["f'x':"] = "",
    ["string.gs"] = "gsub",
    ["acc"] = "account",
    ["local quantity = 1; print(quan"] = "quantity",
    ["whi"] = "while",
    ["x.zebra = zeb"] = "",
    ["asy"] = "async",
    ["async.Que"] = "Queue QueueEmpty QueueFull QueueShutDown",
    ["require('strobe.json').de"] = "decode",
    ["require 'strobe.js"] = "strobe.json",
    ["3"] = "",
    ["a .. acc"] = "account",
    ["-- acc"] = "",
    ["--[[ acc"] = "",
    ["--[[ x ]] acc"] = "account",
  } do
    it(("behind %q are %q"):format(text, expected), function()
      assert.equal(expected, (texts(text)))
    end)
  end

  it("say which bytes they replace, also in the middle of a text", function()
    local _, answer = texts "x = account.ca"
    assert.same({ 13, 14, nil }, { answer.first, answer.last, answer.more })
    assert.same({ { text = "cash", kind = "field" } }, answer.list)
    answer = candidates.at("account.c + 1", 9, { variables = variables })
    assert.same({ 9, 9, "cash" }, { answer.first, answer.last, answer.list[1].text })
    answer = candidates.at("account.", 8, { variables = variables })
    assert.same({ 9, 8 }, { answer.first, answer.last })
  end)

  it("call nothing that is not strobe's own", function()
    calls = 0
    texts "trap.x."
    texts "trap:"
    assert.equal(0, calls)
  end)

  it("are at most a thousand, and the rest is counted", function()
    local many = {}
    for i = 1, 1500 do
      many[("k%s%d"):format(i < 1500 and "ey" or "a", i)] = i
    end
    local _, answer = texts("many.k", { variables = { many = many } })
    assert.same({ 1000, 500 }, { #answer.list, answer.more })
    assert.same({ "ka1500", 6 }, { answer.list[1].text, answer.first }) -- what all have in common stays true
  end)

  it("in quotes are files, and folders to go on with", function()
    local folder <close> = Folder.new { ["ticks.csv"] = "", ["tables/a.lua"] = "", [".hidden"] = "", ["it's"] = "" }
    local path = folder.path .. "/t"
    assert.equal(("%s/tables/ %s/ticks.csv"):format(folder.path, folder.path), (texts("open('" .. path)))
    local _, answer = texts("open '" .. path .. "i")
    assert.same({ text = folder.path .. "/ticks.csv", kind = "file" }, answer.list[1])
    assert.equal("", (texts("open '/nowhere/at/all/")))
    assert.equal(folder.path .. "/.hidden", (texts("open [[" .. folder.path .. "/.h")))
  end)

  it("are only fields where no code may run", function()
    local around = { variables = variables, fields_only = true }
    assert.equal("cash", (texts("account.c", around)))
    assert.equal("", (texts("acc", around)))
    assert.equal("", (texts("open '/", around)))
  end)

  it("are also what a command takes", function()
    local task = async.create_task(async.sleep, 100)
    task:set_name "spec.sleeper"
    local runtime = { order = { { name = "mm" }, { name = "x" } } }
    local function first(kind, word, around)
      return (candidates.of(kind, word, around or {}).list[1] or {}).text
    end
    assert.equal("spec.sleeper", first("TASK", "spec.sl"))
    assert.equal("mm", first("UNIT", "m", { runtime = runtime }))
    assert.is_nil(first("UNIT", "m", { runtime = runtime, fields_only = true }))
    assert.equal("7", first("N", "", { jobs = { [7] = {} } }))
    assert.is_nil(first("NOTHING", ""))
    task:cancel()
  end)
end)
