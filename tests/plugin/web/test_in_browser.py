import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.plugin.server.serving import Served, keys_of, serving
from tests.plugin.web.conftest import Open
from tests.plugin.web.hostile import BIDI, LONG, MARKUP, USER, hostile_artefact
from whythis.conversation.assistant import WhyThis
from whythis.explanation import Dropped
from whythis.surfaces.view import view
from whythis.tools.workspace import Workspace
from whythis.web.picture import picture

WHO = "u04"


def shown(open_page: Open, url: str, user: str = WHO, **how: object) -> Page:
    """Open the page and show a person."""
    page = open_page(url, **how)
    rows(page).first.wait_for()
    page.get_by_label("Person").fill(user)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#title")).to_contain_text(user)
    return page


def rows(page: Page):  # type: ignore[no-untyped-def]
    return page.locator("#rows > li")


def items(page: Page) -> list[str]:
    return [str(row.get_attribute("data-item")) for row in rows(page).all()]


def settled(page: Page) -> None:
    page.locator("#experiment:not([hidden])").wait_for()
    expect(page.locator("#rows")).not_to_have_attribute("aria-busy", "true")


def test_why_this_opens_to_sentences_claims_levels_and_numbers(
    open_page: Open, served: Served, assistant: WhyThis
) -> None:
    page = shown(open_page, served.url)
    item = items(page)[0]
    assert items(page) == [one.item for one in assistant.recommend(WHO, 10)]
    row = rows(page).first
    why = row.get_by_role("button", name="Why this?")
    expect(why).to_have_attribute("aria-expanded", "false")
    why.click()
    expect(why).to_have_attribute("aria-expanded", "true")
    told = view(assistant.explain(WHO, item))
    sentences = row.locator(".sentence")
    expect(sentences).to_have_count(len(told.lines))
    for line, button in zip(told.lines, sentences.all(), strict=True):
        expect(button).to_contain_text("".join(line.words))
        expect(button).to_have_attribute("aria-expanded", "false")
    sentences.first.click()
    inside = row.locator(f"#{sentences.first.get_attribute('aria-controls')}")
    expect(inside).to_be_visible()
    for proof in told.lines[0].proofs:
        expect(inside).to_contain_text("".join(proof.words))
        expect(inside).to_contain_text(f"{proof.level} {proof.how}")
    inside.locator("summary").first.click()
    for name, value in told.lines[0].proofs[0].findings[0].facts:
        if name != "reviewer":
            expect(inside.locator("dl").first).to_contain_text(value)
    for bar in told.bars:
        line = row.get_by_role("row", name=bar.name)
        expect(line).to_contain_text(bar.percent)
        expect(line).to_contain_text(bar.signed)
        expect(line).to_contain_text(bar.direction)
    why.click()
    expect(row.locator(".answer")).to_be_hidden()


def test_a_persona_off_changes_the_list_to_what_python_finds(
    open_page: Open, served: Served, small_workspace: Workspace
) -> None:
    page = shown(open_page, served.url)
    before = items(page)
    switch = page.locator("#tastes").get_by_role("switch").first
    expect(switch).to_be_checked()
    switch.click()
    settled(page)
    expect(page.locator("#tastes").get_by_role("switch").first).not_to_be_checked()
    label = page.locator("#tastes").get_by_role("switch").first.get_attribute("aria-labelledby")
    persona = int(str(label).removeprefix("taste-"))
    rec = small_workspace.recommender
    found = picture(rec, WHO, personas_off=[persona], n=10)
    assert items(page) == [row.item for row in found.rows] != before
    for row, shown_row in zip(found.rows, rows(page).all(), strict=True):
        expect(shown_row.locator(".rank")).to_have_text(f"Rank {row.rank}")
        if row.rank != row.rank_before:
            expect(shown_row.locator(".moved")).to_contain_text(
                re.compile(rf"from {row.rank_before}\D")
            )
    left = page.locator("#left li")
    assert [one.get_attribute("data-item") for one in left.all()] == [r.item for r in found.left]
    expect(page.locator("#live")).to_contain_text("Run again without")
    page.get_by_role("button", name="Turn everything on").click()
    expect(page.locator("#experiment")).to_be_hidden()
    assert items(page) == before


def test_a_past_like_off_changes_the_list_to_what_python_finds(
    open_page: Open, served: Served, small_workspace: Workspace
) -> None:
    page = shown(open_page, served.url, "u01")
    page.locator("#history").get_by_role("switch").first.click()
    settled(page)
    rec = small_workspace.recommender
    last = rec.item_ids.ids[int(rec.history("u01")[-1])]
    found = picture(rec, "u01", items_off=[last], n=10)
    assert items(page) == [row.item for row in found.rows]
    expect(page.locator("#summary")).to_contain_text(rec.title(last))


