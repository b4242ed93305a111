--[[
Say that a worker is gone for good.

KEYS[1]  presence  zset, worker id -> alive until (ms)
ARGV[1]  worker    its id

Returns 'ok'
]]
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[1] .. ':' .. ARGV[1])
return 'ok'
