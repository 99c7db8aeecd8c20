-- `strobe debug` and the client of VS Code's test support, which `./run peers` installs; what that does is told in the
-- head of peers/debug_client.js.

local Folder = require "spec.support.folder"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local child = require "spec.support.child"
local program = require("strobe.core.host").program
local uv = require "luv"

local PEER = debug.getinfo(1, "S").source:match "^@(.*/)" .. "peers/debug_client.js"
local MODULES = uv.cwd() .. "/build/peers/node_modules"

local SCRIPT = [[
local async = require "strobe.async"
local function add(a, b)
  local sum = a + b
  return sum
end
async.create_task(async.sleep, 10)
local sum = add(1, 2)
print(sum)
]]

describe("strobe debug", function()
  it("is what VS Code expects of an adapter", function()
    if not uv.fs_stat(MODULES .. "/@vscode/debugadapter-testsupport") then
      pending "there is no client of VS Code's (./run peers installs it)"
      return
    end
    local sockets <close> = RuntimeFolder.new()
    local folder <close> = Folder.new { ["main.lua"] = SCRIPT }
    local peer <close> = child.spawn("env", { "NODE_PATH=" .. MODULES, "timeout", "100", "node", PEER, program,
      folder.path .. "/main.lua" })
    peer:wait()
    assert.equal("all is well\n", peer.output.stdout, peer.output.stderr)
    assert.truthy(sockets)
  end)
end)
