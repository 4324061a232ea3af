-- Session destroy: ends the session, if the secret is right.
--
-- KEYS[1]  the session
-- ARGV     hash of the secret presented
-- Reply    1 ended, 0 nothing there to end
-- Inner    1 HGET; 1 DEL more when it ends
--
-- Atomic because an id that was replaced in between must not end what replaced it.
if redis.call('HGET', KEYS[1], 'h') == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
