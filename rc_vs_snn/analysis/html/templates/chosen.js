
const data = JSON.parse(byId("data").textContent);
const rowsOfPoints = all("#points tbody tr");
const state = { label: 0, point: data.labels[0].at.length - 1, seed: null };
let plot = null; // Bokeh's figure, once it is drawn

// ---- the chosen operating point

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function number(value, text = value) {
  return element("td", text, { class: "number", "data-value": value });
}

function row(cells, name = "") {
  const made = document.createElement("tr");
  made.className = name;
  made.append(...cells);
  return made;
}

function showConfusion(found) {
  const counts = new Map();
  for (let at = 0; at < found.c.length; at += 2) counts.set(found.c[at], found.c[at + 1]);
  const classes = [...Array(found.k).keys()];
  const heading = (text) => element("th", text, { scope: "col" });
  const body = classes.map((truth) => {
    const line = classes.map((label) => counts.get(truth * found.k + label) || 0);
    const total = line.reduce((sum, count) => sum + count, 0);
    const cells = line.map((count, label) => {
      const cell = element("td", count || "·");
      if (count) {
        cell.style.setProperty("--shade", truth === label ? "var(--good)" : "var(--bad)");
        cell.style.setProperty("--share", 12 + (36 * count) / total);
      }
      return cell;
    });
    const right = total ? ((100 * line[truth]) / total).toFixed(1) : "-";
    return row([element("th", truth, { scope: "row" }), ...cells, element("td", right)]);
  });
  const table = byId("confusion");
  table.tHead.replaceChildren(row([heading("true"), ...classes.map(heading), heading("right %")]));
  table.tBodies[0].replaceChildren(...body);
}

function showSamples(name, samples) {
  const table = byId(name);
  if (!table) return;
  for (const header of all("thead th", table)) header.setAttribute("aria-sort", "none");
  table.tBodies[0].replaceChildren(
    ...samples.map(([id, truth, label, step, evidence, decided]) =>
      row(
        [
          element("th", id, { scope: "row", ...(typeof id === "number" ? { "data-value": id } : {}) }),
          number(truth), number(label), number(step), number(evidence), element("td", decided ? "spike" : "forced"),
        ],
        truth === label ? "" : "wrong",
      ),
    ),
  );
}

function fillSeeds(label) {
  const select = byId("seed");
  select.replaceChildren(...label.seeds.map((seed) => element("option", seed, { value: seed })));
  if (!label.seeds.includes(state.seed)) state.seed = label.seeds[0];
  select.value = String(state.seed);
  select.disabled = label.seeds.length < 2;
}

function show() {
  const label = data.labels[state.label];
  fillSeeds(label);
  const found = label.runs[label.seeds.indexOf(state.seed)][state.point];
  const chosen = rowsOfPoints.find((each) => +each.dataset.label === state.label && +each.dataset.point === state.point);
  for (const each of rowsOfPoints) {
    each.classList.toggle("is-chosen", each === chosen);
    const button = each.querySelector(".choose");
    button.tabIndex = each === chosen ? 0 : -1;
    button.setAttribute("aria-pressed", String(each === chosen));
  }
  const name = `${label.label}, ${found && found.t ? `threshold ${found.t}` : "the rule as run"}, seed ${state.seed}`;
  byId("chosen-tables").hidden = !found;
  if (found) {
    const [samples, right, step, decided] = found.n;
    const share = (count) => `${((100 * count) / samples).toFixed(2)} %`;
    byId("chosen").textContent =
      `${name}: ${right} of ${samples} samples right (${share(right)}) at mean decision step ${step.toFixed(2)}; ` +
      `${decided} decided by a spike (coverage ${share(decided)}), ${samples - decided} forced.`;
    showConfusion(found);
    showSamples("hardest", found.h);
    showSamples("earliest", found.e);
  } else {
    byId("chosen").textContent = `${name}: the run folder does not hold what was decided here.`;
  }
  if (plot) {
    const [x, y] = label.at[state.point];
    renderer("chosen-0").data_source.data = { x: [x], y: [y] };
  }
}

function choose(label, point) {
  Object.assign(state, { label, point });
  show();
}

byId("seed").addEventListener("change", (event) => {
  state.seed = Number(event.target.value);
  show();
});

// From the table: where the panel is out of sight (a phone), go there, and offer the way back.
function chooseFromTable(button) {
  const { label, point } = button.closest("tr").dataset;
  choose(Number(label), Number(point));
  const box = byId("chosen-heading").getBoundingClientRect();
  const seen = box.top >= 0 && box.bottom <= innerHeight;
  byId("back").hidden = seen;
  if (!seen && matchMedia("(max-width: 63.99rem)").matches) byId("chosen-heading").focus();
}

byId("back").addEventListener("click", () => {
  byId("back").hidden = true;
  all("#points tr.is-chosen .choose")[0].focus();
});

for (const button of all("#points .choose")) {
  button.addEventListener("click", () => chooseFromTable(button));
  button.addEventListener("keydown", (event) => {
    const shown = all("#points tbody tr:not([hidden]) .choose");
    const at = shown.indexOf(button);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (next === undefined || !shown[next]) return;
    event.preventDefault();
    for (const each of shown) each.tabIndex = -1;
    shown[next].tabIndex = 0;
    shown[next].focus();
  });
}
