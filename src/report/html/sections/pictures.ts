import type { FoundImage, Gathered, Picture, Pixels } from '../../../evaluation/index.js';
import { pngUri } from '../images.js';
import { html, type Markup } from '../markup.js';

/** Images before and after, what was changed, and what they are found with; undefined where there are none to be shown. */
export async function picturesSection({ attack, pictures, thumbnails }: Gathered): Promise<Markup | undefined> {
  if (pictures.length === 0 || (thumbnails.channels !== 1 && thumbnails.channels !== 3)) return undefined;
  const groups = (['worst', 'median'] as const).map(async (rank) => {
    const own = pictures.filter((picture) => picture.rank === rank);
    const title =
      rank === 'worst'
        ? 'The worst: embeddings that moved most'
        : 'The median: embeddings that moved further than half of the others';
    return html`<h3>${title}</h3><div class="pictures">${await Promise.all(own.map(pictureOf))}</div>`;
  });
  return html`<p>Images under ${attack}. The perturbation is shown about grey, magnified as said. Found is the nearest clean image.</p>
${await Promise.all(groups)}`;
}

async function pictureOf(picture: Picture): Promise<Markup> {
  const { sample, label, shift, clusters, found, magnified } = picture;
  const about = `image ${sample} of class ${label}`;
  const tiles = [
    tile(picture.clean, 'clean', about),
    tile(picture.attacked, 'attacked', `${about}, attacked`),
    tile(picture.perturbation, `change × ${Number(magnified.toPrecision(2))}`, `perturbation of ${about}`),
    foundTile(found.clean, 'finds, clean'),
    foundTile(found.attacked, 'finds, attacked'),
  ];
  return html`<article><h4>Image ${sample}, class ${label}</h4>
<p>cluster ${clusters.clean} → ${clusters.attacked}; moved by ${shift.toFixed(3)} (cosine distance)</p>
<div class="images">${await Promise.all(tiles)}</div></article>`;
}

async function tile(pixels: Pixels, caption: string, about: string): Promise<Markup> {
  return html`<figure><img src="${await pngUri(pixels)}" alt="${about}"><figcaption>${caption}</figcaption></figure>`;
}

function foundTile({ label, right, image }: FoundImage, caption: string): Promise<Markup> {
  return tile(image, `${caption}: ${right ? '✓' : '✗'} class ${label}`, `an image of class ${label}`);
}
