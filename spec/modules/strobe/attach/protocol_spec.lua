local dice = require "spec.support.dice"
local protocol = require "strobe.attach.protocol"

local MIB = 1024 * 1024

-- What a decoder makes of the pieces, one after the other.
local function decode(...)
  local decoder, all, problem = protocol.Decoder(), {}, nil
  for _, piece in ipairs { ... } do
    local messages
    messages, problem = decoder:feed(piece)
    table.move(messages, 1, #messages, #all + 1, all)
  end
  return all, problem
end

local function bytes_of(text)
  local bytes = {}
  for i = 1, #text do
    bytes[i] = text:sub(i, i)
  end
  return table.unpack(bytes)
end

describe("the attach protocol", function()
  describe("decoding", function()
    local text = '{"id":1,"op":"open","rights":"rw"}\n\n \r\n'
      .. '{"id":"ä","op":"where","task":null,"deep":{"a":[1,{}]}}\r\n{}\n'
    local messages = {
      { id = 1, op = "open", rights = "rw" }, { id = "ä", op = "where", deep = { a = { 1, {} } } }, {},
    }

    it("gives an object for each line, whole", function()
      assert.same({ messages }, { decode(text) })
    end)

    it("split at every byte", function()
      for i = 1, #text - 1 do
        assert.same({ messages }, { decode(text:sub(1, i), text:sub(i + 1)) })
      end
    end)

    it("byte by byte", function()
      assert.same({ messages }, { decode(bytes_of(text)) })
    end)

    it("gives nothing for a line that has not ended", function()
      assert.same({ {} }, { decode('{"id":1}') })
    end)

    for line, problem in pairs {
      ["hello"] = "a line is no JSON object",
      ["[1]"] = "a line is no JSON object",
      ["{"] = "json: ",
      ["{} {}"] = "json: ",
      ['{"a":NaN}'] = "json: ",
      ['{"a":"\0"}'] = "json: ",
      ['{"a":"\xff"}'] = "a line is no UTF-8",
      [('{"a":'):rep(1001)] = "json: ",
    } do
      it(("ends at %q"):format(line:sub(1, 12)), function()
        local decoder = protocol.Decoder()
        local got, why = decoder:feed('{"id":1}\n' .. line .. '\n{"id":2}\n')
        assert.same({ { id = 1 } }, got)
        assert.equal(problem, why:sub(1, #problem))
        assert.same({ {}, why }, { decoder:feed '{"id":3}\n' })
      end)
    end

    it("takes a line of 1 MiB, and not one byte more, however it comes", function()
      local line = '{"id":"' .. ("x"):rep(MIB - 9) .. '"}'
      assert.equal(MIB, #line)
      assert.equal(1, #decode(line .. "\n"))
      assert.equal(1, #decode(line:sub(1, 5), line:sub(6), "\n"))
      local long = "{" .. (" "):rep(MIB - 1) .. "}"
      for _, pieces in ipairs { { long .. "\n" }, { long }, { long:sub(1, MIB), "}" } } do
        local got, problem = decode(table.unpack(pieces))
        assert.same({}, got)
        assert.equal("a line has more than 1048576 bytes", problem)
      end
    end)

    it("of mangled lines never raises, and never hands on what is no object", function()
      local random = dice(20)
      for _ = 1, 3000 do
        local mangled = { bytes_of(text) }
        for _ = 1, random(4) do
          local i, what = random(#mangled), random(3)
          if what == 1 then
            mangled[i] = string.char(random(256) - 1)
          elseif what == 2 then
            table.remove(mangled, i)
          else
            table.insert(mangled, i, mangled[random(#mangled)])
          end
        end
        local whole, problem = decode(table.concat(mangled))
        assert.same({ whole, problem }, { decode(table.unpack(mangled)) })
        for _, message in ipairs(whole) do
          assert.is_table(message)
          protocol.request(message)
        end
      end
    end)
  end)

  describe("encoding", function()
    it("writes a line, in the order in which people look for things", function()
      assert.equal('{"ev":"hello","protocol":1,"strobe":"0.3.0","pid":4242,"ceiling":"rw","units":["mm"]}\n',
        protocol.encode { pid = 4242, units = { "mm" }, ev = "hello", ceiling = "rw", strobe = "0.3.0", protocol = 1 })
      assert.equal('{"id":2,"ok":true,"values":["42","\\"x\\""],"ms":0.2}\n',
        protocol.encode { ms = 0.2, values = { "42", '"x"' }, ok = true, id = 2 })
      assert.equal('{"ok":true,"a":[],"b":{}}\n', protocol.encode { b = {}, a = protocol.list {}, ok = true })
      assert.equal('{"a":[{"b":[],"c":[1]},{"x":{"b":[[]]}}],"d":[[]]}\n',
        protocol.encode { a = { { b = protocol.list(), c = { 1 } }, { x = { b = { protocol.list() } } } },
          d = protocol.list { protocol.list() } })
    end)

    it("rests between the elements of lists", function()
      local rests = 0
      protocol.encode({ a = protocol.list { 1, 2, 3 }, b = { 1, 2 } }, function()
        rests = rests + 1
      end)
      assert.equal(3, rests)
    end)

    it("escapes bytes that are no UTF-8", function()
      assert.equal('{"text":"ä\\\\xff\\\\xc3(\\\\xed\\\\xa0\\\\x80 ok"}\n',
        protocol.encode { text = "ä\xff\xc3(\xed\xa0\x80 ok" })
      assert.equal("\\xff", decode((protocol.encode { text = "\xff" }))[1].text)
    end)

    it("refuses what is no plain data, and a line of more than 1 MiB", function()
      assert.same({ nil, "json: Cannot serialise function: type not supported" },
        { protocol.encode { f = print } })
      local text = ("x"):rep(MIB - 11)
      assert.equal(MIB + 1, #protocol.encode { text = text })
      assert.same({ nil, "it has 1048577 bytes, and a line at most 1048576" },
        { protocol.encode { text = text .. "x" } })
    end)
  end)

  it("takes whole numbers and short strings as ids of requests", function()
    assert.same({ 7, "ping" }, { protocol.request { id = 7.0, op = "ping" } })
    assert.same({ "a", "ping" }, { protocol.request { id = "a", op = "ping" } })
    for _, id in ipairs { 1.5, 1e15, -1 / 0, 0 / 0, true, {}, ("x"):rep(257) } do
      assert.same({ nil, nil, "id: a whole number or a string of at most 256 bytes expected" },
        { protocol.request { id = id, op = "ping" } })
    end
    assert.same({ 1, nil, "op: a string expected" }, { protocol.request { id = 1, op = 5 } })
  end)
end)
