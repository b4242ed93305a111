-- The lines of groups: workers with limits sort what waits into one line for each group ('' = jobs without one).
--   parked        zset, id -> place: every id in a line; an id that is not here is in none, whatever its line still says
--   lines         zset, group -> when it was served last (us): whose turn it is
--   line:<group>  zset, id -> place
-- Places go by priority, then by age: a band for each priority, jobs without one last; below 0 is the front of the line.
local BAND, LAST_BAND = 2 ^ 31, 2 ^ 21 + 1
local BULLS = { limited = true, index = true }  -- limiter:limited and limiter:index are Bull's keys

local function now_us()  -- turns are finer than ms
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function asked_of(opts)
  if not opts or not (string.find(opts, '"group"', 1, true) or string.find(opts, '"lifo"', 1, true)) then return '' end
  local known, asked = pcall(cjson.decode, opts)
  if not known or type(asked) ~= 'table' then return '' end
  local group = asked.group
  if type(group) ~= 'string' or #group > 256 or BULLS[group] or string.find(group, ':limited$') then group = '' end
  return group, asked.lifo == true
end

local function next_place(parked, known, priority)
  local band = (priority > 0 and priority < LAST_BAND) and math.floor(priority) or LAST_BAND
  local place = known[band]
  if not place then
    local top = band == LAST_BAND and '+inf' or '(' .. string.format('%.0f', (band + 1) * BAND)
    local last = redis.call('ZREVRANGEBYSCORE', parked, top, band * BAND, 'WITHSCORES', 'LIMIT', 0, 1)
    place = last[2] and last[2] + 1 or band * BAND
  end
  known[band] = place + 1
  return place
end

-- Sort up to `limit` ids from the tail of wait into the lines; returns how many still wait.
local function line_up(wait, priorities, base, limit, now_us)
  local ids = redis.call('LRANGE', wait, -limit, -1)
  if #ids == 0 then return 0 end
  local parked, known, all, fronts, of_group, groups = base .. 'parked', {}, {}, {}, {}, {}
  local function add(group, place, id)
    local line = of_group[group]
    if not line then
      line = {}
      of_group[group] = line
      groups[#groups + 1] = group
    end
    line[#line + 1], line[#line + 2] = place, id
    all[#all + 1], all[#all + 2] = place, id
  end
  for i = #ids, 1, -1 do
    local row = peek('HMGET', base .. ids[i], 'opts', 'priority', 'processedOn', 'owner')
    if row.err then row = {} end  -- no job of anybody's: whoever takes it sets it aside
    local group, lifo = asked_of(row[1])
    if lifo or (row[3] and not row[4]) then  -- asked to be first, or given back by a worker that stopped or died
      fronts[#fronts + 1] = { group, ids[i] }
    else
      add(group, next_place(parked, known, tonumber(row[2] or nil) or 0), ids[i])
    end
  end
  local first = redis.call('ZRANGE', parked, 0, 0, 'WITHSCORES')[2]
  local low = math.min(0, tonumber(first) or 0) - #fronts
  for i, front in ipairs(fronts) do add(front[1], low + i - 1, front[2]) end
  -- Add before remove: whatever cuts this short, no id is in no list.
  for i, group in ipairs(groups) do
    redis.call('ZADD', base .. 'lines', 'NX', now_us + i, group)
    redis.call('ZADD', base .. 'line:' .. group, unpack(of_group[group]))
  end
  redis.call('ZADD', parked, unpack(all))
  redis.call('ZREM', priorities, unpack(ids))
  redis.call('LTRIM', wait, 0, -#ids - 1)
  return redis.call('LLEN', wait)
end
