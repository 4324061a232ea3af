-- Cache release: gives back the lease of a fetch that failed, so that another caller may try at once.
--
-- KEYS     the lease
-- ARGV     the nonce of this caller
-- Reply    1 released, 0 not ours any more
-- Inner    1 GET; 1 DEL more when it was ours, or 1 SET when others may still store
--
-- Atomic because a lease that changed hands in between must not be given back by its former holder.
-- Failure: a lease that is not given back ends by itself.
local lease = redis.call('GET', KEYS[1])
if not lease or string.find(lease, ARGV[1], 1, true) ~= 1 then
  return 0
end
local others = string.sub(lease, #ARGV[1] + 1)
if others == '' then
  return redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[1], others, 'PX', 300000)
return 1
