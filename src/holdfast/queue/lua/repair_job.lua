--[[
Put one id right that the audit found wrong.
Guarantee: looks again first, and does nothing when it is not so any more.

KEYS[1]  wait         list
KEYS[2]  paused       list
KEYS[3]  active       list
KEYS[4]  delayed      zset
KEYS[5]  completed    zset
KEYS[6]  failed       zset
KEYS[7]  priority     zset
KEYS[8]  meta_paused  string
ARGV[1]  base         the queue's prefix
ARGV[2]  sender       named in the channels
ARGV[3]  kind         'ghost' | 'orphan' | 'husk' | 'twice' | 'abandoned' | 'stray_lock' | 'stale_priority'
ARGV[4]  id           job id
ARGV[5]  letters      as the audit saw them last

Returns 'ok' | 'changed'
]]
--#include clock
--#include peek
--#include places
--#include put
--#include erase
--#include tell
local wait, paused, active, completed, failed, priorities = KEYS[1], KEYS[2], KEYS[3], KEYS[5], KEYS[6], KEYS[7]
local base, sender, kind, id, letters = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local key = base .. id
local target = waiting_list(wait, paused, KEYS[8])

local function sorted(text)
  local found = {}
  for letter in string.gmatch(text, '.') do found[#found + 1] = letter end
  table.sort(found)
  return table.concat(found)
end
if sorted(places_of(base, id, 2)) ~= sorted(letters) then return 'changed' end

local function is(letter) return string.find(letters, letter, 1, true) ~= nil end

local function leave(kept)
  for letter, zset in pairs(ZSETS) do
    if letter ~= kept and letter ~= 'y' and is(letter) then redis.call('ZREM', base .. zset, id) end
  end
  for _, list in ipairs(LISTS) do
    local letter, times = list[1], select(2, string.gsub(letters, list[1], ''))
    -- What stays, stays where it comes next: the others are taken from the head.
    local surplus = letter == kept and times - 1 or times
    if surplus > 0 then redis.call('LREM', base .. list[2], letter == kept and surplus or 0, id) end
  end
end

local function wait_again(first)
  put(target, priorities, id, redis.call('HGET', key, 'priority'), first or '0')
  redis.call('HDEL', key, 'owner', 'finishedOn')
  redis.call('PUBLISH', base .. 'waiting@' .. sender, id)
  tell(base, { 'waiting', id })
end

local function place()
  local ended, value = unpack(redis.call('HMGET', key, 'finishedOn', 'returnvalue'))
  if not tonumber(ended or nil) then return wait_again() end
  redis.call('ZADD', value and completed or failed, ended, id)
end

-- Where a job stays that is in two places: with who holds it, else at its end, else where it is to run.
local function best()
  local order = is('l') and 'acfwpkd' or is('e') and 'cfwpkda' or 'wpkdacf'
  for letter in string.gmatch(order, '.') do
    if is(letter) then return letter end
  end
end

local MEND = {
  ghost = function() redis.call('LPUSH', base .. 'ghosts', id) leave() redis.call('ZREM', priorities, id) end,
  orphan = place,
  husk = function() erase(base, id) end,
  twice = function() leave(best()) end,
  abandoned = function() wait_again('1') redis.call('LREM', active, 0, id) end,
  stray_lock = function() redis.call('DEL', key .. ':lock') end,
  stale_priority = function() redis.call('ZREM', priorities, id) end,
}
MEND[kind]()
return 'ok'
