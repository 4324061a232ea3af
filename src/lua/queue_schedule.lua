-- Queue schedule: a job that repeats, by an id of its own; or no longer.
--
-- KEYS     as in queue.lua
-- ARGV     as in queue.lua; its id, beginning with `*`; its payload; every how many ms, or nothing to end it
-- Reply    when it is taken next (epoch ms, 0 while it is leased or when it is ended)
-- Inner    as in queue.lua; to end it ZREM and HDEL; else 1 HGET, 1 ZSCORE, 1 HSET, and 1 ZADD when it is new or its interval is
--
-- Atomic because two deploys at once must make one of it.
-- Failure: sent again it leaves the same.
local id, every = ARGV[2], tonumber(ARGV[4])
if not every then
  redis.call('ZREM', jobs, id)
  redis.call('HDEL', records, 'p' .. id, 's' .. id, 'e' .. id)
  return 0
end
local before, at = redis.call('HGET', records, 'e' .. id), tonumber(redis.call('ZSCORE', jobs, id) or nil)
put('p' .. id, ARGV[3])
put('e' .. id, ARGV[4])
-- One that is being worked on is set anew when that ends.
if not at or (before ~= ARGV[4] and at < LEASED) then
  again(id, every)
  at = tonumber(moved[1])
end
apply(0)
return at < LEASED and at or 0
