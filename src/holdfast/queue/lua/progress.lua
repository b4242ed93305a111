--[[
Note how far an attempt has come.
Guarantee: does nothing unless the token owns the job.

KEYS[1]  active    list
ARGV[1]  base      the queue's prefix
ARGV[2]  id        job id
ARGV[3]  token     of the attempt
ARGV[4]  progress  JSON

Returns 'ok' | 'written' | 'lock_lost' | 'missing'
]]
--#include own
local base, id, progress = ARGV[1], ARGV[2], ARGV[4]

local word = owns(base, KEYS[1], id, ARGV[3])
if word ~= 'ok' then return word end

redis.call('HSET', base .. id, 'progress', progress)
redis.call('PUBLISH', base .. 'progress', '{"jobId":' .. cjson.encode(id) .. ',"progress":' .. progress .. '}')
return 'ok'
