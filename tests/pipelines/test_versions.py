"""Versions that are kept, pinned and released: what readers get, and what the log tells, after every kill too."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipelines.lock import night_lock
from pipelines.publishing import Publication, Warehouse
from pipelines.rollbacks import Rollback
from pipelines.settings import Settings
from pipelines.versions import NotRolledBack, UnknownVersion, finish_rollback, release_pin, roll_back, versions_of
from tests.city import settings_of
from tests.pipelines.test_publishing import publication

KEPT = 3


def city_of(folder: Path, **parts: Any) -> Settings:
    return settings_of(folder, retention={"versions": KEPT}, **parts)


def warehouse_of(settings: Settings) -> Warehouse:
    return Warehouse.of(settings)


def night(settings: Settings, **told: Any) -> Publication:
    """What a night does with the file that it built, without building one."""
    warehouse = warehouse_of(settings)
    with night_lock(settings.folders.data, wait=True):
        file = warehouse.fresh_file("night")
        published = publication(len(warehouse.history().publications)).model_copy(update=told)
        warehouse.refuse(published)
        file.write_text(published.version)
        pin = warehouse.rollbacks.pin()
        if pin is None:
            warehouse.figures_of(published.version).touch()
            warehouse.publish(file, published)
        else:
            warehouse.hold_back(file, published, pin)
        return published


def nights(settings: Settings, times: int) -> list[str]:
    return [night(settings).version for _ in range(times)]


def read(settings: Settings) -> str:
    """The version that readers get, as its file says."""
    return warehouse_of(settings).file.link.read_text()


def told(settings: Settings) -> list[tuple[str, str, str | None, str | None]]:
    """The log, without its moments."""
    entries = warehouse_of(settings).rollbacks.entries()
    return [(entry.action, entry.version, entry.instead_of_version, entry.reason) for entry in entries]


# ── Back, held back, released ─────────────────────────────────────────────────────────────────────


def test_readers_get_the_version_before_until_a_night_after_the_release_publishes(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second = nights(settings, 2)
    assert roll_back(settings, None, "wrong zone").version == first
    assert read(settings) == first
    held = night(settings).version
    assert read(settings) == first
    assert warehouse_of(settings).held_back.read_text() == held
    release_pin(settings, "mended")
    assert read(settings) == first
    third = night(settings).version
    assert read(settings) == third
    assert not warehouse_of(settings).held_back.exists()
    assert told(settings) == [("pin", first, second, "wrong zone"), ("release", first, None, "mended")]


def test_a_build_that_is_held_back_is_read_only_tells_why_and_leaves_nothing_else(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, _ = nights(settings, 2)
    warehouse = warehouse_of(settings)
    roll_back(settings, None, None)
    before = sorted(warehouse.publications.iterdir()), warehouse.store.kept()
    for _ in range(KEPT + 1):
        held = night(settings)
    assert (sorted(warehouse.publications.iterdir()), warehouse.store.kept()) == before
    assert stat.S_IMODE(warehouse.held_back.stat().st_mode) == 0o444
    assert stat.S_IMODE(warehouse.rollbacks.path.stat().st_mode) == 0o644
    refused = warehouse.refused()
    assert refused is not None
    assert refused.version == held.version
    assert f"readers are pinned to {first} since " in refused.reason
    assert f"lies in {warehouse.held_back}; `kcc rollback --release`" in refused.reason


def test_the_next_publication_is_compared_with_the_newest_that_was_shown_not_with_the_pinned_one(
    tmp_path: Path,
) -> None:
    settings = city_of(tmp_path)
    _, second = nights(settings, 2)
    roll_back(settings, None, None)
    night(settings)
    history = warehouse_of(settings).history()
    assert history.last is not None
    assert history.last.version == second
    assert history.figures == warehouse_of(settings).figures_of(second)


def test_a_version_may_be_named_also_the_newest_which_stops_publishing(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second, third = nights(settings, 3)
    for version in (third, first, second):
        roll_back(settings, version, None)
        assert read(settings) == version
    assert [entry[1:3] for entry in told(settings)] == [(third, third), (first, third), (second, first)]
    night(settings)
    assert read(settings) == second


def test_a_version_that_is_pinned_already_is_not_pinned_twice_and_nothing_is_released_twice(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, _ = nights(settings, 2)
    assert release_pin(settings, None) is None
    pin = roll_back(settings, first, "once")
    assert roll_back(settings, first, "twice") == pin
    assert release_pin(settings, None) == pin
    assert release_pin(settings, None) is None
    assert [entry[0] for entry in told(settings)] == ["pin", "release"]


def test_a_rollback_that_is_repeated_goes_no_second_step_back(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second, _ = nights(settings, 3)
    roll_back(settings, None, None)
    with pytest.raises(NotRolledBack, match=rf"{second} is pinned already; to go elsewhere name a version"):
        roll_back(settings, None, None)
    assert read(settings) == second
    roll_back(settings, first, None)
    assert read(settings) == first


def test_what_was_rolled_back_from_is_not_what_the_next_rollback_goes_to(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, _, _ = nights(settings, 3)
    roll_back(settings, first, None)  # past the second, from the third
    release_pin(settings, None)
    nights(settings, 1)
    assert roll_back(settings, None, None).version == first


def test_who_goes_back_to_a_version_after_all_makes_it_one_like_the_others(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second = nights(settings, 2)
    roll_back(settings, None, None)
    roll_back(settings, second, "it was right")
    assert {version.state for version in versions_of(settings)} == {"pinned", ""}
    release_pin(settings, None)
    nights(settings, 1)
    assert roll_back(settings, None, None).version == second
    assert first in warehouse_of(settings).store.kept()


@pytest.mark.parametrize("published", [0, 1])
def test_there_may_be_nothing_to_go_back_to(tmp_path: Path, published: int) -> None:
    settings = city_of(tmp_path)
    nights(settings, published)
    with pytest.raises(NotRolledBack, match=["nothing is published yet", "there is no version before"][published]):
        roll_back(settings, None, None)
    assert told(settings) == []


def test_an_unknown_version_is_answered_with_those_that_are_kept(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second = nights(settings, 2)
    with pytest.raises(UnknownVersion, match=rf"'kcc_x' is no version that is kept; kept are {second}, {first}: "):
        roll_back(settings, "kcc_x", None)
    assert read(settings) == second
    assert told(settings) == []


def test_the_pinned_version_outlives_its_turn_and_the_publication_after_it(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    oldest, *_ = nights(settings, KEPT)
    roll_back(settings, oldest, None)
    nights(settings, KEPT)
    release_pin(settings, None)
    nights(settings, 1)
    assert oldest in warehouse_of(settings).store.kept()  # somebody may have followed the link and be about to open it
    nights(settings, 1)
    assert oldest not in warehouse_of(settings).store.kept()
    assert len(warehouse_of(settings).store.kept()) == KEPT


def test_what_is_published_is_kept_even_if_the_clock_was_set_back(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, retention={"versions": 1})
    nights(settings, 1)
    early = night(settings, version="kcc_20200101T000000000000_11111111").version
    assert read(settings) == early


def test_a_reason_of_any_characters_is_one_line_of_the_log(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second = nights(settings, 2)
    reason = 'zone\nwas\u2028wrong, "really"\x1b'
    roll_back(settings, None, reason)
    release_pin(settings, None)
    assert told(settings) == [("pin", first, second, reason), ("release", first, None, None)]


# ── The list ──────────────────────────────────────────────────────────────────────────────────────


def test_versions_are_listed_newest_first_with_what_readers_get_and_which_settings_changed(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    hours = '[[hours]]\nservice_point = "desk"\n'
    for text in ("", "# a comment\n", hours, f"{hours}[retention]\nversions = 2\n"):
        night(settings, settings_sha256=text, settings_text=text)
    roll_back(settings, versions_of(settings)[1].version, None)
    found = versions_of(settings)
    assert [version.version for version in found] == warehouse_of(settings).store.kept()[::-1]
    assert [version.state for version in found] == ["rolled back", "pinned", ""]
    assert [version.changed_settings for version in found] == [[], ["hours"], []]
    assert all(version.bytes == len(version.version) for version in found)
    release_pin(settings, None)
    assert [version.state for version in versions_of(settings)] == ["rolled back", "published", ""]


# ── Kills ─────────────────────────────────────────────────────────────────────────────────────────


class Killed(BaseException):
    """Stands for a kill: nothing in this package catches it. The real ones are in tests/faults/rollbacks.py."""


@contextmanager
def killed_before(moment: int | None) -> Iterator[None]:
    """Breaks off what is done here right before the n-th file gets its name, the link is made or a file goes."""
    passed = 0

    def struck(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*words: Any, **options: Any) -> Any:
            nonlocal passed
            passed += 1
            if passed == moment:
                raise Killed
            return act(*words, **options)

        return acting

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", struck(os.replace))
        for name in ("unlink", "symlink_to"):
            patch.setattr(Path, name, struck(getattr(Path, name)))
        with suppress(Killed):
            yield


MOMENTS = st.none() | st.integers(1, 9)


class Undo(RuleBasedStateMachine):
    """Nights, rollbacks and releases in any order, each of which may be killed at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.settings = city_of(Path(self.folder.name))
        self.warehouse = warehouse_of(self.settings)
        self.log: list[Rollback] = []
        self.shown: str | None = None
        self.ever_shown: set[str] = set()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(moment=MOMENTS)
    def a_night(self, moment: int | None) -> None:
        pin, records = self.warehouse.rollbacks.pin(), self.warehouse.history().publications
        with killed_before(moment):
            night(self.settings)
        assert self.warehouse.rollbacks.entries() == self.log
        if pin is not None:
            assert self.warehouse.history().publications == records
            assert self.warehouse.published_version() in (self.shown, pin.version)
        if moment is None:
            self._is_settled()
        self._look()

    @rule(moment=MOMENTS, number=st.none() | st.integers(0, KEPT))
    def a_rollback(self, moment: int | None, number: int | None) -> None:
        kept = self.warehouse.store.kept()
        version = None if number is None or number >= len(kept) else kept[number]
        self._changes(moment, lambda: roll_back(self.settings, version, None))

    @rule(moment=MOMENTS)
    def a_release(self, moment: int | None) -> None:
        self._changes(moment, lambda: release_pin(self.settings, None))

    def _changes(self, moment: int | None, act: Callable[[], object]) -> None:
        """A command that may add one line to the log: readers get another version only if it tells so."""
        pin = self.warehouse.rollbacks.pin()
        with killed_before(moment), suppress(NotRolledBack, UnknownVersion):
            act()
        entries = self.warehouse.rollbacks.entries()
        assert entries[: len(self.log)] == self.log
        assert len(entries) <= len(self.log) + 1
        self.log = entries
        shown = self.warehouse.published_version()
        told = {entry.version for entry in (pin, self.warehouse.rollbacks.pin()) if entry is not None}
        assert shown == self.shown or shown in told
        if moment is None:
            self._is_settled()
        self._look()

    @rule()
    def somebody_lists_the_versions(self) -> None:
        finish_rollback(self.settings)
        self._look()
        pin = self.warehouse.rollbacks.pin()
        assert pin is None or self.shown == pin.version

    def _look(self) -> None:
        self.shown = self.warehouse.published_version()
        self.ever_shown |= {self.shown} - {None}

    def _is_settled(self) -> None:
        """Whatever was killed before, what readers get is what is pinned, and all that they ever got is on record."""
        pin = self.warehouse.rollbacks.pin()
        assert pin is None or self.warehouse.published_version() == pin.version
        assert self.ever_shown <= {publication.version for publication in self.warehouse.history().publications}

    @invariant()
    def readers_get_a_whole_version(self) -> None:
        assert self.warehouse.file.link.is_symlink() == (self.shown is not None)
        assert self.shown is None or self.warehouse.file.link.read_text() == self.shown

    @invariant()
    def what_is_pinned_is_kept(self) -> None:
        pin = self.warehouse.rollbacks.pin()
        assert pin is None or pin.version in self.warehouse.store.kept()


TestUndo = Undo.TestCase
TestUndo.settings = hypothesis(max_examples=40, stateful_step_count=20, deadline=None)


def test_what_a_killed_rollback_left_is_finished_unless_somebody_is_at_work(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second = nights(settings, 2)
    with killed_before(2):  # after the line in the log, before the link
        roll_back(settings, None, None)
    assert (len(told(settings)), read(settings)) == (1, second)
    lock = os.open(settings.folders.data / ".night.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    finish_rollback(settings)
    assert read(settings) == second
    os.close(lock)
    finish_rollback(settings)
    assert read(settings) == first


def test_a_release_after_a_killed_rollback_finishes_it_first(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second = nights(settings, 2)
    with killed_before(2):
        roll_back(settings, None, None)
    release_pin(settings, None)
    assert read(settings) == first
    assert told(settings) == [("pin", first, second, None), ("release", first, None, None)]


def test_a_pinned_version_that_somebody_removed_stops_no_night_and_is_not_linked(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    first, second = nights(settings, 2)
    with killed_before(2):
        roll_back(settings, None, None)
    warehouse_of(settings).file.file_of(first).unlink()
    night(settings)
    assert warehouse_of(settings).held_back.exists()
    assert read(settings) == second
