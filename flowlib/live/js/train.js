/**
 * Training in the page: a traced step turns the state into the next, as often as the reader likes.
 *
 * A frame takes as many steps as the reader's speed allows, then draws.  On a slow device the steps
 * take as long as a picture, in several frames if need be.  Training pauses where nobody sees it, and
 * stops where a number is not finite: then the state is the last one whose loss was finite.
 */
import { REDUCED_MOTION, button, make } from "./controls.js";
import { allFinite } from "./kernels.js";
import { number } from "./words.js";

/** Steps in a second at most: 180, so that a reader can watch; 0 is one step a frame. */
const PACES = { "speed: slow": 0, "speed: usual": 180, "speed: fast": Infinity };
const BUDGET = 24; // milliseconds that steps may take between pictures, where those take less
const LONGEST = 50; // milliseconds after which a frame takes no further step: a click is waiting
const REST = 1000; // milliseconds between pictures for readers who want no motion

export class Training {
  /** @param view the figure's View, whose spec has a "train" */
  constructor(view) {
    this.view = view;
    this.steps = view.spec.train.steps;
    this.toggle = button("Start", () => (this.frame ? this.pause() : this.go()));
    this.toggle.className = "live-start";
    const once = button("Step", () => {
      this.pause();
      if (this.count < this.steps) this.advance();
      view.schedule();
    });
    const again = button("Reset", () => view.reset());
    this.told = make("span", { className: "live-count" });
    this.speed = make("select", { ariaLabel: "Speed of training" });
    this.speed.append(...Object.keys(PACES).map((text) => make("option", {}, text)));
    this.speed.selectedIndex = 1;
    this.elements = [this.toggle, once, again, this.speed, this.told];

    const sight = new IntersectionObserver((entries) => {
      if (!entries.at(-1).isIntersecting) this.pause();
    });
    sight.observe(view.figure);
    const hide = () => document.hidden && this.pause();
    document.addEventListener("visibilitychange", hide);
    view.undo.push(() => sight.disconnect());
    view.undo.push(() => document.removeEventListener("visibilitychange", hide));
    this.reset();
  }

  /** Back to step 0; `why` is shown where steps were lost. */
  reset(why = "") {
    this.note = this.count ? why : "";
    this.count = 0;
    this.state = this.before = null;
    this.losses = new Float32Array(this.steps).fill(Infinity);
    this.tell();
  }

  go() {
    if (this.count === this.steps) this.reset();
    this.view.notice = "";
    this.toggle.textContent = "Pause";
    let last = performance.now(), ended = last; // when a frame began, and when its steps ended
    let picture = 0, spent = 0; // milliseconds: of the last picture, of the steps since then
    const turn = (now) => {
      this.frame = requestAnimationFrame(turn);
      const start = performance.now();
      if (!spent) picture = start - ended;
      const end = start + Math.min(Math.max(picture, BUDGET) - spent, LONGEST);
      const pace = PACES[this.speed.value];
      let left = Math.max(pace && Math.round((now - last) * pace / 1000), 1);
      for (; this.frame && left && performance.now() < end; left--) this.advance();
      last = now;
      ended = performance.now();
      spent += ended - start;
      if (this.frame && left && spent < picture) return;
      spent = 0;
      if (this.frame && REDUCED_MOTION.matches && now - this.drawn < REST) return;
      this.drawn = now;
      this.view.update();
    };
    this.frame = requestAnimationFrame(turn);
  }

  pause() {
    if (this.frame) this.view.schedule(); // its last steps may not be drawn yet
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.toggle.textContent = "Start";
  }

  /** One step, or the reason why there is none. */
  advance() {
    if (this.view.arrivals.missing()) return;
    this.note = "";
    try {
      this.step();
    } catch (error) {
      this.pause();
      this.view.notice = `Training stopped: ${error.message}`;
    }
    this.tell();
  }

  step() {
    const start = performance.now();
    const { view, count } = this;
    const { run, names } = view.graphs.of("step");
    const { loss, ...next } = run({ ...view.graphs.inputs(count, names), ...this.now() });
    if (![loss, ...Object.values(next)].every(allFinite)) {
      if (this.before && !allFinite(loss)) {
        this.state = this.before;
        this.losses[--this.count] = Infinity;
        this.before = null;
      }
      const advice = "Try a smaller step size, or press Reset.";
      throw Error(`the loss is not finite at step ${count}. The last finite state is kept. ${advice}`);
    }
    [this.before, this.state] = [this.state, copied(next, this.before)];
    this.losses[this.count++] = loss[0];
    if (this.count === this.steps) this.pause();
    view.figure.dataset.stepMs = (performance.now() - start).toFixed(2);
  }

  /** The present state: at first, the one that comes with the figure. */
  now() {
    const { view } = this;
    return (this.state ??= copied(view.graphs.of("start").run({})));
  }

  tell() {
    const { count, steps, losses, note } = this;
    const loss = count ? `, loss ${number(losses[count - 1], 3)}` : "";
    this.view.figure.dataset.step = count;
    this.told.textContent = `${note}step ${count} of ${steps}${loss}`;
  }
}

/** The arrays of a state as they are now; in those of one that nobody needs any more, if there is one. */
function copied(state, spare) {
  const copy = ([name, of]) => {
    const to = spare?.[name] ?? new Float32Array(of.length);
    to.set(of);
    return [name, to];
  };
  return Object.fromEntries(Object.entries(state).map(copy));
}
