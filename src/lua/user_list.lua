-- User list: the sessions of a user, those first that end last, and at the end those that probably ended
-- (user_leave.lua); 1,000 at most.
--
-- KEYS[1]  the generation; KEYS[2]  the index
-- Reply    {the generation, or '', sessions}
-- Inner    1 GETRANGE, 1 ZREVRANGE
--
-- Atomic because sessions of before a revocation must not be told with the generation of after it.
local held = redis.call('GETRANGE', KEYS[1], 0, 21)
return {held, redis.call('ZREVRANGE', KEYS[2], 0, 999)}
