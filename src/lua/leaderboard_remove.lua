-- Leaderboard remove: takes a member off each board.
--
-- KEYS     for each board its hash and its sorted set: see leaderboard_write.lua
-- ARGV     the member
-- Reply    on how many boards it was
-- Inner    for each board HGET; where the member is HDEL, ZREM and EXISTS, and DEL when it was the last
--
-- Atomic because the hash and the sorted set must name the same members; a board without any is gone whole, so that its next
-- score gives it its end anew.
-- Failure: sent again it finds nothing more to take off.
local removed = 0
for b = 1, #KEYS, 2 do
  local own = redis.call('HGET', KEYS[b], ARGV[1])
  if own then
    removed = removed + 1
    redis.call('HDEL', KEYS[b], ARGV[1])
    redis.call('ZREM', KEYS[b + 1], string.sub(own, 1, 16) .. ARGV[1])
    if redis.call('EXISTS', KEYS[b + 1]) == 0 then redis.call('DEL', KEYS[b]) end
  end
end
return removed
