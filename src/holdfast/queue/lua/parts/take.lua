-- An id that is in wait though its job has ended is dropped: it was there twice.
local function has_ended(base, id)
  return redis.call('ZSCORE', base .. 'completed', id) or redis.call('ZSCORE', base .. 'failed', id)
end

-- Move up to `limit` ids from the tail of wait to active, each locked with `token`; returns their rows.
local function take(keys, base, limit, token, lock_ms)
  local ids = redis.call('LRANGE', keys.wait, -limit, -1)
  if #ids == 0 then return {} end
  local now, rows, taken, ghosts, foreign = now_ms(), {}, {}, {}, {}
  for i = #ids, 1, -1 do
    local id = ids[i]
    local row, finished = row_of(base, id)
    if not row or (not row[1] and redis.call('EXISTS', base .. id) == 0) then
      ghosts[#ghosts + 1] = id
    elseif finished and has_ended(base, id) then
      redis.call('ZREM', keys.priority, id)
    elseif not redis.call('SET', base .. id .. ':lock', token, 'PX', lock_ms, 'NX') then
      foreign[#foreign + 1] = id
    else
      redis.call('HSET', base .. id, 'processedOn', now, 'owner', token)
      redis.call('PUBLISH', base .. 'active@' .. token, id)
      rows[#rows + 1] = row
      taken[#taken + 1] = id
    end
  end
  -- Add before remove: whatever cuts this short, no id is in no list.
  if #taken > 0 then
    redis.call('LPUSH', keys.active, unpack(taken))
    redis.call('ZREM', keys.priority, unpack(taken))
  end
  if #ghosts > 0 then redis.call('LPUSH', base .. 'ghosts', unpack(ghosts)) end
  redis.call('LTRIM', keys.wait, 0, -#ids - 1)
  if #foreign > 0 then redis.call('LPUSH', keys.wait, unpack(foreign)) end
  return rows
end
