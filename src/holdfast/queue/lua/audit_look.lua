--[[
Say where ids are and what hangs on them, for the audit.
Limit: a search of the lists reads them whole for each id; the caller asks for few at a time then.

KEYS[1]  active  list
ARGV[1]  base   the queue's prefix
ARGV[2]  depth  0 search no list, 1 active, 2 all lists
ARGV[3]  ids    job ids

Returns [letters as parts/places.lua explains them, …]
]]
--#include peek
--#include places
local base, depth = ARGV[1], tonumber(ARGV[2])

local words = {}
for i = 3, #ARGV do words[#words + 1] = places_of(base, ARGV[i], depth) end
return words
