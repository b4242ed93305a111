-- Bull's rate limiter: a counter of the jobs started in a window, which ends when the key does.
-- Returns how many more may start now; when none, also the ms after which it is worth asking again.
local function left_in(counter, max, per_ms)
  if max == 0 then return math.huge end
  local used = tonumber(redis.call('GET', counter) or nil) or 0
  if used < max then return max - used end
  local rest = redis.call('PTTL', counter)
  if rest < 0 then  -- a window that somebody left without an end
    redis.call('PEXPIRE', counter, per_ms)
    rest = per_ms
  end
  return 0, math.max(rest, 1)
end

local function count_in(base, counter, per_ms, ids)
  if redis.call('INCRBY', counter, #ids) == #ids then redis.call('PEXPIRE', counter, per_ms) end
  -- Those that a Node worker had put to sleep are awake: Bull counts the sleepers against the limit.
  if redis.call('EXISTS', counter .. ':limited') == 1 then
    redis.call('SREM', counter .. ':limited', unpack(ids))
    redis.call('HDEL', base .. 'limiter:index', unpack(ids))
  end
end
