-- Groups take turns: who was served longest ago is next, one job at a time, as long as its limits let it.
local SCAN = 500      -- groups looked at in one call
local AGAIN_MS = 250  -- when a group is full, some other worker may free it

-- How many jobs of a group are being worked on: derived from locks, so that no crash can leave a wrong number behind.
local function in_use(base, active, group)
  local held = base .. 'held:' .. group
  local ids = redis.call('SMEMBERS', held)
  if #ids == 0 then return 0 end
  local locks, used = {}, 0
  for i, id in ipairs(ids) do locks[i] = base .. id .. ':lock' end
  locks = redis.call('MGET', unpack(locks))
  for i, id in ipairs(ids) do
    -- Without a lock it may still be its worker's, which has not yet come back after an outage.
    if locks[i] or redis.call('LPOS', active, id) then
      used = used + 1
    else
      redis.call('SREM', held, id)
    end
  end
  return used
end

-- Choose up to `limit` ids, whose groups `free_of` lets start so many; returns them, their groups in the same order, the
-- groups looked at, and whether there was more dead wood in the lines than one call clears away.
local function choose(base, limit, free_of)
  local parked, budget = base .. 'parked', SCAN
  local free, served, ids, groups = {}, {}, {}, {}
  local function next_of(group)
    local line = base .. 'line:' .. group
    while budget > 0 do
      local id = redis.call('ZRANGE', line, served[group], served[group])[1]
      if not id or redis.call('ZSCORE', parked, id) then return id end
      redis.call('ZREM', line, id)  -- it was removed, and only its place is left
      budget = budget - 1
    end
  end
  local names = redis.call('ZRANGE', base .. 'lines', 0, SCAN - 1)
  local before
  repeat
    before = #ids
    for _, group in ipairs(names) do
      if #ids == limit then break end
      if not free[group] then free[group], served[group] = free_of(group), 0 end
      local id = free[group] > 0 and next_of(group)
      if id then
        ids[#ids + 1], groups[#groups + 1] = id, group
        served[group], free[group] = served[group] + 1, free[group] - 1
      else
        free[group] = 0
      end
    end
  until #ids == limit or #ids == before
  return ids, groups, names, budget == 0
end

-- Take the chosen out of their lines, to the tail of wait, the first chosen last; `at_us` is later than groups came in.
local function call_up(base, wait, ids, groups, at_us)
  local backwards = {}
  for i = #ids, 1, -1 do backwards[#backwards + 1] = ids[i] end
  if #ids > 0 then redis.call('RPUSH', wait, unpack(backwards)) end
  for i, id in ipairs(ids) do
    redis.call('ZADD', base .. 'lines', at_us + i, groups[i])
    redis.call('ZREM', base .. 'line:' .. groups[i], id)
  end
  if #ids > 0 then redis.call('ZREM', base .. 'parked', unpack(ids)) end
end
