-- Session keep: gives the session that a revocation spares the user's new generation.
--
-- KEYS[1]  the session
-- ARGV     the generation it has, the new one
-- Reply    1 it has the new one, 0 it has another, or is gone
-- Inner    1 HGET; 1 HSET more when it is given
--
-- Atomic because a session that was destroyed in between must not come back as half of one. One that an earlier
-- revocation ended has an earlier generation: it is not spared.
local held = redis.call('HGET', KEYS[1], 'g')
if held == ARGV[1] then redis.call('HSET', KEYS[1], 'g', ARGV[2]) end
return (held == ARGV[1] or held == ARGV[2]) and 1 or 0
