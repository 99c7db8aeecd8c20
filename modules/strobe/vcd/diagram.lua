--- A trace as a timing diagram: SVG that stands alone, in the reader's light or dark.
--
-- Each row is drawn by what its variable is: levels with slopes, z on the middle line, x hatched;
-- vectors and strings as hexagons with their value; reals as a line; events as arrows. What
-- changes faster than a pixel shows is one block, with how often it changed.

local view = require "strobe.vcd.view"

local diagram = {}

local ROW, REAL_ROW, HEADING, AXIS, MARGIN = 34, 56, 26, 34, 16
local LEVEL = 18 -- from low to high
local CHARACTER = 7.3
local SLOPE = 3
local TICK = 95 -- from one to the next, at least
local TALL = 500 -- has its ticks at the bottom, too
-- Pieces that are narrower are drawn as a block.
local NARROW = 1.5

local light = [[
.bg{fill:#fff}.name{fill:#1f2328}.scope,.tick{fill:#656d76}.grid{stroke:#e6e9ed}.base{stroke:#d0d7de}
.wire{stroke:#1a7f37}.high{fill:#1a7f37}.bus{stroke:#0969da;fill:#0969da}.label{fill:#0a3069}.z{stroke:#9a6700}
.x{stroke:#cf222e}.real{stroke:#8250df}.range{fill:#8250df}.event{stroke:#bc4c00;fill:#bc4c00}
.busy{fill:#1a7f37}.count{fill:#fff}
]]

local dark = [[
.bg{fill:#0d1117}.name{fill:#e6edf3}.scope,.tick{fill:#8d96a0}.grid{stroke:#21262d}.base{stroke:#3d444d}
.wire{stroke:#3fb950}.high{fill:#3fb950}.bus{stroke:#58a6ff;fill:#58a6ff}.label{fill:#cae8ff}.z{stroke:#d29922}
.x{stroke:#ff7b72}.real{stroke:#bc8cff}.range{fill:#bc8cff}.event{stroke:#ffa657;fill:#ffa657}
.busy{fill:#3fb950}.count{fill:#0d1117}
]]

local common = [[
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.scope{font-weight:600}.tick,.range,.count{font-size:11px}.range{font-size:10px}
path,line{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.grid,.base{stroke-width:1}.z{stroke-dasharray:4 3}
path.high{fill-opacity:.13;stroke:none}path.bus{fill-opacity:.09}.busy{fill-opacity:.75}
.more{fill-opacity:0}.label{pointer-events:none}
path.x{fill:url(#hatch)}path.event{stroke-width:1.5}.label,.count,.tick{text-anchor:middle}
]]

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

-- What a trace holds is no markup, and need not be UTF-8.
local function escape(text)
  if not utf8.len(text) then
    text = text:gsub("[\128-\255]", "?")
  end
  return (text:gsub("[%z\1-\31\127]", "?"):gsub("[&<>\"]", entities))
end

local function px(number)
  return (("%.1f"):format(number):gsub("%.0$", ""))
end

local function add(page, format, ...)
  page[#page + 1] = format:format(...)
end

local function text(page, class, x, y, content)
  add(page, '<text class="%s" x="%s" y="%s">%s</text>\n', class, px(x), px(y), escape(content))
end

local function path(page, class, parts)
  if #parts > 0 then
    add(page, '<path class="%s" d="%s"/>\n', class, table.concat(parts))
  end
end

-- --- The axis -------------------------------------------------------------------------------

local time_units = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "µs" }, { 1, "ns" } }

local function unit_for(span)
  for _, unit in ipairs(time_units) do
    if span >= unit[1] then
      return unit[1], unit[2]
    end
  end
  return 1, "ns"
end

-- 1, 2 or 5 times a power of ten, at least so much.
local function nice(least)
  local power = 10.0 ^ math.floor(math.log(least, 10))
  for _, factor in ipairs { 1, 2, 5 } do
    if factor * power >= least * (1 - 1e-9) then
      return factor * power
    end
  end
  return 10 * power
end

--- Ticks of an axis: times with their labels.
---@param from number ns
---@param to number ns
---@param most integer how many there may be, about
---@return {time: number, label: string}[]
function diagram.ticks(from, to, most)
  local step = nice((to - from) / most)
  local unit, name = unit_for(to - from)
  local decimals = math.max(0, math.ceil(-math.log(step / unit, 10) - 1e-9))
  local list = {}
  for i = math.ceil(from / step - 1e-9), math.floor(to / step + 1e-9) do
    local label = ("%." .. decimals .. "f %s"):format(i * step / unit, name)
    list[#list + 1] = { time = i * step, label = i == 0 and "0" or label }
  end
  return list
end

-- As many as there is room for, which their labels decide.
local function fitting_ticks(area)
  local width, room = area.right - area.left, TICK
  local ticks
  repeat
    ticks = diagram.ticks(area.from, area.to, math.max(2, width // room))
    local longest = 0
    for _, tick in ipairs(ticks) do
      longest = math.max(longest, utf8.len(tick.label) * CHARACTER + 16)
    end
    local fits = longest <= room or width // room <= 2
    room = longest
  until fits
  return ticks
end

local function draw_axis(page, area)
  for _, tick in ipairs(fitting_ticks(area)) do
    local x = math.floor(area.x(tick.time)) + 0.5
    add(page, '<line class="grid" x1="%s" y1="%s" x2="%s" y2="%s"/>\n', px(x), px(AXIS), px(x), px(area.bottom))
    text(page, "tick", x, AXIS - 9, tick.label)
    if area.bottom > TALL then
      text(page, "tick", x, area.bottom + 14, tick.label)
    end
  end
end

-- --- Pieces ---------------------------------------------------------------------------------

-- The pieces on the page: {x0, x1, value}, or {x0, x1, count = …} for what is too narrow.
local function pieces_on(area, var)
  local list, block = {}, nil
  for from, to, value in view.pieces(var, area.from, area.to) do
    local x0, x1 = area.x(from), area.x(to)
    if x1 - x0 >= NARROW then
      block = nil
      list[#list + 1] = { x0, x1, value }
    elseif block then
      block[2], block.count = x1, block.count + 1
    else
      block = { x0, x1, value, count = 1 }
      list[#list + 1] = block
    end
  end
  return list
end

local function draw_busy(page, top, piece)
  local width = math.max(piece[2] - piece[1], 1)
  local label = ("%d×"):format(piece.count)
  add(page, '<rect class="busy" x="%s" y="%s" width="%s" height="%s"><title>%d changes</title></rect>\n',
    px(piece[1]), px(top), px(width), px(LEVEL), piece.count)
  if width > utf8.len(label) * CHARACTER + 6 then
    text(page, "count", (piece[1] + piece[2]) / 2, top + LEVEL / 2 + 4, label)
  end
end

local function box(x0, x1, top)
  return ("M%s %sH%sV%sH%sZ"):format(px(x0), px(top), px(x1), px(top + LEVEL), px(x0))
end

-- --- Rows -----------------------------------------------------------------------------------

local function draw_wire(page, area, var, y)
  local top = y + (ROW - LEVEL) / 2
  local heights = { ["0"] = top + LEVEL, ["1"] = top, z = top + LEVEL / 2 }
  local levels, floating, unknown, high, before = {}, {}, {}, {}, nil
  for _, piece in ipairs(pieces_on(area, var)) do
    local x0, x1, value = piece[1], piece[2], piece[3]
    local height = not piece.count and heights[value]
    if piece.count then
      draw_busy(page, top, piece)
    elseif not height then
      unknown[#unknown + 1] = box(x0, x1, top)
    else
      local slope = before and before ~= height and math.min(SLOPE, (x1 - x0) / 2) or 0
      local line = value == "z" and floating or levels
      line[#line + 1] = ("M%s %sL%s %sH%s"):format(px(x0), px(before or height), px(x0 + slope), px(height), px(x1))
      if value == "1" then
        high[#high + 1] = ("M%s %sL%s %sH%sV%sZ"):format(px(x0), px(top + LEVEL), px(x0 + slope), px(top), px(x1),
          px(top + LEVEL))
      end
    end
    before = height or nil
  end
  path(page, "high", high)
  path(page, "x", unknown)
  path(page, "z", floating)
  path(page, "wire", levels)
end

local function fitting(label, room)
  local most = math.floor(room / CHARACTER)
  if (utf8.len(label) or #label) <= most then
    return label
  elseif most < 3 then
    return nil
  end
  local stop = utf8.len(label) and utf8.offset(label, most) or most
  return label:sub(1, stop - 1) .. "…"
end

local function draw_hexagon(shapes, top, x0, x1)
  local slope = math.min(SLOPE, (x1 - x0) / 2)
  shapes[#shapes + 1] = ("M%s %sL%s %sH%sL%s %sL%s %sH%sZ"):format(px(x0), px(top + LEVEL / 2), px(x0 + slope),
    px(top), px(x1 - slope), px(x1), px(top + LEVEL / 2), px(x1 - slope), px(top + LEVEL), px(x0 + slope))
end

local function draw_bus(page, area, var, y)
  local top = y + (ROW - LEVEL) / 2
  local shapes, unknown, floating = {}, {}, {}
  for _, piece in ipairs(pieces_on(area, var)) do
    local x0, x1, value = piece[1], piece[2], piece[3]
    local is_bits = var.class == "bits"
    if piece.count then
      draw_busy(page, top, piece)
    elseif is_bits and value and not value:find "[^z]" then
      floating[#floating + 1] = ("M%s %sH%s"):format(px(x0), px(top + LEVEL / 2), px(x1))
    elseif value == nil or is_bits and not value:find "[^x]" then
      draw_hexagon(unknown, top, x0, x1)
    else
      draw_hexagon(is_bits and value:find "[xz]" and unknown or shapes, top, x0, x1)
      local whole = view.label(var, value)
      local label = fitting(whole, x1 - x0 - 2 * SLOPE - 2)
      if label ~= whole then -- it is told when one points at it
        add(page, '<rect class="more" x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>\n', px(x0), px(top),
          px(x1 - x0), px(LEVEL), escape(whole))
      end
      if label then
        text(page, "label", (x0 + x1) / 2, top + LEVEL / 2 + 4, label)
      end
    end
  end
  path(page, "x", unknown)
  path(page, "z", floating)
  path(page, "bus", shapes)
end

local function is_finite(value)
  return value and value == value and math.abs(value) < math.huge
end

local function range_of(area, var)
  local low, high = math.huge, -math.huge
  for _, _, value in view.pieces(var, area.from, area.to) do
    if is_finite(value) then
      low, high = math.min(low, value), math.max(high, value)
    end
  end
  return low, high
end

-- What lies in one pixel is one stroke from its lowest to its highest.
local function real_line(area, var, height_of)
  local line, last_pixel, low, high = {}, nil, nil, nil
  for from, to, value in view.pieces(var, area.from, area.to) do
    if not is_finite(value) then
      last_pixel = nil
    else
      local x, height, pixel = area.x(from), height_of(value), math.floor(area.x(from))
      if not last_pixel then
        line[#line + 1] = ("M%s %s"):format(px(x), px(height))
      elseif pixel ~= last_pixel then
        line[#line + 1] = ("H%sV%s"):format(px(x), px(height))
      elseif height < low or height > high then
        line[#line + 1] = ("V%s"):format(px(height))
      end
      low, high = math.min(pixel == last_pixel and low or height, height),
        math.max(pixel == last_pixel and high or height, height)
      if math.floor(area.x(to)) ~= pixel then
        line[#line + 1] = ("V%sH%s"):format(px(height), px(area.x(to)))
      end
      last_pixel = pixel
    end
  end
  return line
end

local function draw_real(page, area, var, y)
  local low, high = range_of(area, var)
  if low > high then
    return
  end
  local top, height = y + 9, REAL_ROW - 18
  path(page, "real", real_line(area, var, function(value)
    return high > low and top + height * (high - value) / (high - low) or top + height / 2
  end))
  if high > low then
    text(page, "range", area.right + 5, top + 4, ("%.4g"):format(high))
    text(page, "range", area.right + 5, top + height + 4, ("%.4g"):format(low))
  else
    text(page, "range", area.right + 5, top + height / 2 + 4, ("%.4g"):format(low))
  end
end

local function draw_event(page, area, var, y)
  local top, line, block = y + (ROW - LEVEL) / 2, {}, nil
  local blocks = {}
  for _, time in ipairs(view.times(var, area.from, area.to)) do
    local x = area.x(time)
    if block and x - block[2] < NARROW then
      block[2], block.count = x, block.count + 1
    else
      block = { x, x, count = 1 }
      blocks[#blocks + 1] = block
    end
  end
  for _, one in ipairs(blocks) do
    if one.count > 1 then
      draw_busy(page, top, one)
    else
      local x = px(one[1])
      line[#line + 1] = ("M%s %sV%sm-3 5l3 -5l3 5"):format(x, px(top + LEVEL), px(top))
    end
  end
  path(page, "event", line)
end

local function painter(var)
  if var.class == "real" then
    return draw_real, REAL_ROW
  elseif var.class == "event" then
    return draw_event, ROW
  elseif var.class == "string" or var.width > 1 then
    return draw_bus, ROW
  end
  return draw_wire, ROW
end

-- --- The page -------------------------------------------------------------------------------

local function title_of(var)
  return var.msb and ("%s[%d%s]"):format(var.name, var.msb, var.msb ~= var.lsb and ":" .. var.lsb or "") or var.name
end

-- {var or scope, y, height} from top to bottom; and where they end.
local function rows_of(vars)
  local rows, y, scope = {}, AXIS + 4, ""
  for _, var in ipairs(vars) do
    if var.scope ~= scope then
      scope = var.scope
      rows[#rows + 1] = { scope = scope, y = y }
      y = y + (scope ~= "" and HEADING or 8)
    end
    local draw, height = painter(var)
    rows[#rows + 1] = { var = var, y = y, height = height, draw = draw }
    y = y + height
  end
  return rows, y
end

local function label_width(rows)
  local most = 6
  for _, row in ipairs(rows) do
    most = math.max(most, utf8.len(row.scope or title_of(row.var)) or 0)
  end
  return math.min(most, 30) * CHARACTER + 24
end

local function open_page(page, width, height, options)
  local style = options.dark and dark or light .. "@media (prefers-color-scheme:dark){\n" .. dark .. "}\n"
  add(page, '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">\n', width, height,
    width, height)
  add(page, "<style>\n%s%s</style>\n", common, style)
  page[#page + 1] = '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    .. 'patternTransform="rotate(45)"><path class="x" style="fill:none;stroke-width:1.2" d="M0 0V6"/>'
    .. "</pattern></defs>\n"
  add(page, '<rect class="bg" width="%d" height="%d"/>\n', width, height)
end

local function draw_row(page, area, row)
  if row.scope then
    text(page, "scope", MARGIN, row.y + HEADING - 8, row.scope)
    return
  end
  local name = title_of(row.var)
  text(page, "name", MARGIN + 8, row.y + row.height / 2 + 4, fitting(name, area.left - MARGIN - 14) or name)
  row.draw(page, area, row.var, row.y)
end

--- Draws a trace. Equal traces make equal bytes.
---@param trace strobe.vcd.Trace
---@param options? {from?: number, to?: number, signals?: string[], width?: integer, dark?: boolean}
--- from, to: ns; signals: names, all unless given; width: pixels (960); dark: in any case, not only
--- where the reader prefers it
---@return string? svg
---@return string? message which name is none
---@return string? code
function diagram.svg(trace, options)
  options = options or {}
  local shown, message, code = view.of(trace, options)
  if not shown then
    return nil, message, code
  end
  local rows, bottom = rows_of(shown.vars)
  local from, to = shown.from, shown.to
  local width = math.max(options.width or 960, 320)
  local left = math.ceil(MARGIN + label_width(rows))
  local area = { from = from, to = to, left = left, right = width - 56, bottom = bottom + 4 }
  local scale = (area.right - area.left) / (to - from)
  function area.x(time)
    return area.left + (time - from) * scale
  end
  local page = {}
  open_page(page, width, bottom + MARGIN + (area.bottom > TALL and MARGIN or 0), options)
  draw_axis(page, area)
  for _, row in ipairs(rows) do
    draw_row(page, area, row)
  end
  page[#page + 1] = "</svg>\n"
  return table.concat(page)
end

return diagram
