--[[
Let delayed jobs wait for their turn now, because somebody asks for it.

KEYS[1]  delayed      zset, job id -> due time (ms) * 4096 + low bits
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
KEYS[5]  priority     zset
ARGV[1]  base         the queue's prefix
ARGV[2]  sender       named in the channels
ARGV[3]  ids          job ids

Returns ['ok' | 'missing' | 'elsewhere', …]
]]
--#include put
--#include tell
local delayed, base, sender = KEYS[1], ARGV[1], ARGV[2]
local target, priorities = waiting_list(KEYS[2], KEYS[3], KEYS[4]), KEYS[5]
local promoted = {}

local function promote(id)
  local key = base .. id
  if redis.call('TYPE', key).ok ~= 'hash' then return 'missing' end
  if not redis.call('ZSCORE', delayed, id) then return 'elsewhere' end
  put(target, priorities, id, redis.call('HGET', key, 'priority'), '0')
  redis.call('ZREM', delayed, id)
  redis.call('HSET', key, 'delay', 0)
  redis.call('PUBLISH', base .. 'waiting@' .. sender, id)
  promoted[#promoted + 1] = id
  return 'ok'
end

local words = {}
for i = 3, #ARGV do words[#words + 1] = promote(ARGV[i]) end
if #promoted > 0 then tell(base, { 'waiting', table.concat(promoted, '\n') }) end
return words
