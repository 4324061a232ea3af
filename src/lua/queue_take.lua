-- Queue take: leases jobs: first those whose lease has ended, then those that wait no longer, the longest first.
--
-- KEYS     as in queue.lua; the key of this call's token
-- ARGV     as in queue.lua; how many at most; for how long (ms); how often a job is taken at most; how many dead are kept;
--          the token, a nonce
-- Reply    until when they are leased (epoch ms), then for each its id, how often it was taken, this time included, and its payload
-- Inner    as in queue.lua; 1 SET and 2 ZRANGEBYSCOREs (1 when the first fill it); where there is any 1 HMGET, 1 ZADD, 1 HSET;
--          more for those that are buried: they were taken for the last time, and their lease has ended
--
-- Atomic because no two may take one job.
-- Failure: sent again within 60 s it gives what it gave, as far as that is leased still, in any order.
local many, span, tries, limit, token = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local first = redis.call('SET', KEYS[3], int(now), 'PX', 60000, 'NX')
local ends = LEASED + (first and now or redis.call('GET', KEYS[3])) + span
local ids
if first then
  ids = redis.call('ZRANGEBYSCORE', jobs, int(LEASED), int(LEASED + now), 'LIMIT', 0, many)
  if #ids < many then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', jobs, '-inf', int(now), 'LIMIT', 0, many - #ids)) do ids[#ids + 1] = id end
  end
else
  ids = redis.call('ZRANGEBYSCORE', jobs, int(ends), int(ends))
end
local taken = {int(ends - LEASED)}
if #ids == 0 then return taken end
local fields = {}
for _, id in ipairs(ids) do
  fields[#fields + 1] = 's' .. id
  fields[#fields + 1] = 'p' .. id
end
local found = redis.call('HMGET', records, unpack(fields))
for i, id in ipairs(ids) do
  local payload = found[2 * i]
  local tried, holder = string.match(found[2 * i - 1] or '0:', '^(%d+):([^:]*)')
  if not payload then
    drop(id)
  elseif first and tonumber(tried) >= tries then
    bury(id, tried, holder, 'its lease ended')
  elseif first or holder == token then
    if first then
      tried = int(tried + 1)
      move(id, ends)
      put('s' .. id, tried .. ':' .. token)
    end
    taken[#taken + 1] = id
    taken[#taken + 1] = tried
    taken[#taken + 1] = payload
  end
end
apply(limit)
return taken
