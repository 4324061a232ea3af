-- User generation: what every session of the user must have, to be valid.
--
-- KEYS[1]  the generation
-- Reply    it, or '' when the user has none
-- Inner    1 GETRANGE
--
-- A script, so that no replica that lags behind answers: it would let a revoked session pass.
return redis.call('GETRANGE', KEYS[1], 0, 21)
