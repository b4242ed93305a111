--[[
Count the jobs of each state, at one moment.

KEYS[1]  wait       list
KEYS[2]  active     list
KEYS[3]  completed  zset
KEYS[4]  failed     zset
KEYS[5]  delayed    zset
KEYS[6]  paused     list

Returns [number of each, in the order of the keys]
]]
return {
  redis.call('LLEN', KEYS[1]), redis.call('LLEN', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  redis.call('ZCARD', KEYS[4]), redis.call('ZCARD', KEYS[5]), redis.call('LLEN', KEYS[6]),
}
