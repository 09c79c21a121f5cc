"""The built book in Firefox: every figure, its controls, its training and its sound."""

from __future__ import annotations

import pytest

import firefox
from alive import assert_trains, dead
from tools.book import FIGURED, PAGES, TWO_FRAMES

on_the_page_with_sound = pytest.mark.parametrize("fox", ["parallel-wavenet"], indirect=True)
# The label of a sound's button, at each change: a sound that does not run never comes to its end.
LISTEN = """(button) => {
    window.labels = [];
    new MutationObserver(() => labels.push(button.textContent)).observe(button, { childList: true });
}"""
PLAY_TO_THE_END = """(player) => new Promise((go) => {
    player.muted = true;
    player.onended = () => go("ended");
    player.onerror = () => go(player.error.message);
    player.play().catch((error) => go(String(error)));
})"""

pytestmark = pytest.mark.xdist_group("firefox")  # one process starts it


@pytest.fixture(scope="module")
def gecko(address, absent):
    """One Firefox for all pages."""
    if not (path := firefox.find()):
        absent("Firefox", "firefox-esr")
    gecko = firefox.Firefox(path, own=address)
    yield gecko
    gecko.close()


@pytest.fixture(scope="module")
def fox(request, gecko, address):
    """It, on a page and a wide screen, for the tests in this order."""
    gecko.foreign.clear()
    gecko.complaints.clear()
    gecko.resize(1200, 900)
    gecko.figures = gecko.open(f"{address}{request.param}.html")
    return gecko


@pytest.mark.parametrize("fox", FIGURED, indirect=True)
def test_figures_train_and_follow_every_control(fox):
    lifeless = []
    for figure in fox.figures:
        figure.wake()
        lifeless += dead(figure, figure.controls)
        if figure.trains:
            assert_trains(figure)
    assert lifeless == []


@on_the_page_with_sound
def test_a_click_plays_what_a_figure_shows(fox):
    sounds = [(f, p) for f in fox.figures for p in f.data["spec"]["panels"] if p["kind"] == "sound"]
    assert sounds
    for figure, panel in sounds:
        figure.wake()
        play = f"Play {panel['label']}"
        buttons = figure.handle.query_selector_all("button")
        button = next(each for each in buttons if each.text_content() == play)
        button.evaluate(LISTEN)
        button.click()
        fox.wait_for_function("() => labels.length > 1")
        assert fox.evaluate("() => labels") == [
            f"{does} {panel['label']}" for does in ("Stop", "Play")
        ]
        assert figure.alert() == ""


@on_the_page_with_sound
def test_every_recording_plays(fox):
    players = fox.evaluate("() => [...document.querySelectorAll('audio')]")
    assert players
    assert {player.evaluate(PLAY_TO_THE_END) for player in players} == {"ended"}


@pytest.mark.parametrize("fox", PAGES, indirect=True)
def test_a_page_is_quiet_and_fits_a_phone(fox):
    """Also after all that was done on it above."""
    fox.resize(390, 800)
    fox.evaluate(TWO_FRAMES)
    assert fox.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert fox.foreign == [], "requests to others"
    assert fox.complaints == [], "errors in the console"
