-- Queue dead: lists dead jobs, lets them be taken again, or deletes them.
--
-- KEYS     as in queue.lua
-- ARGV     as in queue.lua; `list`, `requeue` or `purge`; how many at most; which, by their ids, or all
-- Reply    to list, the last to die first: for each its id, since when it is dead (epoch ms), how often it was taken, of what
--          it died, and its payload; else how many they were
-- Inner    as in queue.lua; 1 ZREVRANGEBYSCORE and 1 HMGET to list; 1 ZMSCORE (1 ZRANGEBYSCORE for all), then 1 ZADD and 1 HSET to
--          requeue, or 1 ZREM and 1 HDEL to purge
--
-- Atomic because a job that is no longer dead must not be deleted.
-- Failure: the caller is told; asked again, those that were dealt with are not dead any more, and not counted.
local what, many, listed = ARGV[2], tonumber(ARGV[3]), {}
if what == 'list' then
  local ids = redis.call('ZREVRANGEBYSCORE', jobs, '+inf', int(DEAD), 'WITHSCORES', 'LIMIT', 0, many)
  if #ids == 0 then return listed end
  local fields = {}
  for i = 1, #ids, 2 do
    fields[#fields + 1] = 's' .. ids[i]
    fields[#fields + 1] = 'p' .. ids[i]
  end
  local found = redis.call('HMGET', records, unpack(fields))
  for i = 1, #ids, 2 do
    local tried, reason = string.match(found[i] or '', '^(%d+):[^:]*:(.*)$')
    for _, part in ipairs({ids[i], int(ids[i + 1] - DEAD), tried or '0', reason or '', found[i + 1] or 'null'}) do listed[#listed + 1] = part end
  end
  return listed
end
local ids = {}
if #ARGV == 3 then
  ids = redis.call('ZRANGEBYSCORE', jobs, int(DEAD), '+inf', 'LIMIT', 0, many)
else
  local scores = redis.call('ZMSCORE', jobs, unpack(ARGV, 4))
  for i = 4, #ARGV do
    if tonumber(scores[i - 3] or 0) >= DEAD then ids[#ids + 1] = ARGV[i] end
  end
end
for _, id in ipairs(ids) do
  if what == 'purge' then
    drop(id)
  else
    move(id, now)
    put('s' .. id, '0:')
  end
end
apply(0)
return #ids
