/** What the page does where scripts run; without them it is read as it is. */
(() => {
  const root = document.documentElement;
  const theme = document.getElementById('theme');
  document.querySelector('.tools').hidden = false;

  /** Browsers may keep nothing for a page of the file system: then a theme lasts as long as the page. */
  const kept = {
    get() {
      try {
        return localStorage.getItem('eat-dml-theme') ?? '';
      } catch {
        return '';
      }
    },
    set(value) {
      try {
        localStorage.setItem('eat-dml-theme', value);
      } catch {
        // It is only a convenience.
      }
    },
  };

  function show(value) {
    if (value) root.dataset.theme = value;
    else delete root.dataset.theme;
    root.dispatchEvent(new Event('themechange'));
  }

  theme.value = kept.get();
  show(theme.value);
  theme.addEventListener('change', () => {
    show(theme.value);
    kept.set(theme.value);
  });

  document.getElementById('save').addEventListener('click', () => {
    const text = JSON.stringify(JSON.parse(document.getElementById('report').textContent), null, 2);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: 'application/json' }));
    link.download = 'report.json';
    link.click();
    URL.revokeObjectURL(link.href);
  });

  // What is folded away is read on paper, too.
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
})();
