-- What a worker needs to know of a job: one HMGET, in a fixed order, the id last; and when it finished, if it did, and
-- its priority.
local function row_of(base, id)
  local row = redis.pcall('HMGET', base .. id, 'name', 'data', 'opts', 'attemptsMade', 'stalledCounter', 'progress',
    'processedOn', 'finishedOn', 'priority')
  if row.err and is_foreign(row) then return nil end  -- not a hash: no job of anybody's
  local finished, priority = row[8], row[9]
  row[8], row[9] = id, nil
  return row, finished, priority
end
