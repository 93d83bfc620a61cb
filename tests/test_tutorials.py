"""The tutorials run, and what they claim holds."""

import re

import numpy as np

from tutorials import characters, digits


def test_digits_learns_compares_and_draws(tmp_path, capsys):
    digits.main(["--output", str(tmp_path)])
    printed = capsys.readouterr().out
    accuracy = float(re.search(r"accuracy on 540 unseen ones: (\d\.\d+)", printed).group(1))
    assert accuracy >= 0.965
    assert "agree on all 9" in printed
    for name in ("a", "fc1.W", "fc1.bias", "b", "c", "fc2.W", "fc2.bias", "d", "e"):
        row = re.search(rf"^{re.escape(name)}  .*agree$", printed, re.MULTILINE).group(0)
        tape_formula, tape_numeric = (float(x) for x in re.findall(r"\d\.\de[+-]\d+", row)[:2])
        assert tape_formula <= 1e-12
        assert tape_numeric <= 1e-6
    for picture in ("digits_graph.png", "digits_loss.png"):
        path = tmp_path / picture
        assert str(path) in printed
        assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert path.stat().st_size > 10_000


def test_characters_beats_guessing_by_frequency(capsys):
    characters.main(["--steps", "60", "--units", "48"])
    printed = capsys.readouterr().out
    unigram, found = (
        float(re.search(rf"{name}: +(\d\.\d+)", printed).group(1))
        for name in ("unigram entropy", "cross entropy")
    )
    assert 3 < unigram < 3.4  # English takes some 2.9 in letters alone
    assert found < unigram - 0.3
    *_, sample = printed.split("\n\n", 1)
    assert sample.startswith('The "')
    assert len(sample.rstrip("\n")) >= 100


def test_the_entropies_are_those_of_the_frequencies():
    """A text of two letters in turn: nothing to guess for who knows the letter before."""
    codes = np.arange(10_000) % 2
    text = characters.Text("ab", codes[:9000], codes[9000:])
    np.testing.assert_allclose(characters.unigram_entropy(text), np.log(2), rtol=1e-12)
    assert 0 < characters.bigram_entropy(text) < 1e-3
