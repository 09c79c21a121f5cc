"""A sound plays what the figure shows: the current wave, never too loud, and one at a time."""

import json

import numpy as np
import pytest
import torch

from flowlib.live import axes, curve, live, readouts, sound, static
from shown import open_widget

STUB = """
window.speakers = []; window.log = [];
window.AudioContext = class {
  constructor() {
    Object.assign(this, { currentTime: 7, destination: "the loudspeaker", state: "running" });
    speakers.push(this);
  }
  resume() { log.push("resume"); return Promise.resolve(); }
  createBuffer(channels, length, rate) {
    return { channels, rate, copyToChannel(samples) { this.samples = [...samples]; this.length = length; } };
  }
  createGain() {
    return { gain: { setTargetAtTime: () => log.push("fade") }, connect: (to) => log.push(to) };
  }
  createBufferSource() {
    window.source = {
      connect: (to) => to,
      start() { log.push("start"); window.played = this.buffer; },
      stop(time) { log.push("stop"); this.stopped = time; },
    };
    return source;
  }
};
"""
RATE, SECONDS = 4000, 0.5
PICTURE = axes(curve("t", "wave"), x=(0, SECONDS), y=(-3, 3), alt="A wave.")


def tones(a):
    t = torch.arange(RATE * SECONDS) / RATE
    wave = a.sqrt() * torch.sin(2 * torch.pi * 440 * t)
    return {
        "t": t,
        "wave": wave,
        "spike": torch.where(t == 0.25, 1 / a, 0),
        "loudness": wave.square().mean(),
    }


def figure(*sounds):
    sounds = sounds or [sound("wave", rate=RATE, label="the tone")]
    return live(tones, PICTURE, *sounds, name="tones", a=(-1.0, 4.0, 2.0))


@pytest.fixture
def stubbed(page):
    page.add_init_script(STUB)
    page.goto("about:blank")
    return page


def played(page):
    """The buffer that was played last: its rate, and its samples."""
    buffer = page.evaluate("window.played")
    assert buffer["channels"] == 1 and buffer["length"] == len(buffer["samples"])
    return buffer["rate"], np.array(buffer["samples"])


def test_a_click_plays_the_wave_that_is_shown(show, stubbed):
    shown = show(figure().book_data())
    assert stubbed.evaluate("speakers.length") == 0  # none before a click
    shown.press("Play the tone")
    rate, samples = played(stubbed)
    assert rate == 32_000 and len(samples) == rate * SECONDS
    t, inside = np.arange(len(samples)) / rate, slice(640, -640)
    smooth = 0.1 * 2**0.5 * np.sin(2 * np.pi * 440 * t)
    assert np.abs(samples - smooth)[inside].max() < 1e-4
    log = ["start", "resume"]
    assert stubbed.evaluate("log") == ["the loudspeaker", *log] and shown.state == "ready"


def test_the_last_move_is_heard_though_it_is_not_drawn_yet(show, stubbed):
    shown = show(figure().book_data())
    shown.figure.evaluate(
        """(figure) => {
          const input = figure.querySelector("[name=a]");
          input.value = 0.5;
          input.dispatchEvent(new Event("input"));
          figure.querySelector(".live-start").click();
        }"""
    )
    middle = played(stubbed)[1][4000:12000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.1 * 0.5, rel=1e-3)


def test_what_it_fills_in_is_smooth_up_to_the_highest_tones(runtime):
    """A tone at nine tenths of what a rate can hold keeps its height between the samples."""
    for frequency, error in ((0.25, 1e-4), (0.5, 1e-4), (0.9, 2e-2)):
        values = np.sin(np.pi * frequency * np.arange(200))
        got = runtime.page.evaluate(
            "async (x) => [...(await import('/sound.js')).fill(Float32Array.from(x), 5)]",
            values.tolist(),
        )
        assert got[::5] == pytest.approx(values, abs=1e-6)
        smooth = np.sin(np.pi * frequency * np.arange(1000) / 5)
        assert np.abs(got - smooth)[100:-100].max() < error


