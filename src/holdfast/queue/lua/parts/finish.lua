-- The last writes of a job that ended: into `zset`, out of active, unlocked, announced; trimmed as its own options say.
-- `keep` is '' (for ever) | '0' (remove now) | '<count or -1>:<age in seconds or -1>'.
local KEEP_BUDGET = 20

local function trim(base, zset, keep, now, budget)
  local count, age = string.match(keep, '^(-?%d+):(-?%d+)$')
  local index = base .. 'keep:' .. string.sub(zset, #base + 1) .. ':' .. keep
  local gone = {}
  if tonumber(age) >= 0 then
    gone = redis.call('ZRANGEBYSCORE', index, '-inf', now - age * 1000, 'LIMIT', 0, budget)
  end
  local over = tonumber(count) >= 0 and redis.call('ZCARD', index) - tonumber(count) or 0
  if over > #gone then gone = redis.call('ZRANGE', index, 0, math.min(over, budget) - 1) end
  for _, id in ipairs(gone) do
    -- Only what is still in this state: an id may have been retried since.
    if redis.call('ZREM', zset, id) == 1 then redis.call('DEL', base .. id, base .. id .. ':logs') end
  end
  if #gone > 0 then redis.call('ZREM', index, unpack(gone)) end
  return #gone
end

local function finish(base, active, zset, id, now, keep)
  if keep ~= '0' then redis.call('ZADD', zset, now, id) end
  redis.call('LREM', active, -1, id)
  redis.call('DEL', base .. id .. ':lock')
  if keep == '' then return end
  if keep == '0' then
    redis.call('DEL', base .. id, base .. id .. ':logs')
    return
  end
  redis.call('ZADD', base .. 'keep:' .. string.sub(zset, #base + 1) .. ':' .. keep, now, id)
  trim(base, zset, keep, now, KEEP_BUDGET)
end
