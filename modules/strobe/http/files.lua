--- Static files: a handler for the HTTP server which sends what is in a directory.
--
-- A path is looked up in the directory as it is at that moment, symbolic links and
-- all; what it leads to must lie within, or it is not there. Whoever may write into
-- the directory while it is served is trusted: between the look and the opening a
-- folder can be made a link.

local File = require "strobe.async.file"
local conditional = require "strobe.http.conditional"
local date = require "strobe.http.date"
local fs = require "strobe.async.fs"
local listing = require "strobe.http.listing"
local media_type = require "strobe.http.media_type"
local mistake = require "strobe.mistake"
local range = require "strobe.http.range"
local time = require "strobe.core.time"
local uv = require "luv"

local files = {}

-- Bytes read at once, entries of a page, bytes of a path.
local PIECE, MAX_ENTRIES, MAX_PATH = 64 * 1024, 10000, 4096

-- Seconds in which a file may change twice and keep its time.
local YOUNG = 2

local READ_ONLY = uv.constants.O_RDONLY

---@class strobe.http.FilesOptions
---@field prefix? string begins the paths of requests: "/static" (nothing)
---@field index? string|false the file that stands for a folder ("index.html")
---@field listing? boolean a folder without that file is shown as a page
---@field dotfiles? boolean names that begin with a dot are files as others
---@field follow_symlinks? boolean symbolic links may lead out of the directory
---@field precompressed? boolean a.txt.gz, if it is there and not older, is sent for a.txt to those who take gzip
---@field cache_control? string the value of that header: "public, max-age=3600"
---@field types? table<string, string> media types by endings in small letters: {tick = "text/csv"}
---@field headers? table<string, string> more headers for each answer that is a file

local known = {
  prefix = "string", index = "string", listing = "boolean", dotfiles = "boolean", follow_symlinks = "boolean",
  precompressed = "boolean", cache_control = "string", types = "table", headers = "table",
}

local reasons = {
  [301] = "it is a folder",
  [400] = "this path cannot be",
  [403] = "this may not be read",
  [404] = "there is nothing here",
  [405] = "only GET and HEAD",
  [412] = "it is not as you say",
  [416] = "it has no such range",
  [503] = "too busy, try again",
}

-- An answer without a file.
local function answer(status, headers)
  local text = reasons[status] .. "\n"
  headers = headers or {}
  headers["Content-Type"] = "text/plain; charset=utf-8"
  headers["X-Content-Type-Options"] = "nosniff"
  headers["Content-Length"] = #text
  return status, headers, text
end

local status_of = {
  ENOENT = 404, ENOTDIR = 404, ELOOP = 404, ENAMETOOLONG = 404, ENOTSUP = 404, ENXIO = 404,
  EACCES = 403, EPERM = 403, EISDIR = 404,
  EMFILE = 503, ENFILE = 503, ENOMEM = 503,
}

-- The answer to a failure; what nobody could have expected raises.
local function refuse(message, code)
  local status = status_of[code]
  if not status then
    error(message, 0)
  end
  return answer(status, status == 503 and { ["Retry-After"] = "1" } or nil)
end

-- nil when the path may be looked up, or a status.
local function check_path(site, path)
  if #path > MAX_PATH then
    return 404
  elseif path:sub(1, 1) ~= "/" or path:find "[%z\\]" or path:find("//", 1, true) then
    return 400
  end
  for segment in path:gmatch "[^/]+" do
    if segment == "." or segment == ".." then
      return 400
    elseif segment:sub(1, 1) == "." and not site.dotfiles then
      return 404
    end
  end
end

