"use strict";
// A click on a header sorts a table's rows: upwards, downwards, then in their first order again.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], rows = [...body.rows];
  const key = (row, column) => {
    const cell = row.cells[column], text = cell.dataset.value ?? cell.textContent.trim();
    const number = text === "" ? NaN : Number(text);
    return Number.isNaN(number) ? text : number;
  };
  const blank = (one) => one === "" || one === "–";
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number"
      ? a - b
      : String(a).localeCompare(String(b), "en", { numeric: true });
  for (const header of table.tHead.rows[0].cells) {
    header.querySelector("button")?.addEventListener("click", () => {
      const order = { none: "ascending", ascending: "descending", descending: "none" };
      const next = order[header.getAttribute("aria-sort") ?? "none"];
      for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", next);
      const sign = next === "descending" ? -1 : 1, column = header.cellIndex;
      const sorted = next === "none" ? rows : [...rows].sort((a, b) => {
        const [x, y] = [key(a, column), key(b, column)];
        if (blank(x) || blank(y)) return blank(x) - blank(y);
        return sign * compare(x, y);
      });
      body.append(...sorted);
    });
  }
}
