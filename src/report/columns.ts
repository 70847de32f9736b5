/** Columns in groups of `size`, each under one of `titles`, a rule under the head and above the last row. */
export function grouped(titles: string[], size: number, rows: string[][]): string[] {
  const widths = columnWidths(rows);
  const spans = titles.map((title, i) => {
    const columns = widths.slice(1 + i * size, 1 + (i + 1) * size);
    return title.padStart(columns.reduce((sum, width) => sum + width + 2, -2));
  });
  return [[' '.repeat(widths[0]), ...spans].join('  '), ...ruled(alignRight(rows))];
}

export function ruled([head, ...rows]: string[]): string[] {
  const rule = '-'.repeat(head.length);
  return [head, rule, ...rows.slice(0, -1), rule, rows.at(-1)!];
}

export function alignRight(rows: string[][]): string[] {
  const widths = columnWidths(rows);
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => row.map(pad).join('  '));
}

export function alignLeft(rows: string[][]): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
}

function columnWidths(rows: string[][]): number[] {
  return rows[0].map((_, column) => rows.reduce((widest, row) => Math.max(widest, row[column].length), 0));
}
