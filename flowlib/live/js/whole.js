/** A figure in parts as one page, made where a reader asks for it. */

/**
 * The page of the figure alone, with all its parts in it.
 * @param {string} place where that page is, which fetches its parts
 * @returns {Promise<Blob>} rejects where one of them does not come
 */
export async function wholePage(place) {
  const frame = new DOMParser().parseFromString(await textOf(place), "text/html");
  const script = frame.querySelector("script.live-data");
  const { files, ...figure } = JSON.parse(script.textContent);
  const addresses = [...new Set(Object.values(files))].map((file) => new URL(file, place));
  figure.parts = await Promise.all(addresses.map(part));
  script.textContent = JSON.stringify(figure).replaceAll("<", "\\u003c");
  return new Blob([`<!doctype html>\n${frame.documentElement.outerHTML}\n`], { type: "text/html" });
}

async function textOf(place) {
  const answer = await fetch(place).catch(() => ({}));
  if (!answer.ok) throw Error("a file did not arrive");
  return answer.text();
}

/** The JSON of a part: sphinx.py writes it as a script, between two backticks. */
async function part(place) {
  return JSON.parse((await textOf(place)).split("`")[1]);
}
