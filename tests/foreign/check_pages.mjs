// Looks at the pages of a running site as their readers do: in a browser, in light and dark, on a phone and enlarged, with the
// keyboard alone, and through the eyes of axe-core (accessibility) and of the W3C's HTML checker.
//
// Not part of tests/run, for it needs a browser and packages of npm (Node 20 or newer, Chromium, Java):
//
//   npm install --no-save --prefix tests/.tools axe-core@4.14.1 puppeteer-core@24.43.1 vnu-jar@23.4.11
//   target/debug/newswire up --data newswire-data          (and publish something in several languages)
//   node tests/foreign/check_pages.mjs http://127.0.0.1:8080/ http://127.0.0.1:8082/subscribe
//
// From each address it follows links of the same origin, of every kind of page the first few. CHROMIUM names another browser,
// SHOTS a folder for screenshots. Ends with 1 when anything was found.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const tools = createRequire(new URL('../.tools/', import.meta.url));
const puppeteer = tools('puppeteer-core');
const axe = readFileSync(tools.resolve('axe-core/axe.min.js'), 'utf8');
const checker = tools('vnu-jar');

// Pages of one kind that are looked at.
const SAMPLES = 4;
// Links taken in from one page.
const LINKS = 300;
const MAX_TABS = 80;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const VIEWS = [
  { name: 'wide-light', scheme: 'light', width: 1280 },
  { name: 'wide-dark', scheme: 'dark', width: 1280 },
  { name: 'phone-light', scheme: 'light', width: 360 },
  { name: 'phone-dark', scheme: 'dark', width: 360 },
  // A window of 1280 at 200 %, and at 400 % (WCAG 1.4.10).
  { name: 'double', scheme: 'light', width: 640 },
  { name: 'fourfold', scheme: 'light', width: 320 },
];

const starts = process.argv.slice(2);
if (starts.length === 0) {
  console.error('usage: node tests/foreign/check_pages.mjs URL...');
  process.exit(64);
}

const found = [];
const report = (url, view, text) => found.push(`${decodeURI(url)} [${view}] ${text}`);

