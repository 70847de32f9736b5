/** Points of the map: in the one script of a page, before what draws with them. */
globalThis.pointGlyphs = (() => {
  const SIZE = 12;
  const path = (context, corners) => {
    context.beginPath();
    for (const [x, y] of corners) context.lineTo(x, y);
  };
  /** A disc, a square, a triangle, a cross, about the middle of a square of SIZE. */
  const SHAPES = [
    (context) => {
      context.beginPath();
      context.arc(6, 6, 3.2, 0, 7);
      context.fill();
    },
    (context) => context.fillRect(3.2, 3.2, 5.6, 5.6),
    (context) => {
      path(context, [
        [6, 2],
        [10, 9.4],
        [2, 9.4],
      ]);
      context.fill();
    },
    (context) => {
      for (const corners of [
        [
          [2.5, 2.5],
          [9.5, 9.5],
        ],
        [
          [9.5, 2.5],
          [2.5, 9.5],
        ],
      ]) {
        path(context, corners);
        context.stroke();
      }
    },
  ];

  function glyph(colour, shape, ratio) {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = SIZE * ratio;
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.fillStyle = colour;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    SHAPES[shape](context);
    return canvas;
  }

  return { size: SIZE, shapes: SHAPES.length, glyph };
})();
