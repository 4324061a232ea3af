-- Probe: whether this server takes a script in this form, learnt before a transaction that holds scripts.
--
-- KEYS none, ARGV none, reply 1, inner commands 0. In a transaction a script of the wrong form would fail alone,
-- while the other commands are applied.
return 1
