/** A figure in a notebook: anywidget has the state in a model that Python shares. */
import { make } from "./controls.js";
import { View } from "./figure.js";

/** anywidget's entry: draws into `el`, returns its clean-up. */
export function render({ model, el }) {
  const figure = make("figure", { className: "live-figure" });
  figure.addEventListener("focusin", ({ target }) => {
    target.dataset.lmSuppressShortcuts = "true"; // its keys are its own: JupyterLab looks only for this
  });
  el.append(figure);
  const { caption } = model.get("spec");
  if (caption) figure.append(make("figcaption", {}, caption));
  const view = new View(figure, model);
  view.schedule();
  return () => view.stop();
}
