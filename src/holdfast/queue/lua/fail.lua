--[[
Fail a job for good.
Guarantee: does nothing unless the token owns the job.

KEYS[1]  active         list
KEYS[2]  failed         zset, job id -> finishedOn (ms)
KEYS[3]  stalled        set, Bull's suspects
ARGV[1]  base           the queue's prefix
ARGV[2]  id             job id
ARGV[3]  token          of the attempt
ARGV[4]  attempts_made  this one included
ARGV[5]  reason         plain text
ARGV[6]  trace          of this attempt
ARGV[7]  trace_limit    keep so many
ARGV[8]  keep           '' | '0' | '<count>:<age>'

Returns 'ok' | 'written' | 'lock_lost' | 'missing'
]]
--#include clock
--#include peek
--#include own
--#include blame
--#include remember
--#include finish
--#include undebounce
--#include tell
local active, failed, stalled = KEYS[1], KEYS[2], KEYS[3]
local base, id, token, reason, keep = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[8]
local now = now_ms()

local word = owns(base, active, id, token)
if word ~= 'ok' then return word end

blame(base .. id, ARGV[4], reason, ARGV[6], tonumber(ARGV[7]))
redis.call('HSET', base .. id, 'finishedOn', now)
undebounce(base, id)
finish(base, active, failed, { id }, { keep }, now)
redis.call('SREM', stalled, id)
remember(base, 'f', { id }, { reason }, { keep })
redis.call('PUBLISH', base .. 'failed', '{"jobId":' .. cjson.encode(id) .. ',"val":' .. cjson.encode(reason) .. '}')
tell(base, { 'failed', id .. '\n' .. string.sub(reason, 1, 300) })
return 'ok'
