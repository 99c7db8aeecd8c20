local Folder = require "spec.support.folder"
local fs = require "strobe.async.fs"
local markdown = require "strobe.reference.markdown"
local surface = require "strobe.reference.surface"

local pages

-- What is no code: neither between fences nor in backticks.
local function prose_of(page)
  return (page:gsub("```lua\n.-\n```", ""):gsub("`[^`]*`", ""))
end

describe("the reference in Markdown", function()
  setup(function()
    pages = markdown.pages()
  end)

  it("has an index with every public module, and the table of asyncio's names", function()
    for _, module in ipairs(surface.model().modules) do
      local link = ("[%s](%s.md)"):format(module.name, module.short)
      assert.is_truthy(pages["index.md"]:find(link, 1, true), link)
      assert.is_string(pages[module.short .. ".md"])
    end
    assert.is_truthy(pages["asyncio.md"]:find("`asyncio.gather` | [`async.gather`](async.md#async.gather) |", 1, true))
  end)

  it("has an anchor for each name, and none twice", function()
    local all = {}
    for _, page in pairs(pages) do
      for name in page:gmatch '<a id="([^"]*)"></a>' do
        assert.is_nil(all[name], name)
        all[name] = true
      end
    end
    for _, module in ipairs(surface.model().modules) do
      for _, list in ipairs { module.items, module.classes, module.parts } do
        for _, item in ipairs(list) do
          assert.is_true(all[item.name .. (item.kind == "class" and "-class" or "")], item.name)
          for _, method in ipairs(item.methods or {}) do
            assert.is_true(all[method.name], method.name)
          end
        end
      end
    end
  end)

  it("has no link that leads nowhere", function()
    local count = 0
    for from, page in pairs(pages) do
      for file, anchor in page:gsub("`", ""):gmatch "%]%(([%w_.]+%.md)#?([^)]*)%)" do
        count = count + 1
        assert.is_string(pages[file], ("%s links to %s"):format(from, file))
        local found = anchor == "" or pages[file]:find(('<a id="%s"></a>'):format(anchor), 1, true)
        assert.is_truthy(found, ("%s links to %s#%s"):format(from, file, anchor))
      end
    end
    assert.is_true(count > 500)
  end)

  it("has no tag of HTML but the anchors, and every fence is closed", function()
    for name, page in pairs(pages) do
      local text = prose_of(page):gsub('<a id="[^"]*"></a>', "")
      assert.is_nil(text:match "[^\\]<[%a/]", name .. ": " .. (text:match "[^\n]*[^\\]<[%a/][^\n]*" or ""))
      assert.equal(0, select(2, page:gsub("```", "")) % 2, name)
    end
  end)

  it("has names that differ by more than upper and lower case", function()
    local seen = {}
    for name in pairs(pages) do
      assert.is_nil(seen[name:lower()], name)
      seen[name:lower()] = true
    end
  end)

  it("is written into a folder, which is made", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/share/doc"
    local count = 0
    for _ in pairs(pages) do
      count = count + 1
    end
    assert.equal(count, markdown.write(path))
    assert.equal(pages["async.md"], fs.read_file(path .. "/async.md"))
  end)

  it("says why it cannot be written", function()
    local count, message, code = markdown.write "/dev/null/reference"
    assert.is_nil(count)
    assert.matches("/dev/null", message)
    assert.equal("ENOTDIR", code)
  end)
end)
