-- Rate limits: admits a check when every limit leaves room for its cost, and then counts it in all of them.
--
-- KEYS     one, which holds the states of all limits, one behind the other; or one for each limit
-- ARGV     now (epoch ms, the caller's clock; behind an 's' when Redis is to be asked for the time), cost (0 looks only,
--          a negative one gives back); then for each limit: the limit, its window (ms), 's' for a sliding window, 'f'
--          for a fixed one or what a token bucket refills a window, and how long its key is kept (ms)
-- Reply    {now by Redis (0 not asked, -1 refused), then for each limit: left before, retry after (0 it passes), full
--          again after if the cost is not taken, and if it is (all ms from now)}
-- Inner    1 GET (MGET for several keys); 1 SET for each key when it admits or gives back; 1 TIME when asked
--
-- Atomic because a check reads what it then writes: two at once must not both take the last place, and what one limit
-- refuses no other may count.
--
-- Numbers are written lowest byte first. What a check takes is mostly the bytes it moves, so they are few; it stands in
-- one piece, for each function made and each string joined on the way is time too.
-- Sliding window: 2 bytes how many pairs (12 bits) and how wide a total is (4 bits), 6 bytes the newest stamp, the
-- running total in front of the pairs; then the pairs, oldest first: the low bytes of when, as many as tell the moments
-- of one window apart, and the running total behind. Totals wrap, their differences don't. With running totals
-- nothing is added up, and the ends answer nearly every question, so a check costs the same whatever the limit.
-- A pair holds one millisecond while the limit is at most 128, so the window is exact. Above, it holds one of 128 equal
-- buckets of the window and its newest stamp: nothing leaves the window too early, and at most 1/128 of it too late.
-- Stamps and totals don't depend on the limit, so another one reads them as they are.
-- Fixed window: 6 bytes its start, 4 bytes what was taken.
-- Token bucket: 6 bytes when, 7 bytes what was missing then, in parts of a token, as many as a window has milliseconds:
-- so each millisecond brings a whole number of them.
--
-- A value outlives its windows by 5 s, for an answer's way is not always equally long: a check stamped inside the
-- window may arrive after it. Expiry is relative, so a clock that is years off locks nobody out for years.
local byte, char, floor, sub, tonumber = string.byte, string.char, math.floor, string.sub, tonumber
local KEYS, ARGV = KEYS, ARGV
local now, cost, clock = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
if not now then
  local time = redis.pcall('TIME')
  now, clock = tonumber(sub(ARGV[1], 2)), -1
  if not time.err then
    now = time[1] * 1000 + floor(time[2] / 1000)
    clock = now
  end
end

local function int(text, from, width)
  local a, b, c, d, e, f, g = byte(text, from, from + width - 1)
  if width > 2 then
    a = a + c * 65536 + (d or 0) * 16777216 + (e or 0) * 4294967296 + (f or 0) * 1099511627776
      + (g or 0) * 281474976710656
  end
  return b and a + b * 256 or a
end
local function bytes(n, width)
  local a, b = n % 256, n % 65536
  if width == 1 then return char(a) end
  if width == 2 then return char(a, (b - a) / 256) end
  local c, d = n % 16777216, n % 4294967296
  local h = (n - d) / 4294967296
  local e, f = h % 256, h % 65536
  return sub(char(a, (b - a) / 256, (c - b) / 65536, (d - c) / 16777216, e, (f - e) / 256, (h - f) / 65536), 1, width)
end
-- The first pair of low..high whose number, one of `width` bytes that `from` counts up to, is at most `most` below `top`,
-- as those of all behind it are; that of `high` is. In doubling steps first, for it is mostly among the next.
local function first(low, high, text, from, pair, width, top, most)
  local step, wrap = low, 256 ^ width
  while step < high and (top - int(text, from + step * pair, width)) % wrap > most do
    low, step = step + 1, step * 2
  end
  if step < high then high = step end
  while low < high do
    local middle = floor((low + high) / 2)
    if (top - int(text, from + middle * pair, width)) % wrap > most then low = middle + 1 else high = middle end
  end
  return low
end

