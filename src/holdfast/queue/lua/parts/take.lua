-- An id that is in wait though its job has ended is dropped: it was there twice.
local function has_ended(base, id)
  return redis.call('ZSCORE', base .. 'completed', id) or redis.call('ZSCORE', base .. 'failed', id)
end

-- Lock one waiting job with `token`. Returns its row, or nil and why not: 'ghost' | 'ended' | 'foreign'.
local function claim(keys, base, id, take)
  local key = base .. id
  local row, finished, priority = row_of(base, id)
  if not row or (not row[1] and redis.call('EXISTS', key) == 0) then return nil, 'ghost' end
  if priority ~= '0' then redis.call('ZREM', keys.priority, id) end
  if finished and has_ended(base, id) then return nil, 'ended' end
  if not redis.call('SET', key .. ':lock', take.token, 'PX', take.lock_ms, 'NX') then return nil, 'foreign' end
  redis.call('HSET', key, 'processedOn', take.now, 'owner', take.token)
  return row
end

local function set_aside(keys, base, ids, fates)
  for _, id in ipairs(ids) do
    if fates[id] == 'ghost' then redis.call('LPUSH', base .. 'ghosts', id) end
    if fates[id] == 'foreign' then redis.call('LPUSH', keys.wait, id) end
  end
end

-- One job: a single move, and at most a few tries, because the next ones may be no jobs either.
local function take_one(keys, base, take)
  for _ = 1, 10 do
    local id = redis.call('LMOVE', keys.wait, keys.active, 'RIGHT', 'LEFT')
    if not id then return {} end
    local row, fate = claim(keys, base, id, take)
    if row then return { row } end
    set_aside(keys, base, { id }, { [id] = fate })
    redis.call('LREM', keys.active, 1, id)
  end
  return {}
end

local function take_many(keys, base, limit, take)
  local ids = redis.call('LRANGE', keys.wait, -limit, -1)
  if #ids == 0 then return {} end
  local rows, taken, others, fates = {}, {}, {}, {}
  for i = #ids, 1, -1 do
    local id = ids[i]
    local row, fate = claim(keys, base, id, take)
    if row then
      rows[#rows + 1] = row
      taken[#taken + 1] = id
    else
      others[#others + 1] = id
      fates[id] = fate
    end
  end
  -- Add before remove: whatever cuts this short, no id is in no list.
  if #taken > 0 then redis.call('LPUSH', keys.active, unpack(taken)) end
  redis.call('LTRIM', keys.wait, 0, -#ids - 1)
  set_aside(keys, base, others, fates)
  return rows
end

-- Move up to `limit` ids from the tail of wait to active, each locked; returns their rows.
local function take(keys, base, limit, token, lock_ms, now)
  local terms = { token = token, lock_ms = lock_ms, now = now }
  local rows = limit == 1 and take_one(keys, base, terms) or limit > 1 and take_many(keys, base, limit, terms) or {}
  publish_each(base, base .. 'active@' .. token, #rows, function(i) return rows[i][8] end)
  return rows
end
