-- Cancel one job wherever it is. One that waits fails at once; one that runs is marked, and its worker told.
-- Returns 'cancelled' | 'stopping' | 'ended' | 'missing'. Needs clock, keep, remember, finish and tell.
local REASON = 'cancelled'

local function end_waiting(k, base, id, now)
  local key = base .. id
  redis.call('HSET', key, 'failedReason', REASON, 'finishedOn', string.format('%.0f', now), 'cancelled',
    string.format('%.0f', now))
  redis.call('HDEL', key, 'owner')
  undebounce(base, id)
  local keep = keep_of(key, 'removeOnFail')
  finish(base, k.active, k.failed, { id }, { keep }, now)
  remember(base, 'f', { id }, { REASON }, { keep })
  -- Out of where it waited: in most cases one of the first three, which cost nothing.
  if redis.call('ZREM', k.delayed, id) + redis.call('ZREM', base .. 'parked', id) == 0 then
    redis.call('ZREM', k.priority, id)
    if redis.call('LREM', k.wait, -1, id) == 0 then redis.call('LREM', k.paused, -1, id) end
  end
  redis.call('PUBLISH', base .. 'failed', '{"jobId":' .. cjson.encode(id) .. ',"val":"' .. REASON .. '"}')
  tell(base, { 'failed', id .. '\n' .. REASON })
end

local function stop(k, base, id)
  local key, now = base .. id, now_ms()
  if redis.call('TYPE', key).ok ~= 'hash' then return 'missing' end
  if redis.call('ZSCORE', k.completed, id) or redis.call('ZSCORE', k.failed, id) then return 'ended' end
  if redis.call('EXISTS', key .. ':lock') == 0 and not redis.call('LPOS', k.active, id) then
    end_waiting(k, base, id, now)
    return 'cancelled'
  end
  redis.call('ZADD', k.cancels, string.format('%.0f', now), id)
  redis.call('HSET', key, 'cancelled', string.format('%.0f', now))
  redis.call('PUBLISH', base .. 'cancel', id)
  return 'stopping'
end
