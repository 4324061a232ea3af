-- Queue settle: says of leased jobs what became of them.
--
-- KEYS     as in queue.lua; the key of this call's nonce
-- ARGV     as in queue.lua; how many dead are kept; for each job its id, its lease's token, and what: `a` it is done, `r` it is
--          to be taken again after so long (ms), `x` it is dead, of what; `e` it is leased from now for so long (ms)
-- Reply    a digit for each: 1, or 0 when the lease is another's by now, or the job is gone: then nothing is done to it
-- Inner    as in queue.lua; 1 HMGET; ZREM and HDEL, or ZADD (and HSET), once each for all of a kind; 1 SET when any ended;
--          1 GET when any is refused; 1 HGET for each that repeats; more for those that are buried
--
-- A lease that has ended and is nobody else's yet holds: what was done is done.
--
-- Atomic because who looks at a lease and then acts on it could act on another's.
-- Failure: sent again within 60 s it does nothing more, and gives what it gave.
local fields, told, settled, refused = {}, {}, false, false
for i = 3, #ARGV, 4 do fields[#fields + 1] = 's' .. ARGV[i] end
local states = redis.call('HMGET', records, unpack(fields))
for n = 1, #fields do
  local holder = string.match(states[n] or '', '^%d+:([^:]*)')
  told[n] = holder == ARGV[4 * n] and '1' or '0'
  refused = refused or told[n] == '0'
end
local before = refused and redis.call('GET', KEYS[3])
if before then return before end
for n = 1, #fields do
  local id, token, what, rest = ARGV[4 * n - 1], ARGV[4 * n], ARGV[4 * n + 1], ARGV[4 * n + 2]
  if told[n] == '1' then
    local tried = string.match(states[n], '^%d+')
    settled = settled or what ~= 'e'
    if what == 'a' then
      finish(id)
    elseif what == 'r' then
      move(id, now + tonumber(rest))
      put('s' .. id, tried .. ':')
    elseif what == 'x' then
      bury(id, tried, token, rest)
    else
      move(id, LEASED + now + tonumber(rest))
    end
  end
end
apply(tonumber(ARGV[2]))
local reply = table.concat(told)
if settled then redis.call('SET', KEYS[3], reply, 'PX', 60000) end
return reply
