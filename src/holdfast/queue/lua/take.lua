--[[
Take the next jobs: from the tail of wait to active, locked, in one step.
Guarantee: no job is active without a lock, none is taken without its hash, none that another token holds, none that has ended.

KEYS[1]  wait      list, tail = next
KEYS[2]  active    list
KEYS[3]  priority  zset of the waiting prioritized ids
ARGV[1]  base      the queue's prefix
ARGV[2]  limit     at most so many
ARGV[3]  token     of this batch; unique
ARGV[4]  lock_ms   time to live of the locks
ARGV[5]  announce  '1' to publish 'drained' when there is nothing

Returns rows: each name, data, opts, attemptsMade, stalledCounter, progress, processedOn, id
]]
--#include clock
--#include peek
--#include row
--#include publish
--#include take
--#include tell
--#include tell_work
local keys = { wait = KEYS[1], active = KEYS[2], priority = KEYS[3] }
local base, limit, token, lock_ms, announce = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]

local rows = take(keys, base, limit, token, lock_ms, string.format('%.0f', now_ms()))
if #rows == 0 and announce == '1' then redis.call('PUBLISH', base .. 'drained', '') end
tell_work(base, {}, rows, announce == '1')
return rows
