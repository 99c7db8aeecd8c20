--- How Lua's own functions are called.

local standard = {}

local signatures = [[
assert(v, message?, ...) → v, message, ...
collectgarbage(option?, argument?)
dofile(filename?)
error(message, level?)
getmetatable(object)
ipairs(t)
load(chunk, chunkname?, mode?, env?) → function?, message
loadfile(filename?, mode?, env?) → function?, message
next(table, index?) → index?, value
pairs(t)
pcall(f, ...) → boolean, ...
print(...)
rawequal(v1, v2) → boolean
rawget(table, index)
rawlen(v) → integer
rawset(table, index, value) → table
require(modname) → module, where
select(n, ...)
setmetatable(table, metatable) → table
tonumber(e, base?) → number?
tostring(v) → string
type(v) → string
warn(message, ...)
xpcall(f, msgh, ...) → boolean, ...
coroutine.close(co) → boolean, error?
coroutine.create(f) → thread
coroutine.isyieldable(co?) → boolean
coroutine.resume(co, ...) → boolean, ...
coroutine.running() → thread, is_main
coroutine.status(co) → string
coroutine.wrap(f) → function
coroutine.yield(...)
debug.debug()
debug.gethook(thread?) → hook, mask, count
debug.getinfo(thread?, f, what?) → table
debug.getlocal(thread?, f, n) → name, value
debug.getmetatable(value)
debug.getregistry()
debug.getupvalue(f, up) → name, value
debug.getuservalue(u, n?)
debug.sethook(thread?, hook, mask, count?)
debug.setlocal(thread?, level, n, value) → name
debug.setmetatable(value, table) → value
debug.setupvalue(f, up, value) → name
debug.setuservalue(udata, value, n?)
debug.traceback(thread?, message?, level?) → string
debug.upvalueid(f, n)
debug.upvaluejoin(f1, n1, f2, n2)
io.close(file?)
io.flush()
io.input(file?)
io.lines(filename?, ...)
io.open(filename, mode?) → file?, message, code
io.output(file?)
io.popen(prog, mode?) → file?
io.read(...)
io.tmpfile() → file
io.type(obj) → "file"|"closed file"|nil
io.write(...) → file
math.abs(x)
math.acos(x)
math.asin(x)
math.atan(y, x?)
math.ceil(x) → integer
math.cos(x)
math.deg(x)
math.exp(x)
math.floor(x) → integer
math.fmod(x, y)
math.log(x, base?)
math.max(x, ...)
math.min(x, ...)
math.modf(x) → integral, fraction
math.rad(x)
math.random(m?, n?)
math.randomseed(x?, y?)
math.sin(x)
math.sqrt(x)
math.tan(x)
math.tointeger(x) → integer?
math.type(x) → "integer"|"float"|nil
math.ult(m, n) → boolean
os.clock() → seconds
os.date(format?, time?)
os.difftime(t2, t1) → seconds
os.execute(command?)
os.exit(code?)
os.getenv(varname) → string?
os.remove(filename) → true?, message, code
os.rename(oldname, newname) → true?, message, code
os.setlocale(locale, category?)
os.time(table?) → seconds
os.tmpname() → string
package.loadlib(libname, funcname)
package.searchpath(name, path, sep?, rep?) → filename?, message
string.byte(s, i?, j?) → integer, ...
string.char(...) → string
string.dump(function, strip?) → string
string.find(s, pattern, init?, plain?) → first?, last, captures...
string.format(formatstring, ...) → string
string.gmatch(s, pattern, init?) → iterator
string.gsub(s, pattern, repl, n?) → string, count
string.len(s) → integer
string.lower(s) → string
string.match(s, pattern, init?) → captures...
string.pack(fmt, v1, v2, ...) → string
string.packsize(fmt) → integer
string.rep(s, n, sep?) → string
string.reverse(s) → string
string.sub(s, i, j?) → string
string.unpack(fmt, s, pos?) → values..., next
string.upper(s) → string
table.concat(list, sep?, i?, j?) → string
table.insert(list, pos?, value)
table.move(a1, f, e, t, a2?) → a2
table.pack(...) → table
table.remove(list, pos?) → value
table.sort(list, comp?)
table.unpack(list, i?, j?) → ...
utf8.char(...) → string
utf8.codepoint(s, i?, j?, lax?) → integer, ...
utf8.codes(s, lax?) → iterator
utf8.len(s, i?, j?, lax?) → integer?, place
utf8.offset(s, n, i?) → place?
]]

local function value_of(name)
  local library, field = name:match "^(%w+)%.(%w+)$"
  local t = _G
  if library then
    t, name = rawget(_G, library), field
  end
  return type(t) == "table" and rawget(t, name) or nil
end

local known

-- By the functions themselves, whatever they are called by.
local function signatures_by_function()
  known = setmetatable({}, { __mode = "k" })
  for name, parameters, results in signatures:gmatch "([%w.]+)%(([^\n]-)%)([^\n]*)\n" do
    local f = value_of(name)
    if type(f) == "function" then
      known[f] = { name = name, parameters = parameters, results = results }
    end
  end
  return known
end

--- How a function of Lua's own is called.
---@param f function
---@return {name: string, parameters: string, results: string}? signature "string.rep", "s, n, sep?", " → string"
function standard.signature(f)
  return (known or signatures_by_function())[f]
end

return standard
