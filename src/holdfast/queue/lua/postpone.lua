--[[
Let a running job run again later, as if it had not been taken: its processor found that it is too early.
Guarantee: attempts and stall counters stay as they are; does nothing unless the token owns the job.

KEYS[1]  active   list
KEYS[2]  delayed  zset, job id -> due time (ms) * 4096 + low bits
KEYS[3]  stalled  set, Bull's suspects
ARGV[1]  base     the queue's prefix
ARGV[2]  id       job id
ARGV[3]  token    of the attempt
ARGV[4]  delay    ms, 1 or more

Returns 'ok' | 'written' | 'lock_lost' | 'missing'
]]
--#include clock
--#include own
--#include tell
local active, delayed, stalled = KEYS[1], KEYS[2], KEYS[3]
local base, id, token, delay = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local key = base .. id

local word = owns(base, active, id, token)
if word ~= 'ok' then return word end

-- `owner` stays: asked again after a lost reply, the answer is 'written'.
local due = now_ms() + delay
redis.call('HSET', key, 'delay', delay)
redis.call('ZADD', delayed, due * 4096 + (tonumber(id) or 0) % 4096, id)
redis.call('PUBLISH', delayed, string.format('%.0f', due))
redis.call('LREM', active, 1, id)
redis.call('DEL', key .. ':lock')
redis.call('SREM', stalled, id)
tell(base, { 'delayed', id })
return 'ok'
