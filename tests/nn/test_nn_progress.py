"""What training shows: lines in a log, and a bar where somebody looks on."""

import io
import re
import sys

from tests.nn.training_models import fit, trainer


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_screen_gets_lines_and_a_bar_and_a_log_the_lines_alone(monkeypatch):
    for stream in (Screen(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        found = fit(trainer(metrics=["accuracy"]), progress=True, epochs=3, validation=0.2)
        monkeypatch.undo()
        written = stream.getvalue()
        lines = re.findall(r"epoch \d/3  [^\r\n]*", written)
        for epoch, text in enumerate(lines, 1):
            numbers = {name: values[epoch - 1] for name, values in found.history.items()}
            said = "  ".join(f"{n.replace('_', ' ')} {v:.4g}" for n, v in numbers.items())
            assert text == f"epoch {epoch}/3  {said}"
        assert len(lines) == 3
        if isinstance(stream, Screen):
            assert "epoch/s" in written or "s/epoch" in written or "?epoch" in written
        else:
            assert written == "".join(f"{text}\n" for text in lines)


def test_a_bar_begins_with_the_epochs_that_are_done(monkeypatch):
    found = fit(trainer(), epochs=2)
    monkeypatch.setattr(sys, "stderr", Screen())
    fit(found, progress=True, epochs=3)
    written = sys.stderr.getvalue()
    monkeypatch.undo()
    assert re.findall(r"epoch (\d)/5  loss", written) == ["3", "4", "5"]
    assert re.findall(r" (\d)/5 \[", written)[0] == "2"


def test_a_program_without_stderr_is_trained_all_the_same(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert fit(trainer(), progress=True).epoch == 2
