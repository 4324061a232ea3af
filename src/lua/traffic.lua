-- Traffic: adds what an isolate has seen of its requests to their hour.
--
-- KEYS[1]  hash of the hour
-- ARGV     how long it is kept (ms), then field, count, ..
-- Reply    OK
-- Inner    1 HINCRBY for each field, 1 PEXPIRE
--
-- Atomic so that no key is left without an expiry.
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.status_reply('OK')
