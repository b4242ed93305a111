--[[
Say where jobs are.
Limit: lists longer than the bound are not searched; an unfinished job that is nowhere else counts as waiting then.

KEYS[1]  wait       list
KEYS[2]  paused     list
KEYS[3]  active     list
KEYS[4]  delayed    zset
KEYS[5]  completed  zset
KEYS[6]  failed     zset
ARGV[1]  base       the queue's prefix
ARGV[2]  bound      search lists up to this length
ARGV[3]  ids        job ids

Returns ['wait' | 'paused' | 'active' | 'delayed' | 'completed' | 'failed' | 'orphan' | '' when there is no job, …]
]]
--#include peek
local base, bound = ARGV[1], tonumber(ARGV[2])
local NAMES = { 'wait', 'paused', 'active' }
local places, unsure

-- Each list is read once for all ids of the call, and only if an id needs it.
local function read_lists()
  places = {}
  for i = 1, 3 do
    if redis.call('LLEN', KEYS[i]) > bound then
      unsure = NAMES[i]
    else
      for _, id in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do places[id] = NAMES[i] end
    end
  end
end

local function state(id)
  local fields = peek('HMGET', base .. id, 'finishedOn', 'name')
  if fields.err then return '' end  -- another key has its name
  local finished, named = fields[1], fields[2]
  if not named and redis.call('EXISTS', base .. id) == 0 then return '' end
  if finished then
    if redis.call('ZSCORE', KEYS[5], id) then return 'completed' end
    if redis.call('ZSCORE', KEYS[6], id) then return 'failed' end
  end
  if redis.call('EXISTS', base .. id .. ':lock') == 1 then return 'active' end
  if redis.call('ZSCORE', KEYS[4], id) then return 'delayed' end
  if redis.call('ZSCORE', base .. 'parked', id) then  -- in the line of its group
    return redis.call('EXISTS', base .. 'meta-paused') == 1 and 'paused' or 'wait'
  end
  if not places then read_lists() end
  return places[id] or unsure or 'orphan'
end

local words = {}
for i = 3, #ARGV do words[#words + 1] = state(ARGV[i]) end
return words
