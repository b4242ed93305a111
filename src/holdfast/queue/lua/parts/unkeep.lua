-- Forget that a finished job may be trimmed: it leaves `completed` or `failed` now. Needs keep.lua.
local OPTIONS = { completed = 'removeOnComplete', failed = 'removeOnFail' }

local function unkeep(base, state, id)
  local keep = OPTIONS[state] and keep_of(base .. id, OPTIONS[state])
  if keep and keep ~= '' and keep ~= '0' then redis.call('ZREM', base .. 'keep:' .. state .. ':' .. keep, id) end
end
