/** The map of embeddings: two planes that are moved together, the image of the point that is pointed at. */
(() => {
  const source = document.getElementById('map-data');
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const { side, labels, clusters, planes, classNames = {} } = data;
  const [colourBy, classOnly] = ['map-colour', 'map-class'].map((id) => document.getElementById(id));
  const classText = (label) => classNames[label] || `class ${label}`;
  const card = globalThis.pointCard(data, classText);
  const legend = globalThis.mapLegend(document.getElementById('legend'), data.listed);
  const view = { scale: 1, x: 0, y: 0 };
  const COLOURS = 8;
  const { size: SIZE, shapes: SHAPES, glyph } = globalThis.pointGlyphs;
  const rings = [];
  let glyphs = [];
  let at = -1;
  /** The plane in which it was pointed at. */
  let on = 0;
  let due = false;
  let restyled = 0;

  /** Colour and shape of a class or cluster: none is told by its colour alone. */
  const styleOf = (rank) => (rank % COLOURS) + COLOURS * ((rank + Math.floor(rank / COLOURS)) % SHAPES);
  const sorted = (values) => [...new Set(values)].sort((a, b) => a - b);
  /** All that there are of either plane, for one legend. */
  const known = { label: sorted(labels), cluster: sorted(clusters.flat()) };
  const stylesOf = (kind, values) => {
    const ranks = new Map(known[kind].map((value, rank) => [value, rank]));
    return values.map((value) => styleOf(ranks.get(value)));
  };
  const styles = {
    label: planes.map(() => stylesOf('label', labels)),
    cluster: clusters.map((found) => stylesOf('cluster', found)),
  };

  function explain() {
    const kind = colourBy.value;
    const textOf = kind === 'label' ? classText : (cluster) => `cluster ${cluster}`;
    legend(
      kind,
      known[kind].map((value, rank) => [textOf(value), glyphs[styleOf(rank)]]),
    );
  }

  function makeGlyphs() {
    const style = getComputedStyle(document.documentElement);
    const colours = Array.from({ length: COLOURS }, (_, i) => style.getPropertyValue(`--c${i}`).trim());
    const ratio = devicePixelRatio || 1;
    glyphs = Array.from({ length: COLOURS * SHAPES }, (_, i) =>
      glyph(colours[i % COLOURS], Math.floor(i / COLOURS), ratio),
    );
  }

  const canvases = [...document.querySelectorAll('.ground')].map((ground, plane) => {
    const canvas = document.createElement('canvas');
    const name = ground.parentElement.querySelector('figcaption').textContent;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute(
      'aria-label',
      `Map, ${name}: arrows move it, plus and minus zoom, n and p go from image to image`,
    );
    // About the point that is pointed at: the points themselves are not drawn anew for it.
    const ring = document.createElement('div');
    ring.className = 'ring';
    ring.hidden = true;
    ground.replaceChildren(canvas, ring);
    rings.push(ring);
    listen(canvas, plane);
    return canvas;
  });

  /** Pixels of a page for a unit of the plane. */
  const unit = (canvas) => (Math.min(canvas.clientWidth, canvas.clientHeight) / side) * view.scale;

  function placeRings() {
    canvases.forEach((canvas, plane) => {
      const size = unit(canvas);
      const [x, y] = [planes[plane][2 * at], planes[plane][2 * at + 1]];
      const left = canvas.clientWidth / 2 + (x - side / 2 + view.x) * size;
      const top = canvas.clientHeight / 2 + (y - side / 2 + view.y) * size;
      rings[plane].hidden = at < 0;
      rings[plane].style.transform = `translate(${left}px, ${top}px)`;
      if (at < 0 || plane !== on) return;
      const { parentElement: ground, clientWidth, clientHeight } = canvas;
      const within = (value, most) => Math.min(most, Math.max(0, value));
      card.place(ground.offsetLeft + within(left, clientWidth), ground.offsetTop + within(top, clientHeight));
    });
  }

  /** Each plane as it was last drawn, with half a canvas more on every side: what is dragged is that picture. */
  const pictures = canvases.map(() => ({ canvas: document.createElement('canvas'), of: '', x: 0, y: 0 }));

  function paint(picture, plane, { width, height, size, ratio }) {
    Object.assign(picture.canvas, { width: 2 * width, height: 2 * height });
    const context = picture.canvas.getContext('2d');
    const only = classOnly.value === '' ? null : Number(classOnly.value);
    const own = styles[colourBy.value][plane];
    const [left, top] = [width + (view.x - side / 2) * size, height + (view.y - side / 2) * size];
    const half = (SIZE * ratio) / 2;
    const points = planes[plane];
    // The others first and faint, so that a class lies on top of them.
    for (const faint of only === null ? [false] : [true, false]) {
      context.globalAlpha = faint ? 0.15 : 1;
      for (let i = 0; i < labels.length; i++) {
        if (only !== null && (labels[i] === only) === faint) continue;
        const [x, y] = [left + points[2 * i] * size - half, top + points[2 * i + 1] * size - half];
        if (x > -half && y > -half && x < 2 * width && y < 2 * height)
          context.drawImage(glyphs[own[i]], Math.floor(x), Math.floor(y));
      }
    }
    Object.assign(picture, { x: view.x, y: view.y });
  }

  function draw() {
    due = false;
    canvases.forEach((canvas, plane) => {
      const ratio = devicePixelRatio || 1;
      const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      // Not shown: it is drawn when its size changes.
      if (width === 0 || height === 0) return;
      const size = unit(canvas) * ratio;
      const picture = pictures[plane];
      const of = [width, height, size, colourBy.value, classOnly.value, restyled].join();
      const moved = () => [Math.round((view.x - picture.x) * size), Math.round((view.y - picture.y) * size)];
      const [right, down] = moved().map(Math.abs);
      if (of !== picture.of || right > width / 2 || down > height / 2)
        paint(picture, plane, { width, height, size, ratio });
      picture.of = of;
      const [x, y] = moved();
      const context = canvas.getContext('2d');
      context.clearRect(0, 0, width, height);
      context.drawImage(picture.canvas, x - Math.round(width / 2), y - Math.round(height / 2));
    });
    placeRings();
  }

  function drawSoon() {
    if (!due) requestAnimationFrame(draw);
    due = true;
  }

  function point(i, plane) {
    if (i === at && plane === on) return;
    [at, on] = [i, plane];
    card.show(i);
    placeRings();
  }

  function nearest(canvas, plane, x, y) {
    const within = 14 ** 2;
    let [best, least] = [-1, within];
    const only = classOnly.value === '' ? null : Number(classOnly.value);
    const size = unit(canvas);
    const [left, top] = [
      canvas.clientWidth / 2 + (view.x - side / 2) * size,
      canvas.clientHeight / 2 + (view.y - side / 2) * size,
    ];
    for (let i = 0; i < labels.length; i++) {
      if (only !== null && labels[i] !== only) continue;
      const square = (left + planes[plane][2 * i] * size - x) ** 2 + (top + planes[plane][2 * i + 1] * size - y) ** 2;
      if (square < least) [best, least] = [i, square];
    }
    return best;
  }

  function zoom(by) {
    if (by === 0) Object.assign(view, { scale: 1, x: 0, y: 0 });
    else view.scale = Math.min(40, Math.max(1, view.scale * by));
    drawSoon();
  }

  /** The next point, or the one before it, of those that are shown. */
  function next(by) {
    let i = Math.max(at, by === 1 ? -1 : 0);
    for (const _ of labels) {
      i = (i + by) % labels.length;
      if (classOnly.value === '' || labels[i] === Number(classOnly.value)) return i;
    }
    return at;
  }

  const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  function listen(canvas, plane) {
    let dragged = null;
    canvas.addEventListener('pointerdown', ({ clientX, clientY, pointerId }) => {
      dragged = [clientX, clientY];
      canvas.setPointerCapture(pointerId);
    });
    for (const end of ['pointerup', 'pointercancel'])
      canvas.addEventListener(end, () => {
        dragged = null;
      });
    canvas.addEventListener('pointermove', ({ clientX, clientY, offsetX, offsetY }) => {
      if (!dragged) return point(nearest(canvas, plane, offsetX, offsetY), plane);
      const size = unit(canvas);
      view.x += (clientX - dragged[0]) / size;
      view.y += (clientY - dragged[1]) / size;
      dragged = [clientX, clientY];
      drawSoon();
    });
    // Without the key the wheel scrolls the page, as it does everywhere.
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey && document.activeElement !== canvas) return;
        event.preventDefault();
        zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
      },
      { passive: false },
    );
    canvas.addEventListener('keydown', (event) => {
      const move = MOVES[event.key];
      if (move) {
        view.x += (move[0] * side) / 20 / view.scale;
        view.y += (move[1] * side) / 20 / view.scale;
        drawSoon();
      } else if (event.key === '+' || event.key === '=') zoom(1.5);
      else if (event.key === '-') zoom(1 / 1.5);
      else if (event.key === 'n') point(next(1), plane);
      else if (event.key === 'p') point(next(labels.length - 1), plane);
      else if (event.key === 'Escape') point(-1, plane);
      else return;
      event.preventDefault();
    });
  }

  for (const tools of document.querySelectorAll('.tools')) tools.hidden = false;
  for (const select of [colourBy, classOnly]) select.addEventListener('change', drawSoon);
  colourBy.addEventListener('change', explain);
  for (const button of document.querySelectorAll('[data-zoom]')) {
    button.addEventListener('click', () => zoom(Number(button.dataset.zoom)));
  }
  const restyle = () => {
    restyled++;
    makeGlyphs();
    explain();
    drawSoon();
  };
  document.documentElement.addEventListener('themechange', restyle);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyle);
  const sizes = new ResizeObserver(drawSoon);
  for (const canvas of canvases) sizes.observe(canvas);
  restyle();
})();
