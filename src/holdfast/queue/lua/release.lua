--[[
Give unfinished jobs back to the front of the line, as if they had not been taken.
Guarantee: attempts and stall counters stay as they are; does nothing to a job that the token does not own.

KEYS[1]  wait         list
KEYS[2]  paused       list
KEYS[3]  meta_paused  string
KEYS[4]  active       list
ARGV[1]  base         the queue's prefix
ARGV[2]  jobs         2 values a job: job id, token; the one to run next comes last

Returns ['ok' | 'written' | 'lock_lost' | 'missing', …]
]]
--#include own
--#include tell
local target = redis.call('EXISTS', KEYS[3]) == 1 and KEYS[2] or KEYS[1]
local active, base = KEYS[4], ARGV[1]

local words, released = {}, {}
for first = 2, #ARGV, 2 do
  local id, token = ARGV[first], ARGV[first + 1]
  local word = owns(base, active, id, token)
  if word == 'ok' then
    redis.call('RPUSH', target, id)
    redis.call('LREM', active, -1, id)
    redis.call('DEL', base .. id .. ':lock')
    redis.call('HDEL', base .. id, 'owner')
    redis.call('PUBLISH', base .. 'waiting@' .. token, id)
    released[#released + 1] = id
  end
  words[#words + 1] = word
end
if #released > 0 then tell(base, { 'waiting', table.concat(released, '\n') }) end
return words
