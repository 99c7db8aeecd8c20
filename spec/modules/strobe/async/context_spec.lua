local async = require "strobe.async"

local ContextVar, copy_context = async.ContextVar, async.copy_context

local function turn()
  async.sleep(0)
end

describe("a context variable", function()
  describe("get", function()
    it("returns what was set in this task", function()
      local var = ContextVar "name"
      var:set "Ada"
      assert.equal("Ada", var:get())
      assert.equal("Ada", var:get "other")
      assert.equal("name", var.name)
    end)

    it("returns a default where it was not set", function()
      local var = ContextVar("port", 9001)
      assert.equal(9001, var:get())
      assert.equal(80, var:get(80))
      assert.is_nil(var:get(nil))
    end)

    it("raises where it was not set and has no default", function()
      local var = ContextVar "user"
      assert.error_matches(function()
        var:get()
      end, "ContextVar 'user' has no value here")
      assert.is_nil(var:get(nil))
    end)

    it("knows a nil that was set, and a default of nil", function()
      local var = ContextVar("x", 1)
      var:set(nil)
      assert.is_nil(var:get(2))
      assert.is_nil(ContextVar("y", nil):get())
    end)
  end)

  describe("set", function()
    it("is seen by the tasks made from now on", function()
      local var = ContextVar("depth", 0)
      var:set(1)
      local child = async.create_task(function()
        return var:get(), async.create_task(var.get, var):await()
      end)
      assert.same({ 1, 1 }, { child:await() })
    end)

    it("in a child is not seen in the parent, nor by its other children", function()
      local var = ContextVar "x"
      var:set "parent"
      local seen = {}
      local function work(name, i)
        var:set(name)
        turn()
        seen[i] = var:get()
      end
      local a, b = async.create_task(work, "a", 1), async.create_task(work, "b", 2)
      async.gather(a, b)
      assert.same({ "a", "b" }, seen)
      assert.equal("parent", var:get())
    end)

    it("in the parent is not seen by a child that was made before", function()
      local var = ContextVar "x"
      var:set "early"
      local child = async.create_task(var.get, var)
      var:set "late"
      assert.equal("early", child:await())
      assert.equal("late", var:get())
    end)

    it("leaves other variables alone", function()
      local a, b = ContextVar("same name", 1), ContextVar("same name", 2)
      a:set(10)
      assert.equal(2, b:get())
      b:set(20)
      assert.equal(10, a:get())
    end)
  end)

  describe("reset", function()
    it("gives back the value before", function()
      local var = ContextVar "x"
      local first = var:set(1)
      local second = var:set(2)
      assert.equal(1, second.old_value)
      assert.is_nil(first.old_value)
      assert.equal(var, first.var)
      var:reset(second)
      assert.equal(1, var:get())
      var:reset(first)
      assert.equal("unset", var:get "unset")
    end)

    it("works once, for its own variable, in its own context", function()
      local var, other = ContextVar "x", ContextVar "y"
      local token = var:set(1)
      assert.error_matches(function()
        other:reset(token)
      end, "the token is of another variable")
      assert.error_matches(function()
        async.create_task(var.reset, var, token):await()
      end, "the token is of another context")
      assert.error_matches(function()
        copy_context():run(var.reset, var, token)
      end, "the token is of another context")
      assert.error_matches(function()
        var:reset(1)
      end, "a token expected, got number")
      var:reset(token)
      assert.error_matches(function()
        var:reset(token)
      end, "the token has been used already")
    end)

    it("comes with the block of a closing token", function()
      local var = ContextVar("level", "info")
      do
        local token <close> = var:set "debug" -- luacheck: ignore
        assert.equal("debug", var:get())
      end
      assert.equal("info", var:get())
    end)
  end)

  it("prints its name", function()
    local var = ContextVar "request"
    assert.matches("^<ContextVar request at 0x", tostring(var))
    assert.equal("<Token of request>", tostring(var:set(1)))
  end)

  it("needs a name", function()
    assert.error_matches(function()
      ContextVar(5)
    end, "ContextVar: a name expected, got number")
  end)

  describe("in a callback", function()
    local loop = async.get_running_loop()

    it("has the value it had where the callback was asked for", function()
      local var, seen = ContextVar("x", "default"), {}
      local function see()
        seen[#seen + 1] = var:get()
      end
      var:set "soon"
      loop:call_soon(see)
      var:set "later"
      loop:call_later(1, see)
      var:set "done"
      async.create_task(async.sleep, 2):add_done_callback(see)
      var:set "now"
      async.sleep(3)
      assert.same({ "soon", "later", "done" }, seen)
    end)

    it("is inherited by the tasks and callbacks which that makes", function()
      local var, seen = ContextVar("x", "default"), {}
      var:set "task"
      loop:call_soon(function()
        var:set "callback"
        async.create_task(function()
          seen.task = var:get()
        end)
        loop:call_soon(function()
          seen.callback = var:get()
        end)
      end)
      async.sleep(1)
      assert.same({ task = "callback", callback = "callback" }, seen)
      assert.equal("task", var:get())
    end)

    it("is set for that callback only", function()
      local var, seen = ContextVar("x", "default"), {}
      loop:call_soon(function()
        var:set "first"
      end)
      loop:call_soon(function()
        seen.second = var:get()
      end)
      async.sleep(1)
      assert.equal("default", seen.second)
    end)

    it("is not reset by the token of another callback", function()
      local var, failure = ContextVar "x", nil
      loop:call_soon(function()
        local token = var:set "first"
        loop:call_soon(function()
          failure = select(2, pcall(var.reset, var, token))
        end)
      end)
      async.sleep(1)
      assert.matches("the token is of another context", failure)
    end)

    it("may be set in a copy", function()
      local var, seen = ContextVar "x", {}
      var:set "task"
      loop:call_soon(function()
        copy_context():run(function()
          var:set "copy"
          seen[1] = var:get()
        end)
        seen[2] = var:get()
      end)
      async.sleep(1)
      assert.same({ "copy", "task" }, seen)
    end)
  end)
end)

describe("a context", function()
  describe("run", function()
    it("keeps what the function sets, which is not seen outside", function()
      local var = ContextVar "x"
      var:set(1)
      local context = copy_context()
      local a, b = context:run(function(...)
        assert.equal(1, var:get())
        var:set(2)
        return ...
      end, "a", "b")
      assert.same({ "a", "b" }, { a, b })
      assert.equal(1, var:get())
      assert.equal(2, context:get(var))
      context:run(function()
        assert.equal(2, var:get())
      end)
    end)

    it("leaves the context when the function raises", function()
      local var = ContextVar "x"
      var:set(1)
      local context = copy_context()
      local ok, e = pcall(context.run, context, function()
        var:set(2)
        error("oops", 0)
      end)
      assert.is_false(ok)
      assert.equal("oops", e)
      assert.equal(1, var:get())
      assert.equal(2, context:get(var))
    end)

    it("may wait, and other tasks do not notice", function()
      local var = ContextVar("x", "none")
      local context = copy_context()
      local task = async.create_task(function()
        context:run(function()
          var:set "inside"
          async.sleep(2)
          return var:get()
        end)
        return var:get()
      end)
      async.sleep(1)
      assert.equal("none", var:get())
      assert.equal("inside", context:get(var))
      assert.equal("none", task:await())
    end)

    it("gives its values to the tasks made in it", function()
      local var = ContextVar("x", "none")
      local child = copy_context():run(function()
        var:set "inside"
        return async.create_task(function()
          local seen = var:get()
          var:set "child's own"
          return seen
        end)
      end)
      assert.equal("inside", child:await())
      assert.equal("none", var:get())
    end)

    it("may be nested", function()
      local var = ContextVar "x"
      local outer, inner = async.Context(), async.Context()
      outer:run(function()
        var:set "outer"
        inner:run(function()
          assert.is_nil(var:get(nil))
          var:set "inner"
        end)
        assert.equal("outer", var:get())
      end)
      assert.equal("outer", outer:get(var))
      assert.equal("inner", inner:get(var))
    end)

    it("refuses to be entered twice", function()
      local context = copy_context()
      context:run(function()
        assert.error_matches(function()
          context:run(turn)
        end, "it has been entered already")
      end)
      context:run(turn)
    end)
  end)

  it("is a copy that changes by itself", function()
    local var = ContextVar "x"
    var:set(1)
    local first = copy_context()
    local second = first:copy()
    first:run(var.set, var, 2)
    var:set(3)
    assert.equal(2, first:get(var))
    assert.equal(1, second:get(var))
  end)

  it("can be asked, counted and iterated", function()
    local a, b, c = ContextVar "a", ContextVar "b", ContextVar "c"
    local context = async.Context()
    context:run(function()
      a:set(1)
      b:set(nil)
    end)
    assert.equal(2, #context)
    assert.is_true(context:has(b))
    assert.is_false(context:has(c))
    assert.equal("default", context:get(c, "default"))
    assert.is_nil(context:get(b, "default"))
    local seen = {}
    for var, value in pairs(context) do
      seen[var.name] = value or "nil"
    end
    assert.same({ a = 1, b = "nil" }, seen)
  end)

  it("of a task shows its values at any moment", function()
    local var = ContextVar "x"
    local task = async.create_task(function()
      var:set "early"
      async.sleep(2)
      var:set "late"
    end)
    async.sleep(1)
    local context = task:get_context()
    assert.equal("early", context:get(var))
    local kept = context:copy()
    task:await()
    assert.equal("late", context:get(var))
    assert.equal("early", kept:get(var))
    assert.error_matches(function()
      context:run(turn)
    end, "run in a copy of it")
  end)
end)
