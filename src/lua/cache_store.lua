-- Cache store: what a fetch brought, unless something newer was set, the key deleted, or a tag of it invalidated since.
-- Behind cache_current.lua.
--
-- KEYS     `t` of the shard, the entry, its lease
-- ARGV     the nonce of this caller, how long the entry is kept (ms), the epoch and the counter at the lookup, the entry
--          up to its tags, its tags, its payload
-- Reply    1 stored, 0 refused
-- Inner    1 GET; 1 DEL more when this caller may store; 1 HMGET more with tags; 1 SET more when stored
--
-- Atomic because a `set`, a `delete` or an invalidation between the looks and the write must win over the late store.
-- Without its nonce in the lease it is refused: something newer was written, or whether is not known any more. No clock
-- is asked, for those of isolates differ.
-- Failure: a store that is lost is a miss for the next caller; the lease ends by itself.
local lease = redis.call('GET', KEYS[3])
if not lease or not string.find(lease, ARGV[1], 1, true) then
  return 0
end
redis.call('DEL', KEYS[3])
local mark = ';;'
if #ARGV > 6 then
  if not current(ARGV[3], ARGV[4], {unpack(ARGV, 6, #ARGV - 1)}) then return 0 end
  mark = ARGV[3] .. ';' .. ARGV[4] .. ';'
end
redis.call('SET', KEYS[2], ARGV[5] .. mark .. ARGV[#ARGV], 'PX', ARGV[2])
return 1
