-- Queue enqueue: adds jobs.
--
-- KEYS     as in queue.lua; the key of this call's nonce; then for each job that has an idempotency key its key
-- ARGV     as in queue.lua; the nonce; how long idempotency keys are kept (ms); for each job its payload, `+` and after how
--          long (ms) or when (epoch ms) it may be taken, and the number of its idempotency key among KEYS, or 0
-- Reply    the id of each; where its idempotency key was there before, the id that came with it
-- Inner    as in queue.lua; 1 SET, 1 ZADD and 1 HSET; 1 SET for each idempotency key, 1 GET for each that was there
--
-- Ids are the nonce and a number, so no two calls can give the same, and a call that is repeated gives its own again.
--
-- Atomic because a job without its record, or a key without its job, would be lost.
-- Failure: sent again within 60 s it adds nothing more.
local nonce, ids = ARGV[2], {}
local fresh = redis.call('SET', KEYS[3], 1, 'PX', 60000, 'NX')
for i = 4, #ARGV, 3 do
  local id, key = nonce .. '.' .. string.format('%03d', (i - 4) / 3), KEYS[tonumber(ARGV[i + 2])]
  local held = key and not redis.call('SET', key, id, 'PX', ARGV[3], 'NX') and redis.call('GET', key)
  ids[#ids + 1] = held or id
  if fresh and not held then
    local when = ARGV[i + 1]
    if string.sub(when, 1, 1) == '+' then move(id, now + tonumber(string.sub(when, 2))) else move(id, tonumber(when)) end
    put('p' .. id, ARGV[i])
  end
end
apply(0)
return ids
