-- Sends requests over and over. Answers are never looked at: wrk counts by itself those that are no success.
--
-- Environment: CALL is `replay`, which sends the requests of the file REQUESTS in turn, or one of the writes below, which
-- send new data every time and need PREFIX (the path of the calls), HEADERS, EXPERIMENT, RUNS (a file with the id of one
-- run a line) and FIRST (a number greater than any step that was sent before).

-- Reads records of the form "<length>\n<bytes>\n".
local function read_requests(path)
  local requests = {}
  local file = assert(io.open(path, "rb"))
  for line in file:lines() do
    requests[#requests + 1] = file:read(tonumber(line))
    file:read(1)
  end
  return requests
end

local function read_lines(path)
  local lines = {}
  for line in io.lines(path) do
    lines[#lines + 1] = line
  end
  return lines
end

local function replay()
  local requests = read_requests(os.getenv("REQUESTS"))
  local count, at = #requests, 0
  return function()
    at = at % count + 1
    return requests[at]
  end
end

-- A function that makes a request of a body. All but the body and its length is put together once.
local function post(path)
  local head = "POST " .. os.getenv("PREFIX") .. path .. " HTTP/1.1\r\n" .. os.getenv("HEADERS") .. "Content-Length: "
  return function(body)
    return head .. #body .. "\r\n\r\n" .. body
  end
end

-- Times rise by a millisecond with every request, and steps start above those of any run of wrk before this one.
local function clock()
  return os.time() * 1000, tonumber(os.getenv("FIRST"))
end

local function create_run()
  local send, experiment, counter = post("runs/create"), os.getenv("EXPERIMENT"), 0
  local now, first = clock()
  return function()
    counter = counter + 1
    return send(string.format(
      '{"experiment_id":"%s","start_time":%d,"run_name":"run-%d","user_id":"bench",' ..
      '"tags":[{"key":"mlflow.user","value":"bench"},{"key":"mlflow.source.type","value":"LOCAL"}]}',
      experiment, now + counter, first + counter))
  end
end

local function log_metric()
  local send, runs, counter = post("runs/log-metric"), read_lines(os.getenv("RUNS")), 0
  local now, first = clock()
  return function()
    counter = counter + 1
    return send(string.format(
      '{"run_id":"%s","key":"loss","value":%.6f,"timestamp":%d,"step":%d}',
      runs[counter % #runs + 1], math.random(), now + counter, first + counter))
  end
end

-- 100 points: 10 keys, 10 steps each. What a point says before its time is taken from some that are made once, so that a
-- request costs a concatenation and ten short formats.
local function log_batch()
  local variants, points = 16, {}
  for at = 0, variants * 10 - 1 do
    points[at] = string.format(',{"key":"m%d","value":%.6f,', at % 10, math.random())
  end
  local send, runs, counter, parts = post("runs/log-batch"), read_lines(os.getenv("RUNS")), 0, {}
  local now, first = clock()
  return function()
    counter = counter + 1
    for step = 0, 9 do
      local ending = string.format('"timestamp":%d,"step":%d}', now + counter, first + counter * 10 + step)
      local variant = (counter + step) % variants * 10
      for key = 0, 9 do
        parts[step * 20 + key * 2 + 1] = points[variant + key]
        parts[step * 20 + key * 2 + 2] = ending
      end
    end
    parts[1] = parts[1]:sub(2)
    return send('{"run_id":"' .. runs[counter % #runs + 1] .. '","metrics":[' .. table.concat(parts) .. ']}')
  end
end

local function create_model()
  local send, counter = post("registered-models/create"), tonumber(os.getenv("FIRST"))
  return function()
    counter = counter + 1
    return send(string.format('{"name":"model-%d","tags":[{"key":"team","value":"bench"}]}', counter))
  end
end

local function create_version()
  local whole = post("model-versions/create")('{"name":"versions","source":"s3://bucket/model"}')
  return function()
    return whole
  end
end

local calls = {
  replay = replay, create_run = create_run, log_metric = log_metric, log_batch = log_batch,
  create_model = create_model, create_version = create_version,
}

function init()
  math.randomseed(os.time())
  request = calls[os.getenv("CALL")]()
end

-- The last line of the report, for a program. Times are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration":%d,"p50":%d,"p95":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
