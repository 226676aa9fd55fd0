"""What is said of messages and deliveries, in Lua: each step is done whole or not at all, whenever whoever asked for it dies."""

from __future__ import annotations

from events.queues.redis.keys import COMMON
from events.redisserver import Script

JOIN = Script(
    COMMON
    + """
local there = false
if call('EXISTS', STREAM) == 1 then
  for _, flat in ipairs(call('XINFO', 'GROUPS', STREAM)) do there = there or from_flat(flat).name == 'hongyan' end
end
if not there then
  call('DEL', WHOLE)
  call('XGROUP', 'CREATE', STREAM, 'hongyan', '0', 'MKSTREAM')
end
if ARGV[1] ~= '' then
  call('SREM', WHOLE, ARGV[1])
  call('SADD', WHOLE, ARGV[1])
end
"""
)
"""Make the stream and its consumer group, which begins with what is there, unless they are there; add a consumer, if it is new, or ''."""

PUBLISH = Script(
    COMMON
    + """
local place = 1
while place < #ARGV do
  local last = place + ARGV[place + 1] * 2 + 1
  publish(ARGV[place], {unpack(ARGV, place + 2, last)})
  place = last + 1
end
"""
)
"""Publish messages; for each its group or '', the number of its fields, and those."""

END = Script(
    """
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('XACK', KEYS[1], 'hongyan', unpack(ARGV, 2))
redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
return 1
"""
)
"""End up to 1,000 entries without groups of a consumer that has lost none, and return 1; else 0, with nothing done.

This is what most messages end with, so it takes the keys `stream` and `whole` alone, and none of what the others have in common.
"""

ACKNOWLEDGE = Script(
    COMMON
    + """
local mine, groups = {}, {}
for place = 2, #ARGV, 4 do
  local id = ARGV[place]
  if is_mine(ARGV[1], id, ARGV[place + 1]) then
    mine[#mine + 1] = id
    if ARGV[place + 3] ~= '' then groups[#groups + 1] = place end
  end
end
if #mine == 0 then return end
call('XACK', STREAM, 'hongyan', unpack(mine))
call('XDEL', STREAM, unpack(mine))
for _, place in ipairs(groups) do go_on(ARGV[place + 2], ARGV[place + 3]) end
"""
)
"""End up to 1,000 deliveries of a consumer; for each its entry, its count, its group and its turn."""

GIVE_BACK = Script(COMMON + "if is_mine(ARGV[1], ARGV[2], ARGV[3]) then again(ARGV[2], tonumber(ARGV[4]), ARGV[5]) end")
"""Give a delivery back: consumer, entry, count, milliseconds of delay, its new number of tries or ''."""

DEAD_LETTER = Script(
    COMMON
    + """
if not is_mine(ARGV[1], ARGV[2], ARGV[3]) then return end
ended(ARGV[2])
local newest = call('ZRANGE', DEAD, -1, -1, 'WITHSCORES')
call('ZADD', DEAD, (newest[2] or 0) + 1, ARGV[6])
call('HSET', LETTERS, ARGV[6], ARGV[7])
go_on(ARGV[4], ARGV[5])
"""
)
"""Move a delivery's message to the dead letters: consumer, entry, count, group, turn, the letter's id, the letter."""

EXTEND = Script(
    COMMON
    + """
for place = 2, #ARGV, 2 do
  local id = ARGV[place]
  if is_mine(ARGV[1], id, ARGV[place + 1]) then call('XCLAIM', STREAM, 'hongyan', ARGV[1], 0, id, 'JUSTID') end
end
"""
)
"""Begin the lease of a consumer's deliveries anew; for each its entry and its count."""
