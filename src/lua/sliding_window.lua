-- Sliding window: admits a check when the costs admitted within the last window leave room for it.
--
-- KEYS[1]  the log of one identifier under one limit
-- ARGV     now (epoch ms, the caller's clock), window (ms), limit, cost (0 looks only)
-- Reply    {1 or 0 allowed, remaining, retry after (ms, 0 when allowed), reset at (epoch ms)}
-- Inner    1 GET; 1 SET more when it admits
--
-- Atomic because a check reads what it then writes: two at once must not both take the last place.
--
-- The log: 4 bytes, the running total in front of the first pair; then pairs of 10 bytes, oldest first:
-- 6 bytes when (epoch ms), 4 bytes the running total behind the pair (totals wrap at 2^32, their differences do not).
-- Running totals make every question a binary search, so a check costs the same whatever the limit.
-- A pair holds one millisecond while the limit is at most 128, so the window is exact. Above, it holds one of 128
-- equal buckets of the window and its newest stamp: nothing leaves the window too early, and at most 1/128 of it
-- too late. Stamps are whole, so a check with another limit reads an old log as it is.
--
-- The log outlives the window by 5 s, for an answer's way is not always equally long: a check stamped inside the
-- window may arrive after it. Expiry is relative, so a clock that is years off locks nobody out for years.
local byte, char, floor = string.byte, string.char, math.floor
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local limit, cost = tonumber(ARGV[3]), tonumber(ARGV[4])
local keep_ms = window + 5000
local log = redis.call('GET', KEYS[1]) or '\0\0\0\0'
local held = (#log - 4) / 10

-- The running total behind pair i, 1 being the oldest; pair 0 is what came before.
local function total(i)
  local a, b, c, d = byte(log, 10 * i + 1, 10 * i + 4)
  return ((a * 256 + b) * 256 + c) * 256 + d
end
local function stamp(i)
  local a, b, c, d, e, f = byte(log, 10 * i - 5, 10 * i)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end
-- The first pair of low..high for which `holds`, high + 1 if none; once it holds it goes on holding.
local function first(low, high, holds)
  while low <= high do
    local middle = floor((low + high) / 2)
    if holds(middle) then high = middle - 1 else low = middle + 1 end
  end
  return low
end
local function bytes6(n)
  local high, low = floor(n / 4294967296), n % 4294967296
  return char(floor(high / 256), high % 256, floor(low / 16777216), floor(low / 65536) % 256,
    floor(low / 256) % 256, low % 256)
end
local function bytes4(n)
  return char(floor(n / 16777216), floor(n / 65536) % 256, floor(n / 256) % 256, n % 256)
end

-- Never later than the log itself lives.
local function at_most(ms) return ms < keep_ms and ms or keep_ms end

-- Time never runs backwards against the newest pair, whoever's clock wrote it.
local newest = held > 0 and stamp(held) or 0
local at = now > newest and now or newest
local live = first(1, held, function(i) return stamp(i) > at - window end)
local before = total(live - 1)
local last = total(held)
local used = (last - before) % 4294967296

local remaining = limit > used and limit - used or 0
if cost == 0 then
  return {1, remaining, 0, used > 0 and now + at_most(newest + window - now) or now}
end
if used + cost > limit then
  -- The earliest pair whose end frees enough.
  local need = used + cost - limit
  local frees = first(live, held, function(i) return (total(i) - before) % 4294967296 >= need end)
  return {0, remaining, at_most(stamp(frees) + window - now), now + at_most(newest + window - now)}
end

local function bucket(ms) return floor(ms * 128 / window) end
local kept = held
if held >= live and (newest == at or (limit > 128 and bucket(newest) == bucket(at))) then
  kept = held - 1
end
redis.call('SET', KEYS[1],
  string.sub(log, 10 * live - 9, 10 * kept + 4) .. bytes6(at) .. bytes4((last + cost) % 4294967296),
  'PX', keep_ms)
return {1, remaining - cost, 0, now + at_most(at + window - now)}
