-- How long a job's own options let it be kept, as `finish` takes it: '' | '0' | '<count or -1>:<age in seconds or -1>'.
-- Nothing that foreign options may hold stops the script that asks: what makes no sense is no bound.
local function bound_of(value)
  return type(value) == 'number' and value >= 0 and value < 2 ^ 53 and math.floor(value) or -1
end

local function keep_of(key, option)
  local known, opts = pcall(cjson.decode, peek('HGET', key, 'opts') or '{}')
  local keep = known and type(opts) == 'table' and opts[option]
  if keep == true then return '0' end
  local count, age = bound_of(keep), -1
  if type(keep) == 'table' then count, age = bound_of(keep.count), bound_of(keep.age) end
  if count == 0 then return '0' end
  return (count > 0 or age >= 0) and string.format('%.0f:%.0f', count, age) or ''
end
