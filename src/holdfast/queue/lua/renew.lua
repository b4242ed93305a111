--[[
Say that a worker is alive and keep the locks of its running jobs.
Guarantee: a lock is set again only for the token that owns the job; nobody else's lock is touched.

KEYS[1]  presence  zset, worker id -> alive until (ms)
KEYS[2]  active    list
KEYS[3]  stalled   set, Bull's suspects
KEYS[4]  cancels   zset, running id that was cancelled -> when (ms)
ARGV[1]  base      the queue's prefix
ARGV[2]  worker    its id
ARGV[3]  ttl_ms    how long the worker counts as alive
ARGV[4]  about     what the worker says of itself, JSON
ARGV[5]  lock_ms   time to live of the locks
ARGV[6]  held      2 values a job: job id, token

Returns [words, ids]: 'ok' | 'written' | 'lock_lost' | 'missing' for each job, and up to 500 ids of running
jobs that were cancelled
]]
--#include clock
--#include peek
--#include own
--#include cancel
local presence, active, stalled = KEYS[1], KEYS[2], KEYS[3]
local base, worker, ttl_ms, about, lock_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local DAY_MS = 86400000
local now = now_ms()

redis.call('ZADD', presence, now + ttl_ms, worker)
redis.call('SET', presence .. ':' .. worker, about, 'PX', ttl_ms)
redis.call('ZREMRANGEBYSCORE', presence, '-inf', now - DAY_MS)

local words = {}
for first = 6, #ARGV, 2 do
  local id, token = ARGV[first], ARGV[first + 1]
  local word = owns(base, active, id, token)
  if word == 'ok' then
    redis.call('SET', base .. id .. ':lock', token, 'PX', lock_ms)
    redis.call('SREM', stalled, id)
  end
  words[#words + 1] = word
end
local cancelled = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, 499)) do
  if is_cancelled(base, id) then cancelled[#cancelled + 1] = id end
end
return { words, cancelled }
