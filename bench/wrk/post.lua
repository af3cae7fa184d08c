-- Sends one kind of call over and over. Environment: CALL, PREFIX (the tracking URI's path), TOKEN (may be empty),
-- EXPERIMENT, RUNS (a file with one run id a line).
local call = os.getenv("CALL")
local prefix = os.getenv("PREFIX") .. "/api/2.0/mlflow/"
local token = os.getenv("TOKEN") or ""
local experiment = os.getenv("EXPERIMENT")
local headers = { ["Content-Type"] = "application/json" }
if token ~= "" then
  headers["Authorization"] = "Bearer " .. token
end

local runs = {}
for line in io.lines(os.getenv("RUNS")) do
  runs[#runs + 1] = line
end

local counter = 0
local now = os.time() * 1000

local function create_run()
  local body = string.format(
    '{"experiment_id":"%s","start_time":%d,"run_name":"run-%d","user_id":"bench",' ..
    '"tags":[{"key":"mlflow.user","value":"bench"},{"key":"mlflow.source.type","value":"LOCAL"}]}',
    experiment, now + counter, counter)
  return wrk.format("POST", prefix .. "runs/create", headers, body)
end

local function log_metric()
  local body = string.format(
    '{"run_id":"%s","key":"loss","value":%.6f,"timestamp":%d,"step":%d}',
    runs[counter % #runs + 1], 1 / (counter + 1), now + counter, counter)
  return wrk.format("POST", prefix .. "runs/log-metric", headers, body)
end

-- 100 points: 10 keys, 10 steps each.
local function log_batch()
  local metrics = {}
  for point = 0, 99 do
    local step = counter * 10 + math.floor(point / 10)
    metrics[#metrics + 1] = string.format(
      '{"key":"m%d","value":%.6f,"timestamp":%d,"step":%d}', point % 10, 1 / (step + point + 1), now + step, step)
  end
  local body = string.format('{"run_id":"%s","metrics":[%s]}', runs[counter % #runs + 1], table.concat(metrics, ","))
  return wrk.format("POST", prefix .. "runs/log-batch", headers, body)
end

local function get_run()
  return wrk.format("GET", prefix .. "runs/get?run_id=" .. runs[counter % #runs + 1], headers)
end

-- Every run of wrk makes models of other names.
local series = os.getenv("SERIES") or ""

local function create_model()
  local body = string.format('{"name":"model-%s-%d","tags":[{"key":"team","value":"bench"}]}', series, counter)
  return wrk.format("POST", prefix .. "registered-models/create", headers, body)
end

local function create_version()
  local body = '{"name":"versions","source":"s3://bucket/model"}'
  return wrk.format("POST", prefix .. "model-versions/create", headers, body)
end

local function resolve()
  local body = '{"name":"versions","stages":["^1"]}'
  return wrk.format("POST", prefix .. "registered-models/get-latest-versions", headers, body)
end

local function search_versions()
  return wrk.format("GET", prefix .. "model-versions/search?max_results=100&filter=name%3D%27versions%27", headers)
end

local calls = {
  create_model = create_model, create_version = create_version, resolve = resolve, search_versions = search_versions, 
  create_run = create_run, log_metric = log_metric, log_batch = log_batch, get_run = get_run,
}

request = function()
  counter = counter + 1
  return calls[call]()
end

local bad = 0
response = function(status)
  if status ~= 200 then
    bad = bad + 1
    if bad <= 3 then
      io.stderr:write("status " .. status .. "\n")
    end
  end
end
