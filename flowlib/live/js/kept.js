/** A flow that a reader keeps beside the next one: its pictures as they were, and its state in words. */
import { button, make } from "./controls.js";

export class Kept {
  /** @param view the figure's View, which draws its pictures with its own */
  constructor(view) {
    this.view = view;
    this.element = make("div", { className: "live-kept", hidden: true });
    view.figure.querySelector(".live-body > .live-panels").after(this.element);
  }

  /** Keeps what the figure shows now, in place of what was kept before. */
  keep() {
    this.drop();
    if (!this.view.outputs) this.view.update();
    const { view } = this, { spec, model, shapes } = view;
    const copies = Object.entries(view.outputs).map(([name, numbers]) => [name, numbers.slice()]);
    const values = Object.fromEntries(spec.controls.map(({ name }) => [name, model.get(name)]));
    const past = { outputs: Object.fromEntries(copies), shapes, values };
    const words = `Kept: ${view.state}.`;
    const panels = [...this.element.previousElementSibling.children].map((panel) => panel.cloneNode(true));
    const kept = view.pictures.map(({ panel }, i) => {
      const canvas = make("canvas", { role: "img", ariaLabel: `${panel.alt} ${words}` });
      panels[i].querySelector(".live-plot").replaceChildren(canvas);
      return { panel, past, canvas };
    });
    view.pictures.push(...kept);
    const remove = button("Remove", () => this.drop());
    this.element.replaceChildren(make("p", {}, words), make("div", { className: "live-panels" }, ...panels), remove);
    view.name("kept", [remove]);
    this.element.hidden = false;
    view.draw();
  }

  drop() {
    this.element.hidden = true;
    this.view.pictures = this.view.pictures.filter(({ past }) => !past);
  }
}
