"""The report as a person meets it: a real comparison opened from the file system in headless Chromium."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.html import write_html
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.experiment import compare, load_preset
from rc_vs_snn.records import find_records

playwright = pytest.importorskip("playwright.sync_api", reason="playwright opens the report in a browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the report in")

DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (360, 740)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
# Where a point is on the screen, and how far the nearest other point of any label is from it, in pixels.
PLACE = """([label, point]) => {
  const { canvas_view, frame } = Bokeh.index.get_one(plot), box = canvas_view.el.getBoundingClientRect();
  const place = ([x, y]) => [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)];
  const [x, y] = place(data.labels[label].at[point]);
  const others = data.labels.flatMap(({ at }, l) => at.filter((_, p) => l != label || p != point)).map(place);
  const inside = x > box.left + 60 && y > box.top + 20 && x < box.right - 20 && y < box.bottom - 60;
  return [x, y, inside ? Math.min(...others.map(([u, v]) => Math.hypot(u - x, v - y))) : 0];
}"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Two families on digits, trained for a moment, two seeds."""
    out = tmp_path_factory.mktemp("browser")
    low = ["models.rc-lstm.rule.threshold=0.5", "models.rank-snn.rule.threshold=1"]
    few = load_preset("digits", ["model.hidden=32", "training.batch_size=32", *low])
    records = compare(few.with_training(epochs=4).with_seeds(0, 1), out / "runs")
    return records, write_html(records, out / "report.html")


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """Open a page and watch it: at the end there was no error, no request and no dialog."""
    contexts, faults, requests = [], [], []

    def open_at(path, size, **options):
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on(
            "console", lambda message: message.type in ("error", "warning") and faults.append(message.text)
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_at
    for context in contexts:
        for page in context.pages:
            width, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert width <= room, "the page scrolls sideways"
        context.close()
    assert faults == []
    assert len(requests) == len(contexts), requests
    assert all(url.startswith("file://") for url in requests)


def confusion_shown(page):
    cells = page.locator("#confusion tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1, -1).map(cell => Number(cell.textContent) || 0))"
    )
    return np.array(cells)


def judged(records, label, seed, point):
    """The confusion and the decision at a point of the page, by nothing but the trace and the rule."""
    (group,) = (each for each in group_runs(records) if each.label == label)
    (run,) = (each for each in group.runs if each.record.seed == seed)
    trace = run.record.trace()
    decision = decide(trace.evidence, FirstSpike(float(run.sweep["threshold"][point])), trace.lengths)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (trace.labels, decision.label), 1)
    return trace, decision, confusion


def lonely_point(page, label):
    """A point of the sweep that no other point is near to, and where it is."""
    page.locator("#plot").scroll_into_view_if_needed()
    places = {point: page.evaluate(PLACE, [label, point]) for point in range(60)}
    point = max(places, key=lambda each: places[each][2])
    assert places[point][2] > 4, "every point has another on top"
    return point, places[point][:2]


@pytest.mark.parametrize("size", [DESKTOP, PHONE, NARROW])
def test_it_opens_without_error_or_request_and_fits(digits, opened, size):
    page = opened(digits[1], size)
    assert page.locator("#plot canvas").count() > 0
    assert page.locator("h1").inner_text().startswith("Accuracy against decision time: digits")
    assert "decides sooner than" in page.locator(".lead").first.inner_text()
    assert page.evaluate(
        "[...document.querySelectorAll('#plot, .histograms .plot')].every(e => e.offsetHeight > 150)"
    )
    for name in ("near", "whole"):
        page.locator(f"[data-window={name}]").click()
    start, end = page.evaluate("[plot.x_range.start, plot.x_range.end]")
    assert (start < 0, end > 9) == (True, True)


