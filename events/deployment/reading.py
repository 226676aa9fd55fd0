"""A CloudFormation template in YAML, read without surprises: its functions in their long form, and each key with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.deployment.tree import Spot, Table, joined

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

LARGEST = 1_048_576
"""Bytes of a template: as many as CloudFormation takes."""

_DEPTH = 50
_PLAIN = ("bool", "float", "int", "null", "str")
_STANDARD = "tag:yaml.org,2002:"


class NotATemplate(ValueError):
    """The text is no template; `line` is counted from 1."""

    def __init__(self, line: int, told: str) -> None:
        super().__init__(told)
        self.line = line


class NoYAML(Exception):
    """PyYAML is not installed."""


def read(text: str) -> Spot:
    """Return what a template's text holds.

    Raises NotATemplate: no YAML, several documents, a key twice, an alias (CloudFormation takes none), deeper than 50 levels, or without
    resources. Raises NoYAML.
    """
    yaml = _library()
    try:
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        value = _Reader(yaml, events).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "a character that YAML does not have"
        raise NotATemplate(mark.line + 1 if mark else 1, f"this is not YAML: {problem}") from None
    resources = value.get("Resources") if isinstance(value, Table) else None
    if not isinstance(resources, Table) or not all(isinstance(each, Table) for each in resources.values()):
        raise NotATemplate(1, "this is no CloudFormation template: it has no `Resources` with a mapping for each")
    return Spot(value, "", 1)


def _library() -> ModuleType:
    try:
        import yaml
    except ImportError:
        raise NoYAML from None
    return yaml


class _Reader:
    """Makes values of the events of a parser: nothing is expanded, so that a small text cannot become a large value."""

    def __init__(self, yaml: ModuleType, events: Iterator[Any]) -> None:
        self._yaml = yaml
        self._events = events
        self._resolver = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()

    def document(self) -> Any:
        next(self._events)
        if not isinstance(next(self._events), self._yaml.DocumentStartEvent):
            raise NotATemplate(1, "it is empty")
        value = self._value(next(self._events), "", 0)
        next(self._events)
        if isinstance(after := next(self._events), self._yaml.DocumentStartEvent):
            raise NotATemplate(_line(after), "a second document begins here: a template is one")
        return value

    def _value(self, event: Any, where: str, depth: int) -> Any:
        if isinstance(event, self._yaml.AliasEvent):
            raise NotATemplate(_line(event), "an alias (`*name`): CloudFormation takes none, so write the value itself")
        if depth > _DEPTH:
            raise NotATemplate(_line(event), f"this is nested deeper than {_DEPTH} levels")
        tag = event.tag or ""
        inside = f"{where}.{_long(tag)}" if _is_function(tag) else where
        value: Any
        if isinstance(event, self._yaml.MappingStartEvent):
            value = self._table(inside, depth)
        elif isinstance(event, self._yaml.SequenceStartEvent):
            items = enumerate(self._until(self._yaml.SequenceEndEvent))
            value = [self._value(each, f"{inside}[{index}]", depth + 1) for index, each in items]
        else:
            value = self._scalar(event)
        if not _is_function(tag):
            return value
        made = Table()
        made.put(_long(tag), value, (where, _line(event)))
        return made

    def _table(self, where: str, depth: int) -> Table:
        table = Table()
        for event in self._until(self._yaml.MappingEndEvent):
            if not isinstance(event, self._yaml.ScalarEvent):
                raise NotATemplate(_line(event), "a key must be a text")
            key = event.value
            if key in table:
                raise NotATemplate(_line(event), f"the key {key[:60]!r} stands here a second time")
            home = joined(where, key)
            table.put(key, self._value(next(self._events), home, depth + 1), (home, _line(event)))
        return table

    def _until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _scalar(self, event: Any) -> Any:
        """Return a text, or what a plain one stands for; a date stays the text that it is."""
        tag = event.tag
        if tag is None:
            tag = self._resolver.resolve(self._yaml.ScalarNode, event.value, event.implicit)
        kind = tag.removeprefix(_STANDARD)
        if kind not in _PLAIN or kind == "str":
            return event.value
        try:
            return self._constructor.construct_object(self._yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError):
            raise NotATemplate(_line(event), f"{event.value[:60]!r} is no {kind}") from None


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _is_function(tag: str) -> bool:
    """Whether a tag is CloudFormation's: `!Ref` is `{"Ref": …}`, `!Sub` is `{"Fn::Sub": …}`."""
    return tag.startswith("!") and tag != "!"


def _long(tag: str) -> str:
    name = tag.removeprefix("!")
    return name if name in ("Ref", "Condition") else f"Fn::{name}"
