--[[
Say where the next jobs of repeatables are.
Limit: lists longer than the bound are not searched; a job that may be there counts as pending.

KEYS[1]  repeat   zset, repeat key -> next run (ms)
KEYS[2]  delayed  zset
KEYS[3]  wait     list
KEYS[4]  paused   list
ARGV[1]  base     the queue's prefix
ARGV[2]  bound    search lists up to this length
ARGV[3]  pairs    2 values each: repeat key, a stem of its jobs' ids

Returns [now (ms), then for each pair score | '', 'gone' | 'pending' | 'taken' | 'missing', name, data, opts, …]
]]
--#include clock
--#include peek
local repeats, delayed = KEYS[1], KEYS[2]
local base, bound = ARGV[1], tonumber(ARGV[2])

local function waits(id)
  -- `parked`: in the line of its group.
  if redis.call('ZSCORE', delayed, id) or redis.call('ZSCORE', base .. 'parked', id) then return true end
  for i = 3, 4 do
    if redis.call('LLEN', KEYS[i]) > bound or redis.call('LPOS', KEYS[i], id) then return true end
  end
end

local function look(score, id)
  local job = peek('HMGET', base .. id, 'name', 'data', 'opts', 'processedOn', 'finishedOn')
  if job.err or not (job[1] and job[2] and job[3]) then return score, 'missing', '', '', '' end
  local pending = not job[4] and not job[5] and waits(id)
  return score, pending and 'pending' or 'taken', job[1], job[2], job[3]
end

local found = { string.format('%.0f', now_ms()) }
for first = 3, #ARGV, 2 do
  local score = redis.call('ZSCORE', repeats, ARGV[first])
  local values = { '', 'gone', '', '', '' }
  if score then values = { look(score, ARGV[first + 1] .. ':' .. score) } end
  for i = 1, 5 do found[#found + 1] = values[i] end
end
return found
