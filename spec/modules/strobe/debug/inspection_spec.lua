local Folder = require "spec.support.folder"
local core_task = require "strobe.core.task"
local dialects = require "strobe.debug.dialect"
local failures = require "strobe.attach.failure"
local inspection = require "strobe.debug.inspection"
local variables = require "strobe.debug.variables"

-- A session with one task that is stopped in some frames.
local function session_with(frames)
  local stopped = core_task.current()
  return {
    dialect = dialects.new {}, variables = variables.new(), frames = {}, last_frame = 0, source_names = {},
    debugger = {
      stops = {},
      frames = function(_, task)
        return task == stopped and frames or {}
      end,
    },
    task = function()
      return stopped
    end,
  }
end

local function frame(line)
  local list = { { name = "price", value = 7 } }
  return {
    name = "f" .. line, line = line, path = "/home/me/mm.lua", source = "@/home/me/mm.lua",
    locals = function()
      return list
    end,
    upvalues = function()
      return {}
    end,
    globals = function()
      return _G
    end,
    environment = function()
      return {}
    end,
  }
end

local function refusal(...)
  local ok, e = pcall(...)
  assert.is_false(ok)
  assert.is_true(failures.is(e))
  return e.code, e.message
end

describe("looking at what is stopped", function()
  it("tells frames page by page, and how many there are", function()
    local session = session_with { frame(1), frame(2), frame(3) }
    local page = inspection.stackTrace(session, { threadId = 1, startFrame = 1, levels = 1 })
    assert.equal(3, page.totalFrames)
    assert.same({ { id = 1, name = "f2", line = 2, column = 1,
      source = { name = "mm.lua", path = "/home/me/mm.lua" } } }, { table.unpack(page.stackFrames) })
    assert.equal(3, #inspection.stackTrace(session, { threadId = 1 }).stackFrames)
  end)

  it("leads from a frame to its variables", function()
    local session = session_with { frame(1) }
    local id = inspection.stackTrace(session, { threadId = 1 }).stackFrames[1].id
    local scope = inspection.scopes(session, { frameId = id }).scopes[1]
    assert.same({ "Locals", 1 }, { scope.name, scope.namedVariables })
    local told = inspection.variables(session, { variablesReference = scope.variablesReference }).variables
    assert.same({ "price", "7", "price" }, { told[1].name, told[1].value, told[1].evaluateName })
  end)

  it("refuses what is no number, and what is not there any more", function()
    local session = session_with {}
    assert.same({ "bad_request", "threadId: a whole number expected" },
      { refusal(inspection.stackTrace, session, {}) })
    assert.same({ "bad_request", "frameId: a whole number expected" },
      { refusal(inspection.scopes, session, { frameId = 1.5 }) })
    assert.equal("not_found", (refusal(inspection.scopes, session, { frameId = 99 })))
    assert.equal("not_found", (refusal(inspection.variables, session, { variablesReference = 99 })))
    assert.equal("not_found", (refusal(inspection.exceptionInfo, session, { threadId = 1 })))
    assert.equal("not_found", (refusal(inspection.source, session, { sourceReference = 99 })))
  end)

  it("tells where a file has code, and its text", function()
    local folder <close> = Folder.new { ["a.lua"] = "local x = 1\n-- nothing\nreturn x\n" }
    local session, source = session_with {}, { path = folder.path .. "/a.lua" }
    local found = inspection.breakpointLocations(session, { source = source, line = 1, endLine = 9 }).breakpoints
    assert.same({ { line = 1 }, { line = 3 } }, { table.unpack(found) })
    assert.matches("^local x = 1", inspection.source(session, { source = source }).content)
  end)
end)
