#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Opens a page in headless Chromium (python3-selenium, chromium-driver) and prints facts about it, one on a line.

browser.py facts PAGE       what the page loads and complains of, its colours and width, and how its tables sort
browser.py plain PAGE       what the page has without scripts
browser.py print PAGE OUT   prints the page to a PDF
browser.py shot PAGE OUT WIDTH HEIGHT light|dark
"""
import base64
import contextlib
import json
import os
import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By


@contextlib.contextmanager
def browser():
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--disable-background-networking", "--no-first-run"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
    driver = webdriver.Chrome(service=service, options=options)
    driver.set_page_load_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


def device(driver, width, height, scheme):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


# The colours of the page, its text and the first part of a chart, as they are drawn, not as the style asks for them.
COLOURS = """
const style = (what) => getComputedStyle(document.querySelector(what));
return [style("body").backgroundColor, style("body").color, style("svg.chart .s0").fill].join(" | ");
"""

# This marks the table whose columns are sorted.
TABLE = """
const tables = [...document.querySelectorAll("table")].filter((t) => !t.closest("details:not([open])"));
const table = tables.find((t) => t.tHead.textContent.includes("useless")) || tables[0];
table.id = "sorted";
return true;
"""
COLUMN = """
return [...document.querySelectorAll("#sorted tbody tr")].map((row) => row.cells[arguments[0]].dataset.n
    ?? row.cells[arguments[0]].textContent);
"""


def sorts(driver, column, kind):
    """Clicks a column twice, and prints the order of its cells after each click."""
    def read():
        cells = driver.execute_script(COLUMN, column)
        return [float(cell) for cell in cells] if kind == "numbers" else cells
    button = driver.find_elements(By.CSS_SELECTOR, "#sorted th button")[column]
    orders = []
    for _ in range(2):
        button.click()
        cells = read()
        key = (lambda cell: cell) if kind == "numbers" else str.casefold
        up, down = sorted(cells, key=key), sorted(cells, key=key, reverse=True)
        state = driver.find_elements(By.CSS_SELECTOR, "#sorted th")[column].get_attribute("aria-sort")
        found = "ascending" if cells == up else "descending" if cells == down else f"neither: {cells}"
        orders.append(f"{found} (says {state})")
    distinct = len(set(cells))
    print(f"sort {kind} {len(cells)} cells {'differ' if distinct > 2 else 'alike'}:", ", ".join(orders))


# The width of A4 in pixels, less its margins.
PAPER = 688


def too_wide(driver):
    """Returns the tables that would be cut off in print."""
    driver.execute_script("for (const d of document.querySelectorAll('details')) d.open = true;")
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": PAPER, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    found = driver.execute_script("""
        return [...document.querySelectorAll(".wrap")]
            .filter((one) => one.firstElementChild.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => `${one.getAttribute("aria-label")}: ${one.firstElementChild.offsetWidth}`);""")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    return found


def requests(driver):
    """Returns everything that was loaded or asked for, with the page itself."""
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            params = message["params"]
            yield params.get("request", params).get("url", "?")


def facts(page):
    url = Path(page).resolve().as_uri()
    with browser() as driver:
        device(driver, 1280, 900, "light")
        driver.get(url)
        print("title", driver.title)
        print("light", driver.execute_script(COLOURS))
        device(driver, 1280, 900, "dark")
        print("dark", driver.execute_script(COLOURS))
        driver.execute_script(TABLE)
        head = [th.text for th in driver.find_elements(By.CSS_SELECTOR, "#sorted th")]
        print("columns", ", ".join(name.rstrip("\u2195\u2191\u2193 ") for name in head))
        sorts(driver, len(head) - 1, "numbers")
        sorts(driver, 0, "words")
        for width in (400, 1600):
            for opened in (False, True):
                device(driver, width, 900, "light")
                driver.execute_script("for (const d of document.querySelectorAll('details')) d.open = arguments[0];", opened)
                wide = driver.execute_script(
                    "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);")
                print(f"width {width}", "opened" if opened else "folded", wide)
        # No label may reach beyond the left or right edge of the page.
        device(driver, 400, 900, "light")
        outside = driver.execute_script("""
            // A chart within a chart ends where the outer one does.
            const all = [...document.querySelectorAll("svg.chart text")];
            return all.filter((text) => text.closest("svg").matches(".chart")).filter((text) => {
                const box = text.getBoundingClientRect();
                return box.width > 0 && (box.left < 0 || box.right > 400);
            }).map((text) => text.textContent);""")
        print("labels outside", outside)
        print("too wide for paper", too_wide(driver))
        print("elements", *(f"{tag}={len(driver.find_elements(By.CSS_SELECTOR, tag))}"
                            for tag in ("svg.chart[role=img][aria-label]", "img", "script", "table", "iframe")))
        alert = "none"
        with contextlib.suppress(Exception):
            alert = driver.switch_to.alert.text
        print("alert", alert)
        asked = [one for one in requests(driver) if one != url]
        print("requests", asked)
        print("console", [entry["message"] for entry in driver.get_log("browser")])


def without_script(page):
    """Prints what is there when scripts are off."""
    with browser() as driver:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        driver.get(Path(page).resolve().as_uri())
        print("buttons", len(driver.find_elements(By.CSS_SELECTOR, "th button")))
        print("charts", sum(one.size["height"] > 50 for one in driver.find_elements(By.CSS_SELECTOR, "svg.chart")))
        print("rows", sum(1 for one in driver.find_elements(By.CSS_SELECTOR, "main > section > .wrap tr")))


def to_pdf(page, out):
    with browser() as driver:
        # The reader likes it dark, but paper is light.
        device(driver, 1280, 900, "dark")
        driver.get(Path(page).resolve().as_uri())
        pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
        Path(out).write_bytes(base64.b64decode(pdf["data"]))


def shot(page, out, width, height, scheme):
    with browser() as driver:
        device(driver, int(width), int(height), scheme)
        driver.get(Path(page).resolve().as_uri())
        png = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": False})
        Path(out).write_bytes(base64.b64decode(png["data"]))


if __name__ == "__main__":
    {"facts": facts, "plain": without_script, "print": to_pdf, "shot": shot}[sys.argv[1]](*sys.argv[2:])
