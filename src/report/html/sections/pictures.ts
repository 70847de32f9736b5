import type { ClassNames } from '../../../class-names.js';
import type { FoundImage, Gathered, Picture, Pixels } from '../../../evaluation/index.js';
import { classText, cut } from '../class-title.js';
import { pngUri } from '../images.js';
import { html, type Markup, type Shown } from '../markup.js';

/** Images before and after, what was changed, and what they are found with; undefined where there are none to be shown. */
export async function picturesSection(gathered: Gathered, names?: ClassNames): Promise<Markup | undefined> {
  const { attack, pictures, thumbnails } = gathered;
  if (pictures.length === 0 || (thumbnails.channels !== 1 && thumbnails.channels !== 3)) return undefined;
  const groups = (['worst', 'median'] as const).map(async (rank) => {
    const own = pictures.filter((picture) => picture.rank === rank);
    const title =
      rank === 'worst'
        ? 'The worst: embeddings that moved most'
        : 'The median: embeddings that moved further than half of the others';
    return html`<h3>${title}</h3><div class="pictures">${await Promise.all(own.map((picture) => pictureOf(picture, names)))}</div>`;
  });
  return html`<p>Images under ${attack}. The perturbation is shown about grey, magnified as said. Found is the nearest clean image.</p>
${await Promise.all(groups)}`;
}

async function pictureOf(picture: Picture, names: ClassNames | undefined): Promise<Markup> {
  const { sample, name, label, shift, clusters, found, magnified } = picture;
  const shown = classText(label, names);
  const about = `image ${sample} of ${shown}`;
  const tiles = [
    tile(picture.clean, 'clean', about),
    tile(picture.attacked, 'attacked', `${about}, attacked`),
    tile(picture.perturbation, `change × ${Number(magnified.toPrecision(2))}`, `perturbation of ${about}`),
    foundTile(found.clean, 'finds, clean', names),
    foundTile(found.attacked, 'finds, attacked', names),
  ];
  return html`<article><h4>${cut(`Image ${sample}, ${shown}`)}</h4>
${name && html`<p class="file">${cut(name)}</p>\n`}<p>cluster ${clusters.clean} → ${clusters.attacked}; moved by ${shift.toFixed(3)} (cosine distance)</p>
<div class="images">${await Promise.all(tiles)}</div></article>`;
}

async function tile(pixels: Pixels, caption: Shown, about: string): Promise<Markup> {
  return html`<figure><img src="${await pngUri(pixels)}" alt="${about}"><figcaption>${caption}</figcaption></figure>`;
}

function foundTile(found: FoundImage, caption: string, names: ClassNames | undefined): Promise<Markup> {
  const { label, name, right, image } = found;
  const shown = classText(label, names);
  const title = name === undefined ? shown : `${shown}: ${name}`;
  return tile(image, html`${caption}: ${right ? '✓' : '✗'} ${cut(shown, title)}`, `an image of ${shown}`);
}
