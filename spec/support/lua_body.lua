--- What the text of a Lua function says: whether it returns values, and what it calls. Functions in it do not count.

local body = {}

-- The words and signs of Lua text, without comments; a string is the word "string".
local function words_of(text)
  text = text:gsub("%-%-%[(=*)%[.-%]%1%]", " "):gsub("%[(=*)%[.-%]%1%]", " string ")
  text = text:gsub("\\.", "_"):gsub('"[^"\n]*"', " string "):gsub("'[^'\n]*'", " string "):gsub("%-%-[^\n]*", " ")
  local words, at = {}, 1
  while at <= #text do
    local word = text:match("^[%w_]+", at) or text:match("^%.+", at) or text:match("^%S", at)
    if word then
      words[#words + 1] = word
    end
    at = at + #(word or " ")
  end
  return words
end

local opens = { ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }
local ends_return = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true, [";"] = true }

-- Calls visit(words, i) for each word of the function itself.
local function each_word(text, visit)
  local words, stack, functions = words_of(text), {}, 0
  for i, word in ipairs(words) do
    if functions == 1 then
      visit(words, i)
    end
    if opens[word] then
      stack[#stack + 1] = word
      functions = functions + (word == "function" and 1 or 0)
    elseif closes[word] then
      functions = functions - (table.remove(stack) == "function" and 1 or 0)
      if functions == 0 then
        return
      end
    end
  end
end

--- Whether one of its returns has a value.
---@param text string from `function` on
---@return boolean
function body.returns(text)
  local found = false
  each_word(text, function(words, i)
    found = found or words[i] == "return" and not ends_return[words[i + 1] or "end"]
  end)
  return found
end

-- "tasks.gather" that begins at a word; nil where it is the rest of a longer name.
local function name_at(words, i)
  if not words[i]:find "^[%a_]" or words[i - 1] == "." or words[i - 1] == ":" then
    return nil
  end
  local parts = { words[i] }
  while (words[i + 1] == "." or words[i + 1] == ":") and (words[i + 2] or ""):find "^[%a_]" do
    table.move(words, i + 1, i + 2, #parts + 1, parts)
    i = i + 2
  end
  return table.concat(parts), words[i + 1]
end

--- The names of what it calls, as they are written: "tasks.gather", "self:close", "self.lot:park"; also what it hands
--- to pcall.
---@param text string
---@return string[]
function body.calls(text)
  local calls = {}
  each_word(text, function(words, i)
    local name, next_word = name_at(words, i)
    local is_handed = words[i - 1] == "(" and (words[i - 2] == "pcall" or words[i - 2] == "xpcall")
    if name and (next_word == "(" or next_word == "{" or next_word == "string" or is_handed) then
      calls[#calls + 1] = name
    end
  end)
  return calls
end

return body
