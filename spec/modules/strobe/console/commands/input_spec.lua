local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local Folder = require "spec.support.folder"
local uv = require "luv"

local function each(f)
  local attached <close> = Attached.new()
  Console.both(attached, function(console)
    local folder <close> = Folder.new { ["a.lua"] = "#!/usr/bin/env strobe\nx = 1\n" }
    f(console, folder.path)
  end)
end

local function text_of(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- As long as its block lasts, $VISUAL is a program that runs this shell script on the file.
local function Editor(folder, script)
  local path = folder .. "/editor.sh"
  do
    local file <close> = assert(io.open(path, "wb"))
    file:write("#!/bin/sh\n", script, "\n")
  end
  uv.fs_chmod(path, tonumber("755", 8))
  local before = os.getenv "VISUAL"
  uv.os_setenv("VISUAL", path)
  return setmetatable({}, { __close = function()
    if before then
      uv.os_setenv("VISUAL", before)
    else
      uv.os_unsetenv "VISUAL"
    end
    os.remove(path)
  end })
end

describe(":load", function()
  it("runs a file as one input, but for a first line that is the shell's", function()
    each(function(console, folder)
      assert.equal("", console:command((":load %s/a.lua"):format(folder)))
      assert.same({ "\nx = 1\n" }, console.ran)
      assert.matches("nowhere.lua", console:refused((":load %s/nowhere.lua"):format(folder)))
      assert.equal("a file expected: :load FILE", console:refused ":load")
    end)
  end)
end)

describe(":save", function()
  it("writes the inputs that succeeded, and overwrites nothing unasked", function()
    each(function(console, folder)
      assert.equal("no input has succeeded yet: there is nothing to save",
        console:refused((":save %s/s"):format(folder)))
      console.inputs = {
        { text = "x = 1", ok = true }, { text = "oops(", ok = false }, { text = ":ps", ok = true },
        { text = "if x then\n  y = 2\nend\n", ok = true },
      }
      local path = folder .. "/s.lua"
      assert.equal(("2 inputs in %s"):format(path), console:command(":save " .. path))
      assert.equal("x = 1\n\nif x then\n  y = 2\nend\n", text_of(path))
      assert.equal(("%s exists; :save! %s overwrites it"):format(path, path), console:refused(":save " .. path))
      console.inputs[5] = { text = "z = 3", ok = true }
      assert.equal(("3 inputs in %s"):format(path), console:command(":save! " .. path))
      assert.matches("z = 3\n$", text_of(path))
      assert.is_string(console:refused((":save %s/nowhere/s.lua"):format(folder)))
    end)
  end)
end)

describe("a saved file", function()
  it("can be loaded, also when it has expressions, and lines that begin with parentheses", function()
    each(function(console, folder)
      console.inputs = {
        { text = "x = 1", ok = true }, { text = "x + 1, 2", ok = true }, { text = "(print or x)('hi')", ok = true },
        { text = "-- a remark", ok = true }, { text = "local y <const> = 3", ok = true }, { text = "{ x }", ok = true },
      }
      local path = folder .. "/s.lua"
      console:command(":save " .. path)
      assert.is_function(load(text_of(path)))
      assert.matches("\n_ = x %+ 1, 2\n\n;%(print or x%)%('hi'%)\n", text_of(path))
    end)
  end)
end)

describe(":edit", function()
  it("lets the last input be edited, and puts it into the prompt", function()
    each(function(console, folder)
      local editor <close> = Editor(folder, 'sed -i s/1/2/ "$1"') -- luacheck: ignore
      console.inputs = { { text = "x = 1\ny = 1", ok = true }, { text = ":ps", ok = true } }
      assert.equal("", console:command ":edit")
      assert.equal("x = 2\ny = 2", console.input)
      assert.same({}, console.ran)
    end)
  end)

  it("puts a file into the prompt", function()
    each(function(console, folder)
      local editor <close> = Editor(folder, 'echo "print(x)" >> "$1"') -- luacheck: ignore
      console:command((":edit %s/a.lua"):format(folder))
      assert.equal("#!/usr/bin/env strobe\nx = 1\nprint(x)", console.input)
    end)
  end)

  it("offers to reload the unit whose file it was", function()
    local attached <close> = Attached.new {
      units = { ["mm.lua"] = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }' },
    }
    Console.both(attached, function(console)
      local folder <close> = Folder.new {}
      local editor <close> = Editor(folder.path, 'echo "-- changed" >> "$1"') -- luacheck: ignore
      local path = attached.units.folder.path .. "/mm.lua"
      assert.equal(path .. " is the unit mm: Enter reloads it", console:command(":edit " .. path))
      assert.equal(":reload mm", console.input)
    end)
  end)

  it("changes nothing when the editor fails, or is not there", function()
    each(function(console, folder)
      do
        local editor <close> = Editor(folder, "exit 3") -- luacheck: ignore
        assert.matches("ended with status 3: nothing was changed$", console:refused ":edit")
      end
      local editor <close> = Editor(folder, "") -- luacheck: ignore
      os.remove(folder .. "/editor.sh")
      assert.matches("^the editor does not start: ", console:refused ":edit")
      assert.is_nil(console.input)
    end)
  end)
end)
