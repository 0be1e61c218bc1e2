
// ---- colours: the style sheet's, put on what Bokeh draws

function paint() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  for (const model of Bokeh.documents.flatMap((each) => each.roots())) {
    for (const axis of [...model.below, ...model.left]) {
      axis.axis_label_text_color = axis.major_label_text_color = colour("text");
      axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = colour("soft");
    }
    for (const grid of model.center) grid.grid_line_color = colour("line");
    for (const renderer of model.renderers) {
      const [series, number] = renderer.name.split("-");
      let shade = colour(`series-${number % 7}`);
      if (series === "chosen") shade = colour("focus");
      if (series === "wrong") shade = colour("wrong");
      for (const glyph of [renderer.glyph, renderer.nonselection_glyph, renderer.muted_glyph]) {
        if (!glyph || typeof glyph === "string") continue;
        if ("line_color" in glyph) glyph.line_color = series === "rule" || series === "points" ? colour("page") : shade;
        if ("fill_color" in glyph) glyph.fill_color = shade;
      }
    }
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
  paint();
}

byId("theme").addEventListener("click", () => {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  setTheme(event.matches ? "dark" : "light");
});

// ---- the plot

function renderer(name) {
  return plot.renderers.find((each) => each.name === name);
}

function nearest({ sx, sy }) {
  const frame = Bokeh.index.get_one(plot).frame;
  let best = { distance: 24 };
  data.labels.forEach((label, number) => {
    if (!isShown(number)) return;
    label.at.forEach(([x, y], point) => {
      const distance = Math.hypot(frame.x_scale.compute(x) - sx, frame.y_scale.compute(y) - sy);
      if (distance < best.distance) best = { distance, number, point };
    });
  });
  return best;
}

const isShown = (number) => all(".shown")[number].checked;

function showModels() {
  for (const each of rowsOfPoints) each.hidden = !isShown(Number(each.dataset.label));
  for (const each of plot.renderers) {
    const [series, number] = each.name.split("-");
    if (series !== "chosen") each.visible = isShown(Number(number));
  }
}

for (const box of all(".shown")) box.addEventListener("change", showModels);
for (const button of all("[data-all]")) {
  button.addEventListener("click", () => {
    for (const box of all(".shown")) box.checked = Boolean(button.dataset.all);
    showModels();
  });
}

function showWindow(name) {
  const [left, right, bottom, top] = data.windows[name];
  plot.x_range.setv({ start: left, end: right });
  plot.y_range.setv({ start: bottom, end: top });
  for (const each of all("[data-window]")) each.setAttribute("aria-pressed", String(each.dataset.window === name));
}

for (const button of all("[data-window]")) {
  button.addEventListener("click", () => showWindow(button.dataset.window));
}

async function draw() {
  for (const item of data.plots) await Bokeh.embed.embed_item(item);
  plot = Bokeh.documents.flatMap((each) => each.roots()).find((root) => root.renderers.some((each) => each.name === "chosen-0"));
  plot.on_event("tap", (event) => {
    const { number, point } = nearest(event);
    if (number !== undefined) choose(number, point);
  });
  plot.on_event("reset", () => showWindow("near"));
  setTheme(document.documentElement.dataset.theme);
  show();
  document.documentElement.dataset.ready = "true";
}

draw();
