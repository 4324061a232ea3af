-- Limiter statistics: adds what an isolate has counted to its hour.
--
-- KEYS[1]  hash of the hour: a allowed, r refused; KEYS[2] sorted set of the hour: refused identifiers by count
-- ARGV     allowed, refused, how long they are kept (ms), how many identifiers are kept, then identifier, count, ..
-- Reply    OK
-- Inner    2 HINCRBY, 1 PEXPIRE; with identifiers a ZINCRBY for each, 1 ZREMRANGEBYRANK and 1 PEXPIRE more
--
-- Atomic so that no key is left without an expiry.
redis.call('HINCRBY', KEYS[1], 'a', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'r', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if #ARGV > 4 then
  for i = 5, #ARGV, 2 do redis.call('ZINCRBY', KEYS[2], ARGV[i + 1], ARGV[i]) end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[4])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return redis.status_reply('OK')
