-- What a worker needs to know of a job: one HMGET, in a fixed order, the id last.
local function row_of(base, id)
  local row = redis.call('HMGET', base .. id, 'name', 'data', 'opts', 'timestamp', 'delay', 'priority', 'attemptsMade',
    'stalledCounter', 'progress', 'processedOn')
  row[#row + 1] = id
  return row
end
