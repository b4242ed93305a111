-- Where an id is and what hangs on it, one letter each: h a job's hash (n: without name, data and options), x another
-- key has its name; d delayed, c completed, f failed, k parked; y among the prioritized; e it has ended; l locked;
-- searched lists: a active, w wait, p paused, twice if it is there more than once.
-- `depth`: 0 search no list, 1 active alone, 2 every list; each search reads the whole list.
local ZSETS = { d = 'delayed', c = 'completed', f = 'failed', k = 'parked', y = 'priority' }
local LISTS = { { 'a', 'active' }, { 'w', 'wait' }, { 'p', 'paused' } }

local function places_of(base, id, depth)
  local key, letters = base .. id, ''
  local fields = peek('HMGET', key, 'name', 'finishedOn')
  if fields.err then
    letters = 'x'
  elseif fields[1] or redis.call('HEXISTS', key, 'data') == 1 or redis.call('HEXISTS', key, 'opts') == 1 then
    letters = fields[2] and 'he' or 'h'
  elseif redis.call('EXISTS', key) == 1 then
    letters = 'hn'
  end
  for letter, zset in pairs(ZSETS) do
    if redis.call('ZSCORE', base .. zset, id) then letters = letters .. letter end
  end
  if redis.call('EXISTS', key .. ':lock') == 1 then letters = letters .. 'l' end
  for i = 1, depth == 2 and 3 or depth do
    local found = redis.call('LPOS', base .. LISTS[i][2], id, 'COUNT', 2)
    letters = letters .. string.rep(LISTS[i][1], #found)
  end
  return letters
end
