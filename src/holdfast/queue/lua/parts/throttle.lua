-- The state of a throttle: numbers in one string, because Bull's removeJobs would take a hash for a job.
local function throttle_state(key)
  local kept = redis.call('GET', key)
  local state = { requests = 0, tokens = 0, closed = 0, open = 0, probe = 0, line = 0, failures = 0 }
  for name, value in pairs(kept and cjson.decode(kept) or {}) do state[name] = value end
  return state
end

local function keep_throttle(key, state, ttl_ms)
  local parts = {}
  for name, value in pairs(state) do parts[#parts + 1] = string.format('"%s":%.3f', name, value) end
  redis.call('SET', key, '{' .. table.concat(parts, ',') .. '}', 'PX', ttl_ms)
end
