--[[
Remove finished jobs that their own options let go by age, also while nothing finishes; goes on where it stopped.
Guarantee: looks at a bounded number; no job goes whose own options keep it, whoever added it or worked on it.

KEYS[1]  completed  zset, job id -> finishedOn (ms)
KEYS[2]  failed     zset, job id -> finishedOn (ms)
KEYS[3]  trimming   string '<last call ms>:<where completed goes on>:<where failed goes on>', ranks
ARGV[1]  base       the queue's prefix
ARGV[2]  interval   ms; least time between two calls, of all workers together
ARGV[3]  limit      look at so many of each state

Returns number removed; -1 when somebody else just called
]]
--#include clock
--#include peek
--#include keep
--#include unkeep
--#include erase
--#include tell
local trimming, base, interval, limit = KEYS[3], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = now_ms()

local last, of_completed, of_failed = string.match(redis.call('GET', trimming) or '', '^(%d+):(%d+):(%d+)$')
if last and now - last < interval and now >= tonumber(last) then return -1 end

local function has_aged(state, id, ended)
  local opts = peek('HGET', base .. id, 'opts')
  if type(opts) ~= 'string' or not string.find(opts, '"age"', 1, true) then return false end
  local age = tonumber(string.match(keep_of(base .. id, OPTIONS[state]), ':(%d+)$'))
  return age ~= nil and ended < now - age * 1000 and redis.call('EXISTS', base .. id .. ':lock') == 0
end

local removed = {}
local function trim(source, from)
  local state = string.sub(source, #base + 1)
  local found, gone = redis.call('ZRANGE', source, from, from + limit - 1, 'WITHSCORES'), {}
  for i = 1, #found, 2 do
    local id = found[i]
    if has_aged(state, id, tonumber(found[i + 1])) then
      unkeep(base, state, id)
      erase(base, id)
      gone[#gone + 1] = id
      removed[#removed + 1] = id
    end
  end
  if #gone > 0 then redis.call('ZREM', source, unpack(gone)) end
  return #found < limit * 2 and 0 or from + limit - #gone
end

local next_completed = trim(KEYS[1], tonumber(of_completed or 0))
local next_failed = trim(KEYS[2], tonumber(of_failed or 0))
redis.call('SET', trimming, string.format('%.0f:%.0f:%.0f', now, next_completed, next_failed))
if #removed > 0 then tell(base, { 'removed', table.concat(removed, '\n') }) end
return #removed
