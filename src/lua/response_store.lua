-- Response store: what a handler answered, unless something newer was set, the URL deleted, or a tag of it invalidated
-- since. Behind cache_current.lua and response_variant.lua.
--
-- KEYS     `t` of the shard, the hash of the URL, its lease
-- ARGV     the nonce of the lookup, how long the answer is kept (ms), the epoch and the counter at the lookup, what the
--          variant is called without digests, the digests, the fields that the answer varies by ('-': none), how many
--          variants a URL may have, its tags ('-': none), the entry up to its tags, its payload
-- Reply    1 stored, 0 refused
-- Inner    1 GET; when this caller may store 1 DEL, 1 HMGET more, and 1 HMGET with tags; when stored 1 HSET, 1 PEXPIRE, and
--          1 PTTL with other variants, 1 HDEL for one too many, 1 DEL where the answers vary otherwise than before
--
-- Atomic because a `set`, a `delete` or an invalidation between the looks and the write must win over the late store, and
-- because two stores at once must not count one variant for two.
-- A URL's answers vary by all fields that any of them has named: one that names fewer must not be served to whom another
-- would have been selected for. When a field comes in, what stood there cannot be selected any more, and goes.
-- Variants are bounded, for who asks chooses the values: the oldest makes room.
-- Failure: a store that is lost is a miss for the next caller; the lease ends by itself.
local lease = redis.call('GET', KEYS[3])
if not lease or not string.find(lease, ARGV[1], 1, true) then
  return 0
end
redis.call('DEL', KEYS[3])
local mark, tags = ';;', {}
if ARGV[9] ~= '-' then
  for tag in string.gmatch(ARGV[9], '[^,]+') do tags[#tags + 1] = tag end
  if not current(ARGV[3], ARGV[4], tags) then return 0 end
  mark = ARGV[3] .. ';' .. ARGV[4] .. ';'
end
local found = redis.pcall('HMGET', KEYS[2], 'v', 'o')
local known, order = found[1], found[2] or ''
local names = ARGV[7] == '-' and '' or ARGV[7]
local vary = known or ''
for name in string.gmatch(names, '[^,]+') do
  if not string.find(',' .. vary .. ',', ',' .. name .. ',', 1, true) then
    vary = vary == '' and name or vary .. ',' .. name
  end
end
if select(2, string.gsub(vary, ',', '')) > 7 then
  vary = names
end
if found.err or (known and known ~= vary) then
  redis.call('DEL', KEYS[2])
  order = ''
end
local field, fields = variant(ARGV[5], vary, ARGV[6]), {}
for other in string.gmatch(order, '%S+') do
  if other ~= field then fields[#fields + 1] = other end
end
if #fields >= tonumber(ARGV[8]) then
  redis.call('HDEL', KEYS[2], table.remove(fields, 1))
end
fields[#fields + 1] = field
redis.call('HSET', KEYS[2], 'v', vary, 'o', table.concat(fields, ' '), field, ARGV[10] .. mark .. ARGV[11])
local kept = tonumber(ARGV[2])
if #fields > 1 then
  kept = math.max(kept, redis.call('PTTL', KEYS[2]))
end
redis.call('PEXPIRE', KEYS[2], kept)
return 1
