local json = require "strobe.json"

describe("json", function()
  it("takes nulls out where they mean nothing", function()
    local value = json.decode '{"a":null,"b":{"c":null,"d":[1,{"e":null}]},"f":false}'
    assert.same({ b = { d = { 1, {} } }, f = false }, json.without_nulls(value))
  end)

  describe("encode", function()
    it("writes values, lists and objects", function()
      assert.equal("null", json.encode(nil))
      assert.equal("true", json.encode(true))
      assert.equal("1.5", json.encode(1.5))
      assert.equal('"a\\"b\\n"', json.encode 'a"b\n')
      assert.equal('[1,2,"x"]', json.encode { 1, 2, "x" })
      assert.equal('{"a":[true]}', json.encode { a = { true } })
      assert.equal("[null]", json.encode { json.null })
    end)

    it("writes an empty table as an object, unless it is marked as an array", function()
      assert.equal("{}", json.encode {})
      assert.equal("[]", json.encode(json.array()))
      assert.equal('{"list":[]}', json.encode { list = json.array {} })
      assert.equal("[1]", json.encode(json.array { 1 }))
    end)

    it("refuses what JSON cannot say: nil, why, EINVAL", function()
      local circle = {}
      circle.circle = circle
      for name, value in pairs {
        ["a function"] = print,
        ["not a number"] = 0 / 0,
        infinity = math.huge,
        ["a key that is no string"] = { [true] = 1 },
        ["a circle"] = circle,
        ["a list with many holes"] = { [1] = 1, [1000] = 2 },
      } do
        local text, message, code = json.encode(value)
        assert.is_nil(text, name)
        assert.matches("^json: ", message)
        assert.equal("EINVAL", code)
      end
    end)

    it("says the same while some table is marked as an array", function()
      local circle, values = {}, {}
      circle.circle = circle
      for i, value in pairs {
        { 1, nil, 3 }, { 1, 2, x = 3 }, { [2] = 1 }, { [1.5] = 1 }, { [0] = 1 }, { [-1] = 2 }, { [true] = 1 },
        { [1] = 1, [1000] = 2 }, circle, { print }, { a = { b = { c = {} } } }, { 0 / 0 },
      } do
        collectgarbage()
        collectgarbage()
        values[i] = { value = value, plain = table.pack(json.encode(value)) }
      end
      local marked = json.array {}
      for _, case in ipairs(values) do
        assert.same(case.plain, table.pack(json.encode(case.value)))
      end
      assert.equal("[]", json.encode(marked))
      local text, message = json.encode(json.array { 1, x = 2 })
      assert.is_nil(text)
      assert.matches("keys that are no indices", message)
    end)
  end)

  describe("decode", function()
    it("reads what encode wrote", function()
      local value = { list = { 1, 2.5, "x", false }, name = "\u{20AC}" }
      assert.same(value, json.decode(json.encode(value)))
      assert.equal(json.null, json.decode "null")
      assert.is_false(json.decode "false")
    end)

    it("of a broken text returns nil, why, EBADMSG and the byte", function()
      local value, message, code, offset = json.decode '{"a":1,}'
      assert.is_nil(value)
      assert.matches("^json: Expected object key string but found", message)
      assert.equal("EBADMSG", code)
      assert.equal(8, offset)
      for _, text in ipairs { "", "{", "[1,]", "nan", "0x10", "tru", "[1] x", "{1:2}" } do
        value, message, code, offset = json.decode(text)
        assert.is_nil(value, text)
        assert.matches("^json: ", message)
        assert.equal("EBADMSG", code)
        assert.equal("integer", math.type(offset))
      end
    end)

    it("refuses more than 1,000 levels", function()
      assert.is_table(json.decode(("["):rep(1000) .. ("]"):rep(1000)))
      local value, _, code = json.decode(("["):rep(1001) .. ("]"):rep(1001))
      assert.is_nil(value)
      assert.equal("EBADMSG", code)
      assert.is_nil((json.decode(("["):rep(1000000))))
    end)

    it("of no string is a mistake", function()
      assert.has_error(function()
        json.decode(nil)
      end, "json.decode: a string expected, got nil")
    end)

    it("survives any bytes", function()
      math.randomseed(7)
      local alphabet = { "[", "]", "{", "}", ",", ":", '"', "\\", "1", "e", "-", "null", " ", "\0", "\255", "u12" }
      for _ = 1, 5000 do
        local parts = {}
        for i = 1, math.random(12) do
          parts[i] = alphabet[math.random(#alphabet)]
        end
        json.decode(table.concat(parts))
      end
    end)
  end)
end)
