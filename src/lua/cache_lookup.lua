-- Cache lookup: reads an entry and, when it is not fresh, takes the lease that lets one caller fetch it. Behind
-- cache_entry.lua and cache_epoch.lua.
--
-- KEYS     `t` of the shard, the entry, its lease
-- ARGV     now (epoch ms), a nonce of this caller, how long the lease holds (ms, 0: there is none), 1 to take it even
--          if the entry is fresh or 2 to take it even from somebody else, how early to refresh (thousandths of what
--          fetching cost)
-- Reply    {the entry or nil, 1 when a tag of it was expired else 0, 1 when this caller is to fetch else 0}; then the
--          epoch and the counter of `t`, for the store
-- Inner    1 MGET; 1 HMGET more for an entry with tags; 1 SET and 1 HMGET more when the lease is taken
--
-- Atomic because two callers that miss at once must not both become the one that fetches, and because an invalidation
-- between the read and the count would go unseen by the store.
-- A caller that asks again with the same nonce finds the lease its own. A tombstone ("-": deleted or set meanwhile)
-- is free to take.
-- Failure: a lookup that is lost is a miss; a lease that it took all the same ends by itself.
local read = redis.call('MGET', KEYS[2], KEYS[3])
local entry, lease = read[1], read[2]
local worth, fresh, cost = judged(KEYS[2], entry)
if worth == 2 then
  entry = false
end
local usable = worth == 0 and tonumber(ARGV[1]) + cost * tonumber(ARGV[5]) / 1000 < fresh
local own = lease == ARGV[2]
local taken = lease and lease ~= '-' and not own and ARGV[4] ~= '2'
if (usable and ARGV[4] == '0' and not own) or taken then
  return {entry, worth % 2, 0}
end
if ARGV[3] ~= '0' and not own then
  redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
end
local made, counter = epoch(ARGV[2])
return {entry, worth % 2, 1, made, counter}
