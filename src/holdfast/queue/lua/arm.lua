--[[
Set when a repeatable runs next: its score in `repeat` and its next job, together; or end it.
Guarantee: does nothing when another client armed, took or removed it since its score was read; so who arms twice adds once.

KEYS[1]  repeat    zset, repeat key -> next run (ms)
KEYS[2]  delayed   zset, job id -> due time (ms) * 4096 + low bits
KEYS[3]  id        string, the counter
ARGV[1]  base      the queue's prefix
ARGV[2]  sender    named in the channels
ARGV[3]  key       the repeat key
ARGV[4]  expected  its score as it was read; '' = not there
ARGV[5]  due       ms of the next run; '' = there is none
ARGV[6]  stem      the job's id without its time
ARGV[7]  name      of the job
ARGV[8]  data      JSON
ARGV[9]  opts      JSON
ARGV[10]  timestamp  ms
ARGV[11]  delay      ms
ARGV[12]  priority   of the job

Returns 'ok' | 'moved' | 'ended'
]]
--#include clock
--#include tell
local repeats, delayed, counter = KEYS[1], KEYS[2], KEYS[3]
local base, sender, key, expected, due, stem = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local name, data, opts, timestamp, delay, priority = unpack(ARGV, 7, 12)
local schedule, id = base .. 'schedule:' .. key, stem .. ':' .. due
local job = base .. id
local KEPT_MS = 400 * 86400000  -- Node removes the key alone: what is left of it goes by itself, long after its time

local score = redis.call('ZSCORE', repeats, key)
if tonumber(score or nil) ~= tonumber(expected) then return 'moved' end
if due == '' then
  redis.call('ZREM', repeats, key)
  redis.call('DEL', schedule)
  return 'ended'
end
local there = redis.call('EXISTS', job) == 1
-- Taken meanwhile: its options are those of a job that runs, and the next run is to be armed instead.
if there and score == due and redis.call('HEXISTS', job, 'processedOn') == 1 then return 'moved' end

if not there or redis.call('ZSCORE', delayed, id) then
  redis.call('HSET', job, 'name', name, 'data', data, 'opts', opts, 'timestamp', timestamp, 'delay', delay,
    'priority', priority)
elseif redis.call('HEXISTS', job, 'processedOn') == 0 then
  redis.call('HSET', job, 'data', data)  -- in its place in the line already
end
if not there then
  redis.call('ZADD', delayed, due * 4096 + redis.call('INCR', counter) % 4096, id)
  redis.call('PUBLISH', delayed, due)
  redis.call('PUBLISH', base .. 'waiting@' .. sender, id)
  tell(base, { 'added', id, 'delayed', id })
end
redis.call('ZADD', repeats, due, key)
-- What the next run is made of should its job be removed by hand.
redis.call('SET', schedule, cjson.encode({ stem, name, data, opts }), 'PX',
  string.format('%.0f', math.max(due - now_ms(), 0) + KEPT_MS))
return 'ok'
