local protocol = require "strobe.debug.protocol"

local ONE, TWO = '{"seq":1}', '{"seq":2,"type":"request"}'

local function framed(text)
  return ("Content-Length: %d\r\n\r\n%s"):format(#text, text)
end

describe("the decoder of debug messages", function()
  local bytes = framed(ONE) .. "content-length:26\r\nContent-Type: application/json\r\n\r\n" .. TWO

  it("takes messages whole, cut at any place, and byte by byte", function()
    assert.same({ ONE, TWO }, (protocol.Decoder():feed(bytes)))
    for cut = 1, #bytes - 1 do
      local decoder = protocol.Decoder()
      local texts = decoder:feed(bytes:sub(1, cut))
      table.move(decoder:feed(bytes:sub(cut + 1)), 1, 2, #texts + 1, texts)
      assert.same({ ONE, TWO }, texts)
    end
    local decoder, texts = protocol.Decoder(), {}
    for byte in bytes:gmatch "." do
      table.move(decoder:feed(byte), 1, 1, #texts + 1, texts)
    end
    assert.same({ ONE, TWO }, texts)
  end)

  it("takes nothing more after what is no message", function()
    for bad, why in pairs {
      ["Content-Type: x\r\n\r\n{}"] = "a header tells no Content-Length",
      ["Content-Length: -1\r\n\r\n{}"] = "a header tells no Content-Length",
      ["Content-Length: 99999999\r\n\r\n"] = "a message has 99999999 bytes, more than 4194304",
      [("x"):rep(5000)] = "a header has no end",
      ["POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"] = "a line of a header is no field",
      ["\r\n\r\n{}"] = "a line of a header is no field",
      ["Content-Length: 2\r\n: 7\r\n\r\n{}"] = "a line of a header is no field",
      ["Content-Length: 2x\r\n\r\n{}"] = "a header tells no Content-Length",
      ["Content-Length: 99999999999999999999\r\n\r\n{}"] = "a header tells no Content-Length",
      ["Content-Length:\r\n2: x\r\n\r\n{}"] = "a header tells no Content-Length",
    } do
      local decoder = protocol.Decoder()
      assert.same({ { ONE }, why }, { decoder:feed(framed(ONE) .. bad) })
      assert.same({ {}, why }, { decoder:feed(framed(ONE)) })
    end
  end)
end)

describe("a debug message", function()
  it("begins with its number, and keeps lists that are empty", function()
    assert.equal('{"seq":3,"body":{"threads":[]},"type":"response"}',
      protocol.encode { type = "response", seq = 3, body = { threads = protocol.list() } })
  end)

  it("is read without what is null in it", function()
    assert.same({ seq = 1, arguments = { a = { 1 } } },
      (protocol.decode '{"seq":1,"x":null,"arguments":{"b":null,"a":[1]}}'))
    assert.same({ nil, "a message is no JSON object" }, { protocol.decode "7" })
    assert.is_nil((protocol.decode "{"))
  end)
end)
