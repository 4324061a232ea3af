-- Cache heads: what stands under some keys, without the values. Behind cache_entry.lua.
--
-- KEYS     `t` of the shard, then the entries
-- Reply    for each entry an array: how long Redis keeps it (ms; -1 for ever, -2 it is gone), then for what stands there,
--          each variant of an answer by itself, its head ('' when another client wrote it), its length in bytes, and what
--          its tags make of it (0 all, 1 stale, 2 nothing)
-- Inner    1 PTTL and 1 TYPE for each; of a string 1 GETRANGE and 1 STRLEN, of a hash 1 HGET and 1 for each variant; 1
--          HMGET more where there are tags
--
-- Atomic because an entry and its tags' counts, read one after the other, could pass each other.
-- What judged() is shown is longer than any head that this project writes.
-- Failure: it changes nothing, but that a corrupt entry goes, as by any read.
local longest = 32768
local reply = {}
for n = 2, #KEYS do
  local key = KEYS[n]
  local one, kind = {redis.call('PTTL', key)}, redis.call('TYPE', key).ok
  local add = function(entry, length)
    one[#one + 1] = string.match(entry, '^ue1;%a;[%d;]+[^;]*;[^;]*;%d*;') or ''
    one[#one + 1] = length
    one[#one + 1] = (judged(key, entry))
  end
  if kind == 'string' then
    add(redis.call('GETRANGE', key, 0, longest - 1), redis.call('STRLEN', key))
  elseif kind == 'hash' then
    for field in string.gmatch(redis.call('HGET', key, 'o') or '', '%S+') do
      local entry = redis.call('HGET', key, field)
      if entry then add(string.sub(entry, 1, longest), #entry) end
    end
  end
  reply[n - 1] = one
end
return reply
