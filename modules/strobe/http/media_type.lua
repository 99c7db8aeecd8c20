--- Media types by the ends of file names: what Content-Type says. RFC 9110, section 8.3.

local media_type = {}

local UNKNOWN = "application/octet-stream"

local types = {
  avif = "image/avif",
  bmp = "image/bmp",
  bz2 = "application/x-bzip2",
  css = "text/css",
  csv = "text/csv",
  flac = "audio/flac",
  gif = "image/gif",
  gz = "application/gzip",
  htm = "text/html",
  html = "text/html",
  ico = "image/vnd.microsoft.icon",
  ics = "text/calendar",
  jpeg = "image/jpeg",
  jpg = "image/jpeg",
  js = "text/javascript",
  json = "application/json",
  jsonl = "application/jsonl",
  log = "text/plain",
  lua = "text/plain",
  m4a = "audio/mp4",
  map = "application/json",
  md = "text/markdown",
  mjs = "text/javascript",
  mp3 = "audio/mpeg",
  mp4 = "video/mp4",
  oga = "audio/ogg",
  ogg = "audio/ogg",
  ogv = "video/ogg",
  otf = "font/otf",
  pdf = "application/pdf",
  png = "image/png",
  svg = "image/svg+xml",
  tar = "application/x-tar",
  tif = "image/tiff",
  tiff = "image/tiff",
  ttf = "font/ttf",
  txt = "text/plain",
  vcd = "text/plain",
  wasm = "application/wasm",
  wav = "audio/wav",
  webm = "video/webm",
  webmanifest = "application/manifest+json",
  webp = "image/webp",
  woff = "font/woff",
  woff2 = "font/woff2",
  xhtml = "application/xhtml+xml",
  xml = "application/xml",
  xz = "application/x-xz",
  zip = "application/zip",
  zst = "application/zstd",
}

--- The type of a file; texts are taken to be UTF-8.
---@param name string a file name, or a path
---@param own? table<string, string> types by endings in small letters, which come first and are given as they are
---@return string
function media_type.of(name, own)
  local ending = (name:match "%.([^./]+)$" or ""):lower()
  local found = own and own[ending]
  if found then
    return found
  end
  found = types[ending] or UNKNOWN
  return found:find "^text/" and found .. "; charset=utf-8" or found
end

return media_type
