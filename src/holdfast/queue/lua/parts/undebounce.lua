-- A job that ends frees the debounce id it owns, unless that has a time of its own, as Bull has it.
local function undebounce(base, id)
  local debounce = peek('HGET', base .. id, 'deid')
  if type(debounce) ~= 'string' then return end
  local key = base .. 'de:' .. debounce
  if peek('GET', key) == id and redis.call('PTTL', key) == -1 then redis.call('DEL', key) end
end
