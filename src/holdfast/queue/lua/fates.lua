--[[
Say what has become of jobs: those that are kept, and those whose end is remembered after they were removed.

KEYS[1]  completed  zset
KEYS[2]  failed     zset
ARGV[1]  base       the queue's prefix
ARGV[2]  ids        job ids

Returns ['completed' | 'failed' | 'pending' | 'missing', returnvalue (JSON) | reason | '', …]
]]
local completed, failed, base = KEYS[1], KEYS[2], ARGV[1]

-- What `remember` wrote: the first letter of the ending, then its text.
local function remembered(id)
  local told = redis.call('GET', base .. 'outcome:' .. id)
  if not told then return 'missing', '' end
  return string.sub(told, 1, 1) == 'c' and 'completed' or 'failed', string.sub(told, 2)
end

local function fate(id)
  local finished, value, reason = unpack(redis.call('HMGET', base .. id, 'finishedOn', 'returnvalue', 'failedReason'))
  if finished then
    if redis.call('ZSCORE', completed, id) then return 'completed', value or 'null' end
    if redis.call('ZSCORE', failed, id) then return 'failed', reason or '' end
  end
  if redis.call('EXISTS', base .. id) == 0 then return remembered(id) end
  return 'pending', ''
end

local replies = {}
for i = 2, #ARGV do
  local word, text = fate(ARGV[i])
  replies[#replies + 1] = word
  replies[#replies + 1] = text
end
return replies