def test_hovering_shows_the_numbers_of_the_table(digits, opened):
    page = opened(digits[1], DESKTOP)
    for label in (0, 1):
        point, place = lonely_point(page, label)
        page.mouse.move(*place)
        tooltip = page.locator(".bk-Tooltip .bk-tooltip-row-value")
        tooltip.first.wait_for()
        shown = [text.strip() for text in tooltip.all_inner_texts()]
        cells = page.locator(f"#points tr[data-label='{label}'][data-point='{point}'] > *").all_inner_texts()
        assert shown == [cell.strip() for cell in cells]
        assert len(shown) == 11
        page.mouse.move(5, 5)
        tooltip.first.wait_for(state="hidden")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_clicking_a_point_shows_its_confusion_and_samples(digits, opened, size):
    records, path = digits
    page = opened(path, size, has_touch=size is PHONE)
    before = confusion_shown(page)
    point, place = lonely_point(page, 1)
    if size is PHONE:
        page.touchscreen.tap(*place)
    else:
        page.mouse.click(*place)
    page.wait_for_selector(f"tr.is-chosen[data-label='1'][data-point='{point}']")
    trace, decision, confusion = judged(records, "rank-SNN", 0, point)
    assert (confusion_shown(page) == confusion).all()
    assert (before != confusion).any()
    said = page.locator("#chosen").inner_text()
    right = int((decision.label == trace.labels).sum())
    assert (
        f"rank-SNN, threshold {decided_threshold(page)}, seed 0: {right} of {len(trace)} samples right"
        in said
    )
    assert f"{decision.decided.sum()} decided by a spike" in said
    for row in page.locator("#hardest tbody tr, #earliest tbody tr").all():
        sample, truth, label, step, _, by = row.locator("th, td").all_inner_texts()
        (at,) = np.flatnonzero(trace.ids == int(sample))
        assert [int(truth), int(label), int(step)] == [
            trace.labels[at],
            decision.label[at],
            decision.step[at],
        ]
        assert (by == "spike") == decision.decided[at]
    assert page.locator("#hardest tbody tr").count() == 8


def decided_threshold(page):
    return page.evaluate("data.labels[state.label].runs[0][state.point].t")


def test_another_seed_shows_its_own_decisions(digits, opened):
    records, path = digits
    page = opened(path, DESKTOP)
    page.locator("tr[data-label='0'][data-point='30'] .choose").click()
    assert (confusion_shown(page) == judged(records, "RC-LSTM", 0, 30)[2]).all()
    page.locator("#seed").select_option("1")
    assert (confusion_shown(page) == judged(records, "RC-LSTM", 1, 30)[2]).all()
    assert "seed 1:" in page.locator("#chosen").inner_text()


def values(page, column):
    return [
        float(text) for text in page.locator(f"#points tbody tr td:nth-child({column})").evaluate_all(
            "cells => cells.map(cell => cell.dataset.value)"
        )
    ]  # fmt: skip


def test_sorting_sorts_and_says_so(digits, opened):
    page = opened(digits[1], DESKTOP)
    header = page.locator("#points thead th").nth(3)
    assert header.inner_text().startswith("accuracy")
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert values(page, 4) == sorted(values(page, 4))
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert values(page, 4) == sorted(values(page, 4), reverse=True)
    page.locator("#points thead th").nth(1).locator("button").click()
    assert header.get_attribute("aria-sort") == "none"
    thresholds = values(page, 2)
    assert thresholds[:120] == sorted(thresholds[:120])
    assert np.isnan(thresholds[120:]).all(), "what has no threshold comes last"
    page.locator("#runs thead th").nth(2).locator("button").click()
    folders = page.locator("#runs tbody td:nth-child(3)").all_inner_texts()
    assert folders == sorted(folders)


def test_the_keyboard_alone_does_the_same(digits, opened):
    records, path = digits
    page = opened(path, DESKTOP)

    def tab_to(selector):
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached with the keyboard")

    tab_to("#theme")
    page.keyboard.press("Enter")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    tab_to("#points th:first-child .sort")
    page.keyboard.press("Enter")
    assert page.locator("#points thead th").first.get_attribute("aria-sort") == "ascending"
    tab_to("#points .choose")
    page.keyboard.press("Home")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    label, point = page.evaluate(
        "(({label, point}) => [+label, +point])(document.activeElement.closest('tr').dataset)"
    )
    page.keyboard.press("Enter")
    assert page.locator("tr.is-chosen .choose").get_attribute("aria-pressed") == "true"
    name = page.evaluate("label => data.labels[label].label", label)
    assert (confusion_shown(page) == judged(records, name, 0, point)[2]).all()
    assert page.evaluate(
        "renderer('chosen-0').data_source.data.x[0] === data.labels[state.label].at[state.point][0]"
    )


