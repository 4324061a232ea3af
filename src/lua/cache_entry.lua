-- Cache entry: how the cache's scripts read an entry and judge it by its tags. Stands before each of them.
--
-- KEYS[1] is the hash `t` of the shard: `e` its epoch, drawn when it was made; `c` a counter of invalidations; `f` a
-- floor; `g:TAG` and `s:TAG` the count at which a tag was last invalidated, or expired.
-- Inner    1 HMGET for an entry with tags, none for others; 1 DEL for a corrupt one
--
-- judged() gives what an entry is worth by its tags (0 all, 1 it is stale, 2 nothing), until when it is fresh and what
-- fetching it cost. Without its `t`, or below the floor that pruning raised, nobody knows
-- whether a tag of it was invalidated, so it is worth nothing.
local function judged(key, entry)
  if not entry then
    return 2, 0, 0
  end
  if not string.find(entry, '^ue%d+;') then
    return 0, math.huge, 0
  end
  local written, fresh, cost, tags, epoch, counter =
    string.match(entry, '^ue1;%a;(%d+);(%d+);%d+;%d+;(%d+);([^;]*);([^;]*);(%d*);')
  if not written then
    if string.find(entry, '^ue1;') then redis.call('DEL', key) end
    return 2, 0, 0
  end
  local worth = 0
  if tags ~= '' then
    local fields = {'e', 'f'}
    for tag in string.gmatch(tags, '[^,]+') do
      fields[#fields + 1] = 'g:' .. tag
      fields[#fields + 1] = 's:' .. tag
    end
    -- Nobody writes an entry of so many, and of a few thousand HMGET could not be called.
    if #fields > 130 then
      redis.call('DEL', key)
      return 2, 0, 0
    end
    local found = redis.call('HMGET', KEYS[1], unpack(fields))
    local count = tonumber(counter) or -1
    local since = function(at) return found[at] and tonumber(found[at]) > count end
    if found[1] ~= epoch or since(2) then worth = 2 end
    for at = 3, #fields do
      if since(at) then worth = math.max(worth, at % 2 == 1 and 2 or 1) end
    end
  end
  return worth, tonumber(fresh), tonumber(cost)
end
