-- Sends one request over and over. Environment: METHOD, TARGET (path and query), BODY (may be empty), TOKEN, EXPECTED (the
-- status of a good answer). Whatever else is answered is told on standard error.
local body = os.getenv("BODY")
local expected = tonumber(os.getenv("EXPECTED"))
local headers = { ["Authorization"] = "Bearer " .. os.getenv("TOKEN"), ["Content-Type"] = "application/json" }
local text = wrk.format(os.getenv("METHOD"), os.getenv("TARGET"), headers, body ~= "" and body or nil)

request = function()
  return text
end

response = function(status, _, answer)
  if status ~= expected then
    io.stderr:write(status .. " " .. answer .. "\n")
    wrk.thread:stop()
  end
end