def test_a_claim_can_be_tried_and_comes_out_as_it_said(open_page: Open, served: Served) -> None:
    page = shown(open_page, served.url)
    row = rows(page).first
    item = row.get_attribute("data-item")
    row.get_by_role("button", name="Why this?").click()
    row.locator(".sentence").first.click()
    proof = row.locator(".claims > li").filter(has=page.locator(".try")).first
    text = proof.locator(".claim").inner_text()
    found = re.search(r"to (\d+)(?:st|nd|rd|th)|rank stays (\d+)", text)
    assert found
    wanted = next(filter(None, found.groups()))
    proof.locator(".try").click()
    settled(page)
    inside = page.locator(f'#rows > li[data-item="{item}"] .rank')
    if inside.count():
        expect(inside).to_have_text(f"Rank {wanted}")
    else:
        expect(page.locator(f'#left [data-item="{item}"] .moved')).to_contain_text(f"→ {wanted}")


def test_rows_travel_unless_less_motion_is_wanted(open_page: Open, served: Served) -> None:
    for calm in (True, False):
        page = shown(open_page, served.url, calm=calm)
        page.evaluate(
            """() => { window.moves = 0; const was = Element.prototype.animate;
            Element.prototype.animate = function (...all) {
              window.moves += 1; return was.apply(this, all) } }"""
        )
        page.locator("#tastes").get_by_role("switch").first.click()
        settled(page)
        assert (page.evaluate("() => window.moves") == 0) is calm


def test_everything_can_be_reached_and_done_by_keyboard(open_page: Open, served: Served) -> None:
    page = shown(open_page, served.url)
    page.reload()
    rows(page).first.wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the recommendations")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    why = rows(page).first.get_by_role("button", name="Why this?")
    expect(why).to_be_focused()
    page.keyboard.press("Enter")
    sentence = rows(page).first.locator(".sentence").first
    sentence.wait_for()
    page.keyboard.press("Tab")
    expect(sentence).to_be_focused()
    page.keyboard.press("Space")
    expect(sentence).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(why).to_have_attribute("aria-expanded", "false")
    switch = page.locator("#tastes").get_by_role("switch").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if switch.evaluate("one => one === document.activeElement"):
            break
    expect(switch).to_be_focused()
    page.keyboard.press("Space")
    settled(page)
    expect(page.locator("#tastes").get_by_role("switch").first).to_be_focused()
    expect(page.locator("#tastes").get_by_role("switch").first).not_to_be_checked()


def test_a_question_is_answered_by_checked_sentences_that_open(
    open_page: Open, served: Served, assistant: WhyThis
) -> None:
    page = shown(open_page, served.url)
    item = assistant.recommend(WHO, 1)[0]
    page.get_by_label("Your question").fill(f"Why {item.title}?")
    page.keyboard.press("Enter")
    turn = page.locator(".turn").first
    expect(turn.get_by_role("heading").first).to_have_text(f"Why {item.title}?")
    expect(turn).not_to_have_attribute("aria-busy", "true")
    wanted = assistant.ask(WHO, f"Why {item.title}?")
    assert wanted.explanation is not None
    for one in wanted.sentences:
        expect(turn.get_by_text(one.text).first).to_be_visible()
    turn.locator(".sentence").first.click()
    expect(turn.locator(".claims").first).to_contain_text("verified")
    turn.get_by_text("How it was answered").click()
    expect(turn.locator(".steps li").first).to_be_visible()
    assert int(str(turn.get_attribute("data-evidence"))) > 0
    page.get_by_label("Your question").fill("How is the weather?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").first).not_to_have_attribute("aria-busy", "true")
    expect(page.locator(".turn .problem")).to_have_count(0)


def test_refused_sentences_are_shown_as_such_with_the_reason(
    open_page: Open, served: Served, assistant: WhyThis
) -> None:
    from whythis.web.card import card

    page = open_page(served.url)
    rows(page).first.wait_for()
    item = items(page)[0]
    user = page.get_by_label("Person").input_value()
    refused = Dropped(text=f"Critics adore it! {MARKUP}", reason="it cites no claim")
    plain = assistant.explain(user, item).model_copy(
        update={"dropped": (refused,), "llm_error": "it answered with no JSON"}
    )
    page.route("**/v1/page/explain", lambda route: route.fulfill(json=card(plain, assistant.ws)))
    rows(page).first.get_by_role("button", name="Why this?").click()
    box = rows(page).first.locator(".dropped")
    expect(box.locator("s")).to_have_text(f"Critics adore it! {MARKUP}")
    expect(box).to_contain_text("Refused: ")
    expect(box.locator(".reason")).to_have_text("it cites no claim")
    expect(rows(page).first).to_contain_text("The language model failed: it answered with no JSON")


