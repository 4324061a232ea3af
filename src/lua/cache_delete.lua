-- Cache delete: removes entries, and takes the lease from whoever is fetching them.
--
-- KEYS     for each entry it and its lease
-- ARGV     how long a tombstone lasts (ms)
-- Reply    how many were there
-- Inner    1 SET for each entry, 1 DEL in all
--
-- Atomic because a late store between the two would undo what the caller was told is done.
-- A delete leaves no entry, so its tombstone stands in any case; it is no lease, and whoever misses may take it.
-- Failure: the caller is told; it may have been done.
local entries = {}
for n = 1, #KEYS, 2 do
  entries[#entries + 1] = KEYS[n]
  redis.call('SET', KEYS[n + 1], '-', 'PX', ARGV[1])
end
return redis.call('DEL', unpack(entries))
