-- Session info: what a list of a user's sessions tells of one.
--
-- KEYS[1]  the session
-- ARGV     now (epoch ms), idle limit (ms), user, the user's generation
-- Reply    {created at, seen at, end if nobody comes back (epoch ms), info}, or {} when it is over or not this user's
-- Inner    1 HMGET
--
-- A script, not a plain HMGET, so that no replica that lags behind answers.
local held = redis.call('HMGET', KEYS[1], 'c', 's', 'a', 'u', 'g', 'i')
if not held[4] or held[4] ~= ARGV[3] or held[5] ~= ARGV[4] then return {} end
local ends = math.min(tonumber(held[3]), tonumber(held[2]) + tonumber(ARGV[2]))
if tonumber(ARGV[1]) >= ends then return {} end
return {tonumber(held[1]), tonumber(held[2]), ends, held[6]}
