--- Charts: a curve over time with its axes, as an SVG picture whose colours are the page's.

local axes = require "strobe.backtest.axis"
local figures = require "strobe.backtest.figure"

local charts = {}

local WIDTH, HEIGHT = 1000, 260
local TOP, RIGHT, BOTTOM = 12, 24, 28
-- Of a letter of a label; a label, with the space beside it.
local LETTER, TIME_LABEL = 6.6, 110
-- More marks than these are drawn small.
local MANY_FILLS = 200

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- Text that stands for itself in HTML and SVG. Control characters, which neither may have, are dropped.
---@param text any
---@return string
function charts.escape(text)
  return (tostring(text):gsub("[&<>\"']", escapes):gsub("[%z\1-\8\11\12\14-\31]", ""))
end

---@class strobe.backtest.ChartOptions
---@field points number[][] {time, value}
---@field name string       for who cannot see it
---@field class string      "equity", "falls" or "price": of its colours
---@field begin number      of the axis of time
---@field finish number
---@field left number       margin, see charts.margin
---@field base? number      a value that is marked with a line, and in the picture
---@field fill? boolean     the area down, or up, to the base
---@field fills? table[]    marks: {time, price, side, size}
---@field height? number

local function bounds(options)
  local low, high = math.huge, -math.huge
  for _, point in ipairs(options.points) do
    low, high = math.min(low, point[2]), math.max(high, point[2])
  end
  for _, fill in ipairs(options.fills or {}) do
    low, high = math.min(low, fill.price), math.max(high, fill.price)
  end
  if options.base then
    low, high = math.min(low, options.base), math.max(high, options.base)
  end
  return low, high
end

local function value_axis(options)
  local low, high = bounds(options)
  return axes.numbers(low, high, 4)
end

--- The left margin which a chart's labels need.
---@param options strobe.backtest.ChartOptions without left
---@return number
function charts.margin(options)
  local longest = 0
  for _, tick in ipairs(value_axis(options).ticks) do
    longest = math.max(longest, utf8.len(tick.label))
  end
  return longest * LETTER + 18
end

-- Where values are in the picture.
local function plane(options)
  local height = options.height or HEIGHT
  local x_axis = axes.times(options.begin, options.finish, (WIDTH - options.left - RIGHT) // TIME_LABEL)
  local y_axis = value_axis(options)
  local x_scale = (WIDTH - options.left - RIGHT) / (x_axis.high - x_axis.low)
  local y_scale = (height - TOP - BOTTOM) / (y_axis.high - y_axis.low)
  return {
    height = height, left = options.left, right = WIDTH - RIGHT, bottom = height - BOTTOM,
    x_axis = x_axis, y_axis = y_axis,
    x = function(time)
      return options.left + (time - x_axis.low) * x_scale
    end,
    y = function(value)
      return TOP + (y_axis.high - value) * y_scale
    end,
  }
end

local function draw_values(parts, at)
  for _, tick in ipairs(at.y_axis.ticks) do
    local y = at.y(tick.value)
    parts[#parts + 1] = ('<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>'):format(at.left, at.right, y, y)
    parts[#parts + 1] = ('<text x="%.1f" y="%.1f" text-anchor="end">%s</text>'):format(at.left - 8, y + 4, tick.label)
  end
end

-- The first and the last label stay inside the picture.
local function draw_times(parts, at)
  for _, tick in ipairs(at.x_axis.ticks) do
    local x = at.x(tick.value)
    local half = #tick.label * LETTER / 2
    local centre = math.min(math.max(x, half), WIDTH - half)
    parts[#parts + 1] = ('<line class="tick" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>'):format(x, x, at.bottom,
      at.bottom + 4)
    parts[#parts + 1] = ('<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>'):format(centre, at.bottom + 19,
      tick.label)
  end
end

local function path_of(points, at)
  local steps = {}
  for i, point in ipairs(points) do
    steps[i] = ("%s%.1f %.1f"):format(i == 1 and "M" or "L", at.x(point[1]), at.y(point[2]))
  end
  return table.concat(steps)
end

local function draw_curve(parts, options, at)
  local points = options.points
  local path = path_of(points, at)
  if options.fill and #points > 1 then
    local y = at.y(options.base or at.y_axis.low)
    parts[#parts + 1] = ('<path class="area" d="%sL%.1f %.1fL%.1f %.1fZ"/>'):format(path, at.x(points[#points][1]), y,
      at.x(points[1][1]), y)
  end
  if #points == 1 then
    parts[#parts + 1] = ('<circle class="dot" cx="%.1f" cy="%.1f" r="3"/>'):format(at.x(points[1][1]),
      at.y(points[1][2]))
  else
    parts[#parts + 1] = ('<path class="line" d="%s"/>'):format(path)
  end
end

-- A triangle that points at the price: from below where it was bought, from above where it was sold.
local function mark(fill, at, half)
  local x, y = at.x(fill.time), at.y(fill.price)
  local down = fill.side == "buy" and 1 or -1
  return ('<path class="%s" d="M%.1f %.1fl%d %dh%dz"><title>%s %s at %s, %s</title></path>'):format(
    fill.side == "buy" and "buy" or "sell", x, y + 2 * down, half, (2 * half - 1) * down, -2 * half,
    charts.escape(fill.side), figures.exact(fill.size), figures.exact(fill.price), figures.date(fill.time, 3))
end

-- Marks that would cover each other are drawn once; many marks are small, so that the price can be seen.
local function draw_marks(parts, fills, at)
  local seen, half = {}, #fills > MANY_FILLS and 2 or 5
  local grid = #fills > MANY_FILLS and 6 or 3
  for _, fill in ipairs(fills) do
    local key = ("%s %d %d"):format(fill.side, at.x(fill.time) // grid, at.y(fill.price) // grid)
    if not seen[key] then
      seen[key] = true
      parts[#parts + 1] = mark(fill, at, half)
    end
  end
end

--- Draws one.
---@param options strobe.backtest.ChartOptions
---@return string svg
function charts.draw(options)
  local at, parts = plane(options), {}
  local svg = '<svg class="chart %s" viewBox="0 0 %d %d" role="img" aria-label="%s">'
  parts[1] = svg:format(options.class, WIDTH, at.height, charts.escape(options.name))
  draw_values(parts, at)
  draw_times(parts, at)
  if options.base then
    local y = at.y(options.base)
    parts[#parts + 1] = ('<line class="base" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>'):format(at.left, at.right, y, y)
  end
  draw_curve(parts, options, at)
  draw_marks(parts, options.fills or {}, at)
  parts[#parts + 1] = "</svg>"
  return table.concat(parts, "\n")
end

return charts
