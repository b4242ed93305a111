--[[
Note a failed attempt and let the job run again, now or after a backoff.
Guarantee: does nothing unless the token owns the job.

KEYS[1]  wait           list
KEYS[2]  paused         list
KEYS[3]  meta_paused    string
KEYS[4]  active         list
KEYS[5]  delayed        zset, job id -> due time (ms) * 4096 + low bits
KEYS[6]  priority       zset
KEYS[7]  stalled        set, Bull's suspects
ARGV[1]  base           the queue's prefix
ARGV[2]  id             job id
ARGV[3]  token          of the attempt
ARGV[4]  attempts_made  this one included
ARGV[5]  reason         plain text
ARGV[6]  trace          of this attempt
ARGV[7]  trace_limit    keep so many
ARGV[8]  delay          ms; 0 = at once

Returns 'ok' | 'written' | 'lock_lost' | 'missing'
]]
--#include clock
--#include own
--#include blame
--#include put
--#include tell
local target, priorities = waiting_list(KEYS[1], KEYS[2], KEYS[3]), KEYS[6]
local active, delayed, stalled = KEYS[4], KEYS[5], KEYS[7]
local base, id, token, delay = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[8])
local key = base .. id

local word = owns(base, active, id, token)
if word ~= 'ok' then return word end

blame(key, ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]))
if delay > 0 then
  local due = now_ms() + delay
  redis.call('HSET', key, 'delay', delay)
  redis.call('ZADD', delayed, due * 4096 + (tonumber(id) or 0) % 4096, id)
  redis.call('PUBLISH', delayed, string.format('%.0f', due))
else
  put(target, priorities, id, redis.call('HGET', key, 'priority'), '0')
  redis.call('PUBLISH', base .. 'waiting@' .. token, id)
end
redis.call('LREM', active, 1, id)
redis.call('DEL', key .. ':lock')
redis.call('SREM', stalled, id)
tell(base, { 'retried', id .. '\n' .. string.sub(ARGV[5], 1, 300), delay > 0 and 'delayed' or 'waiting', id })
return 'ok'
