--[[
Add a line to a job's log.
Guarantee: does nothing unless the token owns the job.

KEYS[1]  active  list
ARGV[1]  base    the queue's prefix
ARGV[2]  id      job id
ARGV[3]  token   of the attempt
ARGV[4]  line    text
ARGV[5]  limit   keep so many lines

Returns 'ok' | 'written' | 'lock_lost' | 'missing'
]]
--#include own
local base, id = ARGV[1], ARGV[2]

local word = owns(base, KEYS[1], id, ARGV[3])
if word ~= 'ok' then return word end

redis.call('RPUSH', base .. id .. ':logs', ARGV[4])
redis.call('LTRIM', base .. id .. ':logs', -ARGV[5], -1)
return 'ok'
