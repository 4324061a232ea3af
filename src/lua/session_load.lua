-- Session load: the session, if the secret is right and neither limit of time has passed; notes that it was seen.
--
-- KEYS[1]  the session
-- ARGV     hash of the secret presented, now (epoch ms), idle limit (ms), note a visit at most every (ms)
-- Reply    {1, fields and values, seen at, 1 if the secret is the one before the last rotation} valid; {0} none to be had
-- Inner    1 HGETALL; 1 HSET and 1 PEXPIRE more when a visit is noted
--
-- Atomic because a visit noted after the session was destroyed would bring half of it back.
-- The key outlives its session by a minute: the limits are held here, by one clock, and not by when Redis forgets.
-- A script, not a plain HGETALL, so that no replica that lags behind answers. Hashes of 256 random bits are compared:
-- how long that takes tells nothing of the secret.
-- Fields: h hash of the secret, p the one before and q until when it opens, c created at, a absolute end, s seen at,
-- v version, z version of the last clear, u user, g the user's generation, i info, m persistent; x alone: one was here;
-- data begins with d, flashed data with f: its value is its token, a space, JSON.
local fields = redis.call('HGETALL', KEYS[1])
local meta = {}
for i = 1, #fields, 2 do
  if #fields[i] == 1 then meta[fields[i]] = fields[i + 1] end
end
local now, idle = tonumber(ARGV[2]), tonumber(ARGV[3])
local old = meta.h ~= ARGV[1]
if old and (meta.p ~= ARGV[1] or now >= tonumber(meta.q)) then return {0} end
local ends, seen = tonumber(meta.a), tonumber(meta.s)
if now >= ends or now >= seen + idle then return {0} end
-- A visit noted by a clock that is ahead stays noted, but the session must not run out meanwhile.
if now - seen >= tonumber(ARGV[4]) or seen > now then
  seen = math.max(seen, now)
  redis.call('HSET', KEYS[1], 's', string.format('%.0f', seen))
  redis.call('PEXPIRE', KEYS[1], math.min(idle, ends - now) + 60000)
end
return {1, fields, seen, old and 1 or 0}
