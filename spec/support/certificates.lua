--- A CA, and certificates good and bad, in files that go with their block:
--- `local certificates <close> = Certificates.new()`. Takes the command openssl, and
--- about a fifth of a second.

local Folder = require "spec.support.folder"

---@class spec.Identity
---@field cert string path of the certificate, PEM
---@field key string path of its private key, PEM

---@class spec.Certificates
---@field path string the folder
---@field ca spec.Identity whom clients are to trust
---@field other_ca spec.Identity whom nobody trusts
---@field good spec.Identity for localhost and 127.0.0.1
---@field expired spec.Identity was one for localhost
---@field wrong_host spec.Identity for x.example
---@field untrusted spec.Identity for localhost, by the other CA
---@field ip_only spec.Identity for 127.0.0.1 and ::1, no name
---@field client spec.Identity of "client", to show to servers
local Certificates = {}
Certificates.__index = Certificates
Certificates.__name = "certificates"

-- The system's own would add extensions. The second part is for `openssl ca`.
local CONFIGURATION = [[
[req]
distinguished_name = name
[name]
[ca]
default_ca = past
[past]
database = issued.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
copy_extensions = copy
policy = any
[any]
commonName = supplied
]]

local REQUEST = "openssl req -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
  .. " -keyout %s.key -out %s.%s -subj '/CN=%s' -addext basicConstraints=critical,CA:%s"

-- Only this one can sign for days which are over.
local SIGN_IN_THE_PAST = "openssl ca -batch -notext -config openssl.cnf -in %s.csr -out %s.pem -cert %s.pem"
  .. " -keyfile %s.key -startdate 20200101000000Z -enddate 20200201000000Z"

-- In this order: a CA comes before what it signs.
local RECIPES = {
  { file = "ca", subject = "Spec CA" },
  { file = "other_ca", subject = "Other CA" },
  { file = "good", subject = "localhost", names = "DNS:localhost,IP:127.0.0.1", ca = "ca" },
  { file = "expired", subject = "localhost", names = "DNS:localhost,IP:127.0.0.1", ca = "ca", past = true },
  { file = "wrong_host", subject = "x.example", names = "DNS:x.example", ca = "ca" },
  { file = "untrusted", subject = "localhost", names = "DNS:localhost,IP:127.0.0.1", ca = "other_ca" },
  { file = "ip_only", subject = "address", names = "IP:127.0.0.1,IP:::1", ca = "ca" },
  { file = "client", subject = "client", names = "email:client@spec.example", ca = "ca" },
}

local function command(recipe)
  local file, ca = recipe.file, recipe.ca
  local line = REQUEST:format(file, file, recipe.past and "csr" or "pem", recipe.subject, ca and "FALSE" or "TRUE")
  if recipe.names then
    line = line .. " -addext subjectAltName=" .. recipe.names
  end
  if recipe.past then
    return line .. " && " .. SIGN_IN_THE_PAST:format(file, file, ca, ca)
  end
  return line .. " -x509 -days 9" .. (ca and (" -CA %s.pem -CAkey %s.key"):format(ca, ca) or "")
end

local function run(path, lines)
  local pipe = assert(io.popen(("{ cd '%s' && %s; } 2>&1"):format(path, table.concat(lines, " && "))))
  local output = pipe:read "a"
  return pipe:close(), output
end

--- Makes them all.
---@return spec.Certificates
function Certificates.new()
  local folder = Folder.new { ["openssl.cnf"] = CONFIGURATION, ["issued.txt"] = "" }
  local certificates = setmetatable({ path = folder.path, folder = folder }, Certificates)
  local lines = {}
  for i, recipe in ipairs(RECIPES) do
    local path = folder.path .. "/" .. recipe.file
    certificates[recipe.file] = { cert = path .. ".pem", key = path .. ".key" }
    lines[i] = command(recipe)
  end
  local good, output = run(folder.path, lines)
  if not good then
    folder:__close()
    error("openssl: " .. output, 2)
  end
  return certificates
end

function Certificates:__close()
  self.folder:__close()
end

return Certificates
