--[[
Find the debounce keys whose job is gone, and delete them if asked: they keep others from being added.

KEYS[1]  active     list, says where the queue is
ARGV[1]  base       the queue's prefix
ARGV[2]  fix        '1' to delete them
ARGV[3]  debounces  debounce ids

Returns [those without a job]
]]
--#include peek
local base, loose = ARGV[1], {}
for i = 3, #ARGV do
  local key = base .. 'de:' .. ARGV[i]
  local id = peek('GET', key)
  if type(id) == 'string' and redis.call('EXISTS', base .. id) == 0 then
    loose[#loose + 1] = ARGV[i]
    if ARGV[2] == '1' then redis.call('DEL', key) end
  end
end
return loose
