-- Whether a job's cancellation was asked for, and not taken back by a manual retry since.
local function is_cancelled(base, id)
  local row = peek('HMGET', base .. id, 'cancelled', 'retriedOn')
  if row.err or not row[1] then return false end
  return (tonumber(row[2] or nil) or 0) <= (tonumber(row[1]) or 0)
end
