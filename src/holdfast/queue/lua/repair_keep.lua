--[[
Find the members of a retention index that are not finished so, and take them out if asked: they are counted as kept.

KEYS[1]  index   zset keep:<state>:…, job id -> finishedOn (ms)
KEYS[2]  failed  zset of the index' state: completed or failed
ARGV[1]  base    the queue's prefix
ARGV[2]  fix     '1' to take them out
ARGV[3]  ids     members to look at

Returns [stale ids]
]]
local stale = {}
for i = 3, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) and not redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    stale[#stale + 1] = ARGV[i]
  end
end
if #stale > 0 and ARGV[2] == '1' then redis.call('ZREM', KEYS[1], unpack(stale)) end
return stale
