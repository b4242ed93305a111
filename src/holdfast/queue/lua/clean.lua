--[[
Remove old jobs of one state, those that would run first or ended first before others; looks at a bounded number.
Guarantee: no job that an attempt holds is removed, and none whose time is unknown unless all are asked for.

KEYS[1]  source    list (tail = next) or zset
KEYS[2]  priority  zset of the waiting prioritized ids
ARGV[1]  base      the queue's prefix
ARGV[2]  age       ms since a job ended, or was added if it has not ended; '' = whatever its age
ARGV[3]  offset    pass over so many
ARGV[4]  limit     look at so many

Returns [number looked at, number removed]
]]
--#include clock
--#include peek
--#include keep
--#include unkeep
--#include erase
--#include tell
local source, priorities, base = KEYS[1], KEYS[2], ARGV[1]
local age, offset, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local state = string.sub(source, #base + 1)
local is_list = redis.call('TYPE', source).ok == 'list'
local before = age and now_ms() - age
local GONE = 'removed\0by holdfast'  -- stands for an id until all of this call are taken out in one go

local function oldest()
  if not is_list then return redis.call('ZRANGE', source, offset, offset + limit - 1, 'WITHSCORES') end
  local ids = redis.call('LRANGE', source, -offset - limit, -offset - 1)
  local pairs_of = {}
  for i = #ids, 1, -1 do
    pairs_of[#pairs_of + 1] = ids[i]
    pairs_of[#pairs_of + 1] = ''
  end
  return pairs_of
end

local function may_go(id, score)
  -- The next run of a repeatable is its chain: whoever wants that to end removes the repeatable.
  if state == 'delayed' and string.sub(id, 1, 7) == 'repeat:' then return false end
  if redis.call('EXISTS', base .. id .. ':lock') == 1 then return false end
  if not before then return true end
  local ended = state == 'completed' or state == 'failed'
  local at = ended and score or peek('HGET', base .. id, 'timestamp')
  at = tonumber(type(at) == 'string' and at or nil)
  return at ~= nil and at < before
end

local found, gone, places = oldest(), {}, {}
for i = 1, #found, 2 do
  if may_go(found[i], found[i + 1]) then
    gone[#gone + 1] = found[i]
    places[#places + 1] = -offset - (i + 1) / 2
  end
end
for i, id in ipairs(gone) do
  if is_list then redis.call('LSET', source, places[i], GONE) end
  unkeep(base, state, id)
  erase(base, id)
end
if #gone > 0 then
  if is_list then
    redis.call('LREM', source, -#gone, GONE)
    redis.call('ZREM', priorities, unpack(gone))
  else
    redis.call('ZREM', source, unpack(gone))
  end
  tell(base, { 'removed', table.concat(gone, '\n') })
end
return { #found / 2, #gone }
