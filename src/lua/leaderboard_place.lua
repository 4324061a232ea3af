-- Leaderboard place: where a member stands, and who stands around it.
--
-- KEYS     a board's hash and its sorted set: see leaderboard_write.lua
-- ARGV     the member; how many to each side, or nothing
-- Reply    nil when it is not on the board; how many stand before it; with neighbours {how many stand before the first of
--          them, {token and member, score, ..}}
-- Inner    2: HGET, ZREVRANK; with neighbours ZREVRANGE more
--
-- Atomic because the member's token and its neighbours must be of one moment.
local own = redis.call('HGET', KEYS[1], ARGV[1])
if not own then return false end
local before = redis.call('ZREVRANK', KEYS[2], string.sub(own, 1, 16) .. ARGV[1])
local n = tonumber(ARGV[2])
if not before or not n then return before end
local first = math.max(before - n, 0)
return {first, redis.call('ZREVRANGE', KEYS[2], first, before + n, 'WITHSCORES')}
