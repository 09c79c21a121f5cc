/** Two columns of numbers, as they come from a spreadsheet or a CSV file. */

const ROWS = 100_000; // at most
const LETTERS = 5_000_000; // at most: more is not even put into the page
const THOUSANDS = /^[+-]?[1-9]\d{0,2},\d{3}$/; // 1.234 or 1234?
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Why a text is not read at all, if it is not. */
export function tooLong(text) {
  const most = ROWS.toLocaleString("en");
  return text.length > LETTERS ? `That is too long: at most ${most} rows are read. Paste some of them.` : "";
}

/**
 * The points of a table with two columns, separated by tabs, semicolons, commas or spaces; a header is
 * left out.  A decimal comma is one where a tab, a semicolon or a space separates the columns.
 * @throws in words, where it is no such table
 */
export function readTable(text) {
  if (tooLong(text)) throw Error(tooLong(text));
  const lines = text.split(/\r\n|\r|\n/).map((line, i) => ({ line, row: i + 1 }));
  const filled = lines.filter(({ line }) => line.trim());
  if (filled.length > ROWS) {
    const [got, most] = [filled.length, ROWS].map((count) => count.toLocaleString("en"));
    throw Error(`That is ${got} rows: at most ${most} are read. Paste some of them.`);
  }
  const separator = separatorOf(filled.map(({ line }) => line));
  const table = filled.map(({ line, row }) => ({ row, cells: cellsOf(line, separator) }));
  const decimal = separator !== ",";
  const all = table.flatMap(({ cells }) => cells);
  const commas = decimal ? all.filter((cell) => cell.includes(",") && isNumber(cell, true)) : [];
  if (commas.length && commas.every((cell) => THOUSANDS.test(cell))) {
    throw Error(`“${commas[0]}” could be a fraction or thousands. Write it with a point or without a comma.`);
  }
  const named = (cell) => !isNumber(cell, decimal) && /\p{L}/u.test(cell);
  if (table.length && table[0].cells.every(named)) table.shift(); // a header
  return table.map(({ cells, row }) => {
    if (cells.length !== 2) {
      const columns = cells.length === 1 ? "1 column" : `${cells.length} columns`;
      throw Error(`Row ${row} has ${columns}: two are needed, x and y.`);
    }
    return cells.map((cell) => {
      const value = isNumber(cell, decimal) ? Number(plain(cell)) : NaN;
      if (Math.abs(value) < Infinity) return value;
      const shown = cell.length > 20 ? `${cell.slice(0, 20)}…` : cell;
      throw Error(`“${shown}” in row ${row} is not a finite number.`);
    });
  });
}

function separatorOf(lines) {
  for (const separator of [`\t`, ";"]) if (lines.some((line) => line.includes(separator))) return separator;
  const pairs = lines.map((line) => line.trim().split(/\s+/));
  const spaced = pairs.some((cells) => cells.length === 2 && cells.every((cell) => isNumber(cell, true)));
  return !spaced && lines.some((line) => line.includes(",")) ? "," : /\s+/;
}

function cellsOf(line, separator) {
  const cells = line.trim().split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim());
  while (cells.length > 2 && !cells.at(-1)) cells.pop(); // empty columns at the right
  return cells;
}

const plain = (cell) => cell.replace("−", "-").replace(",", ".");

function isNumber(cell, decimalComma) {
  return (decimalComma || !cell.includes(",")) && NUMBER.test(plain(cell));
}
