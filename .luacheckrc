-- What luacheck asks of our Lua; .ci/lint runs it.
std = "lua54"
max_line_length = 120
max_cyclomatic_complexity = 20

-- A method may ignore its self.
self = false

files["spec"] = { std = "+busted" }

exclude_files = { "build", "**/.venv", "**/node_modules" }
