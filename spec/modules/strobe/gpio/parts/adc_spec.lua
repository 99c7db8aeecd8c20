local gpio = require "strobe.gpio"

local US = 1e-6

-- A converter with a potentiometer at each input, and lines for SPI.
local function wired()
  local board = gpio.board { pins = { "CS", "DIN", "DOUT", "CLK" } }
  local adc, bench = board:add "adc", { knobs = {} }
  for i = 0, 7 do
    bench.knobs[i] = board:add("potentiometer", { position = i / 7 })
    board:wire(bench.knobs[i]:pin "SIG", adc:pin("CH" .. i))
  end
  for pin, direction in pairs { CS = "output", DIN = "output", DOUT = "input", CLK = "output" } do
    board:wire(pin, adc:pin(pin))
    local output = direction == "output" and (pin == "CS" and 1 or 0) or nil
    bench[pin] = assert(board:line(pin, { direction = direction, output_value = output }))
  end
  board:sleep(1 * US)
  return board, adc, bench
end

-- Sends bits and returns those that come meanwhile; SPI mode 0.
local function exchange(board, bench, bits)
  local answer = {}
  bench.CS:set_value(0)
  for bit in bits:gmatch "%d" do
    bench.DIN:set_value(tonumber(bit))
    board:sleep(1 * US)
    bench.CLK:set_value(1)
    answer[#answer + 1] = bench.DOUT:level()
    board:sleep(1 * US)
    bench.CLK:set_value(0)
  end
  board:sleep(1 * US)
  bench.CS:set_value(1)
  board:sleep(1 * US)
  return table.concat(answer)
end

describe("an analog-to-digital converter", function()
  it("answers with the ten bits of the input that is asked for", function()
    local board <close>, adc, bench = wired()
    for channel = 0, 7 do
      local command = "00000001 1"
      for i = 2, 0, -1 do
        command = command .. (channel >> i & 1)
      end
      local answer = exchange(board, bench, command .. "0000 00000000")
      assert.equal("zzzzzzzzzzzzz0", answer:sub(1, 14)) -- the zero says that the value follows
      assert.equal(math.floor(channel / 7 * 1023 + 0.5), tonumber(answer:sub(15), 2))
      assert.equal(channel, adc.state.channel)
    end
    assert.equal("z", bench.DOUT:level())
  end)

  it("begins anew each time it is selected", function()
    local board <close>, _, bench = wired()
    exchange(board, bench, "0000000111") -- given up
    bench.knobs[1]:set(1)
    local answer = exchange(board, bench, "00000001 10010000 00000000")
    assert.equal(1023, tonumber(answer:sub(15), 2))
  end)

  it("is silent while another is selected", function()
    local board <close>, adc, bench = wired()
    for _ = 1, 24 do
      bench.DIN:toggle()
      bench.CLK:set_value(1)
      board:sleep(1 * US)
      bench.CLK:set_value(0)
      board:sleep(1 * US)
    end
    assert.equal("z", bench.DOUT:level())
    assert.is_nil(adc.state.value)
  end)
end)
