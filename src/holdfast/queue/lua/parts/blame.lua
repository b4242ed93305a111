-- Note one failed attempt in the job's hash: attempts made, reason, and the stack trace after the earlier ones.
local function blame(key, attempts_made, reason, trace, trace_limit)
  local known, traces = pcall(cjson.decode, redis.call('HGET', key, 'stacktrace') or '[]')
  if not known or type(traces) ~= 'table' then traces = {} end
  traces[#traces + 1] = trace
  while #traces > trace_limit do table.remove(traces, 1) end
  redis.call('HSET', key, 'attemptsMade', attempts_made, 'failedReason', reason,
    'stacktrace', #traces > 0 and cjson.encode(traces) or '[]')
end
