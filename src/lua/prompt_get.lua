-- Prompt get: an answer, if there is one; counts it, and the tokens that it saves.
--
-- KEYS     the answer, a hash: `d` its JSON, `t` the tokens it took, `c` when it was stored (epoch ms), `h` how often it was
--          served; the counts, a hash: `h` hits, `m` misses, `t` tokens saved
-- Reply    nil, or {JSON, tokens, when, how often, this time included}
-- Inner    1 HMGET; 1 HINCRBY more for a miss, 3 for a hit
--
-- Atomic because an answer that ends in between must not come back as a count, without an answer and for ever.
-- Failure: a get that is lost is a miss; one that is sent again counts once more.
local found = redis.call('HMGET', KEYS[1], 'd', 't', 'c')
if not found[1] then
  redis.call('HINCRBY', KEYS[2], 'm', 1)
  return false
end
redis.call('HINCRBY', KEYS[2], 't', found[2])
redis.call('HINCRBY', KEYS[2], 'h', 1)
found[4] = redis.call('HINCRBY', KEYS[1], 'h', 1)
return found
