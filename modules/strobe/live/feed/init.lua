--- strobe.live.feed: where a unit's events come from, by URL.
--
--   local feed = assert(feeds.open("tectonic://localhost:9001/btc_usd", { name = "tdb" }))
--   feed:run(function(stream, data, time, stream_seq) … end)
--
-- | URL | events |
-- |---|---|
-- | `tectonic://HOST[:PORT]/BOOK[,BOOK…][?protocol=push]` | ticks of a TectonicDB server; stream = the book's name |
-- | `ws://…`, `wss://…[#stream=PATH&seq=PATH&data=PATH&subscribe=JSON…]` | JSON messages, see websocket.lua |
-- | `replay:FILE.csv`, `replay:FILE.jsonl` | a recording, at its own times |
-- | `synthetic:SEED[?rate=N&book=NAME,…&count=N&start=SECONDS]` | a random walk; the same seed, the same ticks |
-- | `stdin:` | JSON lines, or CSV with a header |
--
-- Options stand behind `?` or `#`, percent-encoded where they must be. All take `gaps=off`: numbers are not checked.

local feeds = {}

---@class strobe.live.FeedUrl
---@field text string   as it was given
---@field scheme string
---@field rest string   between the scheme's colon and the options
---@field options table<string, string> the last one of a name
---@field all {[1]: string, [2]: string}[] all of them, in their order
---@field name string   of the feed

local kinds = {
  tectonic = "strobe.live.feed.tectonic", ws = "strobe.live.feed.websocket", wss = "strobe.live.feed.websocket",
  replay = "strobe.live.feed.replay", synthetic = "strobe.live.feed.synthetic", stdin = "strobe.live.feed.stdin",
}

local function decode(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- Splits "rest#name=value&…" off; a kind may take them behind "?" as well.
local function split(rest, separators)
  local from = rest:find("[" .. separators .. "]")
  local options, all = {}, {}
  if not from then
    return rest, options, all
  end
  for pair in rest:sub(from + 1):gmatch "[^&]+" do
    local name, value = pair:match "^([%w_]+)=(.*)$"
    if not name then
      return nil, ("options as name=value&… expected behind '%s', got %q"):format(rest:sub(from, from), pair)
    end
    options[name] = decode(value)
    all[#all + 1] = { name, options[name] }
  end
  return rest:sub(1, from - 1), options, all
end

local function check_options(known, options)
  local names = { "gaps" }
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  for name in pairs(options) do
    if name ~= "gaps" and not known[name] then
      return ("there is no option '%s'; there are: %s"):format(name, table.concat(names, ", "))
    end
  end
  if options.gaps and options.gaps ~= "off" and options.gaps ~= "on" then
    return ("gaps: on or off expected, got %q"):format(options.gaps)
  end
end

local function open(text, name)
  local scheme, rest = text:match "^(%a[%w+.-]*):(.*)$"
  local module = kinds[scheme and scheme:lower()]
  if not module then
    return nil, "it begins with tectonic://, ws://, wss://, replay:, synthetic: or stdin:", "EINVAL"
  end
  local kind = require(module)
  local place, options, all = split(rest, kind.separators)
  if not place then
    return nil, options, "EINVAL"
  end
  local wrong = check_options(kind.options, options)
  if wrong then
    return nil, wrong, "EINVAL"
  end
  scheme = scheme:lower()
  return kind.open {
    text = text, scheme = scheme, rest = place, options = options, all = all, name = name or scheme,
  }
end

--- Makes a feed; it connects when it runs.
---@param url string
---@param options? {name?: string} name: how units may call it, "name:stream" (the URL's scheme)
---@return strobe.live.Feed?
---@return string? message
---@return string? code "EINVAL", or the system's word for a recording that cannot be read
function feeds.open(url, options)
  if type(url) ~= "string" then
    error(("feeds.open: a URL expected, got %s"):format(type(url)), 2)
  end
  local name = options and options.name
  if name ~= nil and (type(name) ~= "string" or not name:find "^[%w_.-]+$") then
    error(("feeds.open: name: letters, digits, '_', '.', '-' expected, got %s"):format(tostring(name)), 2)
  end
  local feed, message, code = open(url, name)
  if not feed then
    return nil, ("feed %s: %s"):format(require("strobe.ws.uri").without_password(url), message), code
  end
  return feed
end

return feeds
