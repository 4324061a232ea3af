-- Response lookup: reads the answer that a request selects and, when it is not fresh enough, takes the lease that lets
-- one caller ask the handler. Behind cache_entry.lua, cache_epoch.lua and response_variant.lua.
--
-- KEYS     `t` of the shard, the hash of the URL, its lease
-- ARGV     when the answer must be fresh and before when it must not have been stored (epoch ms, as the request wants it),
--          a nonce of this caller, how long the lease holds (ms, 0: nobody waits for it), 1 to take it even if the answer
--          is fresh or 3 never to take it, how early to refresh (thousandths of what fetching cost), what the variant is
--          called without digests, the digests, 1 when what is stored will have tags
-- Reply    {the entry or nil, 1 when a tag of it was expired else 0, 1 when this caller is to ask the handler or 2 when all
--          may else 0, 1 when the URL has other variants alone}; then for who asks the epoch and the counter of `t` and the nonce for
--          the store; for others how long somebody's lease holds (ms), 0 when it is not asked for
-- Inner    1 HMGET; 1 HGET more where answers vary; 1 HMGET more for an entry with tags; 1 GET more when it is not fresh
--          enough; 1 PTTL more when the lease is another's; 1 SET more when it is taken; 1 HMGET more for tags to come
--
-- Atomic because two callers that miss at once must not both become the one that asks, and because an invalidation
-- between the read and the count would go unseen by the store.
-- The lease is that of cache_lookup.lua. One that begins with "!" is none: what was answered last was not to be stored, so
-- nobody waits for another's answer, and all may store theirs by the nonce behind it.
-- A value of another kind that stands there is no answer.
-- Failure: a lookup that is lost is a miss; a lease that it took all the same ends by itself.
local late = 300000
local found = redis.pcall('HMGET', KEYS[2], 'v', ARGV[7])
local vary, entry = found[1], found[2]
if vary and vary ~= '' then
  entry = redis.call('HGET', KEYS[2], variant(ARGV[7], vary, ARGV[8]))
end
local others = vary and not entry and 1 or 0
local written = tonumber(string.match(entry or '', '^ue1;%a;(%d+);') or 0)
local worth, fresh, cost = judged(KEYS[2], entry)
if worth == 2 then
  entry = false
end
local usable = worth == 0 and tonumber(ARGV[1]) + cost * tonumber(ARGV[6]) / 1000 < fresh and written >= tonumber(ARGV[2])
if ARGV[5] == '3' or (usable and ARGV[5] == '0') then
  return {entry, worth % 2, 0, others, 0}
end
local may, nonce, lease = 1, ARGV[3], redis.call('GET', KEYS[3]) or ''
if string.sub(lease, 1, 1) == '!' then
  may, nonce = 2, string.sub(lease, 2, 17)
elseif string.find(lease, nonce, 1, true) ~= 1 then
  local holds = lease == '' and 0 or redis.call('PTTL', KEYS[3]) - late
  if holds > 0 then
    return {entry, worth % 2, 0, others, holds}
  end
  redis.call('SET', KEYS[3], string.sub(nonce .. lease, 1, 128), 'PX', ARGV[4] + late)
end
local made, counter = '-', '0'
if ARGV[9] == '1' then
  made, counter = epoch(nonce)
end
return {entry, worth % 2, may, others, made, counter, nonce}
