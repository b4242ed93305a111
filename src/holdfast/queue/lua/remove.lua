--[[
Remove a job with its log, wherever it is.
Guarantee: a job that an attempt holds is left alone.

KEYS[1]  wait       list
KEYS[2]  paused     list
KEYS[3]  active     list
KEYS[4]  delayed    zset
KEYS[5]  priority   zset
KEYS[6]  completed  zset
KEYS[7]  failed     zset
ARGV[1]  base       the queue's prefix
ARGV[2]  id         job id

Returns 'ok' | 'locked' | 'missing'
]]
--#include peek
--#include keep
--#include unkeep
--#include erase
--#include tell
local base, id = ARGV[1], ARGV[2]
local key = base .. id

if redis.call('EXISTS', key .. ':lock') == 1 then return 'locked' end
local kind = redis.call('TYPE', key).ok
if kind ~= 'hash' and kind ~= 'none' then return 'missing' end  -- a key of the queue's own

unkeep(base, 'completed', id)
unkeep(base, 'failed', id)
local found = redis.call('ZREM', KEYS[6], id) + redis.call('ZREM', KEYS[7], id) + redis.call('ZREM', KEYS[4], id)
found = found + redis.call('ZREM', base .. 'parked', id)  -- its place in the line of its group is cleared away later
if found == 0 then
  for i = 1, 3 do found = found + redis.call('LREM', KEYS[i], 0, id) end
  redis.call('ZREM', KEYS[5], id)
end
found = found + erase(base, id)
if found == 0 then return 'missing' end
tell(base, { 'removed', id })
return 'ok'
