-- Cache store: what a fetch brought, unless something newer was set, the key deleted, or a tag of it invalidated since.
--
-- KEYS     `t` of the shard, the entry, its lease
-- ARGV     the nonce of this caller, how long the entry is kept (ms), when the fetch began (epoch ms), the epoch and the
--          counter at the lookup, the entry up to its tags, its tags, its payload
-- Reply    1 stored, 0 refused
-- Inner    1 MGET; 1 HMGET more with tags; 1 SET more when stored; 1 DEL more when the lease is still this caller's
--
-- Atomic because a `set`, a `delete` or an invalidation between the looks and the write must win over the late store.
-- The lease may have ended while the origin was slow: then the entry is stored if nothing newer stands there.
-- Failure: a store that is lost is a miss for the next caller; the lease ends by itself.
local read = redis.call('MGET', KEYS[2], KEYS[3])
local entry, lease = read[1], read[2]
if lease ~= ARGV[1] then
  if lease then return 0 end
  local written = entry and tonumber(string.match(entry, '^ue1;%a;(%d+);') or '')
  if entry and (not written or written >= tonumber(ARGV[3])) then return 0 end
end
local stored = 1
if ARGV[8] then
  local fields = {'e', 'f'}
  for n = 7, #ARGV - 1 do fields[#fields + 1] = 'g:' .. ARGV[n] end
  local found = redis.call('HMGET', KEYS[1], unpack(fields))
  if found[1] ~= ARGV[4] then stored = 0 end
  for n = 2, #fields do
    if found[n] and tonumber(found[n]) > tonumber(ARGV[5]) then stored = 0 end
  end
end
if stored == 1 then
  local mark = ARGV[8] and ARGV[4] .. ';' .. ARGV[5] .. ';' or ';;'
  redis.call('SET', KEYS[2], ARGV[6] .. mark .. ARGV[#ARGV], 'PX', ARGV[2])
end
if lease then redis.call('DEL', KEYS[3]) end
return stored
