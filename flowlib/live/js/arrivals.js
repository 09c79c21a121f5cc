/** Graphs that come in files of their own: those of a choice are fetched when it is chosen. */

export class Arrivals {
  /** @param view the figure's View, whose model may be able to fetch a graph */
  constructor(view) {
    this.view = view;
    this.coming = new Set();
  }

  /** Is a graph of the present choice not here yet?  Then it is fetched, and the figure drawn once all are here. */
  missing() {
    const { view, coming } = this, { model } = view;
    if (!model.files) return false;
    const lacking = this.wanted().filter((key) => !model.get("graphs")[key]);
    for (const key of lacking) if (!coming.has(key)) this.fetch(key);
    view.figure.ariaBusy = String(lacking.length > 0);
    return lacking.length > 0;
  }

  /** The names of the graphs of the present choice. */
  wanted() {
    const { training, graphs } = this.view;
    return (training ? ["start", "step", "show"] : [""]).map((role) => graphs.key(role));
  }

  async fetch(key) {
    const { view, coming } = this;
    coming.add(key);
    try {
      await view.model.fetch(key);
      view.schedule();
    } catch {
      if (!this.wanted().includes(key)) return; // another choice was made meanwhile
      view.pause();
      cancelAnimationFrame(view.frame); // of the pause: it would ask for the file again at once
      view.frame = 0;
      const way = "Choose another one, or choose this one again once you are back online.";
      view.fail(`The file of this choice did not arrive. ${way}`);
    } finally {
      coming.delete(key);
    }
  }
}
