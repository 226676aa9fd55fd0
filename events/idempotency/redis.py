"""The store on Redis, 6.2 or newer, for workers on several machines: one hash a call, every step a script; times are by the server's clock.

What is announced survives whatever the server survives, as with `events.queues.redis`, and is not forgotten before it has ended; the
server's `maxmemory-policy` must be `noeviction`.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from typing import Any
from urllib.parse import parse_qsl

from events.idempotency import ANNOUNCED_KEEP_S, EFFECTIVE, Busy, Claim, Finished, LeaseLost, StoreUnavailable
from events.redisserver import OPTIONS, RedisServer, Script, split
from functions.cloud.errors import ConfigurationError

log = logging.getLogger("hongyan.events")

PREFIX = "hongyan:call:"
"""What the names of all keys begin with; the call's key follows, in hexadecimal."""

# Threads that ask at the same time; others wait for a moment. What is not needed is not connected.
_CONNECTIONS = 32
# A claim that was not announced is remembered for so long after its lease has ended, in milliseconds: its losses are still counted.
_LOSSES_MS = 7 * 86_400_000

# In what CONFIG GET says, and in what INFO does.
_POLICY = re.compile(r"maxmemory[-_]policy[ :]([a-z-]+)")

_COMMON = """
local CALL, call = KEYS[1], redis.call

local function now_us()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

local function is_mine(token)
  local found = call('HMGET', CALL, 'token', 'outcome')
  return found[1] == token and not found[2]
end
"""

# A full server refuses a script's first write, if that needs memory, and no later one: it takes no new claim, but still how one ended.

# The lease and the time after it in milliseconds, the run, and the outcomes that had an effect. Returns {'end', outcome, event},
# {'busy', ms}, or {'claim', token, in doubt, losses}. A token is a time in microseconds: larger than that of any claim before, also of one
# that is forgotten by now.
_CLAIM = Script(
    _COMMON
    + """
local found = call('HMGET', CALL, 'token', 'ends', 'announced', 'run', 'outcome', 'event', 'losses')
local token, ends, announced, run, outcome = tonumber(found[1] or 0), found[2], found[3] or '0', found[4], found[5]
local now = now_us()
if outcome then
  for place = 4, #ARGV do
    if ARGV[place] == outcome then return {'end', outcome, found[6]} end
  end
  if tonumber(run) >= tonumber(ARGV[3]) then return {'end', outcome, found[6]} end
  announced = '0'
elseif ends and ends * 1000 > now then
  return {'busy', math.ceil(ends - now / 1000)}
end
local losses = ends and not outcome and (found[7] or 0) + 1 or 0
token = math.max(token + 1, now)
call('HSET', CALL, 'token', string.format('%.0f', token), 'announced', announced, 'losses', losses,
  'ends', math.floor(now / 1000) + ARGV[1])
call('HDEL', CALL, 'run', 'outcome', 'event')
if announced == '1' then call('PERSIST', CALL) else call('PEXPIRE', CALL, ARGV[1] + ARGV[2]) end
return {'claim', token, tonumber(announced), losses}
"""
)
# Each of these takes the claim's token first, and returns 1, or 0 where the claim is lost.
_ANNOUNCE = Script(
    _COMMON
    + """
if not is_mine(ARGV[1]) or call('HGET', CALL, 'ends') * 1000 <= now_us() then return 0 end
call('HSET', CALL, 'announced', '1')
call('PERSIST', CALL)
return 1
"""
)
_FINISH = Script(
    _COMMON
    + """
local found = call('HMGET', CALL, 'token', 'outcome', 'event', 'announced')
if found[1] ~= ARGV[1] then return 0 end
if found[2] then return found[2] == ARGV[3] and found[3] == ARGV[4] and 1 or 0 end
call('PEXPIRE', CALL, found[4] == '1' and math.max(ARGV[5], ARGV[6]) or ARGV[5])
call('HSET', CALL, 'run', ARGV[2], 'outcome', ARGV[3], 'event', ARGV[4])
return 1
"""
)
_RELEASE = Script(_COMMON + "return is_mine(ARGV[1]) and call('DEL', CALL) or 0")


class RedisStore:
    """See `events.idempotency.Store`; nothing is reached before it is used."""

    def __init__(self, url: str) -> None:
        """Read the URL. Raises ConfigurationError."""
        # The queue's own URL will do, too.
        options = {name: value for name, value in parse_qsl(split(url).query) if name not in ("queue", "lease_s")}
        unknown = sorted(options.keys() - set(OPTIONS))
        if unknown:
            raise ConfigurationError(
                f"a store on Redis has no option {unknown[0]!r:.40}; there are {', '.join(OPTIONS)}"
            )
        self._server = RedisServer(
            url, options, StoreUnavailable, StoreUnavailable, connections=_CONNECTIONS, name="hongyan:store"
        )
        # Whoever gets it asks the server what it evicts; it is never given back.
        self._first = threading.Lock()

    def claim(self, key: bytes, lease_s: float, run: int = 0) -> Claim | Finished | Busy:
        """See `Store`."""
        what, *said = self._run(_CLAIM, key, _ms(lease_s), _LOSSES_MS, run, *sorted(EFFECTIVE))
        if what == b"end":
            return Finished(said[0].decode(), said[1])
        if what == b"busy":
            return Busy(said[0] / 1000)
        return Claim(key, said[0], bool(said[1]), said[2])

    def announce(self, claim: Claim) -> None:
        """See `Store`."""
        self._held(_ANNOUNCE, claim)

    def finish(self, claim: Claim, end: Finished, keep_s: float, run: int = 0) -> None:
        """See `Store`."""
        self._held(_FINISH, claim, run, end.outcome, end.event, _ms(keep_s), _ms(ANNOUNCED_KEEP_S))

    def release(self, claim: Claim) -> None:
        """See `Store`."""
        self._run(_RELEASE, claim.key, claim.token)

    def close(self) -> None:
        """See `Store`."""
        self._server.close()

    def _held(self, script: Script, claim: Claim, *values: Any) -> None:
        """Run a script for the holder of a claim. Raises LeaseLost."""
        if not self._run(script, claim.key, claim.token, *values):
            raise LeaseLost("the claim has ended, or somebody else holds it by now")

    def _run(self, script: Script, key: bytes, *values: Any) -> Any:
        answer = self._server.run(script, (PREFIX + key.hex(),), *values)
        if self._first.acquire(blocking=False):
            self._warn()
        return answer

    def _warn(self) -> None:
        """Warn of a server that evicts, as far as it tells."""
        policy = self._policy("CONFIG", "GET", "maxmemory-policy") or self._policy("INFO", "memory")
        if policy not in (None, "noeviction"):
            facts = {"server": self._server.shown, "maxmemory_policy": policy, "needed": "noeviction"}
            log.warning("store.may_forget", extra={"facts": facts})

    def _policy(self, *command: str) -> str | None:
        # Services that run Redis for others let one ask the one, the other, or nothing: that is no fault.
        with contextlib.suppress(StoreUnavailable):
            answer = self._server.command(*command)
            told = b" ".join(answer) if isinstance(answer, list) else answer
            if found := _POLICY.search(told.decode("utf-8", "replace")):
                return found[1]
        return None


def connect(url: str) -> RedisStore:
    """Return the store that a URL names, as `redis://host:6379/0`; the server is reached when it is used. Raises ConfigurationError."""
    return RedisStore(url)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
