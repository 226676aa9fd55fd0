from __future__ import annotations

import sys

import pytest
import yaml

from events.deployment.reading import NotATemplate, NoYAML, read

HEAD = "Resources:\n  A: {Type: T}\n"


def test_functions_are_read_in_their_long_form() -> None:
    text = HEAD + "B: !Ref X\nC: !GetAtt X.Arn\nD: !Sub [a, {b: !Ref c}]\nE: !If [x, !Condition y, z]\nF: {Ref: X}\n"
    value = read(text).value
    assert value["B"] == value["F"] == {"Ref": "X"}
    assert value["C"] == {"Fn::GetAtt": "X.Arn"}
    assert value["D"] == {"Fn::Sub": ["a", {"b": {"Ref": "c"}}]}
    assert value["E"] == {"Fn::If": ["x", {"Condition": "y"}, "z"]}


def test_plain_scalars_are_what_they_stand_for_and_dates_are_texts() -> None:
    text = HEAD + 'B: [1, 1.5, true, null, "1", 2012-10-17, !!str 1, ! 1, ~, =, 2012-99-99]\n'
    assert read(text).value["B"] == [1, 1.5, True, None, "1", "2012-10-17", "1", "1", None, "=", "2012-99-99"]


def test_every_key_knows_its_place_and_its_line() -> None:
    root = read(HEAD + "  B:\n    Properties:\n      C: [{D: !Sub x}]\nGlobals: {Function: {E: 1}}\n")
    assert ((root / "Globals" / "Function" / "E").where, (root / "Globals" / "Function" / "E").line) == (
        "Globals.Function.E",
        6,
    )
    c = root / "Resources" / "B" / "Properties" / "C"
    assert (c.where, c.line) == ("B.C", 5)
    assert [(each / "D").where for each in c.each()] == ["B.C[0].D"]
    assert (root / "Resources" / "B" / "Properties" / "None" / "More").line == 4


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "empty"),
        ("# nothing\n", 1, "empty"),
        ("- a\n", 1, "no CloudFormation template"),
        ("text", 1, "no CloudFormation template"),
        ("Resources: [a]\n", 1, "no CloudFormation template"),
        ("Resources: {A: b}\n", 1, "no CloudFormation template"),
        ("Outputs: {}\n", 1, "no CloudFormation template"),
        (HEAD + "B: [\n", 4, "not YAML"),
        (HEAD + "\tB: 1\n", 3, "not YAML"),
        (HEAD + "B: 'x\n", 4, "not YAML"),
        (HEAD + "B: \x01\n", 1, "not YAML"),
        (HEAD + "B: &x 1\nC: *x\n", 4, "an alias"),
        ("x0: &x0 [a]\n" + "".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" for n in range(1, 40)), 2, "an alias"),
        (HEAD + "B: 1\nC: 2\nB: 3\n", 5, "the key 'B' stands here a second time"),
        (HEAD + "B:\n  ? [a]\n  : 1\n", 4, "a key must be a text"),
        (HEAD + "B: " + "[" * 60 + "]" * 60 + "\n", 3, "deeper than 50"),
        (HEAD + "B: " + "[" * 100_000, 3, ""),
        (HEAD + "B: !!int x\n", 3, "'x' is no int"),
        (HEAD + "B: !!bool x\n", 3, "'x' is no bool"),
        (HEAD + "B: 1" + "0" * 5000 + "\n", 3, "is no int") if sys.version_info >= (3, 11) else (HEAD + "*", 3, ""),
        (HEAD + "---\n" + HEAD, 3, "second document"),
        (HEAD + "%\n", 3, "not YAML"),
    ],
)
def test_what_is_no_template_is_refused_with_its_line(text: str, line: int, told: str) -> None:
    with pytest.raises(NotATemplate) as refused:
        read(text)
    assert refused.value.line == line
    assert told in str(refused.value)


def test_a_tag_of_another_language_makes_nothing() -> None:
    value = read(HEAD + "B: !!python/object/apply:os.system [exit]\n").value
    assert value["B"] == ["exit"]


def test_the_parser_in_python_does_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert read(HEAD + "B: !Ref x\n").value["B"] == {"Ref": "x"}
    with pytest.raises(NotATemplate, match="a character that YAML does not have"):
        read(HEAD + "B: \x01\n")


def test_without_pyyaml_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(NoYAML):
        read(HEAD)
