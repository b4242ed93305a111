--[[
Take the next jobs as far as limits allow: so many in a window of time, so many of a group at once and in a window.
Guarantee: as take; over a limit nothing is moved to where Bull would not look for it or to where it could not come back
from. Jobs of a group run by priority, then by age; groups take turns whatever the priorities.

KEYS[1]  wait         list, tail = next
KEYS[2]  active       list
KEYS[3]  priority     zset of the waiting prioritized ids
KEYS[4]  meta_paused  string, exists while paused
KEYS[5]  limiter      string, Bull's counter of the window
ARGV[1]  base         the queue's prefix
ARGV[2]  limit        at most so many
ARGV[3]  token        of this batch; unique
ARGV[4]  lock_ms      time to live of the locks
ARGV[5]  max          jobs in a window; 0 = any number
ARGV[6]  per_ms       length of the window
ARGV[7]  most         jobs of one group at once; 0 = any number
ARGV[8]  group_max    jobs of one group in a window; 0 = any number
ARGV[9]  group_ms     length of that window

Returns [rows as take returns them, ms until it is worth asking again | -1 when nothing is known of, ids not in line yet]
]]
--#include clock
--#include peek
--#include row
--#include publish
--#include take
--#include tell
--#include tell_work
--#include lines
--#include window
--#include turns
local wait, active, limiter = KEYS[1], KEYS[2], KEYS[5]
local base, limit, token, lock_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local max, per_ms, most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local group_max, group_ms = tonumber(ARGV[8]), tonumber(ARGV[9])
local LINE_UP, WEEK = 500, 604800
local now, now_us = now_ms(), now_us()

if redis.call('EXISTS', KEYS[4]) == 1 then return { {}, -1, 0 } end
local asked, left, rest = limit, left_in(limiter, max, per_ms)
if left == 0 then return { {}, rest, 0 } end
limit = math.min(limit, left)

local again = -1
local function look_again(in_ms) again = again < 0 and in_ms or math.min(again, in_ms) end

-- Count what was started; when that uses up the window, there is no more before it ends.
local function note(counter, allowed, window_ms, ids)
  count_in(base, counter, window_ms, ids)
  local more, ends = left_in(counter, allowed, window_ms)
  if more == 0 and #ids < asked then look_again(ends) end
end

local function free_of(group)
  if group == '' then return limit end
  local free, ends = left_in(base .. 'limiter:' .. group, group_max, group_ms)
  if free == 0 then
    redis.call('ZADD', base .. 'lines', now_us + ends * 1000, group)  -- out of the way until then
    look_again(ends)
  elseif most > 0 then
    free = math.min(free, most - in_use(base, active, group))
    if free <= 0 then look_again(AGAIN_MS) end
  end
  return free
end

local unsorted, group_of = 0, {}
if most > 0 or group_max > 0 then
  unsorted = line_up(wait, KEYS[3], base, LINE_UP, now_us)
  local ids, groups, looked_at, tired = choose(base, limit, free_of)
  call_up(base, wait, ids, groups, now_us + LINE_UP)
  for i, id in ipairs(ids) do group_of[id] = groups[i] end
  for _, group in ipairs(looked_at) do
    if redis.call('EXISTS', base .. 'line:' .. group) == 0 then redis.call('ZREM', base .. 'lines', group) end
  end
  if tired then look_again(1) end
  limit = #ids
end

local keys = { wait = wait, active = active, priority = KEYS[3] }
local rows = take(keys, base, limit, token, lock_ms, string.format('%.0f', now))
local taken, of_group = {}, {}
for i, row in ipairs(rows) do
  local id = row[8]
  local group = group_of[id] or ''
  taken[i] = id
  of_group[group] = of_group[group] or {}
  table.insert(of_group[group], id)
end
of_group[''] = nil
if max > 0 and #taken > 0 then note(limiter, max, per_ms, taken) end
for group, of_it in pairs(of_group) do
  if group_max > 0 then note(base .. 'limiter:' .. group, group_max, group_ms, of_it) end
  if most > 0 then
    redis.call('SADD', base .. 'held:' .. group, unpack(of_it))
    redis.call('EXPIRE', base .. 'held:' .. group, WEEK)  -- nobody else removes it
  end
end
tell_work(base, {}, rows, false)
return { rows, again, unsorted }
