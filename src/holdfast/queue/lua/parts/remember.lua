-- Remember how jobs ended that are removed at once, so that who waits for a result still gets it: for an hour, or half a
-- minute for what goes beyond a megabyte of results a minute.
local REMEMBERED_S, BRIEFLY_S, BUDGET, OVERHEAD = 3600, 30, 1048576, 200

local function remember(base, ending, ids, texts, keeps)
  local bytes = 0
  for i = 1, #ids do
    if keeps[i] == '0' then bytes = bytes + #texts[i] + OVERHEAD end
  end
  if bytes == 0 then return end
  local spent = redis.pcall('INCRBY', base .. 'outcomes', bytes)
  if type(spent) ~= 'number' then return end  -- somebody's job has that name: it must not stop a script half-way
  if spent == bytes then redis.call('EXPIRE', base .. 'outcomes', 60) end
  local ttl = spent <= BUDGET and REMEMBERED_S or BRIEFLY_S
  for i, id in ipairs(ids) do
    if keeps[i] == '0' then redis.call('SET', base .. 'outcome:' .. id, ending .. texts[i], 'EX', ttl) end
  end
end
