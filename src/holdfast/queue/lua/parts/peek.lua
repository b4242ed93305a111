-- Whether an answer of pcall is the error for a key of another type. Any other error stops the script: a job that is away
-- (a cluster moves its slot) or that the user may not read must not be taken for one that is not there.
local function is_foreign(answer)
  if type(answer) ~= 'table' or not answer.err then return false end
  if not string.find(answer.err, '^%-?WRONGTYPE') then error(answer.err, 3) end
  return true
end

-- What a key holds, or the error for a key of another type.
local function peek(...)
  local answer = redis.pcall(...)
  is_foreign(answer)
  return answer
end
