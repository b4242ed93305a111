--[[
Note how far an attempt has come. A number never goes back, not even in a later attempt, unless that is asked for.
Guarantee: does nothing unless the token owns the job.

KEYS[1]  active    list
ARGV[1]  base      the queue's prefix
ARGV[2]  id        job id
ARGV[3]  token     of the attempt
ARGV[4]  progress  JSON
ARGV[5]  back      '1' to let a number go back

Returns 'ok' | 'behind' | 'written' | 'lock_lost' | 'missing'
]]
--#include own
--#include tell
local base, id, progress, back = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local MOST_TOLD = 65536
local key = base .. id

local word = owns(base, KEYS[1], id, ARGV[3])
if word ~= 'ok' then return word end
local new, known = tonumber(progress), tonumber(redis.call('HGET', key, 'progress') or nil)
if back ~= '1' and new and known and new < known then return 'behind' end

redis.call('HSET', key, 'progress', progress)
redis.call('PUBLISH', base .. 'progress', '{"jobId":' .. cjson.encode(id) .. ',"progress":' .. progress .. '}')
tell(base, { 'progress', id .. '\n' .. (#progress <= MOST_TOLD and progress or 'null') })
return 'ok'
