-- Cache set: writes entries, and takes the lease from whoever is fetching them. Behind cache_epoch.lua.
--
-- KEYS     `t` of the shard, then for each entry it and its lease
-- ARGV     how long a tombstone lasts (ms), an epoch for a new `t` ('-' when there are no tags), how long the entries
--          are kept (ms), then for each entry its head up to its tags and its payload
-- Reply    OK
-- Inner    2 SETs for each entry; 1 HMGET more in all when they have tags
--
-- Atomic because a late store between the two would undo what the caller was told is done, and because an invalidation
-- between the count and the write would go unseen.
-- It takes the lease only if there is one: a fetch that outlived its lease is refused by the newer entry.
-- Failure: the caller is told; sent again it sets the same once more.
local mark = ';;'
if ARGV[2] ~= '-' then
  local made, counter = epoch(ARGV[2])
  mark = made .. ';' .. counter .. ';'
end
local reply
for n = 4, #ARGV, 2 do
  redis.call('SET', KEYS[n - 1], '-', 'PX', ARGV[1], 'XX')
  reply = redis.call('SET', KEYS[n - 2], ARGV[n] .. mark .. ARGV[n + 1], 'PX', ARGV[3])
end
return reply
