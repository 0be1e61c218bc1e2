"""The mel front end: levels by hand, beside librosa's bands, causal, cached, and cut with a word."""

import warnings

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples
from rc_vs_snn.contracts import Sensor
from rc_vs_snn.encoders import LogMel, MelDelta, MelLatency, mel_cache
from rc_vs_snn.encoders.mel import Mel, filterbank
from rc_vs_snn.encoders.mel_cache import Cache

RATE = 8000
MEL = Mel(32.0, 10.0, 10.0, 32, 60.0, None, -90.0)


def recordings(*signals, rate_hz=RATE):
    values = np.empty(len(signals), object)
    values[:] = [np.asarray(each, np.float32).reshape(len(each), -1) for each in signals]
    n = len(signals)
    return Samples(values, np.zeros(n, int), np.arange(n), "signals", 1, Sensor(rate_hz=rate_hz))


def tone(hz, seconds, level=1.0):
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def noise(n_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples)


def test_a_full_scale_sine_is_at_0_db_and_half_of_it_6_lower():
    # A Hann window's energy lies in three bins, of 1 and twice 1/4 of the amplitude's square; the band
    # that is centred on the tone weighs the neighbours by its slopes.
    single = Mel(32.0, 10.0, 10.0, 1, 0.0, None, -90.0)
    hz = 1000.0  # bin 32 of 256, exactly
    weights = filterbank(single, RATE)[31:34, 0]
    levels, n_channels = single.levels(recordings(tone(hz, 0.2), tone(hz, 0.2, 0.5)), "log-mel", 100)
    assert n_channels == 1
    expected = 10 * np.log10(weights @ [0.25, 1, 0.25])
    np.testing.assert_allclose(levels[0][8:, 0], expected, atol=0.01)
    np.testing.assert_allclose(levels[1][8:, 0], expected - 20 * np.log10(2), atol=0.01)


def test_the_bands_are_those_of_librosa():
    filters = pytest.importorskip("librosa").filters
    expected = filters.mel(sr=RATE, n_fft=256, n_mels=32, fmin=60.0, fmax=RATE / 2, htk=True, norm=None)
    np.testing.assert_allclose(filterbank(MEL, RATE), expected.T, atol=1e-6)


def test_whole_numbers_are_relative_to_their_full_scale():
    signal = tone(500, 0.1, 0.5)
    whole = np.rint(signal * 2**15).astype(np.int16)[:, None]
    samples = recordings(signal)
    as_whole = Samples([whole], [0], [0], "signals", 1, samples.sensor)
    (floats,), _ = MEL.levels(samples, "log-mel", 99)
    (wholes,), _ = MEL.levels(as_whole, "log-mel", 99)
    loud = floats > -60
    np.testing.assert_allclose(wholes[loud], floats[loud], atol=0.05)


def test_silence_is_at_the_floor_and_a_recording_has_as_many_frames_as_it_lasts():
    levels, _ = MEL.levels(recordings(np.zeros(80), np.zeros(81), np.zeros(1), np.zeros(800)), "x", 100)
    assert [len(each) for each in levels] == [1, 2, 1, 10]
    assert all((each == -90).all() for each in levels)


@pytest.mark.parametrize("encoder", [LogMel(), MelDelta(), MelLatency()])
def test_no_step_knows_what_comes_after_its_end(encoder):
    signal, n_heard = noise(4000), 1600  # of 0.5 s, the first 0.2 s
    other = np.concatenate([signal[:n_heard], noise(2400, seed=1)])
    code = encoder(recordings(signal, other))
    heard = int(200 / code.step_ms)
    differ = (code.values[:, 0] != code.values[:, 1]).any(1).numpy()
    assert not differ[:heard].any()
    assert differ[heard : heard + 8].any()  # and does know it soon after


@pytest.mark.parametrize("encoder", [LogMel(), MelDelta(), MelLatency()])
def test_a_recording_is_coded_alike_alone_and_beside_a_longer_and_louder_one(encoder):
    short, long = noise(1000), 5 * noise(6000, seed=2)
    both, alone = encoder(recordings(short, long)), encoder(recordings(short))
    n = int(alone.lengths[0])
    assert both.lengths.tolist()[0] == n < both.lengths.tolist()[1]
    assert both.values[:n, 0].equal(alone.values[:n, 0])


