// Opens a report in Chromium and holds it to what we promise: no accessibility violation, light and dark, wide and
// narrow; no scrolling sideways on a phone; no request; no need for scripts; a print that shows what is folded; valid
// HTML. Leaves pictures and the print in OUTDIR.
//
//	node check.mjs REPORT.html OUTDIR
//
// CHROMIUM names the browser; else it is /usr/bin/chromium. The print is read with pdftotext, of poppler-utils.
import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { HtmlValidate } from "html-validate";

const [report, out] = process.argv.slice(2);
if (!report || !out) {
  console.error("usage: node check.mjs REPORT.html OUTDIR");
  process.exit(2);
}
const url = pathToFileURL(resolve(report)).href;
const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
await mkdir(out, { recursive: true });

const faults = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

/** Opens the report and notes every request but the one for it, and every complaint of the browser. */
async function open(where, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("request", (r) => {
    if (r.url() !== url) fault(where, `it asks for ${r.url()}`);
  });
  page.on("console", (m) => fault(where, `the browser says: ${m.text()}`));
  page.on("pageerror", (e) => fault(where, `an error on the page: ${e.message}`));
  await page.goto(url);
  return page;
}

/** What has to be read on paper: of each folded details the letters with which a text in it begins. */
const folded = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("details:not([open])")].map((d) => {
      const leaves = [...d.querySelectorAll("p, li, td, div")].filter((e) => !e.querySelector("p, li, td, div"));
      return (leaves.at(-1)?.textContent ?? "").replace(/[^A-Za-z]/g, "").slice(0, 24);
    }),
  );

const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries(sizes)) {
    const where = `${colorScheme}, ${size}`;
    const page = await open(where, { colorScheme, viewport });
    await page.screenshot({ path: join(out, `${colorScheme}-${size}.png`) });

    for (const state of ["folded", "unfolded"]) {
      if (state === "unfolded") {
        await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
      }
      await page.evaluate(axe);
      const { violations, incomplete } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations", "incomplete"] }));
      for (const v of violations) {
        fault(`${where}, ${state}`, `axe ${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" ... ")}`);
      }
      for (const v of incomplete) console.log(`${where}, ${state}: axe could not tell ${v.id}, ${v.nodes.length} times: ${v.nodes[0].html.slice(0, 120)}`);

      const wide = await page.evaluate(() => ({
        page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        who: [...document.querySelectorAll("body *")].filter((e) => !e.closest(".aside, .skip, thead") && e.getBoundingClientRect().right > innerWidth + 1)
          .slice(0, 3).map((e) => e.outerHTML.slice(0, 120)),
      }));
      if (wide.page > 0 || wide.who.length > 0) fault(`${where}, ${state}`, `it scrolls sideways by ${wide.page} px: ${wide.who.join(" ... ")}`);
    }
    await page.screenshot({ path: join(out, `${colorScheme}-${size}-unfolded.png`), fullPage: true }).catch((e) => console.log(`no picture of the whole page: ${e.message}`));
    await page.context().close();
  }
}

// Without scripts: there is none, and the page reads the same, and folds.
{
  const where = "without scripts";
  const page = await open(where, { javaScriptEnabled: false, viewport: sizes.desktop });
  if (await page.locator("script, [onclick], [onload], [onerror]").count()) fault(where, "it holds a script");
  const summary = page.locator("details:not([open]) > summary").first();
  if (await summary.count()) {
    const details = summary.locator("xpath=..");
    const content = details.locator(":scope > :not(summary)").first();
    const handle = await content.elementHandle();
    if (await handle.isVisible()) fault(where, "a closed details shows its content");
    const button = await summary.elementHandle();
    await button.click();
    if (!(await handle.isVisible())) fault(where, "a click on a summary does not unfold it");
    await button.focus();
    await page.keyboard.press("Enter");
    if (await handle.isVisible()) fault(where, "the Enter key does not fold it");
  }
  await page.keyboard.press("Escape");
  await page.goto(url);
  await page.keyboard.press("Tab");
  const skip = page.locator(".skip");
  const box = await skip.boundingBox();
  if (!box || box.x < 0) fault(where, "the first Tab does not show the skip link");
  await page.keyboard.press("Enter");
  if (!page.url().endsWith("#main")) fault(where, "the skip link does not lead to the report");
  await page.context().close();
}

// Print, without scripts and in dark mode: light paper, and everything that is folded.
{
  const where = "print";
  const page = await open(where, { colorScheme: "dark", viewport: sizes.desktop });
  const want = await folded(page);
  await page.pdf({ path: join(out, "print.pdf"), preferCSSPageSize: true });
  const text = execFileSync("pdftotext", ["-raw", join(out, "print.pdf"), "-"], { encoding: "utf8", maxBuffer: 1 << 28 });
  const flat = text.replace(/[^A-Za-z]/g, "");
  const lost = want.filter((letters) => letters === "" || !flat.includes(letters));
  if (want.length === 0) console.log("print: nothing is folded, so nothing was proved of it");
  if (lost.length > 0) fault(where, `${lost.length} of ${want.length} folded parts are not on paper, one of them "${lost[0]}"`);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  if (paper !== "rgb(255, 255, 255)") fault(where, `dark mode prints on ${paper}`);
  await page.context().close();
}
await browser.close();

// Valid HTML.
const validator = new HtmlValidate({
  extends: ["html-validate:recommended", "html-validate:a11y"],
  rules: {
    "long-title": "off",
    "no-trailing-whitespace": "off",
  },
});
const verdict = await validator.validateString(await readFile(report, "utf8"));
for (const m of verdict.results.flatMap((r) => r.messages)) fault(`html-validate, line ${m.line}`, `${m.ruleId}: ${m.message}`);

if (faults.length > 0) {
  await writeFile(join(out, "faults.txt"), faults.join("\n") + "\n");
  console.error(`${faults.length} faults in ${report}:`);
  for (const f of faults.slice(0, 200)) console.error(`- ${f}`);
  process.exit(1);
}
console.log(`${report} holds; pictures in ${out}`);
