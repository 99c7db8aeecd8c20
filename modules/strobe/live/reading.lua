--- Reading all files of a unit as they are at one time: again and again, until two readings agree.
--
-- The files are the root and what it requires by a name that can be seen in the text, directly or not; and those
-- which the code that runs has required by a name that cannot, as long as the text that does so is the same.

local refusals = require "strobe.live.refusal"
local sources = require "strobe.live.source"
local time = require "strobe.core.time"
local uv = require "luv"

-- Seconds between two readings that have to agree, and how long they may not.
local BETWEEN, PATIENCE = 0.05, 1

---@class strobe.live.Reading
---@field texts table<string, string> by path
---@field looks table<string, string> what tells the states of a file apart, by path
---@field names table<string, string> paths by names of modules
---@field edges {from: string, to: string}[] who requires whom
---@field unseen table<string, true> paths of which no text has the name
---@field gone? string a file that is needed and not there

local reading = { BETWEEN = BETWEEN }

-- --- Where modules are -----------------------------------------------------------------------------

local function absolute(path)
  if path:sub(1, 1) == "/" then
    return path
  end
  return uv.cwd() .. "/" .. path:gsub("^%./", "")
end

--- The file of a module's name, below the folders or in package.path; nil when it is none of the unit's. Modules of
--- the runtime never are.
---@param name string
---@param folders string[]
---@return string? path
function reading.find(name, folders)
  if name == "strobe" or name:find "^strobe%." then
    return nil
  end
  local part = name:gsub("%.", "/")
  for _, folder in ipairs(folders) do
    for _, form in ipairs { "/%s.lua", "/%s/init.lua" } do
      local path = folder .. form:format(part)
      if sources.exists(path) then
        return path
      end
    end
  end
  local path = package.searchpath(name, package.path)
  return path and absolute(path)
end

--- The folders that code may come from: these, and those of package.path.
---@param folders string[]
---@return string[]
function reading.roots(folders)
  local roots = table.move(folders, 1, #folders, 1, {})
  for template in package.path:gmatch "[^;]+" do
    local folder = template:match "^(.-)/?%?"
    roots[#roots + 1] = folder and absolute(folder)
  end
  return roots
end

-- --- One reading -------------------------------------------------------------------------------------

-- Notes what a text requires; the files of it are to be read, too.
local function follow(now, path, context)
  for _, name in ipairs(sources.requires(now.texts[path])) do
    local found = now.names[name] or reading.find(name, context.folders)
    if found then
      now.names[name] = found
      table.insert(now.edges, { from = path, to = found })
      table.insert(context.pending, found)
    elseif context.before and context.before.names[name] then
      now.gone = now.gone or context.before.names[name]
    end
  end
end

local function read_one(now, path, context)
  if now.texts[path] then
    return
  end
  now.texts[path], now.looks[path] = sources.read(path)
  if now.texts[path] then
    follow(now, path, context)
  elseif not now.unseen[path] then
    now.gone = now.gone or path
  end
end

local function read_pending(now, context)
  while #context.pending > 0 do
    read_one(now, table.remove(context.pending), context)
  end
end

-- Whether a text that requires a path is as it was.
local function is_required(now, path, before)
  for parent in pairs(before.parents[path] or {}) do
    if now.texts[parent] and now.texts[parent] == before.sources[parent].raw then
      return true
    end
  end
  return false
end

local function read_unseen(now, context)
  local before, found = context.before, true
  while before and found do
    found = false
    for path in pairs(before.unseen) do
      if not now.texts[path] and not now.unseen[path] and is_required(now, path, before) then
        now.unseen[path], found = true, true
        table.insert(context.pending, path)
      end
    end
    read_pending(now, context)
  end
end

local function read(root, folders, before)
  local now = { texts = {}, looks = {}, names = {}, edges = {}, unseen = {} }
  local context = { pending = { root }, folders = folders, before = before }
  read_pending(now, context)
  read_unseen(now, context)
  return now
end

-- --- Until two agree -----------------------------------------------------------------------------------

-- The first path of which two readings differ, or which one lacks.
local function disagreement(a, b)
  if a.gone or b.gone then
    return a.gone or b.gone, "missing"
  end
  for _, pair in ipairs { { a, b }, { b, a } } do
    for path in pairs(pair[1].texts) do
      if pair[1].texts[path] ~= pair[2].texts[path] or pair[1].looks[path] ~= pair[2].looks[path] then
        return path, "unstable"
      end
    end
  end
end

local reasons = {
  missing = "%s: no such file, or it cannot be read",
  unstable = "%s is still being written",
}

--- Reads the files of a unit. Raises a Refusal when that is not possible within a second.
---@async
---@param root string
---@param folders string[]
---@param before? strobe.live.Graph of the code that runs
---@return strobe.live.Reading
function reading.perform(root, folders, before)
  local deadline = time.now() + PATIENCE
  local last = read(root, folders, before)
  while true do
    time.sleep(BETWEEN)
    local now = read(root, folders, before)
    local path, code = disagreement(last, now)
    if not path then
      return now
    elseif time.now() >= deadline then
      refusals.raise(code, reasons[code]:format(path), path .. ":1")
    end
    last = now
  end
end

--- Raises a Refusal if files that were read without looking twice are other ones by now.
---@async
---@param texts table<string, string> by path
function reading.verify(texts)
  if next(texts) then
    time.sleep(BETWEEN)
  end
  for path, raw in pairs(texts) do
    if sources.read(path) ~= raw then
      refusals.raise("unstable", reasons.unstable:format(path), path .. ":1")
    end
  end
end

return reading
