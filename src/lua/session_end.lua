-- Session end: deletes the session, for who holds its secret, or for its user.
--
-- KEYS[1]  the session
-- ARGV     hash of the secret presented, now (epoch ms), '': the user; or '', '', user
-- Reply    1 ended, 0 nothing there to end
-- Inner    1 HMGET; 1 DEL more when it ends
--
-- Atomic because an id that was replaced in between must not end what replaced it, nor one user's request another's
-- session. A save that comes later finds no session, and makes none.
local held = redis.call('HMGET', KEYS[1], 'h', 'p', 'q', 'u')
local mine = ARGV[3] ~= '' and held[4] == ARGV[3]
if ARGV[1] ~= '' then
  mine = held[1] == ARGV[1] or held[2] == ARGV[1] and tonumber(ARGV[2]) < tonumber(held[3])
end
if mine then return redis.call('DEL', KEYS[1]) end
return 0