-- The path below the prefix, or nil.
local function strip_prefix(site, path)
  local prefix = site.prefix
  if path:sub(1, #prefix) == prefix and (#path == #prefix or path:sub(#prefix + 1, #prefix + 1) == "/") then
    return path:sub(#prefix + 1)
  end
end

local function is_within(root, real)
  return real == root or root == "/" or real:sub(1, #root + 1) == root .. "/"
end

-- What a path is really called, or nil, message, code.
local function locate(site, path)
  local root, message, code = fs.realpath(site.directory)
  if not root then
    error(("the directory that is served: %s (%s)"):format(message, code), 0)
  end
  local real
  real, message, code = fs.realpath(root .. path)
  if not real then
    return nil, message, code
  elseif is_within(root, real) then
    local below = root == "/" and real or real:sub(#root + 1)
    if not site.dotfiles and below:find("/.", 1, true) then
      return nil, "a link to a dotfile", "ENOENT"
    end
    return real
  elseif not site.follow_symlinks then
    return nil, "a link out of the directory", "ENOENT"
  end
  return real
end

local function open(site, path)
  local real, message, code = locate(site, path)
  if not real then
    return nil, message, code
  end
  return File.open(real, READ_ONLY, 0)
end

-- A file which is closed when its block is left before somebody took it.
local Held = {
  __close = function(held)
    if held.file then
      held.file:abandon()
    end
  end,
}

-- What is sent: strings, and ranges of the file.
---@class strobe.http.FileBody
---@field private file strobe.File
---@field private parts (string|strobe.http.Range)[]
---@field private index integer of the part that is next
---@field private at? integer where in that range
local Body = {}
Body.__index = Body
Body.__name = "file body"

-- Bytes that were promised and are not there any more cannot be made up: the
-- connection must break.
local function read_range(body, part)
  local at = body.at or part.first
  body.file:seek("set", at)
  local data, message = body.file:read(math.min(PIECE, part.last + 1 - at))
  if not data then
    error(message, 0)
  elseif data == "" then
    error(("read %s: the file became shorter while it was sent"):format(body.file.path), 0)
  end
  body.at = at + #data
  if body.at > part.last then
    body.index, body.at = body.index + 1, nil
  end
  return data
end

function Body:__call()
  local part = self.parts[self.index]
  if type(part) == "string" then
    self.index = self.index + 1
    return part
  elseif part then
    return read_range(self, part)
  end
  self.file:abandon()
end

function Body:__close()
  self.file:abandon()
end

local function validators_of(stat, now)
  local mark = math.abs(now - stat.mtime) < YOUNG and "W/" or ""
  return {
    etag = ('%s"%x-%x-%x"'):format(mark, stat.size, stat.mtime_ns, stat.ino),
    modified = math.min(math.floor(stat.mtime), math.floor(now)),
    strong = mark == "",
  }
end

-- Whether gzip is as good as any to the client: RFC 9110, section 12.5.3.
local function takes_gzip(headers)
  local any = false
  for coding, parameters in (headers["accept-encoding"] or ""):lower():gmatch "([^%s,;]+)([^,]*)" do
    local refused = parameters:find "^%s*;%s*q%s*=%s*0%.?0*%s*$"
    if coding == "gzip" or coding == "x-gzip" then
      return not refused
    elseif coding == "*" then
      any = not refused
    end
  end
  return any
end

-- The compressed file in the place of the one that is held, if there is a good one.
local function choose_variant(site, request, path, held)
  if not site.precompressed or not takes_gzip(request.headers) then
    return nil
  end
  local file, stat = open(site, path .. ".gz")
  if not file then
    return nil
  elseif stat.mtime_ns < held.stat.mtime_ns then
    file:abandon()
    return nil
  end
  held.file:abandon()
  held.file, held.stat = file, stat
  return "gzip"
end

local function headers_of(site, path, validators, encoding)
  local headers = {
    ["Accept-Ranges"] = "bytes",
    ["Cache-Control"] = site.cache_control,
    ["Content-Encoding"] = encoding,
    ["Content-Type"] = media_type.of(path, site.types),
    ["ETag"] = validators.etag,
    ["Last-Modified"] = date.format(validators.modified),
    ["Vary"] = site.precompressed and "Accept-Encoding" or nil,
    ["X-Content-Type-Options"] = "nosniff",
  }
  for name, value in pairs(site.headers or {}) do
    headers[name] = value
  end
  return headers
end

-- The headers of a 304: RFC 9110, section 15.4.5.
local function not_modified(headers)
  for _, name in ipairs { "Content-Type", "Content-Encoding", "Accept-Ranges" } do
    headers[name] = nil
  end
  return 304, headers
end

local function random_boundary()
  local digits = uv.random(12):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  return "strobe-" .. digits
end

-- Several ranges, each with a head of its own: RFC 9110, section 14.6.
local function multipart(headers, ranges, size)
  local boundary, parts, length = random_boundary(), {}, 0
  for i, piece in ipairs(ranges) do
    local head = ("%s--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n"):format(i > 1 and "\r\n" or "", boundary,
      headers["Content-Type"], range.text(piece, size))
    parts[#parts + 1] = head
    parts[#parts + 1] = piece
    length = length + #head + piece.last - piece.first + 1
  end
  parts[#parts + 1] = ("\r\n--%s--\r\n"):format(boundary)
  headers["Content-Type"] = "multipart/byteranges; boundary=" .. boundary
  headers["Content-Length"] = length + #parts[#parts]
  return parts
end

-- The ranges that are asked for; nil: the whole; false: there are none such.
local function ranges_of(request, validators, size, now)
  local headers = request.headers
  if request.method ~= "GET" or not headers.range or not conditional.allows_range(headers, validators, now) then
    return nil
  end
  return range.select(headers.range, size)
end

-- Status and parts; sets the headers that go with them.
local function choose_parts(headers, ranges, size)
  if not ranges then
    headers["Content-Length"] = size
    return 200, size > 0 and { { first = 0, last = size - 1 } } or {}
  elseif #ranges > 1 then
    return 206, multipart(headers, ranges, size)
  end
  headers["Content-Range"] = range.text(ranges[1], size)
  headers["Content-Length"] = ranges[1].last - ranges[1].first + 1
  return 206, ranges
end

local function serve(site, request, path, held)
  local now = time.wall()
  local encoding = choose_variant(site, request, path, held)
  local validators, size = validators_of(held.stat, now), held.stat.size
  local headers = headers_of(site, path, validators, encoding)
  local instead = conditional.evaluate(request.headers, validators, now)
  if instead == 304 then
    return not_modified(headers)
  elseif instead then
    return answer(instead)
  end
  local ranges = ranges_of(request, validators, size, now)
  if ranges == false then
    return answer(416, { ["Content-Range"] = range.text(nil, size), ["Accept-Ranges"] = "bytes" })
  end
  local status, parts = choose_parts(headers, ranges, size)
  if request.method == "HEAD" then
    return status, headers
  end
  local body = setmetatable({ file = held.file, parts = parts, index = 1 }, Body)
  held.file = nil
  return status, headers, body
end

-- To the path with a slash. It is made of what was looked up, where no slash follows
-- another: "//host" would lead elsewhere.
local function redirect(request)
  local query = (request.target or ""):match "^[^?#]*(%?[^#]*)" or ""
  query = query:gsub("[^!-~]", listing.encode)
  return answer(301, { ["Location"] = listing.encode(request.path) .. "/" .. query })
end

local function shown(site, entries)
  local list = {}
  for _, entry in ipairs(entries) do
    if site.dotfiles or entry.name:sub(1, 1) ~= "." then
      list[#list + 1] = entry
    end
  end
  return list
end

local function show_folder(site, request, path)
  if not site.listing then
    return answer(404)
  end
  local real, message, code = locate(site, path)
  local entries
  if real then
    entries, message, code = fs.readdir(real, { limit = MAX_ENTRIES })
  end
  if not entries then
    return refuse(message, code)
  end
  local page = listing.page(request.path, shown(site, entries))
  return 200, {
    ["Cache-Control"] = site.cache_control,
    ["Content-Length"] = #page,
    ["Content-Security-Policy"] = "default-src 'none'",
    ["Content-Type"] = "text/html; charset=utf-8",
    ["X-Content-Type-Options"] = "nosniff",
  }, page
end

-- A folder: its index, or a page, or nothing.
local function serve_folder(site, request, path)
  if path:sub(-1) ~= "/" then
    return redirect(request)
  elseif not site.index then
    return show_folder(site, request, path)
  end
  path = path .. site.index
  local held <close> = setmetatable({}, Held)
  local message, code
  held.file, held.stat, code = open(site, path)
  if held.file then
    return serve(site, request, path, held)
  elseif code == "ENOENT" or code == "EISDIR" then
    return show_folder(site, request, path:sub(1, -#site.index - 1))
  end
  message = held.stat
  return refuse(message, code)
end

local function handle(site, request)
  if request.method ~= "GET" and request.method ~= "HEAD" then
    return answer(405, { ["Allow"] = "GET, HEAD" })
  end
  local bad = check_path(site, request.path)
  if bad then
    return answer(bad)
  end
  local path = strip_prefix(site, request.path)
  if not path then
    return answer(404)
  end
  local held <close> = setmetatable({}, Held)
  local code
  held.file, held.stat, code = open(site, path)
  if held.file then
    return serve(site, request, path, held)
  elseif code == "EISDIR" then
    return serve_folder(site, request, path)
  end
  return refuse(held.stat, code)
end

local function check_options(options)
  local site = {}
  for name, value in pairs(mistake.options("http.files", options)) do
    local kind = known[name]
    if not kind then
      error(("http.files: options: there is no option %s"):format(tostring(name)), 3)
    elseif type(value) ~= kind and not (name == "index" and value == false) then
      error(("http.files: %s: a %s expected, got %s"):format(name, kind, type(value)), 3)
    end
    site[name] = value
  end
  if site.index == nil then
    site.index = "index.html"
  elseif site.index and site.index:find "[/%z]" or site.index == "" then
    error("http.files: index: the name of a file expected", 3)
  end
  site.prefix = (site.prefix or ""):gsub("/+$", "")
  return site
end

--- A handler for `http.serve` that sends the files of a directory: GET and HEAD, ranges,
--- conditional requests, an index for folders. It refuses dotfiles, and symbolic links
--- which lead out of the directory, as if they were not there.
---@param directory string must be there
---@param options? strobe.http.FilesOptions
---@return fun(request: table): integer, table, any handler status, headers, body
function files.handler(directory, options)
  local site = check_options(options)
  local stat = type(directory) == "string" and uv.fs_stat(directory)
  if not stat or stat.type ~= "directory" then
    error(("http.files: directory: a directory expected, got %s"):format(tostring(directory)), 2)
  end
  site.directory = directory
  return function(request)
    return handle(site, request)
  end
end

return files
