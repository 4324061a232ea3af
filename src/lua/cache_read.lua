-- Cache read: entries, as far as their tags let them be served. Behind cache_entry.lua.
--
-- KEYS     `t` of the shard, then the entries
-- ARGV     1 for the headers of the entries alone
-- Reply    for each entry: it or nil, and 1 when a tag of it was expired, else 0
-- Inner    1 MGET; 1 HMGET more for each entry with tags
--
-- Atomic because an entry and its tags' counts, read one after the other, could pass each other: an entry stored after
-- an invalidation would be read before it, and judged by the counts after it.
-- Failure: a read that is lost is a miss.
local entries = redis.call('MGET', unpack(KEYS, 2))
local reply = {}
for n, entry in ipairs(entries) do
  local worth = judged(KEYS[n + 1], entry)
  if worth == 2 then
    entry = false
  elseif ARGV[1] == '1' then
    entry = string.match(entry, '^ue1;%a;[%d;]+[^;]*;[^;]*;%d*;') or ''
  end
  reply[2 * n - 1] = entry
  reply[2 * n] = worth % 2
end
return reply
