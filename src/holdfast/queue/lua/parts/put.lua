-- Put an id where it waits for its turn, by Bull's rules: prioritized ids are a block at the tail, best last.
local function put(lists, id, priority, lifo)
  local target = redis.call('EXISTS', lists.meta_paused) == 1 and lists.paused or lists.wait
  priority = tonumber(priority) or 0
  if priority <= 0 then
    redis.call(lifo == '1' and 'RPUSH' or 'LPUSH', target, id)
    return
  end
  redis.call('ZADD', lists.priority, priority, id)
  local ahead = redis.call('ZCOUNT', lists.priority, 0, priority) - 1
  local pivot = ahead > 0 and redis.call('LINDEX', target, -ahead)
  if pivot then
    redis.call('LINSERT', target, 'BEFORE', pivot, id)
  else
    redis.call('RPUSH', target, id)
  end
end
