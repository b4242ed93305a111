-- Move ids from one list to the tail of another, in order: all at once into a list that is empty, else up to `limit`.
-- Returns whether there are more.
local function pour(source, target, limit)
  if redis.call('EXISTS', target) == 0 then
    redis.call('RENAME', source, target)
    return false
  end
  local ids = redis.call('LRANGE', source, 0, limit - 1)
  redis.call('RPUSH', target, unpack(ids))
  redis.call('LTRIM', source, #ids, -1)
  return redis.call('EXISTS', source) == 1
end
