-- Cache tags: invalidates or expires every entry that carries one of some tags, whatever their number.
--
-- KEYS     `t` of the shard
-- ARGV     g to invalidate or s to expire, an epoch for a new `t`, how many tags `t` may hold, then the tags
-- Reply    the count of this invalidation
-- Inner    4: HSETNX, HINCRBY, HSET, HLEN; when `t` holds too many, 1 HGETALL, 1 HSET and some HDELs more
--
-- Atomic because two invalidations at once must not share a count, and an entry must not be judged in between.
-- Pruning drops the half that was invalidated longest ago and raises the floor past it: of entries older than that
-- nobody knows any more whether they were hit, so they are misses.
-- Failure: the caller is told; sent again it invalidates once more.
redis.call('HSETNX', KEYS[1], 'e', ARGV[2])
local count = redis.call('HINCRBY', KEYS[1], 'c', 1)
local fields = {}
for n = 4, #ARGV do
  fields[#fields + 1] = ARGV[1] .. ':' .. ARGV[n]
  fields[#fields + 1] = count
end
redis.call('HSET', KEYS[1], unpack(fields))
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) + 3 then
  local all, tags = redis.call('HGETALL', KEYS[1]), {}
  for n = 1, #all, 2 do
    if string.find(all[n], ':') then
      tags[#tags + 1] = {all[n], tonumber(all[n + 1])}
    end
  end
  table.sort(tags, function(a, b) return a[2] < b[2] end)
  local half = math.floor(#tags / 2)
  redis.call('HSET', KEYS[1], 'f', tags[half][2])
  for first = 1, half, 1000 do
    local drop = {}
    for n = first, math.min(half, first + 999) do drop[#drop + 1] = tags[n][1] end
    redis.call('HDEL', KEYS[1], unpack(drop))
  end
end
return count
