-- Runs one command whose words are the arguments: for those that carry bytes, behind bytes.lua.
-- KEYS: the keys of the command. One inner command, whose reply or error is the script's.
return redis.pcall(unpack(ARGV))
