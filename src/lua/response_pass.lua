-- Response pass: what the handler answered is not to be stored, so for a while nobody waits for another's answer, and
-- whoever gets one that may be stored stores it.
--
-- KEYS     the lease
-- ARGV     the nonce of this caller, how long this holds (ms)
-- Reply    1 said, 0 the lease is not ours any more
-- Inner    1 GET; 1 SET more when it was ours
--
-- Atomic because a lease that changed hands in between is another's.
-- Without it all callers of a page that is never stored would be served one after the other. The nonce stays, for those who
-- ask from now on: a delete ends it with the lease, so what they were answered before that is not stored after it.
-- Failure: the lease ends by itself.
local lease = redis.call('GET', KEYS[1])
if lease and string.find(lease, ARGV[1], 1, true) == 1 then
  redis.call('SET', KEYS[1], '!' .. lease, 'PX', ARGV[2])
  return 1
end
return 0
