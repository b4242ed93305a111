--[[
Add jobs of which some are debounced, all or none: of those that say the same id, one is there at a time.
Guarantee: the hash is written before its id is put into a list; an id whose owner has ended or is gone holds nobody up.

KEYS[1]  id           string, the counter
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
KEYS[5]  delayed      zset, job id -> due time (ms) * 4096 + low bits
KEYS[6]  priority     zset
ARGV[1]  base         the queue's prefix
ARGV[2]  sender       token of the producer, named in the channels
ARGV[3]  jobs         11 values a job: the 8 of add, debounce id or '', its ttl (ms) or '', '1' to replace what waits

Returns [job ids, positions (from 1) of those that were there]
]]
--#include clock
--#include put
--#include tell
local WIDTH = 11
local counter, delayed = KEYS[1], KEYS[5]
local base, sender = ARGV[1], ARGV[2]
local target = waiting_list(KEYS[2], KEYS[3], KEYS[4])
local now = now_ms()
local added, put_off = {}, {}

local function next_number()
  local number
  repeat number = string.format('%.0f', redis.call('INCR', counter)) until redis.call('EXISTS', base .. number) == 0
  return number
end

local function delay_until(id, number, delay)
  redis.call('ZADD', delayed, (now + delay) * 4096 + number % 4096, id)
  redis.call('PUBLISH', delayed, string.format('%.0f', now + delay))
  put_off[#put_off + 1] = id
end

local function insert(id, number, job)
  redis.call('HSET', base .. id, 'name', job[2], 'data', job[3], 'opts', job[4], 'timestamp', job[5], 'delay', job[6],
    'priority', job[7])
  if job[9] ~= '' then redis.call('HSET', base .. id, 'deid', job[9]) end
  added[#added + 1] = id
  if job[6] ~= '0' then return delay_until(id, number, job[6]) end
  put(target, KEYS[6], id, job[7], job[8])
  redis.call('PUBLISH', base .. 'waiting@' .. sender, id)
end

-- The job that holds the id. Without a time of its own it does so until it ends, also when its end could not free the id.
local function owner_of(hold)
  local id = redis.call('GET', hold)
  if not id or redis.call('PTTL', hold) >= 0 then return id end
  return redis.call('HEXISTS', base .. id, 'finishedOn') == 0 and redis.call('EXISTS', base .. id) == 1 and id
end

local function replace(id, job)
  if redis.call('EXISTS', base .. id) == 0 or redis.call('HEXISTS', base .. id, 'processedOn') == 1 then return false end
  local score = redis.call('ZSCORE', delayed, id)
  if not score and redis.call('HGET', base .. id, 'delay') ~= '0' then return false end  -- no place is known of
  redis.call('HSET', base .. id, 'name', job[2], 'data', job[3])
  if score then
    redis.call('HSET', base .. id, 'opts', job[4], 'timestamp', job[5], 'delay', job[6], 'priority', job[7])
    delay_until(id, tonumber(string.format('%.0f', score % 4096)), job[6])
  end
  return true
end

local function hold_off(id, hold, job)
  if job[11] ~= '1' then return true end
  if not replace(id, job) then return false end
  if job[10] ~= '' then redis.call('PEXPIRE', hold, job[10]) end
  return true
end

local ids, existing = {}, {}
for first = 3, #ARGV, WIDTH do
  local job = { unpack(ARGV, first, first + WIDTH - 1) }
  local id, channel = job[1], 'duplicated@'
  local number = next_number()
  local there = id ~= '' and redis.call('EXISTS', base .. id) == 1
  if id == '' then id = number end
  if not there and job[9] ~= '' then
    local hold = base .. 'de:' .. job[9]
    local owner = owner_of(hold)
    if owner and hold_off(owner, hold, job) then
      id, channel, there = owner, 'debounced@', true
    elseif job[10] == '' then
      redis.call('SET', hold, id)
    else
      redis.call('SET', hold, id, 'PX', job[10])
    end
  end
  ids[#ids + 1] = id
  if there then
    existing[#existing + 1] = #ids
    redis.call('PUBLISH', base .. channel .. sender, id)
  else
    insert(id, number, job)
  end
end
local news = {}
if #added > 0 then news = { 'added', table.concat(added, '\n') } end
if #put_off > 0 then news[#news + 1], news[#news + 2] = 'delayed', table.concat(put_off, '\n') end
tell(base, news)
return { ids, existing }
