"""The tutorials run, and what they claim holds."""

import re

from tutorials import digits


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
