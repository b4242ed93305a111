-- Tell the queue's event stream what this script call did: `news` is kind, text, kind, text, …; a text is ids joined by
-- '\n', or of one job that there is something to say of: id, '\n', what.
-- One XADD a call, whatever it did. Where entries are big there are fewer, so that the stream stays below some 40 MB.
-- Nothing that is wrong with the stream (somebody's job with its name as id) may stop a script half-way: hence pcall.
local function tell(base, news)
  if #news == 0 or redis.call('EXISTS', base .. 'event-stream:off') == 1 then return end
  local size, limit = 0, '10000'  -- a string: Lua writes numbers slowly
  for i = 2, #news, 2 do size = size + #news[i] end
  if size > 2000 then limit = string.format('%.0f', math.max(100, math.min(10000, 20000000 / size))) end
  redis.pcall('XADD', base .. 'event-stream', 'MAXLEN', '~', limit, '*', unpack(news))
end
