--- Answers for strobe.http without a port. aioresponses
--
-- The keys say what is answered: a method, or *, and a URL or only its path. "GET /users" is that path of any host,
-- with any query; "GET https://api.example/users?id=7" has that query too; a * in it stands for anything.
--
--   mock.http {
--     ["GET /profile"] = { json = { user = "Ada" } },               -- each time
--     ["POST /orders"] = function(request)                          -- made when it is asked for
--       return { status = 201, json = { echo = json.decode(request.body) } }
--     end,
--     ["GET /flaky"] = { { status = 503 }, { body = "well" } },     -- one after the other; then the spec has asked
--     ["GET /gone"] = { error = "ECONNREFUSED" },                   --   more often than was expected: an error
--     ["GET /slow"] = { delay = 5, body = "late" },                 -- seconds on the loop's clock
--   }

local json = require "strobe.json"
local mistake = require "strobe.mistake"
local pattern = require "strobe.testing.pattern"
local reasons = require "strobe.http.status"
local shallow = require "strobe.shallow"
local target = require "strobe.http.target"
local time = require "strobe.core.time"
local transport = require "strobe.http.transport"

---@class strobe.testing.Answer what a mocked request is answered with
---@field status? integer (200)
---@field headers? table<string, string|string[]>
---@field body? string|fun(): string? whole or in pieces
---@field json? any         the body, encoded
---@field delay? number     seconds until it comes
---@field error? string     no answer, but a failure with this code: "ECONNREFUSED", "ETIMEDOUT", "ECONNRESET", …

---@class strobe.testing.Call a request that was made
---@field method string
---@field url string
---@field path string
---@field query table<string, string>
---@field headers table<string, string>
---@field body string
---@field key? string the answer's that was taken; nil when there was none

---@class strobe.testing.HttpMock answers while it is open; a `<close>` value
---@field calls strobe.testing.Call[] all requests, in order
---@field private rules table[]
---@field private pushed table
local HttpMock = {}
HttpMock.__index = HttpMock
HttpMock.__name = "http mock"

local fields = { status = "number", headers = "table", delay = "number", error = "string" }

-- What is wrong with an answer; nil when nothing is.
local function fault(answer)
  if type(answer) ~= "table" then
    return ("a table or a function expected, got %s"):format(type(answer))
  end
  for name, value in pairs(answer) do
    local kind = fields[name]
    if kind and type(value) ~= kind then
      return ("%s: a %s expected, got %s"):format(name, kind, type(value))
    elseif not kind and name ~= "body" and name ~= "json" then
      return ("there is no field '%s'"):format(tostring(name))
    end
  end
end

local function is_list(answer)
  return type(answer) == "table" and answer[1] ~= nil
end

local function check_answers(key, answer)
  for _, one in ipairs(is_list(answer) and answer or { answer }) do
    local message = type(one) ~= "function" and fault(one)
    if message then
      mistake.raise("mock.http: %q: %s", key, message)
    end
  end
end

local function rule_of(key, answer)
  local method, url = tostring(key):match "^(%u+) (%S+)$"
  if not method then
    method, url = tostring(key):match "^(%*) (%S+)$"
  end
  if not method or not (url:find "^/" or url:find "^https?://" or url:find "^%*") then
    error(('mock.http: %q: a key as "GET /path" or "GET https://host/path" expected'):format(tostring(key)), 4)
  end
  check_answers(key, answer)
  local place, query = url:match "^([^?]*)%??(.*)$"
  return {
    key = key, method = method, pattern = pattern.of(place), by_path = url:sub(1, 1) == "/",
    query = query ~= "" and (target.pairs(query)) or nil, answer = answer, times = 0,
    precise = #place + #query + (method == "*" and 0 or 1000),
  }
end

