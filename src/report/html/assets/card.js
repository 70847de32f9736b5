/** The card of the point that is pointed at, beside it and above the planes: in the one script of a page, before the map. */
globalThis.pointCard = ({ samples, labels, clusters, names, sheet }, classText) => {
  const card = document.getElementById('pointed');
  const picture = document.getElementById('sheet');
  const canvas = card.querySelector('canvas');
  const [about, file] = card.querySelectorAll('output span');
  /** Pixels between a point and its card, and characters of a class's name in it. */
  const [AWAY, NAME] = [14, 40];
  const shortened = (text) => {
    const characters = [...text];
    return characters.length <= NAME ? text : `${characters.slice(0, NAME - 1).join('')}…`;
  };

  function tell(i) {
    const [before, after] = clusters.map((found) => found[i]);
    about.textContent = `image ${samples[i]}, ${shortened(classText(labels[i]))}, cluster ${before} clean, ${after} attacked`;
    file.textContent = names ? names[i] : '';
    canvas.hidden = !picture;
    if (!picture) return;
    const context = canvas.getContext('2d');
    const { columns, width, height } = sheet;
    const scale = canvas.width / Math.max(width, height);
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height];
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, x, y, width, height, 0, 0, width * scale, height * scale);
  }

  /** Tells of a point; of none where it is below 0. */
  const show = (i) => {
    card.hidden = i < 0;
    if (i >= 0) tell(i);
  };
  /** Above this place of the planes, or below it where there is no room above. */
  const place = (x, y) => {
    const room = card.parentElement.clientWidth - card.offsetWidth;
    const above = y - AWAY - card.offsetHeight;
    const [left, top] = [Math.max(0, Math.min(x - card.offsetWidth / 2, room)), above < 0 ? y + AWAY : above];
    card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  };
  return { show, place };
};
