--- The machine and the versions of everything that takes part.
local shell = require "runner.shell"

local Machine = {}

local function first(path, pattern)
  local file = io.open(path)
  if not file then return end
  local found = file:read("a"):match(pattern)
  file:close()
  return found
end

--- Names and values, in the order they are shown.
---@param here string the folder of the benchmarks
---@param strobe string? the executable
---@return {[1]: string, [2]: string}[]
function Machine.facts(here, strobe)
  local python = shell.quote(here .. "../../build/bench/venv/bin/python")
  local facts = {}
  local function add(name, value) facts[#facts + 1] = {name, value or "none"} end
  add("CPU", first("/proc/cpuinfo", "model name%s*: ([^\n]*)"))
  add("cores", shell.ask("nproc"))
  add("memory", first("/proc/meminfo", "MemTotal:%s*(%d+ kB)"))
  add("system", shell.ask("uname -sr"))
  add("load before", first("/proc/loadavg", "^%S+ %S+ %S+"))
  add("strobe", strobe and shell.ask(shell.quote(strobe) .. " --version"))
  add("Python", shell.ask(python .. " -c 'import platform; print(platform.python_version())'"))
  add("uvloop", shell.ask(python .. " -c 'import uvloop; print(uvloop.__version__)'"))
  add("Node", shell.ask("node --version"))
  add("gpiozero", shell.ask(python .. " -c 'from importlib.metadata import version; print(version(\"gpiozero\"))'"))
  add("Icarus Verilog", shell.ask("vvp -V"))
  add("libuv", shell.ask("pkg-config --modversion libuv"))
  add("C compiler", shell.ask("cc --version"))
  return facts
end

return Machine
