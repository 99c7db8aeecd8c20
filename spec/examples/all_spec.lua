local uv = require "luv"

-- The names of all examples, without .lua.
local function examples()
  local names, folder = {}, assert(uv.fs_scandir "examples")
  for file in uv.fs_scandir_next, folder do
    names[#names + 1] = file:match "^(.+)%.lua$"
  end
  return names
end

describe("every example", function()
  it("begins with three lines: what Python does, and what differs", function()
    for _, name in ipairs(examples()) do
      local lines = io.lines(("examples/%s.lua"):format(name))
      for _ = 1, 3 do
        assert.matches("^%-%- ", lines(), name)
      end
    end
  end)

  it("has a spec", function()
    for _, name in ipairs(examples()) do
      local path = ("spec/examples/%s_spec.lua"):format(name)
      assert.is_truthy(uv.fs_stat(path), path .. " is missing")
    end
  end)
end)
