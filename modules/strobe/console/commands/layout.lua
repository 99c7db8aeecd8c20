--- How wide what commands print may be, and whether it has colours.

local terminal = require "strobe.core.terminal"

local STDOUT, USUAL = 1, 80

---@class strobe.console.Layout
---@field width integer columns
---@field color boolean

local layout = {}

--- That of a console: as :set has it, else as wide as its terminal.
---@param console table
---@return strobe.console.Layout
function layout.of(console)
  local settings, columns = console.settings, terminal.size(STDOUT)
  columns = columns and columns > 0 and columns or USUAL
  return { width = settings.width or columns, color = settings.color == true }
end

return layout
