import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const { files: shipped } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
/** npm packs these unasked. */
const ALWAYS = ['README.md', 'LICENSE', 'package.json'];
const docs = readdirSync('docs').filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...docs.map((name) => join('docs', name))];

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(page: string): string[] {
  const headings = readFileSync(page, 'utf8').matchAll(/^#{1,6} (.+)$/gm);
  return [...headings].map(([, text]) => {
    const plain = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
    return plain.trim().replaceAll(' ', '-');
  });
}

test.each(pages)('the links of %s lead somewhere, in the package too', (page) => {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
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
