--- Which key does what: those of Emacs and readline.

---@type table<string, string> action by name of key
return {
  ["ctrl-a"] = "line_start", home = "line_start", ["ctrl-e"] = "line_end", ["end"] = "line_end",
  ["ctrl-b"] = "left", left = "left", ["ctrl-f"] = "right", right = "right",
  ["alt-b"] = "word_left", ["ctrl-left"] = "word_left", ["alt-left"] = "word_left",
  ["alt-f"] = "word_right", ["ctrl-right"] = "word_right", ["alt-right"] = "word_right",

  ["ctrl-h"] = "erase", backspace = "erase", ["ctrl-d"] = "delete_or_end", delete = "delete",
  ["ctrl-w"] = "kill_blank_word", ["alt-backspace"] = "kill_word_left", ["alt-ctrl-h"] = "kill_word_left",
  ["alt-d"] = "kill_word_right", ["ctrl-k"] = "kill_to_end", ["ctrl-u"] = "kill_to_start",
  ["ctrl-y"] = "yank", ["alt-y"] = "rotate",

  ["ctrl-t"] = "swap", ["alt-u"] = "upper", ["alt-l"] = "lower", ["alt-c"] = "capital",
  ["ctrl-_"] = "undo", ["alt-_"] = "redo",

  up = "up", ["ctrl-p"] = "up", down = "down", ["ctrl-n"] = "down",
  ["alt-<"] = "oldest", ["alt->"] = "newest", ["ctrl-r"] = "search_back", ["ctrl-s"] = "search_forward",

  tab = "complete", ["shift-tab"] = "complete_back",
  enter = "enter", ["alt-enter"] = "new_line", ["ctrl-j"] = "new_line",
  ["ctrl-l"] = "clear", ["ctrl-c"] = "interrupt", ["ctrl-z"] = "suspend",
}
