--[[
Ask for leave to call what all workers share: so many requests and tokens a minute, and only while it is well.
Guarantee: what is granted is taken from both buckets in the same moment; an open breaker lets one probe through.

KEYS[1]  throttle      string, JSON: requests, tokens (ms: when each bucket is full again), closed, open, probe, line (ms:
                       until then), failures
ARGV[1]  request_ms    that one request takes of its bucket; 0 = no limit
ARGV[2]  token_ms      that one token takes of its bucket; 0 = no limit
ARGV[3]  burst_ms      how far a bucket may be used ahead
ARGV[4]  tokens        of this call
ARGV[5]  failures      in a row that open the breaker
ARGV[6]  probe_ms      how long a probe is waited for
ARGV[7]  ttl_ms        how long the state is kept

Returns ms to wait before asking again; 0 = granted
]]
--#include clock
--#include throttle
local key, request_ms, token_ms, burst_ms = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, limit, probe_ms, ttl_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local now, state = now_ms(), throttle_state(key)
local cost_ms = math.max(request_ms, tokens * token_ms)

-- Who has to wait is told a time of its own, behind the others: all at once would only be refused again, most of them.
local MOST_MS, LEAST_APART_MS = 60000, 10
local function line_up(from)
  local place = math.max(state.line, from)
  if place - now > MOST_MS then return MOST_MS end
  state.line = place + math.max(cost_ms, LEAST_APART_MS)
  keep_throttle(key, state, ttl_ms)
  return math.ceil(place - now)
end

-- Nobody comes in before the provider's own time is up, nor while the breaker is open.
local shut = math.max(state.closed, state.open)
if shut > now then return math.max(line_up(shut), math.ceil(shut - now)) end
local half_open = state.failures >= limit
if half_open and state.probe > now then return math.ceil(math.min(state.probe - now, 1000)) end

local ahead = 0
if request_ms > 0 then ahead = math.max(ahead, state.requests - now) end
if token_ms > 0 then ahead = math.max(ahead, state.tokens - now) end
if ahead > burst_ms then return line_up(now + ahead - burst_ms) end

if half_open then state.probe = now + probe_ms end
if request_ms > 0 then state.requests = math.max(state.requests, now) + request_ms end
if token_ms > 0 then state.tokens = math.max(state.tokens, now) + tokens * token_ms end
keep_throttle(key, state, ttl_ms)
return 0
