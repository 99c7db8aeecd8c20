--- Operations that tell what names mean: help, src, complete, signature. None of them runs code.

local candidates = require "strobe.repl.candidates"
local chunks = require "strobe.repl.chunk"
local definitions = require "strobe.repl.definition"
local executors = require "strobe.async.executor"
local failures = require "strobe.attach.failure"
local protocol = require "strobe.attach.protocol"
local report = require "strobe.report"
local signatures = require "strobe.repl.signature"
local surface = require "strobe.reference.surface"

-- Bytes of a name; names in a list to choose from.
local MOST_NAME, MOST_LISTED = 256, 50

-- The console's variables; before them those of a task that it looks into.
local function variables_of(session)
  local evaluator, pried = session.evaluator, session.pried
  if not pried then
    return evaluator and evaluator.variables or {}
  end
  local variables = setmetatable({}, { __index = pried.variables })
  for _, variable in ipairs(pried.frame:variables()) do
    variables[variable.name] = variable.value
  end
  return variables
end

local function around(session)
  local evaluator = session.evaluator
  return {
    variables = variables_of(session), texts = evaluator and evaluator.texts,
    jobs = evaluator and evaluator.jobs, runtime = session.runtime, fields_only = session.eval == false,
  }
end

local function name_of(request)
  local name = failures.field(request, "name", "string"):match "^%s*(.-)%s*$"
  if name == "" or #name > MOST_NAME then
    failures.raise("bad_request", ("name: 1 to %d bytes expected"):format(MOST_NAME))
  end
  return name
end

-- The comment lines above a line.
local function comment_above(text, line)
  local comment = {}
  while line > 1 do
    line = line - 1
    local words = chunks.line(text, line):match "^%s*%-%-%-?%s?(.*)$"
    if not words then
      break
    end
    table.insert(comment, 1, "  " .. words .. "\n")
  end
  return comment[1] and "\n" .. table.concat(comment) or ""
end

-- How a function is called that is the user's or Lua's, and the comment above it; nothing for strobe's own.
local function own_text(name, place)
  local value = definitions.value(name, place)
  local definition = type(value) == "function" and definitions.of(name, place)
  if not definition or report.is_ours(debug.getinfo(value, "S").short_src) then
    return nil
  end
  local called = signatures.of(value, name, name:find ":" ~= nil)
  if definition.c then
    return called and called .. "\n\n  Lua's own, see its manual\n"
  end
  local text = chunks.text(debug.getinfo(value, "S").source, place)
  local head = ("%s   (%s:%d)\n"):format(called, definition.file, definition.line)
  return head .. comment_above(text, definition.line)
end

-- In a thread: to read the reference takes some tenths of a second, for which nobody here is to wait.
local function reference_text(name, path, line)
  local executor <close> = executors.ThreadPoolExecutor { max_workers = 1 }
  return executor:submit(function(...)
    local text, message, near = require("strobe.reference.manual").text(...)
    return { text = text, message = message, near = near }
  end, name, { path = path, line = line, most = MOST_LISTED }):await()
end

local function help(session, request)
  local name, place = name_of(request), around(session)
  local own = own_text(name, place)
  if own then
    return { text = own }
  end
  local value = definitions.value(name, place)
  local path, line
  if type(value) == "function" then
    path, line = surface.place(value)
  end
  local told = reference_text(name, path, line)
  if not told.text then
    failures.raise("not_found", told.message, { near = told.near and protocol.list(told.near) })
  end
  return { text = told.text }
end

local function src(session, request)
  local definition, message = definitions.of(name_of(request), around(session))
  if not definition then
    failures.raise("not_found", message)
  end
  return definition
end

-- A text that is typed, and how many bytes of it stand before the cursor.
local function typed_text(request)
  local text = failures.field(request, "text", "string")
  local cursor = failures.field(request, "cursor", "integer", true) or #text
  if cursor < 0 or cursor > #text then
    failures.raise("bad_request", ("cursor: 0 to %d expected"):format(#text))
  end
  return text, cursor
end

-- The call around the cursor; that is asked for while somebody types.
local function signature(session, request)
  local text, cursor = typed_text(request)
  local place = around(session)
  return { signature = not place.fields_only and signatures.at(text, cursor, place.variables) or nil }
end

local function complete(session, request)
  local text, cursor = typed_text(request)
  local kind = failures.field(request, "of", "string", true)
  local answer
  if kind then
    answer = candidates.of(kind, text:sub(1, cursor), around(session))
  else
    answer = candidates.at(text, cursor, around(session))
  end
  protocol.list(answer.list)
  answer.signature = signature(session, request).signature
  return answer
end

return {
  help = { rights = "ro", run = help, waits = true },
  src = { rights = "ro", run = src },
  complete = { rights = "ro", run = complete, waits = true },
  signature = { rights = "ro", run = signature },
}
