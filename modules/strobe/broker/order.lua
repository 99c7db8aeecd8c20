--- Orders, as a caller writes them and as a venue knows them.

local amount = require "strobe.broker.amount"
local mistake = require "strobe.mistake"

---@class strobe.broker.OrderRequest
---@field id string        the client's own, 1 to 200 bytes without control characters; the same id is the same order,
---as long as that rests or is not too long ago: see the option `history` of the paper broker
---@field symbol string    the stream of its ticks
---@field side "buy"|"sell"
---@field kind? "market"|"limit" ("limit" with a price, else "market")
---@field size number      rounded to 10^-8
---@field price? number    of a limit order

---@class strobe.broker.Limits
---@field open? integer    open orders at once (1,000)
---@field value? number    most that an order may be worth, size × price (5·10^7)
---@field position? number most that a position may become, either way, when all orders fill (none)

local order = {}

-- All open orders together stay below what 64 bits of 10^-8 hold.
local OPEN, VALUE, MOST = 1000, 5e7, 5e10
local LONGEST = 200
local NAME = ("a string of 1 to %d bytes without control characters"):format(LONGEST)

--- The limits with their defaults; raises when they allow more than can be counted.
---@param limits? strobe.broker.Limits
---@return strobe.broker.Limits
function order.limits(limits)
  limits = limits or {}
  local checked = { open = limits.open or OPEN, value = limits.value or VALUE, position = limits.position }
  for name, value in pairs(checked) do
    if type(value) ~= "number" or value ~= value or value <= 0 then
      mistake.raise("Paper: limits.%s: a number above 0 expected, got %s", name, tostring(value))
    end
  end
  if checked.open * checked.value > MOST then
    mistake.raise("Paper: limits: open × value may be %g, is %g", MOST, checked.open * checked.value)
  end
  return checked
end

local function refuse(request, field, expected)
  local value = request[field]
  local shown = type(value) == "string" and ("%q"):format(value):gsub("\\\n", "\\n") or tostring(value)
  return nil, ("order %s: %s: %s expected, got %s"):format(type(request.id) == "string" and request.id or "?", field,
    expected, shown), "EINVAL"
end

local function is_name(value)
  return type(value) == "string" and value ~= "" and #value <= LONGEST and not value:find "%c"
end

local function is_above_0(value)
  return type(value) == "number" and value > 0 and value < math.huge
end

local function check_fields(request)
  if not is_name(request.id) then
    return refuse(request, "id", NAME)
  elseif not is_name(request.symbol) then
    return refuse(request, "symbol", NAME)
  elseif request.side ~= "buy" and request.side ~= "sell" then
    return refuse(request, "side", '"buy" or "sell"')
  elseif request.kind ~= nil and request.kind ~= "market" and request.kind ~= "limit" then
    return refuse(request, "kind", '"market" or "limit"')
  elseif not is_above_0(request.size) or amount.of(request.size) < 1 then
    return refuse(request, "size", "a number above 0, of 10^-8 or more,")
  end
  return true
end

local function check_price(request, kind)
  if kind == "limit" and not is_above_0(request.price) then
    return refuse(request, "price", "a number above 0")
  elseif kind == "market" and request.price ~= nil then
    return refuse(request, "price", "none for a market order")
  end
  return true
end

--- Looks through an order, and makes it the venue's own: with its size in units.
---@param request strobe.broker.OrderRequest
---@param limits strobe.broker.Limits
---@return table? checked {id, symbol, side, kind, size, price}
---@return string? message names the field and its value
---@return string? code "EINVAL", "ELIMIT" beyond a limit
function order.check(request, limits)
  if type(request) ~= "table" then
    return nil, ("order: a table expected, got %s"):format(type(request)), "EINVAL"
  end
  local kind = request.kind or (request.price and "limit" or "market")
  local ok, message, code = check_fields(request)
  if ok then
    ok, message, code = check_price(request, kind)
  end
  if not ok then
    return nil, message, code
  elseif request.size > limits.value or request.size * (request.price or 0) > limits.value then
    local text = "order %s: size: %.10g at %s is worth more than the limit of %.10g (limits.value)"
    return nil, text:format(request.id, request.size, request.price or "market", limits.value), "ELIMIT"
  end
  return {
    id = request.id, symbol = request.symbol, side = request.side, kind = kind, size = amount.of(request.size),
    price = request.price and request.price + 0.0,
  }
end

--- Whether both ask for the same.
---@param a table as check returns it
---@param b table
---@return boolean
function order.equal(a, b)
  return a.symbol == b.symbol and a.side == b.side and a.kind == b.kind and a.size == b.size and a.price == b.price
end

--- An order in a word or two, for messages.
---@param value table
---@return string
function order.describe(value)
  local price = value.price and ("%.10g"):format(value.price) or "market"
  return ("%s %.10g %s at %s"):format(value.side, amount.number(value.size), value.symbol, price)
end

return order
