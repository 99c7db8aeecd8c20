--- A barrier for jobs in other threads: they wait at it until the spec opens it.
--
-- It is two files, which is what threads without a common variable can both see.

local Folder = require "spec.support.folder"
local async = require "strobe.async"
local uv = require "luv"

---@class spec.Barrier
local Barrier = {}
Barrier.__index = Barrier

--- A barrier, which is shut: a `<close>` value, which opens it.
function Barrier.new()
  local folder = Folder.new {}
  return setmetatable({ folder = folder, path = folder.path }, Barrier)
end

--- What a job does at the barrier, without waiting in strobe's sense: `barrier.pass(path)`.
---@param path string barrier.path
function Barrier.pass(path)
  local luv = require "luv"
  local here = io.open(path .. "/here", "w")
  if here then -- else the barrier has gone already
    here:close()
  end
  while luv.fs_stat(path .. "/here") and not luv.fs_stat(path .. "/open") do
    luv.sleep(1)
  end
end

--- Waits until a job stands at the barrier. Other tasks have their turn, also when one stands there already.
---@async
function Barrier:reached()
  async.sleep(0)
  while not uv.fs_stat(self.path .. "/here") do
    uv.sleep(1) -- time stands still while a job runs, so there is no sleeping in it
    async.sleep(0)
  end
end

function Barrier:open()
  if not self.is_open then
    self.is_open = true
    io.open(self.path .. "/open", "w"):close()
  end
end

function Barrier:__close()
  self:open()
  self.folder:__close()
end

return Barrier
