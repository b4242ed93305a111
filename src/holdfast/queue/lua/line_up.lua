--[[
Sort what waits into the lines of its groups, for workers with limits.
Guarantee: nothing is sorted while the queue is paused; each id stays in exactly one place.

KEYS[1]  wait         list, tail = next
KEYS[2]  priority     zset of the waiting prioritized ids
KEYS[3]  meta_paused  string, exists while paused
ARGV[1]  base         the queue's prefix
ARGV[2]  limit        at most so many

Returns number of ids that are not in line yet
]]
--#include peek
--#include lines
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
return line_up(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), now_us())
