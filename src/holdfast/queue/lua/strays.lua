--[[
Put back the jobs that a worker holds by its locks and does not run: a Redis that came back older than it was says so of
jobs that had just ended or been given back.
Guarantee: attempts and stall counters stay as they are; nobody else's job is touched.

KEYS[1]  active       list
KEYS[2]  wait         list
KEYS[3]  paused       list
KEYS[4]  meta_paused  string
ARGV[1]  base         the queue's prefix
ARGV[2]  worker       its id
ARGV[3]  from         skip so many ids at the tail of active
ARGV[4]  count        look at so many
ARGV[5]  held         ids it runs

Returns [ids looked at, ids put back]
]]
--#include tell
local active, base, worker = KEYS[1], ARGV[1], ARGV[2]
local target = redis.call('EXISTS', KEYS[4]) == 1 and KEYS[3] or KEYS[2]
local held = {}
for i = 5, #ARGV do held[ARGV[i]] = true end

local ids = redis.call('LRANGE', active, -ARGV[3] - ARGV[4], -ARGV[3] - 1)
local back = {}
for _, id in ipairs(ids) do
  local key = base .. id
  local token = redis.call('GET', key .. ':lock') or redis.call('HGET', key, 'owner')
  if token and not held[id] and string.match(token, '^(%x+):%d+$') == worker then
    redis.call('RPUSH', target, id)
    redis.call('LREM', active, -1, id)
    redis.call('DEL', key .. ':lock')
    redis.call('HDEL', key, 'owner')
    redis.call('PUBLISH', base .. 'waiting@' .. token, id)
    back[#back + 1] = id
  end
end
if #back > 0 then tell(base, { 'waiting', table.concat(back, '\n') }) end
return { #ids, back }
