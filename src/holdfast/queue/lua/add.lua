--[[
Add jobs, all or none; an id that exists already is left as it is.
Guarantee: the hash is written before its id is put into a list; a number that is taken is skipped.

KEYS[1]  id           string, the counter
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
KEYS[5]  delayed      zset, job id -> due time (ms) * 4096 + low bits
KEYS[6]  priority     zset
ARGV[1]  base         the queue's prefix
ARGV[2]  sender       token of the producer, named in the channels
ARGV[3]  jobs         8 values a job: custom id or '', name, data, opts, timestamp (ms), delay (ms), priority, lifo '0' | '1'

Returns [job ids, positions (from 1) of those that existed]
]]
--#include clock
--#include put
--#include tell
local WIDTH = 8
local counter, delayed = KEYS[1], KEYS[5]
local base, sender = ARGV[1], ARGV[2]
local target = redis.call('EXISTS', KEYS[4]) == 1 and KEYS[3] or KEYS[2]
local call, now = redis.call, nil

-- Bull counts every add. The numbers of the batch are reserved in one step; one that is taken, by an id that somebody
-- else chose, is replaced by the next free one.
local count = (#ARGV - 2) / WIDTH
local last = call('INCRBY', counter, count)
local numbers, named = {}, {}
for i = 1, count do
  numbers[i] = last - count + i
  named[i] = base .. string.format('%.0f', numbers[i])
end
local all_free = call('EXISTS', unpack(named)) == 0

local function number_of(i)
  while not all_free and call('EXISTS', base .. string.format('%.0f', numbers[i])) == 1 do
    numbers[i] = call('INCR', counter)
  end
  return string.format('%.0f', numbers[i])
end

local ids, existing, plain, added, put_off = {}, {}, {}, {}, {}
local waiting, heard, everywhere = base .. 'waiting@' .. sender, true, string.find(base, '{', 1, true)
for i = 1, count do
  local first = 3 + (i - 1) * WIDTH
  local id, delay, priority = ARGV[first], ARGV[first + 5], ARGV[first + 6]
  if id == '' then id = number_of(i) end
  ids[i] = id
  local key = base .. id
  if ARGV[first] ~= '' and call('EXISTS', key) == 1 then
    existing[#existing + 1] = i
    call('PUBLISH', base .. 'duplicated@' .. sender, id)
  else
    call('HSET', key, 'name', ARGV[first + 1], 'data', ARGV[first + 2], 'opts', ARGV[first + 3],
      'timestamp', ARGV[first + 4], 'delay', delay, 'priority', priority)
    if delay ~= '0' then
      now = now or now_ms()
      local due = now + delay
      call('ZADD', delayed, due * 4096 + numbers[i] % 4096, id)
      call('PUBLISH', delayed, string.format('%.0f', due))
      put_off[#put_off + 1] = id
    elseif priority ~= '0' or ARGV[first + 7] == '1' then
      put(target, KEYS[6], id, priority, ARGV[first + 7])
    else
      plain[#plain + 1] = id
    end
    -- Once nobody has heard it nobody will (parts/publish.lua); the order among the channels is Bull's.
    if delay == '0' and heard then heard = call('PUBLISH', waiting, id) > 0 or everywhere end
    added[#added + 1] = id
  end
end
-- Plain jobs go to the head of the list, all others to its tail: the order within each is kept.
if #plain > 0 then call('LPUSH', target, unpack(plain)) end
local news = {}
if #added > 0 then news = { 'added', table.concat(added, '\n') } end
if #put_off > 0 then news[3], news[4] = 'delayed', table.concat(put_off, '\n') end
tell(base, news)
return { ids, existing }
