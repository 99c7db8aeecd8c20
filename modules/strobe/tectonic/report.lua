-- Reports: the JSON documents of INFO and PERF, letter by letter as the original lays them out, with the
-- books in order of creation instead of by chance.
--
-- Where we leave the original: quotes, backslashes and control characters in names are escaped.
--
-- Source: facts read in tectonicdb c4fcb1c and c0c6819 (state.rs).

local AUTOFLUSH_INTERVAL = 1000 -- the original's default; autoflush itself is always off here

local report = {}

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(char)
    return ("\\u%04x"):format(char:byte())
  end) .. '"'
end

local function object(fields, indent)
  local lines = {}
  for i, field in ipairs(fields) do
    lines[i] = ("%s  %s: %s"):format(indent, quote(field[1]), field[2])
  end
  return "{\n" .. table.concat(lines, ",\n") .. "\n" .. indent .. "}"
end

local function meta_a(store)
  local total = store:count()
  return object({ { "cxns", store.connections }, { "ts", math.floor(store.now()) },
    { "autoflush_enabled", false }, { "autoflush_interval", AUTOFLUSH_INTERVAL },
    { "dtf_folder", quote(store.options.folder or "db") }, { "total_count", total } }, "  ")
end

local function meta_c(store)
  local total, in_memory = store:count()
  return object({ { "clis", store.connections }, { "subs", store:stats().subscribers },
    { "ts", math.floor(store.now()) }, { "autoflush_enabled", false },
    { "autoflush_interval", AUTOFLUSH_INTERVAL }, { "dtf_folder", quote(store.options.folder or "db") },
    { "total_in_memory_count", in_memory }, { "total_count", total } }, "  ")
end

local function books(store, in_memory)
  local all = {}
  for i, book in ipairs(store:list()) do
    all[i] = object({ { "name", quote(book.name) }, { "in_memory", in_memory(book) },
      { "count", book.total } }, "  ")
  end
  return table.concat(all, ", ")
end

local function document(meta, dbs)
  return ('{\n  "meta": %s,\n  "dbs": [%s]\n}\n'):format(meta, dbs)
end

---The answer to INFO in generation A.
---@param store strobe.tectonic.Store
---@return string
function report.info(store)
  return document(meta_a(store), books(store, function(book)
    return book:count() > 0
  end))
end

---The answer to INFO in generation C, where `in_memory` is a number of rows.
---@param store strobe.tectonic.Store
---@return string
function report.info_c(store)
  return document(meta_c(store), books(store, function(book)
    return book:count()
  end))
end

local function series(name, samples)
  local points = {}
  for i, sample in ipairs(samples:list()) do
    points[i] = ('"%d":%d'):format(sample[1], sample[2])
  end
  return ("{%s: {%s}}"):format(quote(name), table.concat(points, ", "))
end

---The answer to PERF: the row counts that store:sample() took, books first, "total" last.
---@param store strobe.tectonic.Store
---@return string
function report.perf(store)
  local all = {}
  for _, book in ipairs(store:list()) do
    local samples = store.history[book.name]
    if samples then
      all[#all + 1] = series(book.name, samples)
    end
  end
  if store.history.total and not store:book("total") then
    all[#all + 1] = series("total", store.history.total)
  end
  return "[" .. table.concat(all, ", ") .. "]\n"
end

return report
