"""A character-level LSTM learns to write like the texts that ship with Python.

    python -m tutorials.characters

It reads what `help("if")`, `help("class")` and so on print (the module `pydoc_data.topics`) and
predicts every next character from those before. It is compared with two readers that look at less:
the unigram entropy is what guessing by frequency alone reaches, the bigram entropy what knowing the
character before does. All numbers are nats per character, on text that was not trained on. Last it
writes a few lines of its own.

It takes less than a minute on two cores. Where other programs keep these busy, NumPy's threads wait
for each other: OPENBLAS_NUM_THREADS=1 in the environment then makes it several times as fast.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import islice
from pydoc_data.topics import topics
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
import nn

CHARACTERS, HELD_OUT = 400_000, 0.05
UNITS, STEPS, BATCH, LEARNING_RATE = 128, 50, 64, 0.01
TRAINING_STEPS = 400


class Text(NamedTuple):
    """A text as numbers: `alphabet[codes]` are its characters; the last ones are held out."""

    alphabet: str
    codes: np.ndarray
    held_out: np.ndarray


def load() -> Text:
    """The help topics one after the other, without what comes up less than ten times."""
    whole = "".join(topics[name] for name in sorted(topics))[:CHARACTERS]
    alphabet = "".join(sorted(c for c in set(whole) if whole.count(c) >= 10))
    number = {character: code for code, character in enumerate(alphabet)}
    codes = np.array([number[c] for c in whole if c in number])
    held_out = round(HELD_OUT * len(codes))
    return Text(alphabet, codes[:-held_out], codes[-held_out:])


def unigram_entropy(text: Text) -> float:
    """−Σ log p(c) over the held-out characters, by their frequencies in the others."""
    counts = np.bincount(text.codes, minlength=len(text.alphabet)) + 1.0
    return float(-np.mean(np.log(counts / counts.sum())[text.held_out]))


def bigram_entropy(text: Text) -> float:
    """The same with frequencies after each character."""
    counts = np.ones((len(text.alphabet),) * 2)
    np.add.at(counts, (text.codes[:-1], text.codes[1:]), 1)
    log_p = np.log(counts / counts.sum(axis=1, keepdims=True))
    return float(-np.mean(log_p[text.held_out[:-1], text.held_out[1:]]))


class Reader(nn.Module):
    """Characters → logits of the next one: embedding, LSTM, and a fully connected layer.

    `state` is what the LSTM remembers from one stretch of text to the next.
    """

    def __init__(self, characters: int, units: int, rng: np.random.Generator):
        self.embedding = nn.Embedding(characters, 32, rng, dtype=np.float32)
        self.lstm = nn.LSTM(32, units, rng, dtype=np.float32)
        self.output = nn.FullyConnected(units, characters, rng, dtype=np.float32)

    def forward(self, codes: Any, state: Any = None) -> tuple[Any, Any]:
        """Logits (batch, steps, characters), and the state after the last step."""
        hidden, state = self.lstm(self.embedding(codes), state)
        return self.output(hidden), tuple(part.detach() for part in state)


def stretches(text: Text) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Characters and their next ones, (batch, steps) each, in order, and whether they begin anew.

    The text is cut in as many rows as a batch has; each is read from left to right, for ever.
    """
    rows = text.codes[: len(text.codes) // BATCH * BATCH].reshape(BATCH, -1)
    while True:
        for t in range(0, rows.shape[1] - STEPS, STEPS):
            yield rows[:, t : t + STEPS], rows[:, t + 1 : t + STEPS + 1], t == 0


def train(reader: Reader, text: Text, steps: int) -> None:
    """Read on and on, the state carried from stretch to stretch; the learning rate falls to 0."""
    adam = nn.Adam(reader.parameters(), LEARNING_RATE)
    schedule = nn.Schedule(adam, nn.CosineDecay(steps))
    state = None
    for codes, following, anew in islice(stretches(text), steps):
        logits, state = reader(codes, None if anew else state)
        loss = nn.cross_entropy_from_logits(logits, following)
        adam.zero_grad()
        loss.backward()
        nn.clip_gradients_by_norm(reader.parameters(), 1.0)
        adam.step()
        schedule.step()


@ag.no_grad()
def cross_entropy(reader: Reader, text: Text) -> float:
    """That of the held-out text, in one go, each character from all before."""
    logits, _ = reader.eval()(text.held_out[None, :-1])
    return float(nn.cross_entropy_from_logits(logits, text.held_out[None, 1:]).item())


@ag.no_grad()
def write(reader: Reader, text: Text, start: str, length: int, rng: np.random.Generator) -> str:
    """Go on from a start, every character drawn from what the reader expects."""
    codes = [text.alphabet.index(character) for character in start]
    logits, state = reader.eval()(np.array([codes]))
    for _ in range(length):
        p = nn.softmax(np.asarray(logits[0, -1], float) / 0.7)
        codes.append(int(rng.choice(len(p), p=p)))
        logits, state = reader(np.array([codes[-1:]]), state)
    return "".join(text.alphabet[code] for code in codes)


def main(arguments: list[str] | None = None) -> None:
    """Train, compare, write."""
    parser = argparse.ArgumentParser(prog="python -m tutorials.characters", description=__doc__)
    parser.add_argument("--steps", type=int, default=TRAINING_STEPS, help="how long to train")
    parser.add_argument("--units", type=int, default=UNITS, help="size of the LSTM's state")
    settings = parser.parse_args(arguments)

    text = load()
    rng = np.random.default_rng(0)
    reader = Reader(len(text.alphabet), settings.units, rng)
    print(f"{len(text.codes)} characters of {len(text.alphabet)} kinds to train on")
    start = time.perf_counter()
    train(reader, text, settings.steps)
    print(f"{settings.steps} steps in {time.perf_counter() - start:.1f} s")
    found = cross_entropy(reader, text)
    print(f"nats per character, on {len(text.held_out)} that were not trained on:")
    print(f"unigram entropy: {unigram_entropy(text):.3f}")
    print(f"bigram entropy:  {bigram_entropy(text):.3f}")
    print(f"cross entropy:   {found:.3f}\n")
    print(write(reader, text, 'The "', 400, rng))
    assert found < unigram_entropy(text)


if __name__ == "__main__":
    main()
