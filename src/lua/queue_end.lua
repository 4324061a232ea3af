-- How jobs end, for the scripts that end some; it stands behind queue.lua.

local repeats = function(id) return string.sub(id, 1, 1) == '*' end

-- The next multiple of the interval since the epoch: whoever asks, after whatever pause, the same.
local function again(id, every)
  move(id, (math.floor(now / every) + 1) * every)
  put('s' .. id, '0:')
end

local function finish(id)
  local every = repeats(id) and redis.call('HGET', records, 'e' .. id)
  if every then again(id, tonumber(every)) else drop(id) end
end

local function bury(id, tried, token, reason)
  buried = true
  local state = tried .. '::' .. reason
  if not repeats(id) then
    move(id, DEAD + now)
    put('s' .. id, state)
    return
  end
  -- What repeats goes on, and leaves a copy of its own.
  local copy = token .. id
  move(copy, DEAD + now)
  put('p' .. copy, redis.call('HGET', records, 'p' .. id) or 'null')
  put('s' .. copy, state)
  finish(id)
end
