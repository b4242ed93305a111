--[[
Trim finished jobs as their own options say, where finishing alone did not get it done.

KEYS[1]  zset    completed or failed
ARGV[1]  base    the queue's prefix
ARGV[2]  keep    '<count or -1>:<age in seconds or -1>'
ARGV[3]  budget  at most so many

Returns number removed
]]
--#include clock
--#include finish
return trim(ARGV[1], KEYS[1], ARGV[2], now_ms(), tonumber(ARGV[3]))
