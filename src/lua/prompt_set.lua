-- Prompt set: puts an answer in the place of what stands there, not yet served.
--
-- KEYS[1]  the answer: see prompt_get.lua
-- ARGV     how long it is kept (ms), the tokens it took, now (epoch ms), its JSON
-- Reply    1
-- Inner    2: HSET, PEXPIRE
--
-- Atomic so that no answer is left without an expiry.
-- Failure: the caller is told; sent again it sets the same once more.
redis.call('HSET', KEYS[1], 'd', ARGV[4], 't', ARGV[2], 'c', ARGV[3], 'h', 0)
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
