-- Session save: writes the fields that changed, if nobody else changed them first; replaces the id when asked to.
--
-- KEYS[1]  the session; KEYS[2] its key from now on (only when the id is replaced)
-- ARGV     hash of the secret presented ('' creates the session), hash of the secret from now on, now (epoch ms),
--          idle limit (ms), absolute end (epoch ms, '' keeps it), user ('' keeps it),
--          then for each change: field, the version it was read at (0: it was not there), new value ('' deletes)
-- Reply    {1, version written, end if nobody comes back (epoch ms)} saved; {0, field} somebody changed this field first; {-1} the session is gone
-- Inner    HMGET (not when created), HSET, PEXPIRE; RENAME when the id is replaced; HDEL when fields are deleted
--
-- Atomic because fields are compared and then written, and because a login must move every field at once, those
-- that another request saved a moment ago included, and end the old id in the same instant.
-- A field's value is "VERSION JSON"; versions come from one counter of the session, so none is used twice.
local key, now, idle = KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local names, ends, version, seen = {}, tonumber(ARGV[5]), 1, now
for i = 7, #ARGV, 3 do names[#names + 1] = ARGV[i] end

if ARGV[1] ~= '' then
  local held = redis.call('HMGET', key, 'h', 'a', 's', 'v', unpack(names))
  if held[1] ~= ARGV[1] then return {-1} end
  if now >= tonumber(held[2]) or now >= tonumber(held[3]) + idle then return {-1} end
  for i = 1, #names do
    local value, expected = held[4 + i], ARGV[5 + 3 * i]
    local current = value and string.match(value, '^%d+') or '0'
    local deletes_nothing = not value and ARGV[6 + 3 * i] == ''
    if current ~= expected and not deletes_nothing then return {0, names[i]} end
  end
  ends = ends or tonumber(held[2])
  version = tonumber(held[4]) + 1
  -- A clock that lags must not make the session look long unseen.
  seen = math.max(now, tonumber(held[3]))
end

local writes = {'h', ARGV[2], 's', string.format('%.0f', seen), 'v', tostring(version)}
local function write(field, value)
  writes[#writes + 1] = field
  writes[#writes + 1] = value
end
if ARGV[1] == '' then write('c', ARGV[3]) end
if ARGV[5] ~= '' then write('a', ARGV[5]) end
if ARGV[6] ~= '' then write('u', ARGV[6]) end
local deletes = {}
for i = 7, #ARGV, 3 do
  if ARGV[i + 2] == '' then
    deletes[#deletes + 1] = ARGV[i]
  else
    write(ARGV[i], string.format('%d ', version) .. ARGV[i + 2])
  end
end
redis.call('HSET', key, unpack(writes))
if #deletes > 0 then redis.call('HDEL', key, unpack(deletes)) end
redis.call('PEXPIRE', key, math.min(idle, ends - now))
-- Last, because nothing may fail behind it: Redis takes nothing back.
if KEYS[2] then redis.call('RENAME', key, KEYS[2]) end
return {1, version, math.min(seen + idle, ends)}
