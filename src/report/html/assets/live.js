/** The page of a training: asks for what is new, and is answered when there is some. */
(() => {
  const main = document.getElementById('main');
  let { version } = main.dataset;

  async function follow() {
    for (;;) {
      const answer = await fetch(`/state?since=${version}`);
      const { version: now, main: shown, ended } = await answer.json();
      if (now !== version) main.innerHTML = shown;
      version = now;
      if (ended) return;
    }
  }

  follow().catch(() => {
    const state = document.getElementById('live');
    state.className = 'alert';
    state.textContent = 'Its process answers no more: this is what was seen last.';
  });
})();
