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

Returns [job id, 'added' | 'exists', …]
]]
--#include clock
--#include put
local counter, delayed = KEYS[1], KEYS[5]
local lists = { wait = KEYS[2], paused = KEYS[3], meta_paused = KEYS[4], priority = KEYS[6] }
local base, sender = ARGV[1], ARGV[2]

local function free_number()
  local number
  repeat number = redis.call('INCR', counter) until redis.call('EXISTS', base .. number) == 0
  return number, string.format('%.0f', number)
end

local function add(first)
  local id, number = ARGV[first], nil
  local delay, priority, lifo = tonumber(ARGV[first + 5]), ARGV[first + 6], ARGV[first + 7]
  if id == '' then
    number, id = free_number()
  else
    number = redis.call('INCR', counter)
    if redis.call('EXISTS', base .. id) == 1 then
      redis.call('PUBLISH', base .. 'duplicated@' .. sender, id)
      return id, 'exists'
    end
  end
  redis.call('HSET', base .. id, 'name', ARGV[first + 1], 'data', ARGV[first + 2], 'opts', ARGV[first + 3],
    'timestamp', ARGV[first + 4], 'delay', ARGV[first + 5], 'priority', priority)
  if delay > 0 then
    local due = now_ms() + delay
    redis.call('ZADD', delayed, due * 4096 + number % 4096, id)
    redis.call('PUBLISH', delayed, string.format('%.0f', due))
  else
    put(lists, id, priority, lifo)
  end
  redis.call('PUBLISH', base .. 'waiting@' .. sender, id)
  return id, 'added'
end

local replies = {}
for first = 3, #ARGV, 8 do
  local id, word = add(first)
  replies[#replies + 1] = id
  replies[#replies + 1] = word
end
return replies
