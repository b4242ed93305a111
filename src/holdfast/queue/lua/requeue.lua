--[[
Run finished jobs again because somebody asks for it.
Guarantee: does nothing to a job that is not in that state, or that an attempt holds.

KEYS[1]  failed       zset, job id -> finishedOn (ms); or completed
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
KEYS[5]  priority     zset
ARGV[1]  base         the queue's prefix
ARGV[2]  sender       named in the channels
ARGV[3]  fresh        '1' to forget the attempts made and the crashes
ARGV[4]  ids          job ids

Returns ['ok' | 'missing' | 'locked' | 'elsewhere', …]
]]
--#include clock
--#include peek
--#include keep
--#include unkeep
--#include put
--#include tell
local source, base, sender, fresh = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == '1'
local target, priorities = waiting_list(KEYS[2], KEYS[3], KEYS[4]), KEYS[5]
local state = string.sub(source, #base + 1)
local now, again = now_ms(), {}

local function requeue(id)
  local key = base .. id
  if redis.call('TYPE', key).ok ~= 'hash' then return 'missing' end
  if redis.call('EXISTS', key .. ':lock') == 1 then return 'locked' end
  if not redis.call('ZSCORE', source, id) then return 'elsewhere' end
  put(target, priorities, id, redis.call('HGET', key, 'priority'), '0')
  redis.call('ZREM', source, id)
  unkeep(base, state, id)
  redis.call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason', 'returnvalue', 'owner')
  if fresh then redis.call('HDEL', key, 'attemptsMade', 'stalledCounter', 'stacktrace') end
  redis.call('HSET', key, 'retriedOn', now)
  redis.call('PUBLISH', base .. 'waiting@' .. sender, id)
  again[#again + 1] = id
  return 'ok'
end

local words = {}
for i = 4, #ARGV do words[#words + 1] = requeue(ARGV[i]) end
if #again > 0 then tell(base, { 'waiting', table.concat(again, '\n') }) end
return words
