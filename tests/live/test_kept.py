"""A flow that a reader keeps stays as it was, in pictures and in words, while another one trains."""

from pages import learner
from shown import PIXELS


def test_a_kept_flow_stays_beside_the_next_one(show):
    shown = show(learner(steps=5000).book_data())
    looks = lambda: [each.evaluate(PIXELS) for each in shown.figure.locator("canvas").all()]
    kept = shown.figure.locator(".live-kept")
    shown.press("Step")
    shown.press("Step")
    now = looks()
    shown.press("Keep beside")
    assert "step 2 of 5000" in kept.locator("p").inner_text()
    assert looks() == now + now
    label = kept.locator("canvas").first.get_attribute("aria-label")
    assert "Kept: " in label and "step 2 of 5000" in label
    shown.press("Step")
    after = looks()
    assert after[: len(now)] != now and after[len(now) :] == now
    assert kept.locator("canvas").first.get_attribute("aria-label") == label
    shown.press("Save or embed")
    with shown.page.expect_download():
        shown.press("PNG")
    shown.press("Keep beside")  # in place of the other one
    assert looks() == after[: len(now)] * 2
    shown.press("Remove")
    assert not kept.is_visible()
    shown.press("Step")
    assert shown.state == "ready"