def test_what_is_cut_is_told_once_where_it_is_more_than_a_hundredth():
    samples, encoder = recordings(*[np.zeros(900)] * 2), LogMel(n_steps=5)
    with pytest.warns(UserWarning, match=r"2 of 2 recordings are cut .* \(the longest lasts 0\.11 s\)"):
        code = encoder(samples.select([0]))
    assert code.lengths is None  # all of them have T steps
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder(samples.select([1]))
        encoder(recordings(*[np.zeros(400)] * 200, np.zeros(900)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hop_ms": 0.0}, "hop_ms must be milliseconds above 0"),
        ({"window_ms": float("nan")}, "window_ms must be milliseconds above 0"),
        ({"n_mels": 0}, "n_mels must be a whole number"),
        ({"floor_db": 0.0}, "floor_db must lie"),
        ({"f_min_hz": 500.0, "f_max_hz": 400.0}, "f_min_hz < f_max_hz"),
    ],
)
@pytest.mark.parametrize("kind", [LogMel, MelDelta, MelLatency])
def test_wrong_fields_are_refused(kind, options, says):
    with pytest.raises(InputError, match=says):
        kind(**options)


def test_a_rate_that_is_unknown_or_too_low_is_refused():
    without = Samples(np.zeros((1, 80, 1)), [0], [0], "signals", 1)
    with pytest.raises(InputError, match=r"'log-mel' must know how many samples .*Sensor\(rate_hz"):
        LogMel()(without)
    with pytest.raises(InputError, match="need more than 4000 samples per second"):
        LogMel(f_max_hz=3000.0)(recordings(np.zeros(80), rate_hz=4000))
    with pytest.raises(InputError, match="cannot tell n_mels=128 bands apart"):
        LogMel(n_mels=128)(recordings(np.zeros(80)))


def test_what_was_computed_is_kept_by_content_and_the_longest_unused_leaves():
    cache, made = Cache(most_bytes=3 * 8), []

    def get(how, value):
        def compute():
            made.append((how, value))
            return np.array([value], np.float64)

        return cache.get(how, np.array([[value]], np.float32), compute)[0]

    assert [get("a", 1), get("a", 1), get("b", 1), get("a", 2)] == [1, 1, 1, 2]
    assert made == [("a", 1), ("b", 1), ("a", 2)]
    get("a", 1)  # used again, so ("b", 1) is the longest unused when a fourth comes
    get("a", 3)
    get("a", 1)
    assert made[3:] == [("a", 3)]
    get("b", 1)
    assert made[4:] == [("b", 1)]
    assert cache.held_bytes == 24


def test_what_is_kept_is_not_changed_by_who_reads_it():
    cache = Cache()
    found = cache.get("a", np.zeros((1, 1)), lambda: np.ones(2))
    with pytest.raises(ValueError, match="read-only"):
        found += 1


def test_a_folder_keeps_results_over_processes(tmp_path, monkeypatch):
    monkeypatch.setenv(mel_cache.ENVIRONMENT_VARIABLE, str(tmp_path / "levels"))
    signal = np.ones((4, 1), np.float32)
    Cache().get(MEL, signal, lambda: np.arange(3.0))
    (file,) = (tmp_path / "levels").glob("*/*.npy")
    again = Cache().get(MEL, signal, lambda: pytest.fail("computed again"))
    assert again.tolist() == [0, 1, 2]
    file.write_bytes(file.read_bytes()[:-4])  # cut off
    assert Cache().get(MEL, signal, lambda: np.arange(3.0)).tolist() == [0, 1, 2]
    Cache().get((MEL, 2), signal, lambda: np.arange(3.0))
    assert len(list((tmp_path / "levels").glob("*/*.npy"))) == 2
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv(mel_cache.ENVIRONMENT_VARIABLE, str(tmp_path / "taken"))
    with pytest.raises(InputError, match="cannot be written"):
        Cache().get(MEL, signal, lambda: np.arange(3.0))
