-- Publish `message(1)` … `message(count)` on one channel. PUBLISH says how many heard it; when nobody heard the first, the
-- others are not sent, because nobody can begin to listen while a script runs. In a cluster, which a hash tag in the
-- prefix is the sign of, it counts the listeners of this node alone, and everything is sent.
local function publish_each(base, channel, count, message)
  local everywhere = string.find(base, '{', 1, true)
  for i = 1, count do
    if redis.call('PUBLISH', channel, message(i)) == 0 and not everywhere then return end
  end
end
