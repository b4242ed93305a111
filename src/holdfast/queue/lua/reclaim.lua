--[[
Give a worker back the jobs it runs when Redis knows nothing of it: it came back older than it was, after a restart or a
failover, or took the worker for dead. They leave the place where they wait and are active again, locked.
Guarantee: only the very job that was taken (same options, which hold when it was added), only if nobody else holds it,
nobody has failed it since, and it has not ended.

KEYS[1]  active     list
KEYS[2]  wait       list
KEYS[3]  paused     list
KEYS[4]  delayed    zset
KEYS[5]  priority   zset of the waiting prioritized ids
KEYS[6]  completed  zset
KEYS[7]  failed     zset
ARGV[1]  base       the queue's prefix
ARGV[2]  lock_ms    time to live of the locks
ARGV[3]  bound      look at so many ids at the tail of each list
ARGV[4]  jobs       4 values a job: job id, token, opts as taken, attempts made as taken

Returns ['ok' | 'lock_lost' | 'missing', …]
]]
--#include clock
--#include tell
local active, wait, paused, delayed, priority = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local base, lock_ms, bound = ARGV[1], ARGV[2], ARGV[3]
local now = now_ms()

-- Tokens are '<worker>:<number of its take>'; an older one of the same worker is an attempt that is over.
local function is_free(lock, token)
  if not lock or lock == token then return true end
  local worker, number = string.match(lock, '^(%x+):(%d+)$')
  local mine, mine_number = string.match(token, '^(%x+):(%d+)$')
  return worker and worker == mine and tonumber(number) < tonumber(mine_number)
end

local function is_it(key, id, token, opts, made)
  local found = redis.call('HMGET', key, 'opts', 'attemptsMade')
  if found[1] ~= opts or (tonumber(found[2] or nil) or 0) > tonumber(made) then return false end
  if redis.call('ZSCORE', KEYS[6], id) or redis.call('ZSCORE', KEYS[7], id) then return false end
  return is_free(redis.call('GET', key .. ':lock'), token)
end

local function reclaim(id, token, opts, made)
  local key = base .. id
  if redis.call('EXISTS', key) == 0 then return 'missing' end
  if not is_it(key, id, token, opts, made) then return 'lock_lost' end
  local is_active = redis.call('LPOS', active, id, 'MAXLEN', bound)
  if is_active and not is_free(redis.call('HGET', key, 'owner'), token) then return 'lock_lost' end

  redis.call('HSET', key, 'owner', token, 'processedOn', now)
  redis.call('SET', key .. ':lock', token, 'PX', lock_ms)
  if not is_active then redis.call('LPUSH', active, id) end  -- add before remove: no id is ever in no list
  for _, list in ipairs({ wait, paused }) do
    if redis.call('LPOS', list, id, 'RANK', -1, 'MAXLEN', bound) then redis.call('LREM', list, -1, id) end
  end
  redis.call('ZREM', delayed, id)
  redis.call('ZREM', base .. 'parked', id)
  redis.call('ZREM', priority, id)
  return 'ok'
end

local words, again = {}, {}
for first = 4, #ARGV, 4 do
  words[#words + 1] = reclaim(unpack(ARGV, first, first + 3))
  if words[#words] == 'ok' then again[#again + 1] = ARGV[first] end
end
if #again > 0 then tell(base, { 'active', table.concat(again, '\n') }) end
return words
