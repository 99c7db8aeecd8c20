--- The operations of the attach socket: one function each, by name. The console of the process itself calls the same.
--
-- An operation gets the session (who asks: strobe.attach.Session) and the request, and returns the fields of its
-- answer. What cannot be done it raises, see strobe.attach.failure. `rights` says what it needs, or is a function that
-- says so of a request; one with `waits` runs in a task of its own, which ends with the connection, so that the answers
-- of others need not wait for it.

---@class strobe.attach.Operation
---@field rights "ro"|"rw"|fun(request: table): "ro"|"rw"
---@field waits? boolean
---@field is_small? fun(request: table): boolean whether it is not worth a line in the log
---@field run fun(session: strobe.attach.Session, request: table): table

local operations = {}

local ops = {}

--- Adds a group of operations, by name.
---@param group table<string, strobe.attach.Operation>
function ops.add(group)
  for name, operation in pairs(group) do
    if operations[name] then
      error(("ops.add: there is an operation '%s' already"):format(name), 2)
    end
    operations[name] = operation
  end
end

--- The operation of that name.
---@param name string
---@return strobe.attach.Operation?
function ops.find(name)
  return operations[name]
end

--- The names of all, sorted.
---@return string[]
function ops.names()
  local names = {}
  for name in pairs(operations) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

for _, name in ipairs {
  "session", "tasks", "units", "tail", "process", "eval", "reference", "clock", "log", "heap", "profile", "measure",
  "watch", "pry", "variables", "dap",
} do
  ops.add(require("strobe.attach.ops." .. name))
end

return ops
