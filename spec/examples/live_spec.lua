local Folder = require "spec.support.folder"
local child = require "spec.support.child"
local program = require("strobe.core.host").program
local uv = require "luv"

local UNIT = "examples/live/average.lua"

describe("examples/live", function()
  it("is a unit that tells the average of a feed", function()
    local process <close> = child.spawn(program,
      { "live", UNIT, "--feed", "synthetic:1?count=25", "--clock=virtual" })
    assert.equal(0, process:wait())
    assert.matches("^10 ticks of btc_usd, %d+%.%d%d on average\n20 ticks of btc_usd, %d+%.%d%d on average\n$",
      process.output.stdout)
    assert.matches("average: committed, generation 1 starts %(average.lua, mean.lua%)\n", process.output.stderr)
  end)

  it("changes while the ticks come, as its head says", function()
    local folder <close> = Folder.new {}
    for _, name in ipairs { "average.lua", "mean.lua" } do
      assert(uv.fs_copyfile("examples/live/" .. name, folder.path .. "/" .. name))
    end
    local path = folder.path .. "/average.lua"
    local file <close> = assert(io.open(path))
    local text = file:read "a"
    local function save(content)
      local target <close> = assert(io.open(path, "w"))
      target:write(content)
    end
    local process <close> = child.spawn(program, { "live", path, "--feed", "synthetic:1?rate=200", "--watch" })
    process:expect("stdout", "\n20 ticks")
    save(text .. "}")
    process:expect("stderr", "average: rejected:syntax, generation 1 goes on\n")
    save((text:gsub("on average", "in the middle")))
    process:expect("stderr", "average: committed, generation 3 takes over from 1 %(average.lua%)")
    process:expect("stdout", "%d0 ticks of btc_usd, [%d.]+ on average\n%d+0 ticks of btc_usd, [%d.]+ in the middle\n")
    process:kill "sigterm"
    assert.equal(0, process:wait())
  end)
end)
