-- The server's clock in ms: producers' and workers' clocks decide nothing.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
