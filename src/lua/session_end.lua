-- Session end: deletes the session, for who holds its secret, or for its user.
--
-- KEYS[1]  the session
-- ARGV     hash of the secret presented, now (epoch ms), '': the user; or '', now, user
-- Reply    1 ended, 0 nothing there to end
-- Inner    1 HMGET; 1 DEL more when it ends, and HSET and PEXPIRE when it was begun within the last minute
--
-- Atomic because an id that was replaced in between must not end what replaced it, nor one user's request another's
-- session. A save that comes later finds no session, and makes none; for the save that began it, should that be on its
-- way a second time, a mark is left (session_save.lua).
local held = redis.call('HMGET', KEYS[1], 'h', 'p', 'q', 'u', 'c')
local mine = ARGV[3] ~= '' and held[4] == ARGV[3]
if ARGV[1] ~= '' then
  mine = held[1] == ARGV[1] or held[2] == ARGV[1] and tonumber(ARGV[2]) < tonumber(held[3])
end
if not mine then return 0 end
redis.call('DEL', KEYS[1])
if tonumber(ARGV[2]) - tonumber(held[5]) < 60000 then
  redis.call('HSET', KEYS[1], 'x', '1')
  redis.call('PEXPIRE', KEYS[1], 60000)
end
return 1