const profile = mkdtempSync(join(tmpdir(), 'pages-'));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
  userDataDir: profile,
});
try {
  const pages = await crawl(starts);
  await checkMarkup(pages);
  for (const [url] of pages) await look(url);
  console.log(`${pages.size} pages in ${VIEWS.length} views`);
  for (const [url] of pages) console.log(`  ${decodeURI(url)}`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const line of found) console.error(line);
console.log(`${found.length} findings`);
process.exit(found.length === 0 ? 0 : 1);

// What a page is a page of.
function kind(url) {
  const path = decodeURI(new URL(url).pathname);
  if (path.includes(';')) return 'archive';
  if (/[+,!]/.test(path)) return 'combination';
  return path.split('/').slice(0, 3).join('/').replace(/^\/articles\/.*/, '/articles');
}

// The pages to look at, with their markup; every link of ours has to lead somewhere.
async function crawl(starts) {
  const origins = new Set(starts.map((start) => new URL(start).origin));
  const queue = [...starts, new URL('/feeds/section/no-such-section', starts[0]).href];
  const seen = new Set(queue);
  const taken = new Map();
  const pages = new Map();
  while (queue.length > 0) {
    const url = queue.shift();
    const answer = await fetch(url, { headers: { accept: 'text/html' }, redirect: 'manual' });
    const body = await answer.text();
    const wanted = url.includes('no-such') ? [404] : [200, 410];
    if (!wanted.includes(answer.status)) report(url, 'link', `answers ${answer.status}`);
    if (!(answer.headers.get('content-type') ?? '').startsWith('text/html')) continue;
    const count = taken.get(kind(url)) ?? 0;
    if (count >= SAMPLES) continue;
    taken.set(kind(url), count + 1);
    pages.set(url, body);
    const links = [...body.matchAll(/<(?:a|link) [^>]*href="([^"]+)"/g)].map((match) => match[1].replaceAll('&amp;', '&'));
    for (const link of links.slice(0, LINKS)) {
      const next = new URL(link, url);
      next.hash = '';
      if (origins.has(next.origin) && !seen.has(next.href)) {
        seen.add(next.href);
        queue.push(next.href);
      }
    }
  }
  return pages;
}

// The W3C's checker: no errors, no warnings.
async function checkMarkup(pages) {
  const folder = mkdtempSync(join(tmpdir(), 'markup-'));
  const names = new Map();
  let n = 0;
  for (const [url, body] of pages) {
    const file = join(folder, `${(n += 1)}.html`);
    writeFileSync(file, body);
    names.set(file, url);
  }
  let output;
  try {
    const options = ['--format', 'json', '--exit-zero-always', '--stdout'];
    output = execFileSync('java', ['-jar', checker, ...options, ...names.keys()], { maxBuffer: 1 << 26 }).toString();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const message of JSON.parse(output).messages) {
    // The checker knows no CSS of after 2023.
    if (message.message.startsWith('CSS: “text-wrap”')) continue;
    if (message.message === 'CSS: Parse Error.' && message.extract?.includes('checked)')) continue; // :has(…:checked)
    const file = message.url.replace(/^file:(\/\/)?/, '');
    report(names.get(file) ?? file, 'markup', `${message.type}: ${message.message} (${message.extract ?? ''})`);
  }
}

async function look(url) {
  for (const view of VIEWS) {
    const page = await browser.newPage();
    await page.setBypassCSP(true);
    await page.setViewport({ width: view.width, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: view.scheme }]);
    await page.goto(url, { waitUntil: 'load' });
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    await page.evaluate(axe);
    const result = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), RULES);
    for (const violation of result.violations) {
      const nodes = violation.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`);
      report(url, view.name, `${violation.id} (${violation.nodes.length}): ${nodes.join(' | ').replaceAll('\n', ' ')}`);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) report(url, view.name, `is ${overflow} px wider than the window`);
    await smallTargets(page, url, view);
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = false)));
    if (process.env.SHOTS) {
      mkdirSync(process.env.SHOTS, { recursive: true });
      const name = encodeURIComponent(decodeURI(url).replace(/^https?:\/\//, '')).slice(0, 120);
      await page.screenshot({ path: join(process.env.SHOTS, `${name}.${view.name}.png`), fullPage: true });
    }
    if (view.width === 1280) await walk(page, url, view);
    await page.close();
  }
}

// Links that stand alone are at least 24 px high and wide (WCAG 2.5.8); within a sentence they are as high as it is.
async function smallTargets(page, url, view) {
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('a, button, summary, input, select')]
      .filter((element) => getComputedStyle(element).display !== 'inline' && element.checkVisibility({ visibilityProperty: true }))
      .filter((element) => !element.closest('.skip, .trap'))
      .map((element) => ({ text: element.textContent.slice(0, 40), box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.height < 24 || box.width < 24)
      .map(({ text, box }) => `${text} ${Math.round(box.width)}x${Math.round(box.height)}`),
  );
  if (small.length > 0) report(url, view.name, `targets smaller than 24 px: ${small.slice(0, 5).join(', ')}`);
}

// Tab by tab through the page: in the order of the text, each stop visible, in the window and marked.
async function walk(page, url, view) {
  const stops = await page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], button, input, select, summary')];
    const reachable = all.filter((element) => element.tabIndex >= 0 && element.checkVisibility({ visibilityProperty: true }));
    reachable.forEach((element, n) => (element.dataset.stop = n));
    return reachable.length;
  });
  for (let n = 0; n < Math.min(stops, MAX_TABS); n += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return {
        n: Number(element.dataset.stop),
        text: element.textContent.trim().slice(0, 40),
        marked: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.outlineStyle === 'auto',
        seen: box.width > 4 && box.height > 4 && box.bottom > 0 && box.top < innerHeight,
      };
    });
    if (stop.n !== n) return report(url, view.name, `tab ${n + 1} leads to “${stop.text}”, out of order`);
    if (!stop.marked) report(url, view.name, `the focus on “${stop.text}” is not to be seen`);
    if (!stop.seen) report(url, view.name, `“${stop.text}” has the focus and is not in sight`);
  }
}
