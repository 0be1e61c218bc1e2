"use strict";
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- sorting: texts by letters, numbers by value, what has no number last

function sortBy(header) {
  const table = header.closest("table");
  const ascending = header.getAttribute("aria-sort") !== "ascending";
  const column = header.cellIndex;
  for (const other of all("thead th", table)) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const valued = [...table.tBodies[0].rows].map((row) => {
    const cell = row.cells[column];
    return [row, "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim()];
  });
  const sign = ascending ? 1 : -1;
  valued.sort(([, one], [, other]) => {
    if (typeof one === "string") return sign * one.localeCompare(other, "en", { numeric: true });
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
    return sign * (one - other);
  });
  table.tBodies[0].append(...valued.map(([row]) => row));
}

for (const button of all(".sort")) button.addEventListener("click", () => sortBy(button.closest("th")));
