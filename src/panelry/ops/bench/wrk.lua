-- What wrk sends, and how it judges what comes back. Arguments: a folder, a text that no other run has.
-- The folder holds `headers`, a line for each; `bodies`, a line for each request, in turn, where @ stands for a text that
-- is used once; and `right`, the answer to all of them, where order ids are written without what follows "ord_".
local LONG, SAMPLE = 1000, 16 -- of long answers every one is measured, and one in so many is read
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(arguments)
  local folder, run = arguments[1], arguments[2]
  local head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
  for line in io.lines(folder .. "/headers") do head = head .. line .. "\r\n" end
  once = "%s" .. run .. string.format("-%d-", number) .. "%010d%s"
  local width = #once:format("", 0, "")
  requests, sent, used = {}, number, 0
  for line in io.lines(folder .. "/bodies") do
    local before, after = line:match("^(.*)@(.*)$")
    local length = before and #before + width + #after or #line
    local start = head .. "Content-Length: " .. length .. "\r\n\r\n"
    table.insert(requests, before and { start .. before, after } or start .. line)
  end
  local file = assert(io.open(folder .. "/right", "rb"))
  right = file:read("*a")
  file:close()
  local _, ids = right:gsub("ord_", "")
  right_length = #right + 26 * ids
  long_ones, wrong, first_wrong = 0, 0, ""
end

function request()
  sent = sent + 1
  local one = requests[sent % #requests + 1]
  if type(one) == "string" then return one end
  used = used + 1
  return once:format(one[1], used, one[2])
end

local function is_right(body)
  if body == right then return true end
  if #body ~= right_length then return false end
  if #body > LONG then
    long_ones = long_ones + 1
    if long_ones % SAMPLE ~= 1 then return true end
  end
  return body:gsub("ord_%w+", "ord_") == right
end

function response(status, headers, body)
  if status == 200 and is_right(body) then return end
  wrong = wrong + 1
  if first_wrong == "" then first_wrong = status .. " " .. body:sub(1, 200):gsub("%c", " ") end
end

function done(summary, latency, _)
  local wrong, first = 0, ""
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("wrong")
    first = first == "" and thread:get("first_wrong") or first
  end
  local errors = summary.errors
  local function say(name, value) io.write("= ", name, " ", value, "\n") end
  say("calls", summary.requests)
  say("microseconds", summary.duration)
  say("p50_microseconds", latency:percentile(50))
  say("p99_microseconds", latency:percentile(99))
  say("lost", errors.connect + errors.read + errors.write + errors.timeout)
  say("wrong", wrong)
  say("first_wrong", first)
end
