-- Where jobs wait: `wait`, or `paused` while the queue is.
local function waiting_list(wait, paused, meta_paused)
  return redis.call('EXISTS', meta_paused) == 1 and paused or wait
end

-- LINSERT looks for its pivot from the head of the list, past every job without a priority. Where the better ones at the
-- tail are few against those, they are rather taken off and put back: so many at the most, and at most an eighth.
local NEAR, SHARE = 4000, 8

-- Put an id where it waits for its turn, by Bull's rules: prioritized ids are a block at the tail, best last.
local function put(target, priorities, id, priority, lifo)
  priority = tonumber(priority) or 0
  if not (priority > 0) then  -- also what is no number at all
    redis.call(lifo == '1' and 'RPUSH' or 'LPUSH', target, id)
    return
  end
  redis.call('ZADD', priorities, priority, id)
  local ahead = redis.call('ZCOUNT', priorities, 0, priority) - 1
  local pivot = ahead > 0 and redis.call('LINDEX', target, -ahead)
  if not pivot then
    redis.call('RPUSH', target, id)
  elseif ahead > NEAR or ahead * SHARE > redis.call('LLEN', target) then
    redis.call('LINSERT', target, 'BEFORE', pivot, id)
  else
    local better = redis.call('LRANGE', target, -ahead, -1)
    redis.call('LTRIM', target, 0, -ahead - 1)
    redis.call('RPUSH', target, id, unpack(better))
  end
end
