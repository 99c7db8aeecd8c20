--- What somebody has typed: whether it is complete, and compiled.
--
-- A text is tried as an expression, then as statements; if neither compiles and one of them misses something at the
-- text's end, there is more to come. It is compiled with a newline behind it: an open 'abc, which would end at the
-- text's end as well, is then the error that it is.

local lexer = require "strobe.repl.lexer"
local locals = require "strobe.repl.locals"

local input = {}

---@class strobe.repl.Refused why a text does not compile
---@field code "incomplete"|"syntax"
---@field message string
---@field first? integer byte of what is wrong
---@field last? integer byte

-- What stands before an expression. With a closing variable a call in it is no tail call, so that tracebacks show it.
local EXPRESSION, STATEMENTS = "local console_input <close> = nil return ", ""
-- Bytes of a text in which the place of a mistake is looked for.
local MOST_SEARCHED = 32768

local function try(form, text, name, env)
  return load(form .. text .. "\n", name, "t", env)
end

local function misses_more(message)
  return message:find "near <eof>$" ~= nil
end

-- Whether a form of the text is wrong up to a token, whatever may follow.
local function is_wrong(form, text, token)
  local chunk, message = try(form, text:sub(1, token.last), "=input")
  return not chunk and not misses_more(message)
end

-- The token at which a form of the text goes wrong.
local function wrong_token(form, text, tokens)
  local low, high = 1, #tokens
  while low < high do
    local middle = (low + high) // 2
    if is_wrong(form, text, tokens[middle]) then
      high = middle
    else
      low = middle + 1
    end
  end
  return tokens[low]
end

local function refusal(text, expression_message, message)
  if misses_more(message) or misses_more(expression_message) then
    return { code = "incomplete", message = message }
  end
  local tokens, form = lexer.code(text), STATEMENTS
  if tokens[1] and is_wrong(STATEMENTS, text, tokens[1]) then -- it was meant as an expression
    form, message = EXPRESSION, expression_message
  end
  local token = #text <= MOST_SEARCHED and wrong_token(form, text, tokens) or nil
  return { code = "syntax", message = message, first = token and token.first, last = token and token.last }
end

local function line_of(text, at)
  return select(2, text:sub(1, at - 1):gsub("\n", "")) + 1
end

local function refuse_local(text, name, problem)
  return {
    code = "syntax", first = problem.first, last = problem.last,
    message = ("%s:%d: <close>: %s"):format(name:gsub("^=", ""), line_of(text, problem.first), problem.message),
  }
end

--- Compiles a text as an expression, else as statements. What these declare local at the top is a variable of `env`.
---@param text string
---@param name string of the chunk, "=console:1"
---@param env? table
---@return function? chunk
---@return strobe.repl.Refused|string[] refused or, of a chunk, notes for people
function input.compile(text, name, env)
  local expression, expression_message = try(EXPRESSION, text, name, env)
  if expression then
    return expression, {}
  end
  local chunk, message = try(STATEMENTS, text, name, env)
  if not chunk then
    return nil, refusal(text, expression_message, message)
  end
  local rewritten, notes = locals.rewrite(text)
  if not rewritten then
    return nil, refuse_local(text, name, notes)
  elseif rewritten ~= text then
    chunk, message = try(STATEMENTS, rewritten, name, env)
  end
  if not chunk then
    return nil, { code = "syntax", message = message }
  end
  return chunk, notes
end

--- Whether a text is a command for the console, ":name …".
---@param text string
---@return boolean
function input.is_command(text)
  return text:find "^%s*:%a" ~= nil
end

local function is_blank(text)
  for _, token in ipairs(lexer.tokens(text)) do
    if token.kind ~= "comment" or token.open and token.long then
      return false
    end
  end
  return true
end

--- What is to be done with a text when Enter is pressed behind it.
---@param text string
---@return "blank"|"command"|"incomplete"|"error"|"complete"
function input.state(text)
  if input.is_command(text) then
    return "command"
  elseif is_blank(text) then
    return "blank"
  end
  local expression, expression_message = try(EXPRESSION, text, "=input")
  local chunk, message = expression, nil
  if not expression then
    chunk, message = try(STATEMENTS, text, "=input")
  end
  if chunk then
    return (expression or locals.rewrite(text)) and "complete" or "error"
  end
  return (misses_more(message) or misses_more(expression_message)) and "incomplete" or "error"
end

return input
