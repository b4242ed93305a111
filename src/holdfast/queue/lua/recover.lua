--[[
Put jobs back whose worker is gone: its presence ran out, or the lock did.
Guarantee: one check an interval for all workers; none while workers may still be on their way back after an outage,
which shows as a gap between two checks (tests/faults/queue/test_redis_restarted.py). Who held a job before can write
nothing to it any more.

KEYS[1]  active       list
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
KEYS[5]  failed       zset, job id -> finishedOn (ms)
KEYS[6]  presence     zset, worker id -> alive until (ms)
KEYS[7]  watch        string '<last check ms>:<no take-over before ms>:<where to go on>'
KEYS[8]  lockless     zset, active id nobody seems to hold -> lost from then on (ms)
ARGV[1]  base         the queue's prefix
ARGV[2]  interval_ms  least time between two checks
ARGV[3]  quiet_ms     after a gap, time for workers to come back and renew
ARGV[4]  grace_ms     a job must be seen without a lock, or without its worker's presence, for so long
ARGV[5]  max_stalled  a job that was taken over more often without having come forward fails
ARGV[6]  budget       look at so many active jobs

Returns [job id, 'wait' | 'failed' | 'ghost', attempts made, …]
]]
--#include clock
--#include peek
--#include crashes
--#include remember
--#include finish
--#include undebounce
--#include keep
--#include tell
local active, failed, presence, watch, lockless = KEYS[1], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local base, interval, quiet_ms, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local max_stalled, budget = tonumber(ARGV[5]), tonumber(ARGV[6])
local REASON = 'job stalled more than allowable limit'
local BROKEN = 'job stalled, and its stalledCounter is not a number'
local FORGET_MS = 10000
local MOST = 10  -- times max_stalled: no progress earns a job more take-overs
local now = now_ms()

local last, quiet, from = string.match(redis.call('GET', watch) or '', '^(%d+):(%d+):(%d+)$')
if last and now - last < interval and now >= tonumber(last) then return {} end
-- Nobody checked for a while: Redis was away, or stood still. The living must be given time to say so.
if not last or now - last > 3 * interval then quiet = now + quiet_ms end
local ids = {}
if now >= tonumber(quiet) then
  ids = redis.call('LRANGE', active, -(from or 0) - budget, -(from or 0) - 1)
end
local next_from = #ids == budget and (from or 0) + budget or 0
redis.call('SET', watch, string.format('%.0f:%.0f:%.0f', now, quiet, next_from))
if #ids == 0 then return {} end

local target = redis.call('EXISTS', KEYS[4]) == 1 and KEYS[3] or KEYS[2]
local replies, news = {}, {}

local function give_up(id, reason)
  redis.call('HSET', base .. id, 'failedReason', reason, 'finishedOn', now)
  redis.call('HDEL', base .. id, 'owner')
  local keep = keep_of(base .. id, 'removeOnFail')
  undebounce(base, id)
  finish(base, active, failed, { id }, { keep }, now)
  remember(base, 'f', { id }, { reason }, { keep })
  redis.call('PUBLISH', base .. 'failed', '{"jobId":' .. cjson.encode(id) .. ',"val":"' .. reason .. '"}')
  news[#news + 1], news[#news + 2] = 'failed', id .. '\n' .. reason
  return 'failed'
end

local function put_back(id)
  redis.call('RPUSH', target, id)
  redis.call('LREM', active, 1, id)
  redis.call('HDEL', base .. id, 'owner')
  redis.call('PUBLISH', base .. 'stalled@', id)
  news[#news + 1], news[#news + 2] = 'stalled', id
  return 'wait'
end

-- What other hands broke is failed, or set aside when it is no job at all: it must not keep the others from their turn.
local function take_over(id)
  redis.call('ZREM', lockless, id)
  redis.call('DEL', base .. id .. ':lock')
  if redis.call('TYPE', base .. id).ok ~= 'hash' then
    redis.call('LPUSH', base .. 'ghosts', id)
    redis.call('LREM', active, 1, id)
    return 'ghost', '0'
  end
  local made = string.match(redis.call('HGET', base .. id, 'attemptsMade') or '', '^%d+$') or '0'
  local times, in_vain = count_crash(base .. id)
  if not times then return give_up(id, BROKEN), made end
  return (in_vain > max_stalled or times > MOST * max_stalled) and give_up(id, REASON) or put_back(id), made
end

--#include lost
for i = 1, #ids do
  local id = ids[i]
  if is_lost(id) then
    local word, made = take_over(id)
    replies[#replies + 1] = id
    replies[#replies + 1] = word
    replies[#replies + 1] = made
  end
end
tell(base, news)
return replies
