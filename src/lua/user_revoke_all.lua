-- User revoke all: ends every session of the user by a new generation.
--
-- KEYS[1]  the generation; KEYS[2]  the index
-- ARGV     the generation of the session to spare ('' spares none), a generation for when that is still the user's,
--          one for when it is not, the session to spare, now (epoch ms)
-- Reply    how many it ended of those that the index knows and that are not past their absolute end
-- Inner    GET, ZCOUNT, ZSCORE when it spares, SET, DEL; PTTL, ZADD and PEXPIRE more when it spares. 1 when there is
--          no record: then no session of this user is valid
--
-- Atomic because a login beside it is either ended with the others, or has the new generation.
-- The session to spare gets the first of the two in the same request (session_keep.lua); where another revocation came
-- first, the second becomes the user's, and so it is not spared: nobody survives a revocation by starting another.
local held = redis.call('GET', KEYS[1])
if not held then return 0 end
local generation = string.sub(held, 1, 22)
-- A repetition, the answer lost.
if generation == ARGV[2] or generation == ARGV[3] then return tonumber(string.sub(held, 23)) end
local spares = generation == ARGV[1]
local count = redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[5], '+inf')
local ends = spares and redis.call('ZSCORE', KEYS[2], ARGV[4])
if ends and tonumber(ends) > 0 then count = count - 1 end
redis.call('SET', KEYS[1], (spares and ARGV[2] or ARGV[3]) .. string.format('%d', count), 'KEEPTTL')
redis.call('DEL', KEYS[2])
if ends then
  redis.call('ZADD', KEYS[2], ends, ARGV[4])
  redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1]))
end
return count
