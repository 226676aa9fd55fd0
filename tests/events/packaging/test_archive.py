from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from events.packaging import NotPackaged
from events.packaging.archive import check_place, put, zipped

FILES = {"functions/registry.py": b"x" * 1000, "b.py": b"", "a/z.json": b"{}"}


def entries(raw: bytes) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        return archive.infolist()


def test_bytes_follow_from_the_files_alone(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert zipped(dict(reversed(FILES.items()))) == zipped(FILES)
    finally:
        os.umask(before)
    # What a Python or a system could write otherwise would show here.
    assert (
        hashlib.sha256(zipped({"a": b""})).hexdigest()
        == "bd11ed205ba5c5418fcdd87844b3385211abaac38ebaeba3981d2019c24e0946"
    )


def test_names_are_sorted_times_fixed_and_everybody_may_read() -> None:
    found = entries(zipped(FILES))
    assert [entry.filename for entry in found] == ["a/z.json", "b.py", "functions/registry.py"]
    assert {entry.date_time for entry in found} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in found} == {0o100644}
    assert {entry.create_system for entry in found} == {3}
    assert found[2].compress_size < 100


def test_a_zip_is_put_into_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    output = tmp_path / "dist" / "a.zip"
    check_place(output, force=False)
    put(b"first", output)
    assert output.read_bytes() == b"first"
    assert output.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert [path.name for path in output.parent.iterdir()] == ["a.zip"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_zip_of_ours_is_replaced(tmp_path: Path) -> None:
    output = tmp_path / "a.zip"
    put(zipped(FILES), output)
    check_place(output, force=False)


@pytest.mark.parametrize("there", [b"", b"notes", zipped({"theirs.txt": b""})])
def test_any_other_file_is_replaced_by_force_only(there: bytes, tmp_path: Path) -> None:
    output = tmp_path / "a.zip"
    output.write_bytes(there)
    with pytest.raises(NotPackaged, match=r"a\.zip is there and is no zip of ours: --force replaces it"):
        check_place(output, force=False)
    check_place(output, force=True)


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_is_never_replaced(force: bool, tmp_path: Path) -> None:
    with pytest.raises(NotPackaged, match="is a folder: name the zip in it"):
        check_place(tmp_path, force=force)


def test_what_cannot_be_finished_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "a.zip"
    output.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(NotPackaged, match=r"a\.zip cannot be written: No space left on device"):
        put(b"after", output)
    assert output.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [output]


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPackaged, match="cannot be written: "):
        put(b"", tmp_path / "file" / "a.zip")
