-- Does this token own the job? 'ok' | 'written' | 'lock_lost' | 'missing'.
-- A lock that ran out while Redis was away is still the owner's as long as nobody else touched the job; and when
-- the owner's own earlier write moved the job away (its reply was lost), asking again answers 'written'.
local function owns(base, active, id, token)
  local lock = redis.call('GET', base .. id .. ':lock')
  if lock == token then return 'ok' end
  if lock then return 'lock_lost' end
  local owner = redis.call('HGET', base .. id, 'owner')
  if owner ~= token then
    return redis.call('EXISTS', base .. id) == 1 and 'lock_lost' or 'missing'
  end
  return redis.call('LPOS', active, id, 'RANK', -1) and 'ok' or 'written'
end
