--- Futures: outcomes set by hand. asyncio.Future

local core = require "strobe.core.future"

return {
  --- A new pending future: `set_result(…) set_exception(e) done() result() exception()
  --- cancel(message) cancelled() add_done_callback(f) remove_done_callback(f) await()`.
  ---@return strobe.Future
  Future = core.new,
}
