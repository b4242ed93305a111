-- Is this active job abandoned? By `presence` and the locks, with what includes this: base, presence, lockless, now, grace.
local lived = {}
local function alive_until(worker)
  if lived[worker] == nil then lived[worker] = tonumber(redis.call('ZSCORE', presence, worker) or nil) or false end
  return lived[worker]
end

redis.call('ZREMRANGEBYSCORE', lockless, '-inf', now - FORGET_MS)
local any_lockless = redis.call('EXISTS', lockless) == 1
local function is_lost(id)
  local lock = peek('GET', base .. id .. ':lock')
  if type(lock) == 'table' then lock = false end  -- no string: no token of anybody's
  local worker = lock and string.match(lock, '^(%x+):%d+$')
  if lock and (not worker or alive_until(worker)) then
    if any_lockless then redis.call('ZREM', lockless, id) end
    return worker and now > alive_until(worker)  -- Node's workers have no presence: their locks must run out
  end
  -- No lock, or one of a worker that was never present: a Node worker locks in a second step, and a worker of ours is
  -- present only a moment after its start. One that lives renews both together, once it gets its turn.
  local owner = peek('HGET', base .. id, 'owner')
  worker = not lock and type(owner) == 'string' and string.match(owner, '^(%x+):%d+$')
  redis.call('ZADD', lockless, 'NX', math.max(worker and alive_until(worker) or 0, now + grace), id)
  return now >= tonumber(redis.call('ZSCORE', lockless, id))
end
