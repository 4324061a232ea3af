-- User enter: the first trip of a login. Notes the session under its user; tells the user's generation.
--
-- KEYS[1]  the generation, 22 characters, and behind it how many sessions its revocation ended; KEYS[2]  the index
-- ARGV     a generation, drawn, for a user who has none; the session; its absolute end, now (both epoch ms)
-- Reply    the generation
-- Inner    GETRANGE, PTTL, SET or PEXPIRE, ZREMRANGEBYSCORE, ZADD, PEXPIRE
--
-- Atomic because a generation that is made beside another's would end the session of whoever made the first.
-- Nothing is gained by it alone: the session does not know its user yet, and is not listed.
-- The record lives as long as the longest of its sessions may, and is never shortened.
local now = tonumber(ARGV[4])
local held = redis.call('GETRANGE', KEYS[1], 0, 21)
local left = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[3]) - now)
if held == '' then
  held = ARGV[1]
  redis.call('SET', KEYS[1], held .. '0', 'PX', left)
else
  redis.call('PEXPIRE', KEYS[1], left)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], -now, now)
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('PEXPIRE', KEYS[2], left)
return held
