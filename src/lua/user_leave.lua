-- User leave: notes that a session of the user's has probably ended.
--
-- KEYS[1]  the index
-- ARGV     the session
-- Reply    1
-- Inner    1 ZSCORE; 1 ZADD more when it was not noted before
--
-- Probably, because it lies in another slot: an id that was replaced meanwhile ends nothing, and must not hide the
-- session from its user's list. So it is not taken out; with its end below 0 it is looked up, and not counted.
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ends and tonumber(ends) > 0 then redis.call('ZADD', KEYS[1], -tonumber(ends), ARGV[1]) end
return 1
