--[[
End a repeatable: its key, what it is made of, and its next job unless that waits or runs already.

KEYS[1]  repeat   zset, repeat key -> next run (ms)
KEYS[2]  delayed  zset
ARGV[1]  base     the queue's prefix
ARGV[2]  key      the repeat key
ARGV[3]  stems    what its jobs' ids may begin with

Returns 'ok' | 'missing'
]]
--#include tell
local repeats, delayed = KEYS[1], KEYS[2]
local base, key = ARGV[1], ARGV[2]

local score = redis.call('ZSCORE', repeats, key)
redis.call('DEL', base .. 'schedule:' .. key)
if not score then return 'missing' end
for i = 3, #ARGV do
  local id = ARGV[i] .. ':' .. score
  if redis.call('ZREM', delayed, id) == 1 then
    redis.call('DEL', base .. id, base .. id .. ':logs')
    tell(base, { 'removed', id })
  end
end
redis.call('ZREM', repeats, key)
return 'ok'
