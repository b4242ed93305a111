-- The last writes of jobs that ended: into `zset`, out of active, unlocked; trimmed as their own options say.
-- `keeps[i]` is '' (for ever) | '0' (remove now) | '<count or -1>:<age in seconds or -1>'.
local KEEP_BUDGET = 20
local JUST_NOW_MS = 5000

local function trim(base, zset, index, keep, now)
  local count, age = string.match(keep, '^(-?%d+):(-?%d+)$')
  local gone = {}
  if tonumber(age) >= 0 then
    gone = redis.call('ZRANGEBYSCORE', index, '-inf', now - age * 1000, 'LIMIT', 0, KEEP_BUDGET)
  end
  local over = tonumber(count) >= 0 and redis.call('ZCARD', index) - tonumber(count) or 0
  -- The index may name jobs that Node removed or retried: as many as there are too few of in the state itself. Rather one
  -- too many is kept for a while than one too few.
  if over > 0 then over = math.min(over, redis.call('ZCARD', zset) - tonumber(count)) end
  if over > #gone then gone = redis.call('ZRANGE', index, 0, math.min(over, KEEP_BUDGET) - 1) end
  if #gone == 0 then return end
  -- Who waits for the end of a job that had ended just now may not have read it yet.
  local is_fresh = (tonumber(redis.call('ZSCORE', index, gone[#gone]) or nil) or 0) > now - JUST_NOW_MS
  local ending, ids, texts, keeps = string.sub(zset, #base + 1, #base + 1), {}, {}, {}
  for _, id in ipairs(gone) do
    -- Only what is still in this state: an id may have been retried since.
    if redis.call('ZREM', zset, id) == 1 then
      if is_fresh then
        ids[#ids + 1], keeps[#ids + 1] = id, '0'
        texts[#ids] = redis.call('HGET', base .. id, ending == 'c' and 'returnvalue' or 'failedReason') or ''
      end
      redis.call('DEL', base .. id, base .. id .. ':logs')
    end
  end
  remember(base, ending, ids, texts, keeps)
  redis.call('ZREM', index, unpack(gone))
end

local function retain(base, zset, id, keep, now)
  if keep == '0' then
    redis.call('DEL', base .. id, base .. id .. ':logs')
  else
    local index = base .. 'keep:' .. string.sub(zset, #base + 1) .. ':' .. keep
    redis.call('ZADD', index, now, id)
    trim(base, zset, index, keep, now)
  end
end

-- Cut ids out at one end of active: the whole stretch goes, and those of it that stay are put back, if they are fewer.
local function cut(active, gone, width, at_the_tail)
  local first, last = 0, width - 1
  if at_the_tail then first, last = -width, -1 end
  local stretch, others, found = redis.call('LRANGE', active, first, last), {}, {}
  for i = 1, #stretch do
    local id = stretch[at_the_tail and i or #stretch + 1 - i]
    if gone[id] and not found[id] then found[id] = true else others[#others + 1] = id end
  end
  if #others * 3 > #stretch * 2 then return end
  if at_the_tail then
    redis.call('LTRIM', active, 0, -#stretch - 1)
  else
    redis.call('LTRIM', active, #stretch, -1)
  end
  if #others > 0 then redis.call(at_the_tail and 'RPUSH' or 'LPUSH', active, unpack(others)) end
  for id in pairs(found) do gone[id] = nil end
end

-- Take ids out of active. What one call took lies together and mostly ends together: at the tail, or, in front of many
-- that run for long, at the head, behind what was taken since. What lies elsewhere is looked for from the head, because
-- those that end often began a short time ago.
local function leave_active(active, ids)
  local gone = {}
  for _, id in ipairs(ids) do gone[id] = true end
  if #ids > 1 then
    cut(active, gone, #ids, true)
    if next(gone) then cut(active, gone, 2 * #ids, false) end
  end
  for id in pairs(gone) do redis.call('LREM', active, 1, id) end
end

local function finish(base, active, zset, ids, keeps, now)
  local stamp, scores, locks = string.format('%.0f', now), {}, {}
  for i, id in ipairs(ids) do
    locks[i] = base .. id .. ':lock'
    if keeps[i] ~= '0' then
      scores[#scores + 1] = stamp
      scores[#scores + 1] = id
    end
  end
  -- Add before remove: whatever cuts this short, no id is in no list.
  if #scores > 0 then redis.call('ZADD', zset, unpack(scores)) end
  leave_active(active, ids)
  if #locks > 0 then redis.call('DEL', unpack(locks)) end
  for i, id in ipairs(ids) do
    if keeps[i] ~= '' then retain(base, zset, id, keeps[i], now) end
  end
end
