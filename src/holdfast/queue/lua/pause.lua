--[[
Pause or resume the queue: new jobs go to the other list at once, those waiting are moved, in order.
Guarantee: nothing is overwritten; a target that is not empty is appended to, in bounded chunks.

KEYS[1]  source       list to empty: wait to pause, paused to resume
KEYS[2]  target       list to fill
KEYS[3]  meta_paused  string, exists while paused
KEYS[4]  meta         hash, field 'paused'
ARGV[1]  base         the queue's prefix
ARGV[2]  to           'paused' | 'resumed'
ARGV[3]  limit        move at most so many into a target that is not empty

Returns 'ok' | 'more'
]]
--#include pour
--#include tell
local source, target, to = KEYS[1], KEYS[2], ARGV[2]

if to == 'paused' then
  redis.call('SET', KEYS[3], '1')
  redis.call('HSET', KEYS[4], 'paused', '1')
else
  redis.call('DEL', KEYS[3])
  redis.call('HDEL', KEYS[4], 'paused')
end

if redis.call('EXISTS', source) == 1 and pour(source, target, ARGV[3]) then return 'more' end
redis.call('PUBLISH', ARGV[1] .. to, to)
tell(ARGV[1], { to, '' })
return 'ok'
