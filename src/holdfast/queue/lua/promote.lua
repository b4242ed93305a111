--[[
Let jobs wait for their turn: delayed ones that are due, and those that a resume left behind when it was cut off.
Guarantee: while the queue is paused nothing leaves the paused list.

KEYS[1]  delayed      zset, job id -> due time (ms) * 4096 + low bits
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
KEYS[5]  priority     zset
ARGV[1]  base         the queue's prefix
ARGV[2]  sender       named in the channels
ARGV[3]  limit        at most so many of each

Returns [number promoted, ms until there is more to do | -1 when nothing is known of]
]]
--#include clock
--#include peek
--#include put
--#include pour
--#include tell
local delayed = KEYS[1]
local target, priorities = waiting_list(KEYS[2], KEYS[3], KEYS[4]), KEYS[5]
local base, sender = ARGV[1], ARGV[2]
local now = now_ms()

local promoted, news = {}, {}
local ids = redis.call('ZRANGEBYSCORE', delayed, '-inf', (now + 1) * 4096 - 1, 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do
  local priority = peek('HGET', base .. id, 'priority')  -- a table when the key is no hash
  if type(priority) == 'string' or redis.call('TYPE', base .. id).ok == 'hash' then
    put(target, priorities, id, priority, '0')
    redis.call('HSET', base .. id, 'delay', 0)
    redis.call('PUBLISH', base .. 'waiting@' .. sender, id)
    promoted[#promoted + 1] = id
  else
    redis.call('LPUSH', base .. 'ghosts', id)
  end
  redis.call('ZREM', delayed, id)
end

if #promoted > 0 then news = { 'waiting', table.concat(promoted, '\n') } end

-- Nobody takes from paused: without the mark of a pause its jobs would stay there for ever.
local more_paused = false
if redis.call('EXISTS', KEYS[4]) == 0 and redis.call('EXISTS', KEYS[3]) == 1 then
  more_paused = pour(KEYS[3], KEYS[2], ARGV[3])
  if not more_paused then
    redis.call('PUBLISH', base .. 'resumed', 'resumed')
    news[#news + 1] = 'resumed'
    news[#news + 1] = ''
  end
end
tell(base, news)
if more_paused then return { #ids, 0 } end

local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if not first[1] then return { #ids, -1 } end
return { #ids, math.max(0, math.floor(first[2] / 4096) - now) }
