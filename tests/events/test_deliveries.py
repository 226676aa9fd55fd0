"""What is remembered of requests: claims across processes and threads, what is forgotten when, and rates."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.deliveries import IDS_S, Claim, Deliveries, Seen, Unavailable, _keys
from events.settings import EventSettings
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NOW = 1_750_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "deliveries.sqlite")


@pytest.fixture
def known(path: str) -> Iterator[Deliveries]:
    found = Deliveries(path)
    yield found
    found.close()


def claim(
    known: Deliveries, fingerprint: str = "f", id_: str | None = "1", sender: str = "a", now: float = NOW
) -> Claim | Seen:
    return known.claim(sender, fingerprint, id_, now + 600, now)


def claimed(
    known: Deliveries, fingerprint: str = "f", id_: str | None = "1", sender: str = "a", now: float = NOW
) -> Claim:
    found = claim(known, fingerprint, id_, sender, now)
    assert isinstance(found, Claim)
    return found


def test_a_new_request_is_claimed_and_the_very_same_one_is_a_replay(known: Deliveries) -> None:
    first = claimed(known)
    assert claim(known) == Seen(replayed=True, status=None, since=NOW)
    known.finish(first, 200)
    assert claim(known) == Seen(replayed=True, status=200, since=NOW)


def test_the_same_id_signed_afresh_is_a_retry(known: Deliveries) -> None:
    first = claimed(known)
    assert claim(known, "fresh") == Seen(replayed=False, status=None, since=NOW)
    known.finish(first, 200)
    assert claim(known, "fresh") == Seen(replayed=False, status=200, since=NOW)


def test_a_retry_that_is_refused_claims_nothing(known: Deliveries) -> None:
    first = claimed(known)
    claim(known, "fresh")
    known.release(first)
    claimed(known, "fresh", "another")


def test_what_was_released_may_be_sent_again(known: Deliveries) -> None:
    known.release(claimed(known))
    claimed(known)


def test_senders_do_not_share_ids_or_fingerprints(known: Deliveries) -> None:
    claimed(known)
    claimed(known, sender="b")


def test_an_id_is_no_fingerprint(known: Deliveries) -> None:
    claimed(known, "x", "y")
    claimed(known, "y", "x")


def test_nothing_to_compare_is_never_known(known: Deliveries) -> None:
    for _ in range(2):
        claimed(known, "", None)


def test_an_empty_id_is_an_id(known: Deliveries) -> None:
    claimed(known, "", "")
    assert claim(known, "", "") == Seen(replayed=False, status=None, since=NOW)


def test_a_fingerprint_is_forgotten_when_its_signature_is_not_good_any_more() -> None:
    known = Deliveries()
    claimed(known, id_=None)
    assert claim(known, id_=None, now=NOW + 600) == Seen(replayed=True, status=None, since=NOW)
    claimed(known, id_=None, now=NOW + 600.001)


def test_an_id_is_remembered_for_days_because_senders_repeat_for_days(known: Deliveries) -> None:
    known.finish(claimed(known), 200)
    assert claim(known, "fresh", now=NOW + IDS_S) == Seen(replayed=False, status=200, since=NOW)
    claimed(known, "fresh", now=NOW + IDS_S + 1)


def test_names_and_ids_do_not_run_together(known: Deliveries) -> None:
    claimed(known, "", "cd", sender="ab")
    claimed(known, "", "bcd", sender="a")


def test_looking_remembers_nothing(known: Deliveries) -> None:
    assert known.look("a", "f", "1", NOW) is None
    known.finish(claimed(known), 200)
    assert known.look("a", "other", "1", NOW) == Seen(replayed=False, status=200, since=NOW)


def test_what_is_over_is_swept(known: Deliveries) -> None:
    for number in range(50):
        claimed(known, f"f{number}", None)
    claimed(known, "soon", None, now=NOW + 4000)
    assert known._file.execute("SELECT count(*) FROM received").fetchone() == (51,)
    known.release(claimed(known, "s", None, now=NOW + 4000))
    claimed(known, "later", None, now=NOW + 10_000)
    assert known._file.execute("SELECT count(*) FROM received").fetchone() == (1,)


@given(st.text(), st.text(), st.text())
def test_any_text_is_taken(sender: str, fingerprint: str, id_: str) -> None:
    claim = MEMORY.claim(sender, fingerprint, id_, 0.0, 1.0)
    assert isinstance(claim, Claim)
    MEMORY.release(claim)


MEMORY = Deliveries()


def test_one_of_many_threads_gets_it(known: Deliveries) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: claim(known), range(200)))
    assert len([one for one in found if isinstance(one, Claim)]) == 1


def test_one_of_many_processes_gets_it(path: str) -> None:
    code = (
        "import sys; from events.deliveries import *; known = Deliveries(sys.argv[1])\n"
        "print(sum(isinstance(known.claim('a', str(n), None, 9e9, 1.0), Claim) for n in range(300)))"
    )
    ran = [
        subprocess.Popen([sys.executable, "-c", code, path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in ran) == 300


def test_it_is_kept_over_a_restart(path: str) -> None:
    first = Deliveries(path)
    first.finish(claimed(first), 200)
    first.close()
    again = Deliveries(path)
    assert claim(again) == Seen(replayed=True, status=200, since=NOW)
    again.close()


def test_nobody_else_can_read_it(known: Deliveries, path: str) -> None:
    claimed(known)
    assert {stat.S_IMODE(Path(path + end).stat().st_mode) for end in ("", "-wal", "-shm")} == {0o600}


@pytest.mark.parametrize("made", ["directory", "nowhere", "garbage"])
def test_a_file_that_cannot_be_is_told(tmp_path: Path, made: str) -> None:
    where = {"directory": tmp_path, "nowhere": tmp_path / "no" / "file", "garbage": tmp_path / "garbage"}[made]
    if made == "garbage":
        where.write_bytes(b"not a database" * 100)
    with pytest.raises(Unavailable):
        Deliveries(str(where))


@pytest.mark.parametrize("made", ["directory", "nowhere", "pipe"])
def test_a_state_file_that_cannot_be_is_a_settings_error(tmp_path: Path, made: str) -> None:
    where = {"directory": tmp_path, "nowhere": tmp_path / "no" / "file", "pipe": tmp_path / "pipe"}[made]
    if made == "pipe":
        os.mkfifo(where)
    with pytest.raises(ConfigurationError, match="HONGYAN_STATE_FILE cannot be used"):
        Deliveries.of(EventSettings(state_file=str(where)))


def test_a_failure_in_between_changes_nothing(known: Deliveries) -> None:
    known._file.execute("DROP TABLE rates")
    with pytest.raises(Unavailable):
        known.wait("a", 1, 1.0, NOW)
    claimed(known)


def test_what_another_process_holds_is_told(path: str, known: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.deliveries._BUSY_S", 0.01)
    other = Deliveries(path)
    known._file.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        claim(other)
    known._file.execute("COMMIT")
    other.close()


# What is stored for later


def storing(known: Deliveries, fingerprint: str = "f", id_: str | None = "1", now: float = NOW) -> Claim | Seen:
    return known.claim("a", fingerprint, id_, now + 600, now, storing_s=75.0)


def test_what_is_being_stored_is_under_way_until_whoever_had_it_must_be_dead(known: Deliveries) -> None:
    first = storing(known)
    assert isinstance(first, Claim)
    for now in (NOW, NOW + 75):
        assert storing(known, now=now) == Seen(replayed=True, status=None, since=NOW, storing=True)
        assert storing(known, "fresh", now=now) == Seen(replayed=False, status=None, since=NOW, storing=True)
    assert storing(known, "fresh", now=NOW + 75.1) == Claim(tuple(_keys("a", "fresh", "1").values()))
    # Whoever has it now has all the time again.
    assert storing(known, "another", now=NOW + 150) == Seen(False, None, NOW + 75.1, storing=True)


def test_what_was_stored_is_not_stored_again_however_old(known: Deliveries) -> None:
    first = storing(known)
    assert isinstance(first, Claim)
    known.finish(first, 202)
    assert storing(known, "fresh", now=NOW + 500) == Seen(replayed=False, status=202, since=NOW)


def test_every_key_of_it_must_have_been_lost(known: Deliveries) -> None:
    storing(known)
    retried = storing(known, "fresh", now=NOW + 76)
    assert isinstance(retried, Claim)
    known.finish(retried, 202)
    assert storing(known, now=NOW + 200) == Seen(replayed=True, status=None, since=NOW, storing=True)


def test_what_is_done_at_once_and_what_is_stored_do_not_take_each_other_for_lost(known: Deliveries) -> None:
    storing(known, "stored", "1")
    claimed(known, "done", "2")
    assert claim(known, "fresh", "1", now=NOW + 300) == Seen(False, None, NOW, storing=True)
    assert storing(known, "fresh", "2", now=NOW + 300) == Seen(False, None, NOW)


def test_looking_tells_of_it_as_under_way(known: Deliveries) -> None:
    storing(known)
    assert known.look("a", "f", "1", NOW) == Seen(replayed=True, status=None, since=NOW, storing=True)


@pytest.mark.parametrize("fresh", [True, False])
def test_of_two_that_take_over_one_has_it(path: str, fresh: bool) -> None:
    known = [Deliveries(path) for _ in range(2)]
    storing(known[0])
    with ThreadPoolExecutor(2) as threads:
        names = ("b", "c") if fresh else ("f", "f")
        found = list(threads.map(lambda each, name: storing(each, name, now=NOW + 80), known, names))
    assert sorted(type(each).__name__ for each in found) == ["Claim", "Seen"]
    for each in known:
        each.close()


# Rates


def test_a_burst_and_then_one_by_one(known: Deliveries) -> None:
    assert [known.wait("a", 3, 60.0, NOW) for _ in range(5)] == [0, 0, 0, 20.0, 20.0]
    assert known.wait("a", 3, 60.0, NOW + 19.9) == pytest.approx(0.1)
    assert known.wait("a", 3, 60.0, NOW + 20) == 0
    assert known.wait("a", 3, 60.0, NOW + 20) == 20.0


def test_after_a_rest_the_whole_burst_is_there_again(known: Deliveries) -> None:
    for _ in range(4):
        known.wait("a", 3, 60.0, NOW)
    assert [known.wait("a", 3, 60.0, NOW + 600) for _ in range(4)] == [0, 0, 0, 20.0]


def test_senders_have_rates_of_their_own(known: Deliveries) -> None:
    assert [known.wait(sender, 1, 60.0, NOW) for sender in ("a", "b", "a")] == [0, 0, 60.0]


def test_a_clock_set_back_locks_nobody_out(known: Deliveries) -> None:
    known.wait("a", 1, 60.0, NOW)
    assert [known.wait("a", 1, 60.0, NOW - 10_000 + more) for more in (0, 1, 60)] == [0, 59.0, 0]


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.integers(1, 5))
def test_never_more_than_the_rate_in_any_span(steps: list[float], count: int) -> None:
    known, now, passed = Deliveries(), NOW, []
    for step in steps:
        now += step
        if not known.wait("a", count, 10.0, now):
            passed.append(now)
    known.close()
    # A full burst may meet the refill of one span: twice the rate at most, as the algorithm has it.
    for start in passed:
        assert len([one for one in passed if start <= one < start + 10.0]) <= 2 * count


def test_the_processes_file_may_be_made_by_any_of_them(path: str) -> None:
    first, second = Deliveries(path), Deliveries(path)
    assert os.path.exists(path)  # noqa: PTH110
    claimed(first)
    assert claim(second) == Seen(replayed=True, status=None, since=NOW)
    first.close()
    second.close()
