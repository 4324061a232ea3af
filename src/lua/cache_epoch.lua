-- Cache epoch: which `t` a tagged entry belongs to, and how many invalidations it has seen.
--
-- Inner    1 HMGET; 1 HSET more when there is no `t` yet, with `fresh` (random) as its epoch
local function epoch(fresh)
  local found = redis.call('HMGET', KEYS[1], 'e', 'c')
  if found[1] then
    return found[1], found[2]
  end
  redis.call('HSET', KEYS[1], 'e', fresh, 'c', 0)
  return fresh, '0'
end