@pytest.mark.parametrize("a", [4.0, 0.01])
def test_it_is_never_loud_and_begins_and_ends_in_silence(show, stubbed, a):
    shown = show(figure(sound("spike", rate=8000), sound("wave", rate=RATE)).book_data())
    shown.set("a", a)
    shown.figure.get_by_role("button", name="Play sound").first.click()
    rate, samples = played(stubbed)
    peak = np.abs(samples).max()
    assert peak == pytest.approx(min(0.5, 0.1 / a), rel=1e-3)
    shown.figure.get_by_role("button", name="Play sound").click()
    rate, samples = played(stubbed)
    assert samples[0] == 0 and np.abs(samples[[1, -1]]).max() < 1e-3
    ramp, middle = np.abs(samples[: rate // 100]), np.abs(samples[2000:4000]).max()
    assert ramp[:80].max() < 0.3 * middle < 0.7 * middle < ramp[-80:].max()


def test_it_stops_when_asked_and_when_another_starts(show, stubbed):
    two = figure(
        sound("wave", rate=RATE, label="one"), sound("spike", rate=RATE, label="two")
    ).book_data()
    other = json.loads(json.dumps(two))
    other["spec"]["name"] = "others"
    shown = show(two, other)
    first, second = stubbed.locator("#tones"), stubbed.locator("#others")
    names = lambda figure: figure.locator(".live-starters button").all_inner_texts()
    second.scroll_into_view_if_needed()
    first.get_by_role("button", name="Play one").click()
    assert names(first) == ["Stop one", "Play two"]
    first.get_by_role("button", name="Play two").click()
    assert names(first) == ["Play one", "Stop two"]
    second.get_by_role("button", name="Play one").click()
    assert names(first) == ["Play one", "Play two"] and names(second) == ["Stop one", "Play two"]
    second.get_by_role("button", name="Stop one").click()
    assert names(second) == ["Play one", "Play two"]
    assert stubbed.evaluate("speakers.length") == 1
    assert stubbed.evaluate("source.stopped > 7 && log.slice(-2).join()") == "fade,stop"
    first.get_by_role("button", name="Play one").click()
    shown.press("Reset")
    assert names(first) == ["Play one", "Play two"]


def test_it_and_the_players_of_the_page_silence_each_other(show, stubbed):
    shown = show(figure().book_data())
    stubbed.evaluate(
        """() => {
          window.player = document.createElement("audio");
          player.pause = () => log.push("paused");
          document.body.append(player);
        }"""
    )
    shown.press("Play the tone")
    assert "paused" in stubbed.evaluate("log")
    stubbed.evaluate("player.dispatchEvent(new Event('play'))")
    assert shown.figure.get_by_role("button", name="Play the tone").is_visible()


def test_a_sound_that_a_browser_does_not_begin_is_missed_in_words(show, stubbed):
    """Without a click or a key in the page, a browser answers nothing."""
    shown = show(figure().book_data(), held=True)
    stubbed.evaluate(
        """() => {
          AudioContext.prototype.resume = function () { this.state = "suspended"; return new Promise(() => {}); };
          document.querySelector(".live-start").click();
        }"""
    )
    shown.wait(1000)
    assert shown.state == "ready"
    shown.wait(1500)
    assert shown.alert == (
        "The sound could not be played: the browser lets a page sound only after a click, a tap or "
        "a key in it."
    )
    assert shown.figure.get_by_role("button", name="Play the tone").is_visible()
    stubbed.evaluate(
        """() => { AudioContext.prototype.resume = function () {
          this.state = "running";
          return Promise.resolve();
        }; }"""
    )
    shown.press("Play the tone")
    assert shown.state == "ready"
    assert shown.figure.get_by_role("button", name="Stop the tone").is_visible()


def test_the_end_of_the_wave_is_the_end(show):
    """By the browser's own Web Audio."""
    shown = show(figure().book_data())
    shown.press("Play the tone")
    assert shown.figure.get_by_role("button", name="Stop the tone").is_visible()
    shown.figure.get_by_role("button", name="Play the tone").wait_for(timeout=10_000)
    assert shown.state == "ready"


def test_the_keyboard_plays_and_stops(show, stubbed):
    shown = show(figure().book_data())
    stubbed.keyboard.press("Tab")
    active = "document.activeElement.textContent"
    assert stubbed.evaluate(active) == "Play the tone"
    stubbed.keyboard.press("Enter")
    assert stubbed.evaluate(active) == "Stop the tone"
    stubbed.keyboard.press(" ")
    assert stubbed.evaluate(active) == "Play the tone"
    box = shown.figure.locator(".live-start").bounding_box()
    assert box["height"] >= 44 and box["width"] >= 44


def test_what_cannot_be_played_is_said_in_words(show, stubbed):
    shown = show(figure(sound("spike", rate=RATE)).book_data())
    shown.set("a", 0.0)
    shown.press("Play sound")
    assert shown.alert == "The sound could not be played: the wave has an infinite number."
    shown.set("a", 1.0)
    assert shown.state == "ready"
    stubbed.evaluate("void (AudioContext = function () { throw Error('no loudspeaker') })")
    shown.press("Play sound")
    assert shown.alert == "The sound could not be played: no loudspeaker."
    assert stubbed.evaluate("log") == []
    stubbed.evaluate(f"{STUB}; 0")
    shown.press("Play sound")
    assert shown.state == "ready" and stubbed.evaluate("log.includes('start')")


def test_a_wave_that_is_not_a_number_is_not_played(show, stubbed):
    shown = show(figure().book_data())
    shown.set("a", -1.0)
    assert "“wave” is not a number (NaN) at a = −1.00" in shown.alert
    shown.press("Play the tone")
    assert "“wave” is not a number" in shown.alert and stubbed.evaluate("log") == []


def test_the_notebooks_widget_has_it_too(stubbed):
    widget = open_widget(stubbed, figure().book_data())
    widget.get_by_role("button", name="Play the tone").click()
    assert len(played(stubbed)[1]) == 16_000
    widget.evaluate("window.clean()")
    assert widget.evaluate("log.at(-1)") == "stop"


def test_print_shows_no_sound():
    fig = figure()
    silent = {**fig.spec, "panels": [p for p in fig.spec["panels"] if p["kind"] != "sound"]}
    with_sound, without = (
        static.to_png(static.picture(s, fig.value, fig.shown())) for s in (fig.spec, silent)
    )
    assert with_sound == without


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sound("wave", rate=999), "from 1000 to 96000 numbers a second; got 999"),
        (lambda: figure(sound("none", rate=RATE)), "sound expected an output 'none' of fn; got"),
        (
            lambda: figure(sound("loudness", rate=RATE)),
            r"sound expected output 'loudness' of shape \(T\); got \(\)",
        ),
        (
            lambda: live(tones, sound("wave", rate=RATE), name="t", a=(0.0, 4.0, 2.0)),
            "a picture or a number with a sound",
        ),
        (lambda: axes(sound("wave", rate=RATE), x=(0, 1), y=(0, 1), alt="A"), "expected marks"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_number_beside_it_is_enough():
    number = readouts(loudness="mean square")
    fig = live(tones, number, sound("wave", rate=RATE), name="t", a=(0.0, 4.0, 2.0))
    assert json.loads(json.dumps(fig.spec["panels"][1])) == fig.spec["panels"][1]
