-- Cache release: gives back the lease of a fetch that failed, so that another caller may try at once.
--
-- KEYS     the lease
-- ARGV     the nonce of this caller
-- Reply    1 released, 0 not ours any more
-- Inner    1 GET; 1 DEL more when it was ours
--
-- Atomic because a lease that changed hands in between must not be given back by its former holder.
-- Failure: a lease that is not given back ends by itself.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
