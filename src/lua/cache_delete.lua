-- Cache delete: removes entries, and takes the lease from whoever is fetching them.
--
-- KEYS     the entries, then their leases
-- Reply    how many entries were there
-- Inner    2 DELs, however many
--
-- Atomic because a late store between the two would undo what the caller was told is done.
-- Failure: the caller is told; it may have been done.
redis.call('DEL', unpack(KEYS, #KEYS / 2 + 1))
return redis.call('DEL', unpack(KEYS, 1, #KEYS / 2))