-- Those that say more are asked first.
local function rules_of(answers)
  local rules = {}
  for key, answer in pairs(answers) do
    rules[#rules + 1] = rule_of(key, answer)
  end
  return pattern.sorted(rules)
end

local function matches(rule, call, place)
  return (rule.method == "*" or rule.method == call.method)
    and (rule.by_path and call.path or place):find(rule.pattern) ~= nil
    and (not rule.query or shallow.equal(rule.query, call.query))
end

local function call_of(request)
  local place, query = request.url:match "^([^?#]*)%??([^#]*)"
  local headers = {}
  for name, value in pairs(request.headers) do
    headers[name] = type(value) == "table" and table.concat(value, ", ") or value
  end
  return {
    method = request.method, url = request.url, path = place:match "^%a+://[^/]*(/?.*)$",
    query = (target.pairs(query)), headers = headers, body = transport.whole_body(request.body),
  }, place
end

-- The answer of a rule to a request; nil, message, code.
local function take(rule, call)
  local answer = rule.answer
  rule.times = rule.times + 1
  if is_list(answer) then
    answer = answer[rule.times]
    if not answer then
      return nil, ("mock.http: %s was asked %d times, and has %d answers"):format(rule.key, rule.times,
        #rule.answer), "ECONNREFUSED"
    end
  end
  if type(answer) == "function" then
    answer = answer(call)
    local message = fault(answer)
    if message then
      error(("mock.http: %q: its function's answer: %s"):format(rule.key, message), 0)
    end
  end
  return answer
end

-- Waits for an answer's time; false when the request's own is up before.
local function wait_for(answer, request)
  local seconds = answer.delay
  local left = request.deadline and request.deadline - time.now()
  time.sleep(left and math.min(left, seconds) or seconds)
  return not left or seconds < left
end

-- The body, and the headers with its type.
local function body_of(answer)
  local headers = {}
  for name, value in pairs(answer.headers or {}) do
    headers[name:lower()] = value
  end
  if answer.json == nil then
    return answer.body or "", headers
  end
  headers["content-type"] = headers["content-type"] or "application/json"
  return assert(json.encode(answer.json)), headers
end

-- As a transport gives it.
local function sent(answer, request)
  if answer.delay and not wait_for(answer, request) then
    return nil, "http: ETIMEDOUT", "ETIMEDOUT"
  elseif answer.error then
    return nil, ("%s (mock.http)"):format(answer.error), answer.error
  end
  local body, headers = body_of(answer)
  local status = answer.status or 200
  return {
    status = status, reason = reasons[status], headers = headers, body = request.method ~= "HEAD" and body or "",
  }
end

-- The transport: answers, or asks the next one if that is another mock.
local function respond(self, request, pass)
  local call, place = call_of(request)
  for _, rule in ipairs(self.rules) do
    if matches(rule, call, place) then
      call.key = rule.key
      self.calls[#self.calls + 1] = call
      local answer, message, code = take(rule, call)
      if not answer then
        return nil, message, code
      end
      return sent(answer, request)
    end
  end
  if self.passes then
    request.body = request.body and call.body
    return pass(request)
  end
  self.calls[#self.calls + 1] = call
  return nil, ("mock.http has no answer for %s %s; it has %s"):format(call.method, call.url, pattern.keys(self.rules)),
    "ECONNREFUSED"
end

--- The requests which one of the answers was for.
---@param key string as it was given
---@return strobe.testing.Call[]
function HttpMock:calls_of(key)
  local list = {}
  for _, call in ipairs(self.calls) do
    if call.key == key then
      list[#list + 1] = call
    end
  end
  return list
end

--- Ends it: requests reach the network again.
function HttpMock:close()
  self.pushed:close()
end

HttpMock.__close = HttpMock.close

local mock_http = {}

--- Answers what strobe.http requests, until it is closed.
---@param answers table<string, strobe.testing.Answer|strobe.testing.Answer[]|fun(call: strobe.testing.Call): table>
---@param options? {passthrough?: boolean} true: what has no answer here goes on to another mock, or the network
---@return strobe.testing.HttpMock a `<close>` value
function mock_http.open(answers, options)
  if type(answers) ~= "table" then
    error(("mock.http: a table of answers expected, got %s"):format(type(answers)), 2)
  end
  local self = setmetatable({
    calls = {}, rules = rules_of(answers), passes = options and options.passthrough,
    pushed = false, -- its place: what is pushed must not be lost for want of memory
  }, HttpMock)
  self.pushed = transport.push(function(request, pass)
    return respond(self, request, pass)
  end)
  return self
end

return mock_http
