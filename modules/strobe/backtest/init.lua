--- Back-tests: what a run of strategies has won, as figures, pictures and a list of trades.
--
--   local recorder = backtest.Recorder { title = "EMA cross", cash = 10000 }
--   recorder:attach(runtime, paper)               -- before the feed begins
--   runtime:wait_feeds()
--   local result = recorder:finish()
--   assert(backtest.write_html(result, "out.html"))
--   assert(backtest.write_json(result, "out.json"))

local fs = require "strobe.async.fs"
local html = require "strobe.backtest.html"
local Recorder = require "strobe.backtest.recorder"
local results = require "strobe.backtest.result"

local backtest = {}

--- Makes a recorder.
---@param options? strobe.backtest.RecorderOptions
---@return strobe.backtest.Recorder
function backtest.Recorder(options)
  return Recorder.new(options)
end

local function check(where, result, path)
  if type(result) ~= "table" or result.kind ~= "strobe.backtest" then
    error(("%s: result: that of recorder:finish() expected, got %s"):format(where, type(result)), 3)
  elseif type(path) ~= "string" or path == "" then
    error(("%s: path: a file's name expected, got %s"):format(where, type(path)), 3)
  end
end

--- Writes a result as one HTML file that needs nothing else.
---@async
---@param result strobe.backtest.Result
---@param path string
---@return true? ok
---@return string? message
---@return string? code "ENOENT", "EACCES", "ENOSPC", …
function backtest.write_html(result, path)
  check("write_html", result, path)
  return fs.write_file(path, html.render(result))
end

--- Writes a result as JSON: the same run gives the same bytes.
---@async
---@param result strobe.backtest.Result
---@param path string
---@return true? ok
---@return string? message
---@return string? code
function backtest.write_json(result, path)
  check("write_json", result, path)
  return fs.write_file(path, results.encode(result))
end

return backtest
