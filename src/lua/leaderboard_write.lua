-- Leaderboard write: sets a member's score on each board, or adds to it.
--
-- KEYS     for each board its hash, member -> token and score, and '' -> the last token drawn; and its sorted set, token and
--          member by score; behind them, to add, the key of this call's nonce
-- ARGV     how: set, best (a lesser score than its own leaves a member's as it is) or by (adds); the number; the member; for
--          each board when it is deleted (epoch ms, 0 never)
-- Reply    the member's score on each board; nil when a sum would pass 2^53 - 1 either way: then nothing is written
-- Inner    for each board HMGET; when the score changes HSET and ZADD; ZREM when the member had another; twice PEXPIREAT for
--          the first score of a board that ends; 1 SET to add, 1 EXISTS to refuse
--
-- Tokens have 16 digits and count down: a sorted set read from the highest down gives equal scores by the greater token, which
-- was drawn first. A score that does not change keeps its token, and any change draws another.
--
-- Atomic because the hash and the sorted set must name the same token, on all boards or on none.
-- Failure: who sets again sets the same; what was added is not added again, for the nonce is there.
local how, number, member = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local boards, found, scores, stands, over = #ARGV - 3, {}, {}, {}, false
for b = 1, boards do
  found[b] = redis.call('HMGET', KEYS[2 * b - 1], member, '')
  local own = found[b][1]
  local score, before = number, own and tonumber(string.sub(own, 17))
  if before and how == 'by' then score = before + number end
  if before and how == 'best' and before > number then score = before end
  over = over or score > 9007199254740991 or score < -9007199254740991
  -- Zero alone, for its negative is written otherwise.
  scores[b] = string.format('%.17g', score + 0)
  stands[b] = before == score
  found[b][3] = own and string.format('%.17g', before)
end
-- What was added the first time may leave no room for a second.
if over and redis.call('EXISTS', KEYS[2 * boards + 1]) == 0 then return false end
if how == 'by' and not redis.call('SET', KEYS[2 * boards + 1], 1, 'PX', 60000, 'NX') then
  local now = {}
  for b = 1, boards do now[b] = found[b][3] or '0' end
  return now
end
for b = 1, boards do
  if not stands[b] then
    local hash, set, own = KEYS[2 * b - 1], KEYS[2 * b], found[b][1]
    local token = string.format('%.0f', (tonumber(found[b][2]) or 9007199254740992) - 1)
    redis.call('HSET', hash, member, token .. scores[b], '', token)
    redis.call('ZADD', set, scores[b], token .. member)
    -- Behind the other, for a sorted set that is empty in between loses its end.
    if own then redis.call('ZREM', set, string.sub(own, 1, 16) .. member) end
    if not found[b][2] and ARGV[b + 3] ~= '0' then
      redis.call('PEXPIREAT', hash, ARGV[b + 3])
      redis.call('PEXPIREAT', set, ARGV[b + 3])
    end
  end
end
return scores
