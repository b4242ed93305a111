-- What a key holds when it may be of another type: that error is the answer. Any other error stops the script: a job
-- that is away (a cluster moves its slot) or that the user may not read must not be taken for one that is not there.
local function peek(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err and not string.find(answer.err, '^%-?WRONGTYPE') then
    error(answer.err, 2)
  end
  return answer
end
