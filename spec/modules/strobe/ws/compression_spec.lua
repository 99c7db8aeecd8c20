local websocket = require "spec.support.websocket"
local ws = require "strobe.ws"

local echo, uri = websocket.echo, websocket.uri

describe("a WebSocket's compression", function()
  it("compresses messages when both sides want that", function()
    local server <close> = echo { compression = true }
    local client <close> = assert(ws.connect(uri(server), { compression = true }))
    assert.matches("^permessage%-deflate", client.response.headers["sec-websocket-extensions"])
    for _, text in ipairs { "", "short", ("tick "):rep(100000), ("ü"):rep(5000), "short" } do
      client:send(text)
      assert.same({ text, "text" }, { client:recv() })
    end
    local plain <close> = assert(ws.connect(uri(server)))
    plain:send(("tick "):rep(1000))
    assert.equal(("tick "):rep(1000), (plain:recv()))
    local unable <close> = echo()
    local declined <close> = assert(ws.connect(uri(unable), { compression = true }))
    assert.is_nil(declined.response.headers["sec-websocket-extensions"])
  end)

  it("compresses with the windows, from the size and with the memory that one of them wants", function()
    for settings, expected in pairs {
      [{ window_bits = 9 }] = "server_max_window_bits=9; client_max_window_bits=9",
      [{ window_bits = 15, mem_level = 9, threshold = 0 }] = "permessage-deflate",
      [{ no_context_takeover = true, mem_level = 1 }] = "server_no_context_takeover; client_no_context_takeover",
    } do
      for _, sides in ipairs { { settings, true }, { true, settings }, { settings, settings } } do
        local server <close> = echo { compression = sides[1] }
        local client <close> = assert(ws.connect(uri(server), { compression = sides[2] }))
        local agreed = client.response.headers["sec-websocket-extensions"]
        if sides[1] == settings then
          assert.truthy(agreed:find(expected, 1, true), agreed)
        end
        for _, text in ipairs { "", "short", ("tick "):rep(20000), "short" } do
          client:send(text)
          assert.same({ text, "text" }, { client:recv() })
        end
      end
    end
  end)

  it("says which settings of compression there are", function()
    local server <close> = echo()
    for expected, compression in pairs {
      ["there is no setting 'bits'"] = { bits = 12 },
      ["compression.mem_level: integer expected, got high"] = { mem_level = "high" },
      ["compression: true, false or a table expected, got number"] = 9,
    } do
      assert.error_matches(function()
        ws.connect(uri(server), { compression = compression })
      end, expected, 1, true)
    end
  end)

  it("bounds what a small compressed message may blow up to", function()
    local server <close> = echo { compression = true, max_size = 100000 }
    local client <close> = assert(ws.connect(uri(server), { compression = true }))
    client:send(("0"):rep(100001))
    local _, why = client:recv()
    assert.same({ 1009, "the message is too big" }, { why.code, why.reason })
  end)
end)
