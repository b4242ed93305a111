-- Delete a job with all that hangs on it: its log, the debounce it owns, its place among those a limiter put to sleep.
-- Returns how many of its own keys there were.
local function erase(base, id)
  local key = base .. id
  local debounce = peek('HGET', key, 'deid')
  if type(debounce) == 'string' and redis.call('GET', base .. 'de:' .. debounce) == id then
    redis.call('DEL', base .. 'de:' .. debounce)
  end
  local limited = peek('HGET', base .. 'limiter:index', id)
  if type(limited) == 'string' then
    redis.call('HDEL', base .. 'limiter:index', id)
    redis.pcall('SREM', limited, id)
  end
  redis.call('DEL', base .. 'outcome:' .. id)  -- of an earlier job of this id
  return redis.call('DEL', key, key .. ':logs', key .. ':journal')
end
