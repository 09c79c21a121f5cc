/** What a reader takes away of a training: its code, and the parameters as a file for numpy. */
import { encodeDrawing } from "./cells.js";
import { button, make } from "./controls.js";
import { npz } from "./npz.js";

export class Takeaway {
  /** @param view the figure's View @param away its Away, which says what was done */
  constructor(view, away) {
    Object.assign(this, { view, away });
    this.code = make("textarea", { readOnly: true, rows: 6, spellcheck: false });
    this.code.addEventListener("focus", () => this.write());
    const buttons = make("div", { className: "live-buttons" });
    const colab = make("a", { href: view.spec.code.colab, target: "_blank", rel: "noopener" }, "Open Colab");
    const copy = button("Copy the code", () => this.copy());
    buttons.append(copy, colab, button("Parameters", () => this.save()));
    this.elements = [make("label", {}, "This flow in Python", this.code), buttons];
  }

  /** The code for the present state; takeaway.py fills it likewise. */
  write() {
    const { spec, model } = this.view, { text, words } = spec.code;
    const put = (into, [name, value]) => into.replaceAll(`<<${name}>>`, () => value);
    const options = words.map(([name, codes]) => [name, codes[model.get(name)]]);
    const values = ["seed", ...spec.controls.map(({ name }) => name)].map((name) => [name, model.get(name)]);
    if (spec.drawing) values.push(["drawing", encodeDrawing(model.get("drawing"), spec.drawing)]);
    this.code.value = [...options, ...values].reduce(put, text);
  }

  async copy() {
    this.write();
    try {
      await navigator.clipboard.writeText(this.code.value);
      this.away.say("Copied: paste it into a cell of a notebook.");
    } catch {
      this.code.select();
      this.away.say("The clipboard is blocked here. The code is selected: copy it from there.");
    }
  }

  save() {
    const { training } = this.view;
    if (!training.count) return this.away.say("Nothing is trained yet: press Start first.");
    const file = npz("parameters", training.now()["state.parameters"]);
    this.away.download(new Blob([file], { type: "application/zip" }), `${this.away.name}.npz`);
  }
}
