-- Cache set: writes entries, and takes the lease from whoever is fetching them. Behind cache_epoch.lua.
--
-- KEYS     `t` of the shard, then for each entry it and its lease
-- ARGV     an epoch for a new `t` ('-' when there are no tags), how long the entries are kept (ms), then for each entry
--          its head up to its tags and its payload
-- Reply    OK
-- Inner    1 SET and 1 DEL for each entry; 1 HMGET more in all when they have tags
--
-- Atomic because a late store between the two would undo what the caller was told is done, and because an invalidation
-- between the count and the write would go unseen.
-- Failure: the caller is told; sent again it sets the same once more.
local mark = ';;'
if ARGV[1] ~= '-' then
  local made, counter = epoch(ARGV[1])
  mark = made .. ';' .. counter .. ';'
end
local reply
for n = 3, #ARGV, 2 do
  redis.call('DEL', KEYS[n])
  reply = redis.call('SET', KEYS[n - 1], ARGV[n] .. mark .. ARGV[n + 1], 'PX', ARGV[2])
end
return reply
