-- How long a job's own options let it be kept, as `finish` takes it: '' | '0' | '<count or -1>:<age in seconds or -1>'.
local function keep_of(key, option)
  local known, opts = pcall(cjson.decode, redis.call('HGET', key, 'opts') or '{}')
  local keep = known and type(opts) == 'table' and opts[option]
  if keep == true or keep == 0 then return '0' end
  local count, age = tonumber(keep or nil) or -1, -1
  if type(keep) == 'table' then count, age = tonumber(keep.count) or -1, tonumber(keep.age) or -1 end
  if count == 0 then return '0' end
  local word = string.format('%.0f:%.0f', count, age)
  -- Nothing that options hold, not even infinity, may stop the script that asks.
  return word ~= '-1:-1' and string.match(word, '^%-?%d+:%-?%d+$') or ''
end