def test_without_a_key_the_page_asks_for_one_and_this_tab_alone_keeps_it(
    open_page: Open, assistant: WhyThis, tmp_path: Path
) -> None:
    secrets = keys_of(tmp_path / "keys", ann=["u01", "u02"])
    with serving(assistant, page=True, keys=tmp_path / "keys") as one:
        page = open_page(one.url)
        box = page.get_by_role("dialog", name="This server asks for a key")
        for secret in ("wt-00000000-wrong", secrets["ann"]):
            box.get_by_label("Key", exact=True).fill(secret)
            page.keyboard.press("Enter")
            if secret != secrets["ann"]:
                expect(box).to_contain_text("was not accepted")
        rows(page).first.wait_for()
        expect(page.get_by_label("Person")).to_have_value("u01")
        page.get_by_label("Person").fill("u03")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text("may not ask for this user")
        kept = page.evaluate("() => [JSON.stringify(localStorage), document.cookie, location.href]")
        assert kept == ["{}", "", f"{one.url}/"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_artefact(tmp_path_factory.mktemp("hostile") / "artefact")


def test_hostile_text_is_text_and_breaks_nothing(open_page: Open, hostile: Path) -> None:
    with WhyThis.open(hostile) as opened, serving(opened, page=True) as one:
        page = shown(open_page, one.url, USER, width=360)
        for row in rows(page).all()[:4]:
            row.get_by_role("button", name="Why this?").click()
            row.locator(".stamp").wait_for()
        for button in page.locator(".sentence").all():
            button.click()
        page.get_by_label("Your question").fill(f"Why {MARKUP}{BIDI}?")
        page.keyboard.press("Enter")
        expect(page.locator(".turn").first).not_to_have_attribute("aria-busy", "true")
        page.get_by_role("button", name="Show all").click()
        page.locator("#tastes, #history").get_by_role("switch").first.click()
        settled(page)
        text = page.locator("body").inner_text()
        assert text.count("<script>window.harmed=2</script>") > 3
        assert LONG in text
        assert "\u202e" not in page.locator("#rows").inner_text()
        found = page.evaluate(
            """() => [window.harmed ?? 0, document.documentElement.scrollWidth,
            ...['img, [onerror], [style]', 'script'].map(
              which => document.querySelectorAll(which).length)]"""
        )
        assert found == [0, 360, 0, 1]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1400])
def test_no_serious_accessibility_violation(
    open_page: Open, served: Served, dark: bool, width: int
) -> None:
    page = shown(open_page, served.url, dark=dark, width=width)
    rows(page).first.get_by_role("button", name="Why this?").click()
    for button in rows(page).first.locator(".sentence").all():
        button.click()
    page.get_by_label("Your question").fill("Who do you think I am?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn").first).not_to_have_attribute("aria-busy", "true")
    page.locator("#tastes").get_by_role("switch").first.click()
    settled(page)
    ground = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(20, 22, 26)" if dark else "rgb(243, 244, 242)")
    found = Axe().run(page).response
    grave = [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == [], json.dumps(grave, indent=1)
    assert len(found["passes"]) > 20
    assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_the_switch_between_light_and_dark_overrules_the_system(
    open_page: Open, served: Served
) -> None:
    page = shown(open_page, served.url, dark=True)
    button = page.get_by_role("button", name="Dark")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    ground = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(243, 244, 242)"


def test_the_policy_stops_what_might_get_in(browser: Browser, served: Served) -> None:
    page = browser.new_page()
    blocked: list[str] = []
    page.on("console", lambda said: blocked.append(said.text))
    page.goto(served.url)
    page.evaluate(
        """() => { const s = document.createElement('img'); s.src = 'http://203.0.113.1/x.png';
        document.body.append(s); try { document.body.innerHTML = '<b>x</b>' } catch {} }"""
    )
    expect(page.locator("#title")).to_be_visible()
    page.wait_for_timeout(200)
    assert any("img-src" in one for one in blocked)
    assert any("TrustedHTML" in one for one in blocked)
    page.close()
