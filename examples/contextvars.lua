-- Context variables: each request has its own id and user, and no function has to pass them on.
-- In Python: contextvars.ContextVar; each task gets a copy of the context, so that requests do not see each other's.
-- Here it is the same, with async.ContextVar: get, set, reset with a token, copy_context():run(f).

local async = require "strobe.async"

local request_id = async.ContextVar("request_id", "-")
local user = async.ContextVar "user" -- no default: get raises, unless it is given one

local start = async.time()

local function log(text, ...)
  print(("%3.1f s  [%s] " .. text):format(async.time() - start, request_id:get(), ...))
end

-- Far below the handler: nobody handed it the id.
local function query(seconds)
  async.sleep(seconds)
  log("query of %s done", user:get "nobody")
end

local function audit()
  log "audit: a task of the request has a copy of its context"
  request_id:set "changed by audit"
end

local function handle(id, name, seconds)
  request_id:set(id)
  user:set(name)
  log "begins"
  query(seconds)
  async.create_task(audit):await()
  log "ends" -- with its own id: what audit set is audit's
end

-- Three requests at once; each is a task, so each has a context.
async.gather(
  async.create_task(handle, "r1", "ada", 3),
  async.create_task(handle, "r2", "grace", 1),
  async.create_task(handle, "r3", "barbara", 2)
)
log "outside nothing has changed"

-- For a while only: set gives a token, which takes it back.
local token = request_id:set "maintenance"
log "with another id"
request_id:reset(token)
log "and back"

-- A context of one's own, without a task.
local context = async.copy_context()
context:run(function()
  request_id:set "inside run"
  log "here"
end)
log("out here; in the context it is still '%s'", context:get(request_id))