local one = #KEYS == 1
local values = one and {redis.call('GET', KEYS[1])} or redis.call('MGET', unpack(KEYS))
local fits, behind, reply, value, p = true, 0
for i = 1, (#ARGV - 2) / 4 do
  local limit, window, kind = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i]), ARGV[4 * i + 1]
  local left, retry, ends, spent, state = limit, 0, 0, 0, ''
  if one and i > 1 then p = behind else value, p = values[i], 0 end
  if kind == 's' then
    local s = window <= 65536 and 2 or window <= 16777216 and 3 or window <= 4294967296 and 4 or 5
    local w = limit < 256 and 1 or limit < 65536 and 2 or limit < 16777216 and 3 or 4
    local text, from, held, newest, total, before, live = value, p + 9, 0, 0, 0, 0, 1
    local pair, edge = s + w, now - window
    if value then
      local a, b, c, d, e, f, g, h = byte(value, p + 1, p + 8)
      local low = b % 16
      local stored = (b - low) / 16
      held = low * 256 + a
      newest = c + d * 256 + e * 65536 + f * 16777216 + g * 4294967296 + h * 1099511627776
      behind = p + 8 + stored + held * (s + stored)
      if stored >= w then
        w, pair = stored, s + stored
      else
        -- The limit has grown past what the totals were made for.
        local start = int(text, from, stored)
        text = bytes(0, w)
        for at = from + stored, behind, s + stored do
          text = text .. sub(value, at, at + s - 1)
            .. bytes((int(value, at + s, stored) - start) % 256 ^ stored, w)
        end
        from = 1
      end
      total = int(text, from + held * pair, w)
    end
    -- Time never runs backwards against the newest pair, whoever's clock wrote it.
    local at = now
    if newest > now then at, edge = newest, newest - window end
    if held == 0 or newest <= edge then
      live, before = held + 1, total
    else
      local reach = newest - edge - 1
      if (newest - int(text, from + w, s)) % 256 ^ s > reach then
        live = first(2, held, text, from - s, pair, s, newest, reach)
      end
      before = int(text, from + (live - 1) * pair, w)
    end
    local used = (total - before) % 256 ^ w
    left = limit - used
    if used > 0 then ends = newest + window - now end
    spent = at + window - now
    local kept, last = held, used + cost
    if cost > left and cost > 0 then
      -- The earliest pair whose end frees enough.
      local frees = live
      if cost > left + 1 then frees = first(live, held, text, from, pair, w, total, limit - cost) end
      retry = newest - (newest - int(text, from + frees * pair - s, s)) % 256 ^ s + window - now
    elseif cost ~= 0 then
      if cost < 0 then
        -- What came last is given back first.
        if last > 0 then
          kept = first(live, held, text, from, pair, w, total, -cost) - 1
          at = newest - (newest - int(text, from + kept * pair + w, s)) % 256 ^ s
        else
          kept, at, last = live - 1, 0, 0
        end
      elseif live <= held and (newest == at
        or limit > 128 and floor(newest * 128 / window) == floor(at * 128 / window)) then
        kept = held - 1
      end
      local count, b, d, f = kept - live + 2, at % 65536, at % 4294967296, floor(at / 4294967296)
      if last == 0 then count = count - 1 end
      local low, a, e, g = count % 256, b % 256, (d - b) / 65536, f % 256
      local c = e % 256
      state = char(low, (count - low) / 256 + w * 16, a, (b - a) / 256, c, (e - c) / 256, g, (f - g) / 256)
        .. (text and sub(text, from + (live - 1) * pair, from + kept * pair + w - 1) or bytes(0, w))
        .. (last > 0 and bytes(at % 256 ^ s, s) .. bytes((before + last) % 256 ^ w, w) or '')
    end
  elseif kind == 'f' then
    local start, used = now - now % window, 0
    if value then
      local stored = int(value, p + 1, 6)
      -- Never back into a window that is over, whoever's clock ended it.
      if stored >= start then start, used = stored, int(value, p + 7, 4) end
      behind = p + 10
    end
    left, spent = limit - used, start + window - now
    if used > 0 then ends = spent end
    if cost > left and cost > 0 then retry = spent end
    used = used + cost
    state = bytes(start, 6) .. bytes(used > 0 and used or 0, 4)
  else
    local at, missing, refill = now, 0, tonumber(kind)
    if value then
      at, missing = int(value, p + 1, 6), int(value, p + 7, 7)
      if now > at then
        missing = missing - (now - at) * refill
        at = now
      end
      if missing < 0 then missing = 0 end
      behind = p + 13
    end
    local room = limit * window - missing
    left = floor(room / window)
    if missing > 0 then ends = at - now - floor(-missing / refill) end
    if cost > 0 and cost * window > room then retry = at - now - floor((room - cost * window) / refill) end
    missing = missing + cost * window
    if missing < 0 then missing = 0 end
    spent = at - now - floor(-missing / refill)
    state = bytes(at, 6) .. bytes(missing, 7)
  end
  if retry > 0 then fits = false end
  if left < 0 then left = 0 end
  if reply then
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = left, retry, ends, spent
  else
    reply = {clock, left, retry, ends, spent}
  end
  -- There is nothing to give back from nothing.
  if cost < 0 and not value then state = '' end
  if one and i > 1 then values[1] = values[1] .. state else values[i] = state end
end
if fits and cost ~= 0 then
  for k = 1, #KEYS do
    if values[k] ~= '' then redis.call('SET', KEYS[k], values[k], 'PX', ARGV[4 * k + 2]) end
  end
end
return reply
