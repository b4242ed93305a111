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
local key, id = ARGV[1] .. ARGV[2], ARGV[2]

if redis.call('EXISTS', key .. ':lock') == 1 then return 'locked' end

local found = redis.call('ZREM', KEYS[6], id) + redis.call('ZREM', KEYS[7], id) + redis.call('ZREM', KEYS[4], id)
if found == 0 then
  for i = 1, 3 do found = found + redis.call('LREM', KEYS[i], 0, id) end
  redis.call('ZREM', KEYS[5], id)
end
found = found + redis.call('DEL', key, key .. ':logs')
return found > 0 and 'ok' or 'missing'
