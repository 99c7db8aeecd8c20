-- The table "From asyncio to strobe" beside the real asyncio: nothing is missing, and each counterpart exists.

local lookup = require "strobe.reference.lookup"
local python = require "strobe.reference.python"
local sh = require("spec.support.shell").run

-- Prints each public name of asyncio, and of the classes that programs use, as the table has them. A class that is
-- newer than this Python is None to it, which has no public names.
local PROGRAM = [[
import asyncio
from asyncio import subprocess

for name in asyncio.__all__:
    print(name)
classes = "Runner Timeout TaskGroup Future Task Lock Event Condition Semaphore BoundedSemaphore Barrier Queue " \
    "StreamReader StreamWriter Server Handle TimerHandle"
for name in classes.split():
    print(name)
    for member in dir(getattr(asyncio, name, None)):
        if not member.startswith("_"):
            print(name + "." + member)
for member in dir(asyncio.AbstractEventLoop):
    if not member.startswith("_"):
        print("loop." + member)
for member in dir(subprocess.Process):
    if not member.startswith("_"):
        print("subprocess.Process." + member)
for member in "PIPE", "STDOUT", "DEVNULL":
    print("subprocess." + member)
]]

local function names_in_python()
  local output, status = sh("python3 $F", PROGRAM)
  if status ~= 0 then
    return nil, output
  end
  local names = {}
  for name in output:gmatch "[^\n]+" do
    names[#names + 1] = name
  end
  return names
end

describe("from asyncio to strobe", function()
  it("has every name that Python's asyncio has", function()
    local names, why = names_in_python()
    if not names then
      pending("no asyncio to compare with: " .. why)
      return
    end
    assert.is_true(#names > 250)
    local missing = {}
    for _, name in ipairs(names) do
      if not python.find(name) then
        missing[#missing + 1] = name
      end
    end
    assert.equal("", table.concat(missing, ", "))
  end)

  it("names counterparts that exist", function()
    local missing = {}
    for _, section in ipairs(python.sections()) do
      for _, row in ipairs(section.rows) do
        local found = row.here and lookup.find(row.here)[1]
        if row.here and (not found or found.name ~= row.here) then
          missing[#missing + 1] = row.name .. " → " .. row.here
        end
      end
    end
    assert.equal("", table.concat(missing, ", "))
  end)

  it("says why there is none, where there is none; and has each name once", function()
    local seen = {}
    for _, section in ipairs(python.sections()) do
      for _, row in ipairs(section.rows) do
        assert.is_truthy(row.here or row.note, row.name)
        assert.is_nil(seen[row.name], row.name)
        seen[row.name] = true
      end
    end
  end)
end)
