-- What the scripts of a queue share; it stands in front of each.
--
-- KEYS[1]  the jobs, a sorted set: id by where it stands. Below 10^15 it waits until then (epoch ms); from 10^15 on it is leased
--          until what is beyond; from 2 * 10^15 on it is dead since what is beyond
-- KEYS[2]  their records, a hash: `p` and the id its payload, `s` and the id how often it was taken, by which lease, and of what
--          it died (`2:token:reason`), `e` and the id how often it repeats (ms)
-- ARGV[1]  now by the caller (epoch ms), for servers that refuse TIME
-- Inner    1 TIME, by which every lease begins and ends: the clocks of those who take do not matter
--
-- The id of a job that repeats begins with `*`, which no other's does.
local LEASED, DEAD = 1e15, 2e15
local jobs, records = KEYS[1], KEYS[2]
local time, now = redis.pcall('TIME'), tonumber(ARGV[1])
if not time.err then now = time[1] * 1000 + math.floor(time[2] / 1000) end

local function int(number) return string.format('%.0f', number) end

-- What is to be written, in one command of each kind.
local moved, written, dropped, erased, buried = {}, {}, {}, {}, false
local function move(id, to)
  moved[#moved + 1] = int(to)
  moved[#moved + 1] = id
end
local function put(field, value)
  written[#written + 1] = field
  written[#written + 1] = value
end
local function drop(id)
  dropped[#dropped + 1] = id
  erased[#erased + 1] = 'p' .. id
  erased[#erased + 1] = 's' .. id
end

local function apply(limit)
  if #moved > 0 then redis.call('ZADD', jobs, unpack(moved)) end
  if #written > 0 then redis.call('HSET', records, unpack(written)) end
  if buried then
    local over = redis.call('ZCOUNT', jobs, int(DEAD), '+inf') - limit
    if over > 0 then
      -- The longest dead first.
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', jobs, int(DEAD), '+inf', 'LIMIT', 0, math.min(over, 1000))) do drop(id) end
    end
  end
  if #dropped > 0 then
    redis.call('ZREM', jobs, unpack(dropped))
    redis.call('HDEL', records, unpack(erased))
  end
end
