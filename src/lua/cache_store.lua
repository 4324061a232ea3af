-- Cache store: what a fetch under the lease brought, unless something newer was set or the key deleted meanwhile.
--
-- KEYS[1]  the entry, KEYS[2] its lease
-- ARGV     the nonce of this caller, the entry, how long it is kept (ms), when the fetch began (epoch ms)
-- Reply    1 stored, 0 refused
-- Inner    1 MGET; 1 SET and 1 DEL more when stored
--
-- Atomic because a `set` or `delete` between reading the lease and writing the entry must win over the late store.
-- The lease may have ended while the origin was slow: then the entry is stored if nothing newer stands there.
local read = redis.call('MGET', KEYS[1], KEYS[2])
local entry, lease = read[1], read[2]
if lease ~= ARGV[1] then
  if lease then return 0 end
  local written = entry and tonumber(string.match(entry, '^ue1;%a;(%d+);') or '')
  if entry and (not written or written >= tonumber(ARGV[4])) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if lease then redis.call('DEL', KEYS[2]) end
return 1
