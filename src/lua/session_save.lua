-- Session save: writes the fields that changed, if nobody else changed them first; replaces the secret when asked to.
--
-- KEYS[1]  the session; KEYS[2] its key from now on (only when a login replaces it)
-- ARGV      1 hash of the secret presented ('' creates the session)
--           2 hash of the secret from now on ('' keeps it)
--           3 now (epoch ms)   4 idle limit (ms)   5 absolute end (epoch ms; '' keeps it)
--           6 until when the old secret still opens the session (epoch ms; '' ends it at once)
--           7 user ('' keeps it), and with one   8 the user's generation   9 info   10 '1': persistent
--          11 nonce of this save   12 version as loaded; of a create, how often its caller tried before   13 '1': clears
--          then for each change: field, the token it was read with ('' it was not there, '*' whatever it is),
--          new JSON ('' deletes)
-- Reply    {1, token of what was written, end if nobody comes back (epoch ms), 1 if the new secret holds} saved;
--          {0, field, its value or '', ..} somebody changed these first; {-1} the session is over, or its id was replaced
-- Inner    HMGET (HGETALL when it clears), HSET, PEXPIRE; HDEL when fields are deleted; RENAME when a login replaces the
--          session, and HSET and PEXPIRE more when that was begun within the last minute; DEL when a create failed before
--
-- Atomic because fields are compared and then written, and because a login must move what another request saved a
-- moment ago and end the old id in the same instant.
-- A create that was sent twice can arrive twice, the second time when others have saved since, or ended the session: it
-- writes only where nothing is. So what was begun within the last minute leaves a mark ('x') where it was (session_end.lua, too).
-- A token is VERSION.NONCE: versions count the saves of the session, and the nonce tells a save that is repeated, its
-- answer lost, from another one.
local key, now, idle, nonce = KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[11]
local creates, clears = ARGV[1] == '', ARGV[13] == '1'
local loaded, ends = tonumber(ARGV[12]), tonumber(ARGV[5])
local held, sets, version, seen, old = {}, {}, 1, now, false
local function token(value) return value and string.match(value, '^%S+') or '' end

if creates then
  local there = redis.call('HMGET', key, 'h', 'v', 's', 'a', 'x')
  if there[5] or there[1] and there[1] ~= ARGV[2] then return {-1} end
  version = loaded + 1
  if there[1] then
    -- It was done before, its answer lost; or a later attempt of its caller was.
    if version <= tonumber(there[2]) then
      local reach = math.min(tonumber(there[3]) + idle, tonumber(there[4]))
      return {1, string.format('%d', version) .. '.' .. nonce, reach, 1}
    end
    -- Its caller was told of a failure, and may have changed it since.
    redis.call('DEL', key)
  end
else
  if clears then
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do held[all[i]] = all[i + 1] end
  else
    local names = {'h', 'p', 'q', 'c', 'a', 's', 'v', 'z'}
    for i = 14, #ARGV, 3 do names[#names + 1] = ARGV[i] end
    local values = redis.call('HMGET', key, unpack(names))
    for i = 1, #names do held[names[i]] = values[i] or nil end
  end
  if not held.h and KEYS[2] then
    -- This very login moved it: it is repeated, its answer lost.
    local moved = redis.call('HMGET', KEYS[2], 'h', 'v', 's', 'a')
    if moved[1] ~= ARGV[2] then return {-1} end
    return {1, moved[2] .. '.' .. nonce, math.min(tonumber(moved[3]) + idle, tonumber(moved[4])), 1}
  end
  if not held.h then return {-1} end
  local reach = math.min(tonumber(held.s) + idle, tonumber(held.a))
  -- This very save replaced the secret: it is repeated, its answer lost.
  local again = held.h == ARGV[2]
  if not again then
    old = held.h ~= ARGV[1]
    if old and (held.p ~= ARGV[1] or now >= tonumber(held.q)) then return {-1} end
    -- Who still comes with the old id never gets the new one, and logs nobody in under it.
    if now >= reach or old and ARGV[7] ~= '' then return {-1} end
  end
  local clash = {0}
  local function report(name)
    clash[#clash + 1] = name
    clash[#clash + 1] = held[name] or ''
  end
  local named = {}
  for i = 14, #ARGV, 3 do
    local name, expected, deletes = ARGV[i], ARGV[i + 1], ARGV[i + 2] == ''
    local current = token(held[name])
    if string.match(current, '%.(.*)$') == nonce then return {1, current, reach, again and 1 or 0} end
    -- What another request cleared must not come back half: nothing is set by who loaded it before.
    local cleared = not deletes and loaded < tonumber(held.z or 0)
    if expected ~= '*' and (current ~= expected and not (deletes and current == '') or cleared) then report(name) end
    named[name] = true
  end
  if again then return {1, held.v .. '.' .. nonce, reach, 1} end
  if clears then
    for name, value in pairs(held) do
      local unseen = string.match(name, '^[df]') and tonumber(string.match(value, '^%d+')) > loaded
      if unseen and not named[name] then report(name) end
    end
  end
  if #clash > 1 then return clash end
  ends = ends or tonumber(held.a)
  version = tonumber(held.v) + 1
  -- A clock that lags must not make the session look long unseen.
  seen = math.max(now, tonumber(held.s))
end

local written = string.format('%d', version) .. '.' .. nonce
local writes, deletes = {'s', string.format('%.0f', seen), 'v', string.format('%d', version)}, {}
local function write(field, value)
  writes[#writes + 1] = field
  writes[#writes + 1] = value
end
local replaces = ARGV[2] ~= '' and not old
if replaces then
  write('h', ARGV[2])
  if ARGV[6] ~= '' then
    write('p', ARGV[1])
    write('q', ARGV[6])
  elseif held.p then
    deletes = {'p', 'q'}
  end
end
if creates then write('c', ARGV[3]) end
if ARGV[5] ~= '' then write('a', ARGV[5]) end
if ARGV[7] ~= '' then
  write('u', ARGV[7])
  write('g', ARGV[8])
  write('i', ARGV[9])
  write('m', ARGV[10])
end
for i = 14, #ARGV, 3 do
  if ARGV[i + 2] ~= '' then
    write(ARGV[i], written .. ' ' .. ARGV[i + 2])
    sets[ARGV[i]] = true
  elseif not clears then
    deletes[#deletes + 1] = ARGV[i]
  end
end
if clears then
  write('z', string.format('%d', version))
  for name in pairs(held) do
    if string.match(name, '^[df]') and not sets[name] then deletes[#deletes + 1] = name end
  end
end
redis.call('HSET', key, unpack(writes))
if #deletes > 0 then redis.call('HDEL', key, unpack(deletes)) end
redis.call('PEXPIRE', key, math.min(idle, ends - now) + 60000)
if KEYS[2] then
  -- Behind the writes, for Redis takes nothing back; should the mark fail, this login is repeated, and finds itself moved.
  redis.call('RENAME', key, KEYS[2])
  if now - tonumber(held.c) < 60000 then
    redis.call('HSET', key, 'x', '1')
    redis.call('PEXPIRE', key, 60000)
  end
end
return {1, written, math.min(seen + idle, ends), replaces and 1 or 0}
