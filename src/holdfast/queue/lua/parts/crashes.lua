-- Count that a job's worker was lost. Returns how often in all, and how often in vain: when its progress was another one
-- than the time before, it had come forward. nil when the counter is no number.
-- The field `crashes` is '<in vain>:<digest of the progress>'; it counts from the job's own first crash on.
local function count_crash(key)
  local times = redis.pcall('HINCRBY', key, 'stalledCounter', 1)
  if type(times) == 'table' then return nil end
  local digest = redis.sha1hex(redis.call('HGET', key, 'progress') or '')
  local vain, before = string.match(redis.call('HGET', key, 'crashes') or '', '^(%d+):(%x+)$')
  if times == 1 or not vain then vain, before = times - 1, redis.sha1hex('') end
  if digest == before then vain = vain + 1 end
  redis.call('HSET', key, 'crashes', string.format('%.0f:%s', vain, digest))
  return times, tonumber(vain)
end
