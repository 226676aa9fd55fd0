"""The keys of a queue on Redis, and what its scripts have in common; for `scripts` and `upkeep`.

Every script is given all keys of one queue, which share a hash tag:

- `stream`: entries that wait or are with a consumer, in the consumer group `hongyan`; their fields are below.
- `held`: messages outside the stream, packed: those that are delayed, and those whose group is at work. `ages`: their names by `sent_at`.
- `delayed`: the names of the delayed by when they are due, in milliseconds of the server's clock.
- `groups`: the turn that a group is at (`h`) and the last one given out (`t`). Of a group one message alone is in the stream or delayed.
- `dead`, `letters`: the ids of dead letters in the order of their coming, and the letters as JSON by id.
- `whole`: consumers that nothing has been taken from since they joined: they need not show of each delivery that it is still theirs.

An entry that somebody else added has the field `body`. The body of ours is in a field whose name says what it is: `hongyan`, the format,
`sent_at`, `runs` and the id, blanks between (to read one field more takes a client as long as all that it does with the message). Fields
beside it are `group`, `meta` and `tries`, as `events.queues.wire` writes them; `turn`, the turn in its group; `first`, the first entry of a
message that was given back.

A step that moves a message takes it away first: a full server refuses a script's first write, if that needs memory, and no later one.
"""

from __future__ import annotations

KEYS = ("stream", "groups", "held", "ages", "delayed", "dead", "letters", "whole")
"""The keys that every script is given, in this order."""

COMMON = """
local STREAM, GROUPS, HELD, AGES, DELAYED, DEAD, LETTERS, WHOLE = unpack(KEYS)
local BESIDE = {'group', 'meta', 'tries', 'turn', 'first'}
local call = redis.call

local function now_ms()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function from_flat(flat)
  local found = {}
  for place = 1, #flat, 2 do found[flat[place]] = flat[place + 1] end
  return found
end

-- Of what somebody else added, nothing counts but the body, and what was noted when it was given back.
local function from_entry(id, flat)
  local message = from_flat(flat)
  local is_known = string.match(message.first or '', '^%d+%-%d+$')
  if string.sub(flat[1], 1, 8) == 'hongyan ' then
    message.about, message.body = flat[1], flat[2]
  elseif not is_known then
    message = {body = message.body}
  end
  if not is_known then message.first = id end
  return message
end

local function sent_at(message)
  local said = string.match(message.about or '', '^hongyan %d+ (%d+%.?%d*) ')
  return tonumber(said or string.match(message.first or '0', '^%d+') / 1000)
end

local function add(message)
  local flat = {message.about or 'body', message.body or ''}
  for _, name in ipairs(BESIDE) do
    if message[name] then
      flat[#flat + 1] = name
      flat[#flat + 1] = message[name]
    end
  end
  call('XADD', STREAM, '*', unpack(flat))
end

local function hold(name, message)
  call('HSET', HELD, name, cmsgpack.pack(message))
  call('ZADD', AGES, sent_at(message), name)
end

local function take(name)
  local packed = call('HGET', HELD, name)
  if not packed then return nil end
  call('HDEL', HELD, name)
  call('ZREM', AGES, name)
  return cmsgpack.unpack(packed)
end

-- A message of ours, of a group or ''; of a group each waits for its turn.
local function publish(group, flat)
  if group == '' then
    call('XADD', STREAM, '*', unpack(flat))
    return
  end
  local message = from_entry(nil, flat)
  local turn = call('HINCRBY', GROUPS, 't' .. group, 1)
  message.turn = string.format('%.0f', turn)
  if call('HSETNX', GROUPS, 'h' .. group, message.turn) == 1 then
    add(message)
  else
    hold('g' .. message.turn .. ':' .. group, message)
  end
end

-- The next of a group has its turn, once the one that has it has ended; entries that others made up have none.
local function go_on(group, turn)
  if turn == '' or call('HGET', GROUPS, 'h' .. group) ~= turn then return end
  local following = string.format('%.0f', turn + 1)
  local message = take('g' .. following .. ':' .. group)
  if message then
    call('HSET', GROUPS, 'h' .. group, following)
    add(message)
  else
    call('HDEL', GROUPS, 'h' .. group, 't' .. group)
  end
end

-- A delivery is known by its entry, its consumer, and how often the entry had been delivered.
local function is_mine(consumer, id, count)
  local pending = call('XPENDING', STREAM, 'hongyan', id, id, 1, consumer)[1]
  return pending and pending[4] == tonumber(count)
end

local function ended(id)
  call('XACK', STREAM, 'hongyan', id)
  call('XDEL', STREAM, id)
end

-- An entry becomes a new one, or a delayed message, which keeps what the first entry stood for.
local function again(id, delay_ms, tries)
  local entry = call('XRANGE', STREAM, id, id)[1]
  local message = entry and from_entry(id, entry[2])
  ended(id)
  if not message then return end
  if tries ~= '' then message.tries = tries end
  if delay_ms > 0 then
    call('ZADD', DELAYED, now_ms() + delay_ms, id)
    hold('d' .. id, message)
  else
    add(message)
  end
end
"""
"""Lua that the scripts begin with."""
