--[[
Write the results of a batch of attempts, then take the next jobs.
Guarantee: a result is written only for the token that owns the job, and never twice.

KEYS[1]  wait       list, tail = next
KEYS[2]  active     list
KEYS[3]  priority   zset of the waiting prioritized ids
KEYS[4]  completed  zset, job id -> finishedOn (ms)
ARGV[1]  base       the queue's prefix
ARGV[2]  limit      take at most so many; 0 = none
ARGV[3]  token      of the batch to take
ARGV[4]  lock_ms    time to live of its locks
ARGV[5]  results    5 values a result: job id, its token, returnvalue (JSON), keep, marks: f failed before, d debounced

Returns [refused, rows]: position (from 1) and word of each result that is not 'ok' but 'written' | 'lock_lost' | 'missing',
and rows as take returns them
]]
--#include clock
--#include peek
--#include own
--#include row
--#include publish
--#include take
--#include remember
--#include finish
--#include undebounce
--#include tell
--#include tell_work
local WIDTH, FIRST = 5, 5
local keys = { wait = KEYS[1], active = KEYS[2], priority = KEYS[3] }
local active, completed = KEYS[2], KEYS[4]
local base, limit, token, lock_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local now = now_ms()
local stamp = string.format('%.0f', now)  -- Lua writes numbers slowly

-- Bull Board shows a job as failed while these fields are there; the history moves to a field of ours.
local function forgive(key)
  local traces = redis.call('HGET', key, 'stacktrace')
  if traces then redis.call('HSET', key, 'pastFailures', traces) end
  redis.call('HDEL', key, 'failedReason', 'stacktrace')
end

local function see_to(id, marks)
  if string.find(marks, 'f', 1, true) then forgive(base .. id) end
  if string.find(marks, 'd', 1, true) then undebounce(base, id) end
end

local lock_keys = {}
for first = FIRST, #ARGV, WIDTH do lock_keys[#lock_keys + 1] = base .. ARGV[first] .. ':lock' end
local locks = #lock_keys > 0 and redis.call('MGET', unpack(lock_keys)) or {}

local refused, done, values, keeps = {}, {}, {}, {}
for first = FIRST, #ARGV, WIDTH do
  local id, owner, value, keep, marks = unpack(ARGV, first, first + WIDTH - 1)
  local word = locks[(first - FIRST) / WIDTH + 1] == owner and 'ok' or owns(base, active, id, owner)
  if word ~= 'ok' then
    refused[#refused + 1] = (first - FIRST) / WIDTH + 1
    refused[#refused + 1] = word
  else
    if keep ~= '0' then redis.call('HSET', base .. id, 'returnvalue', value, 'finishedOn', stamp) end
    if marks ~= '' then see_to(id, marks) end
    done[#done + 1] = id
    values[#done] = value
    keeps[#done] = keep
  end
end
finish(base, active, completed, done, keeps, now)
remember(base, 'c', done, values, keeps)
publish_each(base, base .. 'completed', #done, function(i)
  return '{"jobId":' .. cjson.encode(done[i]) .. ',"val":' .. cjson.encode(values[i]) .. '}'
end)

local rows = take(keys, base, limit, token, lock_ms, stamp)
if limit > 0 and #rows == 0 and #lock_keys > 0 then redis.call('PUBLISH', base .. 'drained', '') end
tell_work(base, done, rows, limit > 0)
return { refused, rows }
