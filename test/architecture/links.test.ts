import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const { files: shipped } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
/** npm packs these unasked. */
const ALWAYS = ['README.md', 'LICENSE', 'package.json'];
const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...docs.map((name) => join('docs', name))];

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  const headings = text.matchAll(/^#{1,6} (.+)$/gm);
  const named = [...text.matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id]) => id);
  const times = new Map<string, number>();
  const made = [...headings].map(([, heading]) => {
    const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
    const anchor = plain.trim().replaceAll(' ', '-');
    const before = times.get(anchor) ?? 0;
    times.set(anchor, before + 1);
    return before ? `${anchor}-${before}` : anchor;
  });
  return [...named, ...made];
}

test.each(pages)('the links of %s lead somewhere, in the package too', (page) => {
  const text = readFileSync(page, 'utf8').replaceAll(/^ *```.*?^ *```/gms, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  for (const link of links) {
    if (/^https?:/.test(link)) continue;
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : normalize(join(dirname(page), path));
    expect(existsSync(target), `${link} of ${page}`).toBe(true);
    const isShipped = [...ALWAYS, ...shipped].some((part) => target === part || target.startsWith(`${part}/`));
    expect(isShipped, `${target}, to which ${page} links, is in the package`).toBe(true);
    if (anchor) expect(anchors(target), `#${anchor} of ${page}`).toContain(anchor);
  }
});
