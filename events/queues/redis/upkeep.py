"""What keeps the queue going, in Lua: messages that are due, consumers that died, counts, dead letters; each step is done whole."""

from __future__ import annotations

from events.queues.redis.keys import COMMON
from events.redisserver import Script

DUE = Script(
    COMMON
    + """
local now = now_ms()
for _, id in ipairs(call('ZRANGEBYSCORE', DELAYED, '-inf', now, 'LIMIT', 0, 100)) do
  call('ZREM', DELAYED, id)
  local message = take('d' .. id)
  if message then add(message) end
end
local following = call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
return following[2] and math.max(0, following[2] - now) or -1
"""
)
"""Move the delayed that are due into the stream; return the milliseconds until the next is, -1 where there is none."""

TAKE_OVER = Script(
    COMMON
    + """
local consumer, room, shortest, found = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[2]), {}
if call('EXISTS', STREAM) == 0 then return {shortest, found} end
-- To ask for what was delivered to it after the last of all entries shows that the consumer is alive; to wait for new ones does not.
call('XREADGROUP', 'GROUP', 'hongyan', consumer, 'COUNT', 1, 'STREAMS', STREAM, '18446744073709551615-0')
for _, flat in ipairs(call('XINFO', 'CONSUMERS', STREAM, 'hongyan')) do
  local other = from_flat(flat)
  if other.pending == 0 then
    if other.idle > tonumber(ARGV[4]) then
      call('XGROUP', 'DELCONSUMER', STREAM, 'hongyan', other.name)
      call('SREM', WHOLE, other.name)
    end
  elseif room > #found then
    local lease = tonumber(string.match(other.name, ':(%d+)$')) or tonumber(ARGV[2])
    shortest = math.min(shortest, lease)
    local idle = call('XPENDING', STREAM, 'hongyan', 'IDLE', lease, '-', '+', room - #found, other.name)
    if #idle > 0 then call('SREM', WHOLE, other.name) end
    for _, pending in ipairs(idle) do
      local entry = call('XCLAIM', STREAM, 'hongyan', consumer, lease, pending[1])[1]
      if entry then
        found[#found + 1] = {entry[1], entry[2], pending[4] + 1}
      else
        ended(pending[1])
      end
    end
  end
end
return {shortest, found}
"""
)
"""Take over entries whose lease has run out: consumer, its lease in ms, how many, after how many ms consumers with nothing are forgotten.

A consumer's lease stands in its name. Returns the shortest lease that there is, and of each entry its id, its fields and its count.
"""

LEAVE = Script(
    COMMON
    + """
if call('EXISTS', STREAM) == 0 then return 0 end
local held = call('XPENDING', STREAM, 'hongyan', '-', '+', 100, ARGV[1])
for _, pending in ipairs(held) do again(pending[1], 0, '') end
if #held == 0 then
  call('XGROUP', 'DELCONSUMER', STREAM, 'hongyan', ARGV[1])
  call('SREM', WHOLE, ARGV[1])
end
return #held
"""
)
"""Give back up to 100 of a consumer's deliveries and return how many there were; without any, forget the consumer."""

COUNT = Script(
    COMMON
    + """
local pending, last = 0, '0-0'
if call('EXISTS', STREAM) == 1 then
  for _, flat in ipairs(call('XINFO', 'GROUPS', STREAM)) do
    local group = from_flat(flat)
    if group.name == 'hongyan' then pending, last = group.pending, group['last-delivered-id'] end
  end
end
local delayed, held = call('ZCARD', DELAYED), call('HLEN', HELD)
local ready = call('XLEN', STREAM) - pending + held - delayed
local oldest = tonumber(call('ZRANGE', AGES, 0, 0, 'WITHSCORES')[2])
local first = call('XRANGE', STREAM, '(' .. last, '+', 'COUNT', 1)[1]
if first then
  oldest = math.min(oldest or math.huge, sent_at(from_entry(first[1], first[2])))
end
local age_ms = oldest and math.floor(math.max(0, now_ms() - oldest * 1000)) or -1
return {math.max(0, ready), call('ZCARD', DEAD), delayed, pending, age_ms}
"""
)
"""Return the numbers of the ready, the dead, the delayed, those in flight, and the age of the oldest that waits in milliseconds, or -1."""

REDRIVE = Script(
    COMMON
    + """
if call('HDEL', LETTERS, ARGV[1]) == 0 then return 0 end
call('ZREM', DEAD, ARGV[1])
publish(ARGV[2], {unpack(ARGV, 3)})
return 1
"""
)
"""Publish a dead letter's message again, unless it has been: the letter's id, the message's group or '', its fields. Return how many."""

DROP = Script(
    COMMON
    + """
call('ZREM', DEAD, unpack(ARGV))
return call('HDEL', LETTERS, unpack(ARGV))
"""
)
"""Throw letters away; their ids. Return how many there were."""
