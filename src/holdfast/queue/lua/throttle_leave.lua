--[[
Say how a call went that `throttle_enter.lua` granted.
Guarantee: tokens that were not used are free again; enough failures in a row open the breaker for everybody.

KEYS[1]  throttle    string, as in throttle_enter.lua
ARGV[1]  outcome     ok | busy | failed | unused
ARGV[2]  refund_ms   of the bucket of tokens
ARGV[3]  close_ms    busy: nobody comes in for so long
ARGV[4]  failures    in a row that open the breaker
ARGV[5]  open_ms     how long it stays open
ARGV[6]  ttl_ms      how long the state is kept

Returns failures in a row by now
]]
--#include clock
--#include throttle
local key, outcome, refund_ms, close_ms = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, open_ms, ttl_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local now, state = now_ms(), throttle_state(key)

state.tokens = state.tokens - refund_ms
state.probe = 0
if outcome == 'ok' then
  state.failures, state.open = 0, 0
elseif outcome == 'busy' then
  state.closed = math.max(state.closed, now + close_ms)
elseif outcome == 'failed' then
  state.failures = state.failures + 1
  if state.failures >= limit then state.open = now + open_ms end
end
keep_throttle(key, state, ttl_ms)
return state.failures
