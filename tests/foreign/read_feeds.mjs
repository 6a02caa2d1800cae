// Reads a collection of our documents (see validate_feeds.py) with feedsmith, a parser of the JavaScript world, and
// compares every field with what was written. Not part of the gate, as it wants Node 20 and a package of npm:
//
//     npm install --prefix FOLDER feedsmith@3.0.1
//     NODE_PATH=FOLDER/node_modules node tests/foreign/read_feeds.mjs COLLECTION

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

let parser;
try {
  parser = createRequire(fileURLToPath(import.meta.url))("feedsmith");
} catch (problem) {
  console.log(`skipped: feedsmith is not there (${problem.code}); how to get it stands at the top of this file`);
  process.exit(0);
}

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node tests/foreign/read_feeds.mjs COLLECTION");
  process.exit(64);
}
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));

// Each format's entries in one shape; undefined where the format has no such field.
const readers = {
  rss: (text) => {
    const feed = parser.parseRssFeed(text);
    return (feed.items ?? []).map((item) => ({
      id: item.guid?.value,
      title: item.title,
      link: item.link,
      published: item.pubDate,
      excerpt: item.description,
      content: item.content?.encoded,
      authors: item.dc?.creators ?? [],
      language: item.dc?.languages?.[0],
      categories: (item.categories ?? []).map(({ name }) => name),
      enclosures: (item.enclosures ?? []).map(({ url, type }) => ({ url, type })),
    }));
  },
  atom: (text) => {
    const feed = parser.parseAtomFeed(text);
    return (feed.entries ?? []).map((entry) => ({
      id: entry.id,
      title: entry.title?.value,
      link: entry.links?.find(({ rel }) => rel === "alternate")?.href,
      published: entry.published,
      updated: entry.updated,
      summary: entry.summary?.value ?? null,
      content: entry.content?.value,
      authors: (entry.authors ?? []).map(({ name }) => name),
      language: entry.xml?.lang,
      categories: (entry.categories ?? []).map(({ label, term }) => label ?? term),
      enclosures: (entry.links ?? []).filter(({ rel }) => rel === "enclosure").map(({ href, type }) => ({ url: href, type })),
    }));
  },
  json: (text) => {
    const feed = parser.parseJsonFeed(text);
    return (feed.items ?? []).map((item) => ({
      id: item.id,
      title: item.title,
      link: item.url,
      published: item.date_published,
      updated: item.date_modified,
      summary: item.summary ?? null,
      content: item.content_html,
      authors: (item.authors ?? []).map(({ name }) => name),
      language: item.language,
      categories: item.tags ?? [],
      enclosures: (item.attachments ?? []).map(({ url, mime_type }) => ({ url, type: mime_type })),
    }));
  },
};

// The same words, white space aside: readers take it away at both ends.
const bare = (text) => (text ?? "").replace(/\s/gu, "");
const unescaped = (markup) =>
  markup.replace(/<[^>]*>/gu, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&nbsp;", "\u00a0").replaceAll("&amp;", "&");
const seconds = (date) => Math.floor(new Date(date).getTime() / 1000);
// An address is the same however much of it is percent-encoded.
const decoded = (address) => address?.replace(/%25/gu, "%").replace(/%(7B|7C|7D|5B|5D|5E|60)/gu, (code) => decodeURIComponent(code));

function* differences(format, found, written) {
  const isShort = written.content.length > 10_000 && /<\/a><\/p>(\s*<\/div>)?$/u.test(found.content ?? "");
  const texts = { title: written.title, link: written.link, language: written.language };
  for (const [name, text] of Object.entries(texts)) {
    if (bare(found[name]) !== bare(text)) yield [name, found[name], text];
  }
  if (found.summary !== undefined && !isShort && bare(found.summary) !== bare(written.summary)) {
    yield ["summary", found.summary, written.summary];
  }
  if (found.excerpt !== undefined && !isShort && bare(unescaped(found.excerpt)) !== bare(written.excerpt)) {
    yield ["excerpt", found.excerpt, written.excerpt];
  }
  if (!isShort && bare(found.content) !== bare(written.content)) yield ["content", found.content, written.content];
  for (const name of ["published", "updated"]) {
    if (found[name] !== undefined && seconds(found[name]) !== written[name]) yield [name, found[name], written[name]];
  }
  // A parser passes over names of white space alone.
  const authors = written.authors.map(bare).filter(Boolean);
  if (found.authors.map(bare).join() !== authors.join()) yield ["authors", found.authors, written.authors];
  const categories = found.categories.map(bare);
  for (const { term, label } of written.categories) {
    if (bare(label ?? term) && !categories.includes(bare(label ?? term))) yield ["categories", found.categories, label ?? term];
  }
  if (!isShort) {
    const files = written.enclosures.filter(({ type }) => format === "atom" || type).slice(0, format === "rss" ? 1 : Infinity);
    const one = found.enclosures.map(({ url, type }) => `${decoded(url)} ${type}`).join();
    const other = files.map(({ url, type }) => `${decoded(url)} ${type ?? undefined}`).join();
    if (one !== other) yield ["enclosures", one, other];
  }
}

const counts = { documents: 0, entries: 0 };
const wrong = new Map();
for (const name of readdirSync(folder).sort()) {
  const format = name.split(".").pop();
  if (!readers[format] || name === "expected.json") continue;
  counts.documents += 1;
  for (const found of readers[format](readFileSync(join(folder, name), "utf8"))) {
    counts.entries += 1;
    for (const [field, one, other] of differences(format, found, expected[found.id])) {
      const kind = `${field} in ${format}`;
      const { count = 0, example = `${name}: ${JSON.stringify(one)?.slice(0, 300)} for ${JSON.stringify(other)?.slice(0, 300)}` } =
        wrong.get(kind) ?? {};
      wrong.set(kind, { count: count + 1, example });
    }
  }
}
console.log(`${counts.documents} documents, ${counts.entries} entries read with feedsmith`);
for (const [kind, { count, example }] of wrong) console.log(`error: ${kind}: ${count}\n    ${example}`);
process.exit(wrong.size > 0 ? 1 : 0);
