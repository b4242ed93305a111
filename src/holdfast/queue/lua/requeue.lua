--[[
Run a failed job again because somebody asks for it.

KEYS[1]  failed       zset
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
KEYS[5]  priority     zset
ARGV[1]  base         the queue's prefix
ARGV[2]  id           job id
ARGV[3]  sender       named in the channels
ARGV[4]  fresh        '1' to forget the attempts made and the crashes

Returns 'ok' | 'missing' | 'locked' | 'not_failed'
]]
--#include clock
--#include put
local failed, base, id = KEYS[1], ARGV[1], ARGV[2]
local target, priorities = waiting_list(KEYS[2], KEYS[3], KEYS[4]), KEYS[5]
local key = base .. id

if redis.call('EXISTS', key) == 0 then return 'missing' end
if redis.call('EXISTS', key .. ':lock') == 1 then return 'locked' end
if not redis.call('ZSCORE', failed, id) then return 'not_failed' end

put(target, priorities, id, redis.call('HGET', key, 'priority'), '0')
redis.call('ZREM', failed, id)
redis.call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason', 'owner')
if ARGV[4] == '1' then redis.call('HDEL', key, 'attemptsMade', 'stalledCounter', 'stacktrace') end
redis.call('HSET', key, 'retriedOn', now_ms())
redis.call('PUBLISH', base .. 'waiting@' .. ARGV[3], id)
return 'ok'
