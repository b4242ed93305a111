--[[
Cancel what was running when that was asked for and waits again by now: its worker died, or it failed by itself just
before. Forget those that have ended.

KEYS[1]  wait       list
KEYS[2]  paused     list
KEYS[3]  active     list
KEYS[4]  delayed    zset
KEYS[5]  priority   zset of the waiting prioritized ids
KEYS[6]  completed  zset
KEYS[7]  failed     zset, job id -> finishedOn (ms)
KEYS[8]  cancels    zset, running id that was cancelled -> when (ms)
ARGV[1]  base       the queue's prefix
ARGV[2]  limit      look at so many

Returns [ids that were cancelled now]
]]
--#include clock
--#include peek
--#include keep
--#include remember
--#include finish
--#include undebounce
--#include tell
--#include cancel
--#include stop
local places = {
  wait = KEYS[1], paused = KEYS[2], active = KEYS[3], delayed = KEYS[4], priority = KEYS[5], completed = KEYS[6],
  failed = KEYS[7], cancels = KEYS[8],
}
local base, swept = ARGV[1], {}

for _, id in ipairs(redis.call('ZRANGE', KEYS[8], 0, ARGV[2] - 1)) do
  local word = is_cancelled(base, id) and stop(places, base, id) or 'ended'
  if word == 'cancelled' then swept[#swept + 1] = id end
  if word ~= 'stopping' then redis.call('ZREM', KEYS[8], id) end
end
return swept
