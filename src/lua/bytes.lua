-- Turns bytes that travelled as Latin-1 code points in UTF-8, since JSON carries none, back into themselves.
-- Stands before a script that takes bytes; no command of its own.
-- ARGV[1]: the places, among the arguments behind it, that hold such bytes: '2,5'; '-' where they came as they are
local bytes = {}
for b = 128, 191 do
  bytes['\194' .. string.char(b)] = string.char(b)
  bytes['\195' .. string.char(b)] = string.char(b + 64)
end
for place in string.gmatch(table.remove(ARGV, 1), '%d+') do
  place = tonumber(place)
  ARGV[place] = string.gsub(ARGV[place], '[\194\195][\128-\191]', bytes)
end
