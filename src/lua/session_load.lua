-- Session load: the session, if the secret is right and neither limit of time has passed; notes that it was seen.
--
-- KEYS[1]  the session
-- ARGV     hash of the secret presented, now (epoch ms), idle limit (ms), note a visit at most every (ms)
-- Reply    {1, fields and values, seen at} valid; {0} not there or its time is over; {-1} another secret
-- Inner    1 HGETALL; 1 HSET and 1 PEXPIRE more when a visit is noted
--
-- Atomic because a visit noted after the session was destroyed would bring half of it back.
-- A script, not a plain HGETALL, so that no replica that lags behind answers.
-- Fields: h hash of the secret, c created at, a absolute end, s seen at, v version, u user; data fields begin with d.
local fields = redis.call('HGETALL', KEYS[1])
local meta = {}
for i = 1, #fields, 2 do
  if #fields[i] == 1 then meta[fields[i]] = fields[i + 1] end
end
if not meta.h then return {0} end
if meta.h ~= ARGV[1] then return {-1} end
local now, idle = tonumber(ARGV[2]), tonumber(ARGV[3])
local ends, seen = tonumber(meta.a), tonumber(meta.s)
if now >= ends or now >= seen + idle then return {0} end
-- A visit noted by a clock that is ahead stays noted, but the session must not run out meanwhile.
if now - seen >= tonumber(ARGV[4]) or seen > now then
  seen = math.max(seen, now)
  redis.call('HSET', KEYS[1], 's', string.format('%.0f', seen))
  redis.call('PEXPIRE', KEYS[1], math.min(idle, ends - now))
end
return {1, fields, seen}
