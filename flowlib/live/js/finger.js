/**
 * A finger on a slider drags it, taps it, or scrolls the page.  Browsers move the slider to where the
 * finger lands, before that is known; here nothing follows until it is.
 */
export const SLOP = 8; // pixels within which a finger rests

/** Calls `change(value)` when a mouse, a key or a finger moves a range; not when a scroll passes it. */
export function whenMoved(input, change) {
  let finger = null;
  input.addEventListener("pointerdown", ({ pointerType, pointerId: id, clientX: x, clientY: y }) => {
    const before = input.valueAsNumber;
    if (pointerType !== "mouse") finger ??= { id, x, y, before, wanted: before, rests: true };
  });
  input.addEventListener("input", () => {
    if (!finger || finger.drags) return change(input.valueAsNumber);
    finger.wanted = input.valueAsNumber;
    input.value = finger.before;
  });
  const drag = () => {
    finger.drags = true;
    if (finger.wanted !== finger.before) change(finger.wanted);
  };
  const follow = (type, listener) => {
    input.addEventListener(type, (event) => event.pointerId === finger?.id && listener(event));
  };
  follow("pointermove", ({ clientX, clientY }) => {
    const [across, along] = [Math.abs(clientX - finger.x), Math.abs(clientY - finger.y)];
    finger.rests &&= Math.max(across, along) <= SLOP;
    if (!finger.drags && !finger.rests && across >= along) drag();
  });
  follow("pointerup", () => {
    if (!finger.drags && finger.rests) drag();
    finger = null;
  });
  follow("pointercancel", () => {
    if (finger.drags) change(finger.before);
    finger = null;
  });
}
