-- Cache write: sets or deletes an entry, and takes the lease from whoever is fetching it.
--
-- KEYS[1]  the entry, KEYS[2] its lease
-- ARGV     the entry ('' deletes it), how long it is kept (ms), how long a tombstone lasts (ms)
-- Reply    1 when there was something to delete, or something was set, else 0
-- Inner    2: SET or DEL of the entry, SET of the tombstone
--
-- Atomic because a late store between the two would undo what the caller was told is done.
-- A set takes the lease only if there is one: a fetch that outlived its lease is refused by the newer entry.
-- A delete leaves no entry, so its tombstone stands in any case; it is no lease, and whoever misses may take it.
if ARGV[1] == '' then
  redis.call('SET', KEYS[2], '-', 'PX', ARGV[3])
  return redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[2], '-', 'PX', ARGV[3], 'XX')
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
