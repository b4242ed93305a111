--[[
Cancel a job: one that waits fails now, the worker of one that runs is told, and finds it noted when it was not.
Guarantee: a job that has ended is left as it is.

KEYS[1]  wait       list
KEYS[2]  paused     list
KEYS[3]  active     list
KEYS[4]  delayed    zset
KEYS[5]  priority   zset of the waiting prioritized ids
KEYS[6]  completed  zset
KEYS[7]  failed     zset, job id -> finishedOn (ms)
KEYS[8]  cancels    zset, running id that was cancelled -> when (ms)
ARGV[1]  base       the queue's prefix
ARGV[2]  id         job id

Returns 'cancelled' | 'stopping' | 'ended' | 'missing'
]]
--#include clock
--#include peek
--#include keep
--#include remember
--#include finish
--#include undebounce
--#include tell
--#include stop
local places = {
  wait = KEYS[1], paused = KEYS[2], active = KEYS[3], delayed = KEYS[4], priority = KEYS[5], completed = KEYS[6],
  failed = KEYS[7], cancels = KEYS[8],
}
return stop(places, ARGV[1], ARGV[2])
