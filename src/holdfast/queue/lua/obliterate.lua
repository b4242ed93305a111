--[[
Delete the jobs of one place, a bounded number a call, on the way to deleting the whole queue.
Guarantee: does nothing unless the queue is paused, nor while a job is active unless forced.

KEYS[1]  meta_paused  string, exists while paused
KEYS[2]  active       list
KEYS[3]  source       list or zset to empty
ARGV[1]  base         the queue's prefix
ARGV[2]  force        '1' to delete also what is active
ARGV[3]  limit        delete at most so many

Returns 'ok' | 'more' | 'running' | 'active'
]]
--#include peek
--#include erase
local active, source, base, force, limit = KEYS[2], KEYS[3], ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])

if redis.call('EXISTS', KEYS[1]) == 0 then return 'running' end
if not force and redis.call('EXISTS', active) == 1 then return 'active' end

local kind, ids = redis.call('TYPE', source).ok, {}
if kind == 'list' then ids = redis.call('LRANGE', source, -limit, -1) end
if kind == 'zset' then ids = redis.call('ZRANGE', source, 0, limit - 1) end
for _, id in ipairs(ids) do
  erase(base, id)
  redis.call('DEL', base .. id .. ':lock')
end
if kind == 'list' then redis.call('LTRIM', source, 0, -#ids - 1) end
if kind == 'zset' then redis.call('ZREM', source, unpack(ids)) end
return redis.call('EXISTS', source) == 1 and 'more' or 'ok'
