/** A drawing from a table of numbers that a reader pastes. */
import { FEWEST, MOST, lengthOf, pointAt } from "./cells.js";
import { button, make } from "./controls.js";
import { noise } from "./noise.js";
import { readTable, tooLong } from "./table.js";
import { brief, counted } from "./words.js";

/**
 * Where numbers are pasted.
 * @param {{x: number[], y: number[]}} paper the axes
 * @param {(points: number[][], note: string) => void} draw
 */
export function makePaste(paper, draw) {
  const text = make("textarea", { rows: 4, spellcheck: false, placeholder: "1.5, 2.5" });
  const refused = make("p", { className: "live-refused" });
  refused.setAttribute("role", "alert");
  const attempt = (work) => {
    refused.textContent = "";
    try {
      work();
    } catch (error) {
      refused.textContent = `${error.message} Your drawing is as it was.`;
    }
  };
  text.addEventListener("paste", (event) => {
    const long = tooLong(event.clipboardData?.getData("text") ?? "");
    if (long) event.preventDefault();
    attempt(() => { if (long) throw Error(long); });
  });
  const use = button("Draw these points", () => attempt(() => draw(...scaled(text.value, paper))));
  const label = make("label", {}, "Two columns of numbers, x and y, from a spreadsheet or a CSV file", text);
  return make("details", {}, make("summary", {}, "Paste numbers"), label, use, refused);
}

/** Points from a table, scaled to the middle of the axes, and what was done; throws, in words. */
function scaled(text, paper) {
  const table = readTable(text);
  const count = table.length;
  if (count < FEWEST) throw Error(`That is ${counted(count, "row")}: a drawing needs ${FEWEST}.`);
  const order = noise("uniform", [count], 0);
  const some = [...table.keys()].sort((i, j) => order[i] - order[j]).slice(0, MOST).sort((i, j) => i - j);
  const scales = [paper.x, paper.y].map((axis, k) => {
    const values = some.map((i) => table[i][k]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const half = high / 2 - low / 2;
    const [left, right] = [0.1, 0.9].map((part) => brief(axis[0] + part * lengthOf(axis)));
    return {
      half,
      part: (value) => 0.5 + (half && (0.4 * (value - (low / 2 + high / 2))) / half),
      words: `${"xy"[k]} from ${brief(low)} to ${brief(high)}` + (half ? ` is drawn from ${left} to ${right}` : ""),
    };
  });
  if (!scales[0].half && !scales[1].half) throw Error("All rows are the same point.");
  const [x, y] = scales;
  const points = some.map((i) => pointAt([x.part(table[i][0]), y.part(table[i][1])], paper));
  const kept = count > MOST ? `${MOST} of the ${count.toLocaleString("en")} rows, chosen at random. ` : "";
  return [points, `${kept}Scale: ${x.words}; ${y.words}.`];
}