def test_on_a_phone_choosing_in_the_table_leads_to_the_panel_and_back(digits, opened):
    page = opened(digits[1], PHONE)
    page.locator("tr[data-label='0'][data-point='20'] .choose").click()
    assert page.evaluate("document.activeElement.id") == "chosen-heading"
    page.locator("#back").click()
    assert page.evaluate("document.activeElement.closest('tr').dataset.point") == "20"


def test_a_screen_reader_finds_names_for_everything(digits, opened):
    page = opened(digits[1], DESKTOP)
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("thead th:not([scope=col])").count() == 0
    assert page.locator("#chosen[aria-live=polite]").count() == 1
    assert page.locator(".scroll:not([tabindex='0'][aria-labelledby])").count() == 0
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter(e => "
        "!(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length))).length"
    )
    assert nameless == 0
    assert page.locator("figure[aria-describedby='plot-text plot-told']").count() == 1
    assert page.locator("#plot-told li").count() == 2


def colours(page):
    return page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
        " plot.below[0].axis_label_text_color, renderer('line-0').glyph.line_color]"
    )  # fmt: skip


def test_dark_changes_the_colours_of_page_and_plot(digits, opened):
    light = opened(digits[1], DESKTOP, color_scheme="light")
    dark = opened(digits[1], DESKTOP, color_scheme="dark")
    before = colours(light)
    assert all(one != other for one, other in zip(before, colours(dark), strict=True))
    light.locator("#theme").click()
    assert colours(light) == colours(dark)
    assert light.locator("#theme").get_attribute("aria-pressed") == "true"
    light.locator("#theme").click()
    assert colours(light) == before
    light.emulate_media(color_scheme="dark")
    light.wait_for_selector("html[data-theme=dark]")
    assert colours(light) == colours(dark)


def test_a_model_can_be_hidden(digits, opened):
    page = opened(digits[1], DESKTOP)
    page.locator(".shown").nth(1).uncheck()
    assert page.locator("#points tbody tr[data-label='1']:visible").count() == 0
    assert page.locator("#points tbody tr[data-label='0']:visible").count() == 61
    visible = page.evaluate("plot.renderers.filter(each => each.visible).map(each => each.name)")
    assert {name.split("-")[1] for name in visible} == {"0"}


def test_many_models_can_be_hidden_and_shown_at_once(make_run, tiny_trace, opened, tmp_path):
    many = [make_run(tiny_trace, label=f"model {number}") for number in range(8)]
    page = opened(write_html(many, tmp_path / "many.html"), PHONE)
    page.get_by_role("button", name="None").click()
    assert page.locator("#points tbody tr:visible").count() == 0
    page.locator(".shown").nth(7).check()
    assert page.locator("#points tbody tr:visible").count() == 61
    page.get_by_role("button", name="All", exact=True).click()
    assert page.locator("#points tbody tr:visible").count() == 8 * 61


def test_a_label_with_markup_in_it_does_nothing(make_run, tiny_trace, opened, tmp_path):
    page = opened(write_html([make_run(tiny_trace, label=EVIL)], tmp_path / "evil.html"), DESKTOP)
    page.locator("#points .choose").last.click()
    assert page.locator("#chosen").inner_text().startswith(EVIL)
    assert page.locator("#models tbody th").inner_text() == EVIL
    page.locator("#plot").scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(PLACE, [0, 60])[:2])
    tooltip = page.locator(".bk-Tooltip .bk-tooltip-row-value").first
    tooltip.wait_for()
    assert tooltip.inner_text().strip() == EVIL
    assert page.locator("img").count() == 0


def test_published_runs_without_traces_open_as_well(opened, tmp_path):
    published = Path(__file__).resolve().parents[2] / "analysis" / "mnist-fc" / "runs"
    page = opened(write_html(find_records(published), tmp_path / "published.html"), PHONE)
    assert "the run folder does not hold what was decided here" in page.locator("#chosen").inner_text()
    page.locator("#points .choose").nth(1).click()
    assert page.locator("#chosen-tables").is_hidden()
