-- Queue counts: how many jobs there are of each kind.
--
-- KEYS     as in queue.lua
-- ARGV     as in queue.lua
-- Reply    ready (those whose lease has ended among them), delayed, leased, dead, and for how long the oldest has been ready (ms)
-- Inner    as in queue.lua; 5 ZCOUNTs; 1 ZRANGEBYSCORE where any waits, 1 where the lease of any has ended
--
-- Atomic so that each job is counted once.
-- Failure: the caller is told.
local function count(from, to) return redis.call('ZCOUNT', jobs, from, to) end
local waiting, ended = count('-inf', int(now)), count(int(LEASED), int(LEASED + now))
local age = 0
for _, one in ipairs({{waiting, '-inf', 0}, {ended, int(LEASED), LEASED}}) do
  if one[1] > 0 then
    local oldest = redis.call('ZRANGEBYSCORE', jobs, one[2], '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    age = math.max(age, now + one[3] - oldest[2])
  end
end
local delayed, leased = count('(' .. int(now), '(' .. int(LEASED)), count('(' .. int(LEASED + now), '(' .. int(DEAD))
return {waiting + ended, delayed, leased, count(int(DEAD), '+inf'), age}
