-- Tell what a worker's call did: jobs completed, rows taken, and whether it looked for a job and found none.
local function tell_work(base, done, rows, none_left)
  local news, ids = {}, {}
  if #done > 0 then news = { 'completed', table.concat(done, '\n') } end
  for i = 1, #rows do ids[i] = rows[i][8] end
  if #ids > 0 then
    news[#news + 1], news[#news + 2] = 'active', table.concat(ids, '\n')
  elseif none_left then
    news[#news + 1], news[#news + 2] = 'drained', ''
  end
  tell(base, news)
end
