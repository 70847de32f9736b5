/** What colours and shapes of the map stand for: in the one script of a page, before what draws with them. */
globalThis.mapLegend = (element, listed) => {
  const SAYS = {
    label: ['classes', 'point at one to see its class'],
    cluster: ['clusters', 'point at one to see its cluster'],
  };
  /** Two clusterings number what they find as it comes. */
  const APART = ' (those of the two planes were found apart: one number need not be one group)';

  function item([text, glyph]) {
    const item = document.createElement('li');
    const name = document.createElement('span');
    Object.assign(name, { className: 'cut', title: text, textContent: text });
    const swatch = document.createElement('canvas');
    swatch.width = swatch.height = glyph.width;
    swatch.setAttribute('aria-hidden', 'true');
    swatch.getContext('2d').drawImage(glyph, 0, 0);
    item.append(swatch, name);
    return item;
  }

  /** `entries`: the text and the glyph of each class, or cluster. */
  return (kind, entries) => {
    const [many, how] = SAYS[kind];
    const few = entries.length <= listed;
    const line = document.createElement('p');
    const end = few ? `${kind === 'cluster' ? APART : ''}:` : `: ${entries.length}, too many to list; ${how}.`;
    line.textContent = `Colours and shapes are ${many}${end}`;
    const list = document.createElement('ul');
    if (few) list.append(...entries.map(item));
    element.replaceChildren(line, ...(few ? [list] : []));
  };
};
