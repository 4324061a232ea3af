-- Cache lookup: reads an entry and, when it is not fresh, takes the lease that lets one caller fetch it. Behind
-- cache_entry.lua and cache_epoch.lua.
--
-- KEYS     `t` of the shard, the entry, its lease
-- ARGV     now (epoch ms), a nonce of this caller, how long the lease holds (ms, 0: nobody waits for it), 1 to take it
--          even if the entry is fresh or 2 to take it even from somebody else, how early to refresh (thousandths of what
--          fetching cost)
-- Reply    {the entry or nil, 1 when a tag of it was expired else 0, 1 when this caller is to fetch else 0}; then for who
--          fetches the epoch and the counter of `t`, for the store; for others how long somebody's lease holds (ms), 0 when
--          it is not asked for
-- Inner    1 MGET; 1 HMGET more for an entry with tags; 1 PTTL more when it is another's and wanted; 1 SET and 1 HMGET
--          more when the lease is taken
--
-- Atomic because two callers that miss at once must not both become the one that fetches, and because an invalidation
-- between the read and the count would go unseen by the store.
-- The lease is the nonces of those who may store, the newest first: who takes it when it has held for its time leaves
-- the others in, for a slow origin may yet answer them. It stands for 5 minutes longer than it holds, which is longer
-- than a request of any edge runtime lives; whatever is newer than what they fetch deletes it.
-- A caller that asks again with the same nonce finds the lease its own.
-- Failure: a lookup that is lost is a miss; a lease that it took all the same ends by itself.
local late = 300000
local read = redis.call('MGET', KEYS[2], KEYS[3])
local entry, lease = read[1], read[2]
local worth, fresh, cost = judged(KEYS[2], entry)
if worth == 2 then
  entry = false
end
local usable = worth == 0 and tonumber(ARGV[1]) + cost * tonumber(ARGV[5]) / 1000 < fresh
local own = lease and string.find(lease, ARGV[2], 1, true) == 1
if usable and ARGV[4] == '0' then
  return {entry, worth % 2, 0, 0}
end
if not own then
  local others = ARGV[4] ~= '2' and lease or ''
  local holds = others == '' and 0 or redis.call('PTTL', KEYS[3]) - late
  if holds > 0 then
    return {entry, worth % 2, 0, holds}
  end
  redis.call('SET', KEYS[3], string.sub(ARGV[2] .. others, 1, 128), 'PX', ARGV[3] + late)
end
local made, counter = epoch(ARGV[2])
return {entry, worth % 2, 1, made, counter}
