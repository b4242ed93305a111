--[[
Give jobs in the lines of groups back to wait when no worker with limits is left; the last in line first, so that in the
end the first is next.
Guarantee: each id stays in exactly one place; nothing is done while a worker with limits says that it lives.

KEYS[1]  wait         list, tail = next
KEYS[2]  paused       list
KEYS[3]  meta_paused  string, exists while paused
KEYS[4]  priority     zset of the waiting prioritized ids
KEYS[5]  limiting     string, exists while there are workers with limits
KEYS[6]  parked       zset, every id in a line -> its place
KEYS[7]  lines        zset of groups
ARGV[1]  base         the queue's prefix
ARGV[2]  limit        at most so many

Returns number of ids and groups that are left; 0 also when there are workers with limits
]]
--#include peek
--#include put
--#include lines
local target, parked, lines = waiting_list(KEYS[1], KEYS[2], KEYS[3]), KEYS[6], KEYS[7]
local base, limit = ARGV[1], tonumber(ARGV[2])

if redis.call('EXISTS', KEYS[5]) == 1 then return 0 end

-- Each in front of those before: jobs without a priority, then the prioritized, then what was at the front of a line.
local function next_ids()
  local ids = redis.call('ZREVRANGEBYSCORE', parked, '+inf', LAST_BAND * BAND, 'LIMIT', 0, limit)
  if #ids > 0 then return ids end
  ids = redis.call('ZRANGEBYSCORE', parked, 0, '+inf', 'LIMIT', 0, limit)
  if #ids > 0 then return ids, true end
  return redis.call('ZREVRANGEBYSCORE', parked, '(0', '-inf', 'LIMIT', 0, limit)
end

local ids, prioritized = next_ids()
for _, id in ipairs(ids) do
  local priority = prioritized and peek('HGET', base .. id, 'priority')
  put(target, KEYS[4], id, type(priority) == 'string' and priority, '1')
end
if #ids > 0 then
  redis.call('ZREM', parked, unpack(ids))
  redis.call('PUBLISH', base .. 'waiting@', ids[#ids])
else
  local groups = redis.call('ZRANGE', lines, 0, limit - 1)
  for _, group in ipairs(groups) do redis.call('UNLINK', base .. 'line:' .. group) end
  if #groups > 0 then redis.call('ZREM', lines, unpack(groups)) end
end
return redis.call('ZCARD', parked) + redis.call('ZCARD', lines)
