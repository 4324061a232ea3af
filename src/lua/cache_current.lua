-- Cache current: whether what was fetched is still true by its tags. Stands before the scripts that store.
--
-- Inner    1 HMGET
--
-- It is not when `t` is another one than at the lookup, when one of its tags was invalidated since, or when pruning has
-- gone past the lookup's count, after which nobody knows.
local function current(epoch, counter, tags)
  local fields = {'e', 'f'}
  for n, tag in ipairs(tags) do fields[n + 2] = 'g:' .. tag end
  local found = redis.call('HMGET', KEYS[1], unpack(fields))
  if found[1] ~= epoch then return false end
  for n = 2, #fields do
    if found[n] and tonumber(found[n]) > tonumber(counter) then return false end
  end
  return true
end
