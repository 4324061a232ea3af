-- Cache lookup: reads an entry and, when it is not fresh, takes the lease that lets one caller fetch it.
--
-- KEYS[1]  the entry, KEYS[2] its lease
-- ARGV     now (epoch ms), a nonce of this caller, how long the lease holds (ms), 1 to take it even if the entry is fresh
-- Reply    {the entry or nil, 1 when this caller holds the lease, else 0}
-- Inner    1 MGET; 1 SET more when the lease is taken
--
-- Atomic because two callers that miss at once must not both become the one that fetches.
-- A caller that asks again with the same nonce finds the lease its own. A tombstone ("-": deleted or set meanwhile)
-- is free to take.
local read = redis.call('MGET', KEYS[1], KEYS[2])
local entry, lease = read[1], read[2]
local fresh_until = entry and string.match(entry, '^ue1;%a;%d+;(%d+);')
local usable = entry and (not fresh_until or tonumber(ARGV[1]) < tonumber(fresh_until))
if usable and ARGV[4] ~= '1' then
  return {entry, 0}
end
if lease == ARGV[2] then
  return {entry, 1}
end
if lease and lease ~= '-' then
  return {entry, 0}
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return {entry, 1}
