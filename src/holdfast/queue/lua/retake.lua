--[[
Give a worker the jobs of a take whose reply was lost on the way.
Guarantee: changes nothing; finds only jobs that still hold the lock of exactly that batch.

KEYS[1]  active  list
ARGV[1]  base    the queue's prefix
ARGV[2]  token   of the lost batch
ARGV[3]  bound   look at so many of the youngest active ids

Returns rows as take returns them
]]
--#include peek
--#include row
local base, token = ARGV[1], ARGV[2]
local rows = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, ARGV[3] - 1)) do
  if redis.call('GET', base .. id .. ':lock') == token then
    local row = row_of(base, id)
    row[7] = false  -- processedOn is the lost take's own; nobody has begun the job since
    rows[#rows + 1] = row
  end
end
return rows
