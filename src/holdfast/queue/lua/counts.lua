--[[
Count the jobs of each state, at one moment.

KEYS[1]  wait       list
KEYS[2]  active     list
KEYS[3]  completed  zset
KEYS[4]  failed     zset
KEYS[5]  delayed    zset
KEYS[6]  paused     list
KEYS[7]  parked     zset, waiting ids that workers with limits hold back: they count where others wait
KEYS[8]  meta_paused  string, exists while paused

Returns [number of each, in the order of the first six keys]
]]
local parked, paused = redis.call('ZCARD', KEYS[7]), redis.call('EXISTS', KEYS[8])
return {
  redis.call('LLEN', KEYS[1]) + parked * (1 - paused), redis.call('LLEN', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  redis.call('ZCARD', KEYS[4]), redis.call('ZCARD', KEYS[5]), redis.call('LLEN', KEYS[6]) + parked * paused,
}
